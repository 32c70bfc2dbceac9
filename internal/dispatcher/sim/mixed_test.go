// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// sobjects is where Salesforce has records.
const sobjects = "/services/data/v60.0/sobjects/"

// objects of which records are made; two of them are the account's own.
var objects = []string{"Case", "Lead", "Task", "Claim__c", "Visit__c"}

// createRecord is a creation of a record of an object.
func createRecord(object, external string) request {
	return request{
		method: http.MethodPost, target: sobjects + object, body: fmt.Sprintf(`{"LastName":"s","External_Id__c":%q}`, external), external: external, queued: true,
	}
}

// TestAThousandMixedCalls queues creations of five objects, updates and deletions while dispatch is held, against 400 calls a minute, and then lets them go.
func TestAThousandMixedCalls(t *testing.T) {
	const updates, deletions, all = 200, 100, 1000
	var calls [2]int
	for i, batching := range []*contract.Batching{nil, {Mode: contract.BatchWhenWaiting, MaxLingerSeconds: 10}} {
		synctest.Test(t, func(t *testing.T) {
			w := newThousand(t, "Salesforce", batching)
			there := w.queueAll(updates+deletions, "c", func(n int) request { return createRecord(objects[n%len(objects)], "") })
			w.letGo(false)
			w.awaitAll(there)
			w.letGo(true)
			time.Sleep(5 * time.Minute)
			before := w.server.Report()
			mixed := w.queueAll(all, "m", func(n int) request {
				place := n / 10 * 3
				record := func(n int) string { return there[n].final.Target + "/" + idTold(t, there[n]) }
				switch n % 10 {
				case 0, 5:
					return request{method: http.MethodPatch, target: record(place + n%10/5), body: `{"Description":"d"}`}
				case 9:
					return request{method: http.MethodDelete, target: record(place + 2)}
				}
				return createRecord(objects[n/10%len(objects)], fmt.Sprint("x", n))
			})
			w.letGo(false)
			took := w.awaitAll(mixed)
			after := w.server.Report()
			w.wantOwnAnswers(mixed)
			if made, changed := after.Tickets.Created-before.Tickets.Created, after.Tickets.Updates-before.Tickets.Updates; made != all-updates-deletions || changed != updates {
				t.Errorf("%d records were made, %d changed", made, changed)
			}
			if left := after.Tickets.WithoutExternalID; left != updates {
				t.Errorf("%d of the records that were there are left", left)
			}
			if slices.ContainsFunc(after.Limits, func(l judge.Verdict) bool { return l.OverrunCount > 0 }) {
				t.Errorf("limits were overrun: %v", after.Problems())
			}
			calls[i] = after.Arrivals - before.Arrivals
			t.Logf("batching %v: %d calls in %s: %v", batching != nil, calls[i], took, after.ByOperation)
			w.shutDown()
			w.server.Close()
		})
	}
	if calls[0] != all || calls[1] > 40 {
		t.Errorf("it took %d calls one by one, and %d together", calls[0], calls[1])
	}
}

// wantOwnAnswers checks that each creation was told of the one record with its external ID, and each other call that it is done.
func (w *world) wantOwnAnswers(all []*promise) {
	w.t.Helper()
	records := w.server.TicketsByExternalID()
	for n, p := range all {
		switch own := records[p.external]; {
		case p.external == "" && (p.final.Status != http.StatusNoContent || len(p.final.Body) > 0),
			p.external != "" && (p.final.Status != http.StatusCreated || len(own) != 1 || recordTold(p) != own[0]):
			w.t.Errorf("call %d: %d %s, and its own are %v", n, p.final.Status, p.final.Body, own)
		}
	}
}

// recordTold is the number of the record that a caller was told of; 0 if it was told of none.
func recordTold(p *promise) int64 {
	var body struct{ ID string }
	if json.Unmarshal(p.final.Body, &body) != nil || len(body.ID) != 18 {
		return 0
	}
	number, _ := strconv.ParseInt(body.ID[5:15], 10, 64)
	return number
}

