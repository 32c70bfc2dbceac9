// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

func hashOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// promise is a 202: the call must not be lost.
type promise struct {
	integration string
	id          call.ID
	// external is the ticket's external ID; empty for calls that create none.
	external string
	// order is the ordering key, key what the client called it by.
	order, key string
	// refersTo is the promise whose answer it holds a place for; referred, another one does so.
	refersTo *promise
	referred bool
	final    *call.Result
}

// request is what a client hands in.
type request struct {
	method, target, body, key, external, order string

	queued   bool
	refersTo *promise
}

// hand makes the requests of one integration until the load ends. Each life of a client is a stream of its own randomness.
func (w *world) hand(ctx context.Context, integration, client int, random *rand.Rand) {
	for n := 0; ctx.Err() == nil; n++ {
		sleep(ctx, time.Duration(random.ExpFloat64()*float64(w.pace)))
		if w.refers && random.IntN(3) == 0 {
			w.askInTurn(ctx, integration, random, fmt.Sprintf("%d-%d", client, n))
			continue
		}
		r := w.draw(random, integration, fmt.Sprintf("%d-%d", client, n))
		patience := ctx
		if !r.queued && random.IntN(5) == 0 { // some clients go away
			short, cancel := context.WithTimeout(ctx, time.Duration(random.IntN(3000))*time.Millisecond)
			patience = short
			defer cancel()
		}
		if w.crowds && random.IntN(10) == 0 {
			for b := range random.IntN(120) {
				w.ask(patience, integration, w.drawOfCrowd(random, integration, fmt.Sprintf("%d-%d-%d", client, n, b)))
			}
			continue
		}
		if random.IntN(10) == 0 { // a burst
			for b := range random.IntN(20) {
				w.ask(patience, integration, w.draw(random, integration, fmt.Sprintf("%d-%d-%d", client, n, b)))
			}
		}
		w.ask(patience, integration, r)
	}
}

func (w *world) draw(random *rand.Rand, integration int, key string) request {
	if w.mixed {
		return drawWrite(random, integration, key)
	}
	return drawRequest(random, integration, key)
}

func (w *world) drawOfCrowd(random *rand.Rand, integration int, key string) request {
	if w.mixed {
		return drawWrite(random, integration, key)
	}
	return createRequest(random, integration, key)
}

// drawRequest chooses among the ways in which calls can be repeated. Clients of different integrations choose the same keys.
func drawRequest(random *rand.Rand, integration int, key string) request {
	name := fmt.Sprint(integration, "-", key)
	ticket := func(external string) string {
		return fmt.Sprintf(`{"subject":"s","comment":{"body":"b"},"external_id":%q}`, external)
	}
	switch random.IntN(6) {
	case 0: // somebody waits
		return request{method: http.MethodGet, target: "/api/v2/users/search?query=a"}
	case 1: // somebody waits, and a ticket is made
		return request{method: http.MethodPost, target: "/api/v2/tickets.json", body: `{"ticket":` + ticket(name) + `}`, external: name, key: "k" + key}
	case 2: // idempotent by its method
		return request{method: http.MethodPut, target: fmt.Sprintf("/api/v2/tickets/%d.json", 1+random.IntN(3)), body: `{"ticket":{"subject":"t"}}`, queued: true}
	case 3: // nothing recognises a second one
		return request{
			method: http.MethodPost, target: "/api/v2/tickets/create_many.json", body: `{"tickets":[` + ticket(name) + `]}`, external: name, queued: true, key: "k" + key,
			order: drawOrder(random),
		}
	default:
		return createRequest(random, integration, key)
	}
}

// createRequest is one for a ticket that may be made later.
func createRequest(random *rand.Rand, integration int, key string) request {
	name := fmt.Sprint(integration, "-", key)
	body := fmt.Sprintf(`{"ticket":{"subject":"s","comment":{"body":"b"},"external_id":%q}}`, name)
	r := request{method: http.MethodPost, target: "/api/v2/tickets.json", body: body, external: name, queued: true, key: "k" + key}
	r.order = drawOrder(random)
	return r
}

// drawOrder chooses one of a few ordering keys, or none.
func drawOrder(random *rand.Rand) string { return []string{"", "", "one", "two"}[random.IntN(4)] }

// ask hands in one request, again when the machine died before it answered: the key makes that harmless.
func (w *world) ask(ctx context.Context, integration int, r request) {
	for range 5 {
		m := w.machine.Load()
		if m == nil {
			if sleep(ctx, time.Second); ctx.Err() != nil {
				return
			}
			continue
		}
		answer := httptest.NewRecorder()
		m.serve(answer, w.newRequest(ctx, integration, r))
		if m.dead.Load() {
			if r.key == "" || !r.queued {
				return
			}
			continue
		}
		switch answer.Code {
		case http.StatusAccepted:
			w.promised(integration, r, answer)
		case http.StatusInsufficientStorage:
			w.count(func(h *happened) { h.full++ })
		default: // the CRM's answer, or a refusal: nothing is promised
		}
		return
	}
}

func (w *world) newRequest(ctx context.Context, integration int, r request) *http.Request {
	request := httptest.NewRequestWithContext(ctx, r.method, r.target, strings.NewReader(r.body))
	request.Header.Set("Authorization", "Bearer "+keyOf(integration))
	request.Header.Set("Content-Type", "application/json")
	if r.queued {
		request.Header.Set("Prefer", "respond-async")
	}
	if r.key != "" {
		request.Header.Set("Idempotency-Key", r.key)
	}
	if w.refers {
		request.Header.Set("Priority", urgencyOf(r))
	}
	if r.refersTo != nil {
		request.Header.Set(contract.HeaderReferences, string(r.refersTo.id))
	}
	if r.order != "" {
		request.Header.Set(contract.HeaderOrderingKey, r.order)
	}
	return request
}

// serve answers as net/http would: an aborted handler is a broken connection.
func (m *machine) serve(w http.ResponseWriter, r *http.Request) {
	defer func() {
		fault := recover()
		if err, _ := fault.(error); fault != nil && !errors.Is(err, http.ErrAbortHandler) {
			panic(fault)
		}
	}()
	m.intake.ServeHTTP(w, r)
}

func (w *world) promised(integration int, r request, answer *httptest.ResponseRecorder) {
	var body struct{ ID call.ID }
	if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil {
		w.t.Errorf("a 202 without an ID: %s", answer.Body)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.refersTo != nil {
		r.refersTo.referred = true
	}
	w.promises = append(w.promises, &promise{
		integration: w.plan.Integrations[integration].Key(), id: body.ID, external: r.external, order: r.order, key: r.key, refersTo: r.refersTo,
	})
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
