// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"io"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/provider/salesforce"
)

// refusal is the CRM's of one scope, with a pause of 3 seconds.
func refusal(scope string) answer {
	return answer{status: http.StatusTooManyRequests, header: http.Header{"Wait": {"3s"}}, body: scope}
}

func named(operation, target string) *call.Call {
	c := read(target)
	c.Operation = operation
	return c
}

// TestRefusalHoldsBackWhatItIsAbout: of calls that come right after a refusal, those that it is about are refused with the pause that is left, and others are sent.
func TestRefusalHoldsBackWhatItIsAbout(t *testing.T) {
	tests := map[string]struct {
		scope       string
		refused     *call.Call
		held, freed []*call.Call
	}{
		"the licence": {
			scope: "", refused: named("Search", "/a"), held: []*call.Call{named("Search", "/b"), named("List", "/c"), read("/d")},
		},
		"an operation": {
			scope: "operation", refused: named("Search", "/a"),
			held: []*call.Call{named("Search", "/b")}, freed: []*call.Call{named("List", "/a"), read("/a")},
		},
		"an endpoint without a name": {
			scope: "operation", refused: read("/tickets/1/notes"),
			held: []*call.Call{read("/tickets/22/notes?page=2")}, freed: []*call.Call{read("/tickets/1"), read("/users/1/notes"), write("/tickets/1/notes", call.RepeatNever)},
		},
		"a record": {
			scope: "record", refused: read("/tickets/1"),
			held: []*call.Call{read("/tickets/1?include=users"), write("/tickets/1", call.RepeatNever)}, freed: []*call.Call{read("/tickets/2"), read("/tickets")},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.crm.script = []answer{refusal(test.scope)}
				if status := b.do(test.refused, 0); status != http.StatusTooManyRequests {
					t.Fatalf("the CRM's refusal came back as %d", status)
				}
				time.Sleep(time.Second)
				for _, c := range test.held {
					if r := b.refused(c, 0); r.Code != contract.ReasonCRMRefusing || r.RetryAfter != 2*time.Second {
						t.Errorf("%s %s %s: %+v, want the pause of which 2 s are left", c.Operation, c.Method, c.Target, r)
					}
				}
				for _, c := range test.freed {
					if status := b.do(c, 0); status != http.StatusOK {
						t.Errorf("%s %s %s: status %d, want 200", c.Operation, c.Method, c.Target, status)
					}
				}
			})
		})
	}
}

// TestOneCallProbesWhatWasRefused: after the pause one call is sent, and when the CRM takes it, the others.
func TestOneCallProbesWhatWasRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{refusal("operation"), {status: http.StatusOK, after: time.Second}}
		b.do(named("Search", "/0"), 0)
		for n := range 4 {
			go b.do(named("Search", "/"+strconv.Itoa(n)), 10*time.Second)
		}
		synctest.Wait()
		for _, step := range []struct {
			after time.Duration
			sent  int
		}{{2900 * time.Millisecond, 1}, {200 * time.Millisecond, 2}, {800 * time.Millisecond, 2}, {200 * time.Millisecond, 5}} {
			time.Sleep(step.after)
			if n := len(b.crm.targets()); n != step.sent {
				t.Errorf("%d requests were sent %s later, want %d", n, step.after, step.sent)
			}
		}
		if n := len(b.holds); n != 0 {
			t.Errorf("%d holds are left", n)
		}
	})
}

// TestProbeThatTellsNothingMakesRoomForAnother: its answer was lost, or the CRM refused something else.
func TestProbeThatTellsNothingMakesRoomForAnother(t *testing.T) {
	for name, probe := range map[string]answer{
		"lost": {broken: true}, "another refusal": {status: http.StatusTooManyRequests, header: http.Header{"Wait": {"3s"}}, body: "record"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.crm.script = []answer{refusal("operation"), probe}
				b.do(named("Search", "/0"), 0)
				time.Sleep(3 * time.Second)
				lost := write("/1", call.RepeatNever)
				lost.Operation = "Search"
				_, _ = b.Do(t.Context(), lost, 0)
				if status := b.do(named("Search", "/2"), 0); status != http.StatusOK {
					t.Errorf("status %d after a probe that told nothing, want 200", status)
				}
			})
		})
	}
}

