// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// TestAThousandCreations queues 1,000 creations while dispatch is held, against 400 calls a minute, and then lets them go: with and without batching.
func TestAThousandCreations(t *testing.T) {
	const creations = 1000
	cases := map[string]struct {
		target, body string
		most         int
	}{
		"Zendesk":    {"/api/v2/tickets.json", `{"ticket":{"subject":"s","comment":{"body":"b"},"external_id":"%d"}}`, 25},
		"Salesforce": {"/services/data/v60.0/sobjects/Case", `{"Subject":"s%d","Status":"New","Origin":"Web"}`, 6},
		"HubSpot":    {contacts, `{"properties":{"email":"c%d@example.test"}}`, 10},
		"ZohoCRM":    {"/crm/v8/Leads", `{"data":[{"Last_Name":"s%d"}]}`, 100},
		"Kustomer":   {"/v1/customers", `{"name":"s%d"}`, 30},
		"Generic":    {contacts, `{"properties":{"email":"c%d@example.test"}}`, 10},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			oneByOne, together := oneByOneAndTogether(t, name, func(t *testing.T, w *world) (calls int, took time.Duration) {
				all := w.queueAll(creations, "c", func(n int) request {
					return request{method: http.MethodPost, target: c.target, body: fmt.Sprintf(c.body, n)}
				})
				w.letGo(false)
				took = w.awaitAll(all)
				wantOwnIDs(t, all)
				return w.server.Report().Arrivals, took
			})
			if oneByOne != creations || together > c.most {
				t.Errorf("it took %d calls one by one, and %d in bulk calls", oneByOne, together)
			}
		})
	}
}

// contacts is where HubSpot makes contacts.
const contacts = "/crm/v3/objects/contacts"

// asHubSpot tells of HubSpot what its own adapter knows of bulk calls.
var asHubSpot = contract.Generic{BulkCalls: []contract.BulkCall{{
	Operation: "CreateContact", Path: contacts, BulkPath: contacts + "/batch/create", MaxItems: 100,
	Items: []string{"inputs"}, Results: []string{"results"}, ID: []string{"id"},
}}}

// oneByOneAndTogether lives through a world on hold without bulk calls and through one with them. live says how many calls its work took, and how long.
func oneByOneAndTogether(t *testing.T, provider string, live func(*testing.T, *world) (calls int, took time.Duration)) (oneByOne, together int) {
	t.Helper()
	var calls [2]int
	for i, batching := range []*contract.Batching{nil, {Mode: contract.BatchWhenWaiting, MaxLingerSeconds: 10}} {
		synctest.Test(t, func(t *testing.T) {
			w := newThousand(t, provider, batching)
			var took time.Duration
			calls[i], took = live(t, w)
			report := w.server.Report()
			for _, l := range report.Limits {
				if l.OverrunCount > 0 {
					t.Errorf("limits were overrun: %v", report.Problems())
				}
			}
			t.Logf("batching %v: %d calls in %s", batching != nil, calls[i], took)
		})
	}
	return calls[0], calls[1]
}

// newThousand is a world on hold. Generic stands before HubSpot.
func newThousand(t *testing.T, provider string, batching *contract.Batching) *world {
	t.Helper()
	s := setup{guards: limits.DefaultGuards()}
	s.addLimit(contract.Limit{Name: "minute", Calls: 400, WindowSeconds: 60})
	s.choosePlan(rand.New(rand.NewPCG(1, 1))) //nolint:gosec // repeatable on purpose
	s.plan.CRM.Provider = provider
	s.crm.CRM = provider
	switch provider {
	case "ZohoCRM":
		s.plan.Credentials.Scheme = "Zoho-oauthtoken"
	case "Generic":
		s.plan.Generic, s.crm.CRM = &asHubSpot, "HubSpot"
	}
	s.plan.Integrations = s.plan.Integrations[:1]
	i := &s.plan.Integrations[0]
	if batching != nil && provider == "Kustomer" {
		batching.Operations = []string{"CreateCustomer"} // unconfirmed ones are named
	}
	i.Share, i.Batching = contract.Share{Part: contract.Part{GuaranteedPercent: 50, MaxPercent: 100}, Weight: 1, LendPercent: 50}, batching
	s.crm.Tokens, s.crm.Seed = []string{secret}, 1
	s.crm.Latency, s.crm.Jitter = 100*time.Millisecond, 200*time.Millisecond
	s.crm.JobDuration, s.crm.MaxJobDuration = 5*time.Second, time.Minute
	w := newWorld(t, s)
	w.inForce.Hold = true
	w.firstMachine(rand.New(rand.NewPCG(1, 3))) //nolint:gosec // repeatable on purpose
	return w
}

// queueAll hands in n requests, which differ from all others by the name.
func (w *world) queueAll(n int, name string, make func(n int) request) []*promise {
	w.t.Helper()
	before := len(w.promises)
	for i := range n {
		answer, r := httptest.NewRecorder(), make(i)
		r.queued, r.key = true, fmt.Sprint(name, i)
		w.machine.Load().serve(answer, w.newRequest(w.t.Context(), 0, r))
		if answer.Code != http.StatusAccepted {
			w.t.Fatalf("call %d: %d %s", i, answer.Code, answer.Body)
		}
		w.promised(0, r, answer)
	}
	return w.promises[before:]
}

// letGo puts the plan in force, on hold or not.
func (w *world) letGo(hold bool) {
	next := w.plan
	next.Sequence, next.Hold = w.currentPlan().Sequence+1, hold
	w.apply(w.t.Context(), &next)
}

// awaitAll waits until all calls have ended, and says how long that took.
func (w *world) awaitAll(all []*promise) time.Duration {
	began := time.Now()
	for _, p := range all {
		for {
			r, err := w.machine.Load().Scheduler.Result(context.Background(), p.integration, p.id, time.Minute)
			if err != nil {
				w.t.Fatal(err)
			}
			if r.State == call.StateSucceeded {
				p.final = &r
				break
			}
			if r.State != call.StateQueued && r.State != call.StateSent || time.Since(began) > time.Hour {
				w.t.Fatalf("it is %s: %s %d %s", r.State, r.Reason, r.Status, r.Body)
			}
		}
	}
	return time.Since(began)
}

// wantOwnIDs checks that each caller was told of a record that nobody else was told of.
func wantOwnIDs(t *testing.T, all []*promise) {
	t.Helper()
	seen := map[string]bool{}
	for _, p := range all {
		var body struct {
			ID     string `json:"id"`
			Ticket struct {
				ID int64 `json:"id"`
			} `json:"ticket"`
			Data json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(p.final.Body, &body); err != nil || p.final.Status != http.StatusCreated {
			t.Errorf("%d %s", p.final.Status, p.final.Body)
		}
		id := fmt.Sprint(body.ID, body.Ticket.ID, string(body.Data))
		if seen[id] || id == "0" {
			t.Errorf("%s was told of twice, or is none", id)
		}
		seen[id] = true
	}
}
