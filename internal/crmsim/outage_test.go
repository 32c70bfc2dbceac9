// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOutages(t *testing.T) {
	tests := map[string]struct {
		outage  string
		status  int // 0: no answer
		took    time.Duration
		created bool
	}{
		"unavailable":                {"unavailable+30s", http.StatusServiceUnavailable, 0, false},
		"an error before executing":  {"error+30s", http.StatusInternalServerError, 0, false},
		"an error after executing":   {"error+30s,executed", http.StatusInternalServerError, 0, true},
		"a reset before executing":   {"reset+30s", 0, 0, false},
		"a reset after executing":    {"reset+30s,executed", 0, 0, true},
		"a hang before executing":    {"hang+30s", 0, 30 * time.Second, false},
		"a hang after executing":     {"hang+30s,executed", 0, 30 * time.Second, true},
		"a slow answer":              {"slow+30s,delay=20s", http.StatusCreated, 20 * time.Second, true},
		"one for another operation":  {"unavailable+30s,operation=UpdateTicket", http.StatusCreated, 0, true},
		"one for just this":          {"unavailable+30s,operation=CreateTicket", http.StatusServiceUnavailable, 0, false},
		"one that has not begun yet": {"unavailable@1s+30s", http.StatusCreated, 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{}, func(w world) {
				if err := w.sim.SetOutages(mustOutage(t, test.outage)); err != nil {
					w.Fatal(err)
				}
				begun := time.Now()
				got, err := w.try(w.Context(), http.MethodPost, "/api/v2/tickets", ticketJSON("a"))
				if got.status != test.status || (err != nil) != (test.status == 0) {
					w.Errorf("got %d, %v; want %d", got.status, err, test.status)
				}
				if took := time.Since(begun); took != test.took {
					w.Errorf("took %v, want %v", took, test.took)
				}
				if created := len(w.sim.TicketsByExternalID()["a"]) == 1; created != test.created {
					w.Errorf("created: %v, want %v", created, test.created)
				}
				if a := w.sim.Arrivals(); len(a) != 1 || a[0].Status != test.status {
					w.Errorf("recorded %+v", a)
				}
				w.sleep(time.Minute)
				w.wantStatus(w.create("after"), http.StatusCreated)
			})
		})
	}
}

func mustOutage(t *testing.T, text string) Outage {
	t.Helper()
	o, err := ParseOutage(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOutageLastsFromItsStartUntilItsEnd(t *testing.T) {
	inBubble(t, Config{Outages: []Outage{{Kind: Unavailable, After: 10 * time.Second, For: 5 * time.Second}}}, func(w world) {
		var statuses []int
		for range 4 {
			statuses = append(statuses, w.create("x").status)
			w.sleep(5 * time.Second)
		}
		if diff := cmp.Diff([]int{201, 201, 503, 201}, statuses); diff != "" {
			w.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestOutageOfAPercentageStrikesAboutAsManyCalls(t *testing.T) {
	inBubble(t, Config{Seed: 1, Outages: []Outage{{Kind: Unavailable, Percent: 20}}}, func(w world) {
		failed := 0
		for i := range 500 {
			if w.create(fmt.Sprint(i)).status == http.StatusServiceUnavailable {
				failed++
			}
		}
		if failed < 70 || failed > 130 {
			w.Errorf("%d of 500 failed", failed)
		}
	})
}

func TestHangEndsWhenTheClientGoes(t *testing.T) {
	inBubble(t, Config{Outages: []Outage{{Kind: Hang}}}, func(w world) {
		ctx, cancel := context.WithTimeout(w.Context(), 3*time.Second)
		defer cancel()
		if _, err := w.try(ctx, http.MethodGet, "/api/v2/users/me", ""); !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("got %v", err)
		}
		w.sleep(time.Second)
		if r := w.sim.Report(); r.InService != 0 || r.ClientGone != 1 {
			w.Errorf("in service %d, gone %d", r.InService, r.ClientGone)
		}
	})
}

func TestResetReachesARealClientAsReset(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{"plain": httptest.NewServer, "TLS": httptest.NewTLSServer} {
		t.Run(name, func(t *testing.T) {
			sim := New(Config{Outages: []Outage{{Kind: Reset}}})
			defer sim.Close()
			server := start(sim)
			defer server.Close()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/v2/tickets", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			response, err := server.Client().Do(request)
			if err == nil {
				_ = response.Body.Close()
			}
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestParseOutage(t *testing.T) {
	good := map[string]Outage{
		"unavailable":                 {Kind: Unavailable},
		"hang@1m+30s":                 {Kind: Hang, After: time.Minute, For: 30 * time.Second},
		"reset+2s,executed":           {Kind: Reset, For: 2 * time.Second, Executed: true},
		"slow,delay=20s,percent=5":    {Kind: Slow, Delay: 20 * time.Second, Percent: 5},
		"error,operation=SearchUsers": {Kind: ServerError, Operation: "SearchUsers"},
	}
	for text, want := range good {
		if got, err := ParseOutage(text); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	bad := map[string]string{
		"fire":              `kind "fire" is not one of`,
		"hang@soon":         "invalid duration",
		"hang@-1s":          "must not be negative",
		"slow":              "slow needs one",
		"reset,delay=1s":    "delay belongs to slow",
		"error,percent=200": "percent must be 0 to 100, not 200",
		"error,percent=few": "expected integer",
		"error,loudly=yes":  `option "loudly=yes" is unknown`,
		"unavailable+1s+2s": "unknown unit",
	}
	for text, want := range bad {
		_, err := ParseOutage(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