// TestQueuedCallsPassOneThatIsHeldBack: a queued call whose operation is refused waits at its place, and those behind it are sent.
func TestQueuedCallsPassOneThatIsHeldBack(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{refusal("operation")}
		held, behind := write("/0", call.RepeatNever), write("/1", call.RepeatNever)
		held.Operation, behind.Operation = "Create", "Update"
		first := b.enqueue(held)
		synctest.Wait()
		other := b.enqueue(behind)
		time.Sleep(time.Second)
		if state := b.result(other).State; state != call.StateSucceeded {
			t.Errorf("the call behind is %s", state)
		}
		if state := b.result(first).State; state != call.StateQueued {
			t.Errorf("the refused call is %s", state)
		}
		time.Sleep(3 * time.Second)
		if state := b.result(first).State; state != call.StateSucceeded {
			t.Errorf("the refused call is %s after the pause", state)
		}
	})
}

// TestTooManyHoldsHoldBackAll: memory is bounded, and what is not known to be free waits.
func TestTooManyHoldsHoldBackAll(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for n := range maxHolds {
			b.holds[holdKey{true, "/" + strconv.Itoa(n)}] = &gate{shut: true, until: time.Now().Add(time.Hour)}
		}
		b.crm.script = []answer{refusal("record")}
		b.do(read("/new"), 0)
		if r := b.refused(read("/other"), 0); r.Code != contract.ReasonCRMRefusing {
			t.Errorf("another call is refused with %+v", r)
		}
		if n := len(b.holds); n != maxHolds {
			t.Errorf("there are %d holds", n)
		}
	})
}

// TestARefusalOfEverythingIsNotTakenForMany: headers can say that calls are left while the CRM refuses one operation after the other.
func TestARefusalOfEverythingIsNotTakenForMany(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) { p.Limits[0].Calls = 100 }))
		for n := range 2 * maxOperations {
			b.crm.script = []answer{refusal("operation")}
			_, _ = b.Do(t.Context(), named("Operation"+strconv.Itoa(n), "/x"), 0)
			b.crm.script = nil
		}
		if n := len(b.crm.targets()); n != maxOperations+1 {
			t.Errorf("%d operations were refused before all calls wait, want %d", n, maxOperations+1)
		}
		time.Sleep(3 * time.Second)
		for n := range 2 * maxOperations {
			if status := b.do(named("Operation"+strconv.Itoa(n), "/x"), time.Second); status != http.StatusOK {
				t.Errorf("status %d after the pause, want 200", status)
			}
		}
	})
}

// TestTheBodyTellsOfARefusal: Salesforce refuses with the status of missing rights. The call is sent again, and an answer that is no refusal comes back whole.
func TestTheBodyTellsOfARefusal(t *testing.T) {
	const exceeded, denied = `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`, `[{"errorCode":"INSUFFICIENT_ACCESS"}]`
	inBubble(t, func(t *testing.T, b *bench) {
		b.dialect = salesforce.Salesforce{}
		b.apply(plan(2, func(*contract.Plan) {}))
		busy := http.Header{"Sforce-Limit-Info": {"api-usage=18/100000"}}
		b.crm.script = []answer{{status: http.StatusForbidden, header: busy, body: exceeded}, {status: http.StatusForbidden, body: denied}}
		began := time.Now()
		a, err := b.Do(t.Context(), read("/services/data/v59.0/query?q=x"), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(a.Body)
		if err != nil || string(body) != denied || a.Status != http.StatusForbidden || time.Since(began) != 2*time.Second {
			t.Errorf("after %s the client has %d %s, %v; want Salesforce's second answer after 2s", time.Since(began), a.Status, body, err)
		}
	})
}
