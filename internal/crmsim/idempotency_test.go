// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestIdempotencyKeyMakesACreateHappenOnce(t *testing.T) {
	const key = "Idempotency-Key"
	inBubble(t, Config{}, func(w world) {
		first := w.create("a", key, "k")
		w.sleep(2*time.Hour - time.Second)
		again := w.create("a", key, "k")
		if again.status != http.StatusCreated || again.body != first.body {
			w.Errorf("the replay is %d %s", again.status, again.body)
		}
		if miss, hit := first.header.Get("X-Idempotency-Lookup"), again.header.Get("X-Idempotency-Lookup"); miss != "miss" || hit != "hit" {
			w.Errorf("lookups are %q and %q", miss, hit)
		}
		spaced := w.do(http.MethodPost, "/api/v2/tickets", " "+ticketJSON("a")+"\n", key, "k")
		w.wantStatus(spaced, http.StatusCreated)

		other := w.create("b", key, "k")
		w.wantStatus(other, http.StatusBadRequest)
		if want := `{"error":"IdempotentRequestError","description":"Request parameters don't match the given idempotency key"}`; other.body != want {
			w.Errorf("another body gets %s", other.body)
		}
		w.sleep(time.Second)
		if late := w.create("a", key, "k"); late.header.Get("X-Idempotency-Lookup") != "miss" {
			w.Error("the key is known after 2 h")
		}
		if got := w.sim.TicketsByExternalID()["a"]; len(got) != 2 {
			w.Errorf("tickets of a are %v, want one within 2 h and one after", got)
		}
		w.wantStatus(w.create("c", key, strings.Repeat("k", 256)), http.StatusBadRequest)
	})
}

func TestIdempotencyKeyRemembersRefusedTicketsButNotRefusedCalls(t *testing.T) {
	const key = "Idempotency-Key"
	inBubble(t, Config{Limits: limits("minute=2/60s")}, func(w world) {
		w.wantStatus(w.do(http.MethodPost, "/api/v2/tickets", `{"ticket": {}}`, key, "blank"), http.StatusUnprocessableEntity)
		again := w.do(http.MethodPost, "/api/v2/tickets", `{"ticket": {}}`, key, "blank")
		if again.status != http.StatusUnprocessableEntity || again.header.Get("X-Idempotency-Lookup") != "hit" {
			w.Errorf("the replay is %d %v", again.status, again.header)
		}
		w.wantStatus(w.create("a", key, "k"), http.StatusTooManyRequests)
		w.sleep(time.Minute)
		w.wantStatus(w.create("a", key, "k"), http.StatusCreated)
	})
}

func TestIdempotencyKeyFindsWhatACallThatFailedHasDone(t *testing.T) {
	const key = "Idempotency-Key"
	inBubble(t, Config{Outages: []Outage{{Kind: ServerError, For: time.Second, Executed: true}}}, func(w world) {
		w.wantStatus(w.create("a", key, "k"), http.StatusInternalServerError)
		w.sleep(time.Second)
		again := w.create("a", key, "k")
		if again.status != http.StatusCreated || again.header.Get("X-Idempotency-Lookup") != "hit" {
			w.Errorf("the retry gets %d %v", again.status, again.header)
		}
		if got := w.sim.TicketsByExternalID()["a"]; len(got) != 1 {
			w.Errorf("tickets are %v", got)
		}
	})
}