// mix has crowds of writes of different records go together, in Salesforce.
func (s *setup) mix(seed uint64) {
	s.crowd(seed)
	s.mixed = true
	s.plan.CRM.Provider, s.crm.CRM = "Salesforce", "Salesforce"
	if c := s.plan.Credentials.OAuthClient; c != nil {
		c.TokenURL = s.plan.Endpoint + "/services/oauth2/token"
	}
	zendesks := map[string]bool{}
	s.plan.Limits = slices.DeleteFunc(s.plan.Limits, func(l contract.Limit) bool {
		zendesks[l.Name] = l.Match != nil || len(l.Costs) > 0
		return zendesks[l.Name]
	})
	s.crm.Limits = slices.DeleteFunc(s.crm.Limits, func(l limit.Limit) bool { return zendesks[l.Name] })
}

// drawWrite chooses among the writes of a record, and reads that somebody waits for.
func drawWrite(random *rand.Rand, integration int, key string) request {
	name, object := fmt.Sprint(integration, "-", key), objects[random.IntN(len(objects))]
	var r request
	switch random.IntN(8) {
	case 0:
		return request{method: http.MethodGet, target: "/services/data/v60.0/query?q=SELECT+Id+FROM+Contact"}
	case 1: // a record of its own, which a second one changes
		r = request{method: http.MethodPatch, target: sobjects + object + "/External_Id__c/" + name, body: `{"LastName":"s"}`, external: name, queued: true}
	case 2: // one that many change
		n := random.IntN(3)
		r = request{method: http.MethodPatch, target: fmt.Sprint(sobjects, objects[n], "/External_Id__c/shared", n), body: `{"LastName":"t"}`, queued: true}
	case 3: // nothing that is there
		r = request{method: http.MethodDelete, target: sobjects + object + "/a005e0000000000AAA", queued: true}
	default:
		r = createRecord(object, name)
	}
	r.key = "k" + key
	return r
}

// mixedSeeds is how many worlds of mixed calls a test run lives through.
const mixedSeeds = 12

// TestMixedBatching holds in worlds of crowds of different calls what TestSimulation does, and that each caller is told of the one record that it asked for.
func TestMixedBatching(t *testing.T) {
	var together, composites atomic.Int64
	t.Cleanup(func() {
		if composites.Load() == 0 {
			t.Error("no calls of different operations went together")
		}
		t.Logf("%d calls went together, in %d composites and other bulk calls", together.Load(), composites.Load())
	})
	first, last := chosenSeeds(t, mixedSeeds)
	for seed := first; seed <= last; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := choose(seed)
				s.mix(seed)
				v := run(t, seed, s)
				v.hold(t)
				together.Add(int64(v.together))
				composites.Add(int64(v.report.ByOperation["Composite"]))
				if verbose() {
					t.Logf("%d promised: %v; %d went together in bulk calls; %d arrivals: %v", v.promised, v.states, v.together, v.report.Arrivals, v.report.ByOperation)
				}
			})
		})
	}
}

// judgeWrite is judgePromise for what was asked of Salesforce: a record that was made is there once, and its caller was told of it.
func (w *world) judgeWrite(v *verdict, p *promise, records map[string][]int64) {
	problem := func(text string, args ...any) {
		v.problems = append(v.problems, fmt.Sprintf("%s is %s with %d: ", p.id, p.final.State, p.final.Status)+fmt.Sprintf(text, args...))
	}
	switch own := records[p.external]; p.final.State {
	case call.StateSucceeded:
		if p.external != "" && len(own) != 1 {
			v.lost = append(v.lost, fmt.Sprintf("%s (succeeded, record %q is not there)", p.id, p.external))
		} else if p.final.Status == http.StatusCreated && p.external != "" && recordTold(p) != own[0] {
			problem("it was told of %s, and its own are %v", p.final.Body, own)
		}
	case call.StateFailed:
		if !slices.Contains([]int{500, 404}, p.final.Status) && (p.final.Status != 400 || w.crm.ItemFailures == 0) {
			problem("%s", p.final.Body)
		}
	default:
		if p.final.Reason == "" {
			problem("without a reason")
		}
	}
	if p.final.Composed {
		v.together++
	}
}
