// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

func TestRetriesAreATenthAndAFewAMinute(t *testing.T) {
	r := &retries{}
	sent := func(from time.Time) (n int) {
		for r.allows(from) {
			r.spend()
			n++
		}
		return n
	}
	for _, step := range []struct {
		after time.Duration
		first int
		want  int
	}{
		{0, 0, 10}, {0, 0, 0}, {0, 100, 10}, {0, 25, 2}, {time.Minute, 0, 6}, {5 * time.Second, 0, 1}, {time.Hour, 10_000, 10},
	} {
		for range step.first {
			r.earn(retryShare)
		}
		r.at = r.at.Add(-step.after)
		if got := sent(noon); got != step.want {
			t.Errorf("after %s and %d calls: %d sent again, want %d", step.after, step.first, got, step.want)
		}
	}
	if r.allows(noon) {
		t.Fatal("the budget is not spent")
	}
	if next := r.next(); r.allows(next.Add(-10*time.Millisecond)) || !r.allows(next) {
		t.Errorf("the next one is not allowed at %s", next)
	}
}

// TestLostAnswersDoNotDoubleTheCalls: a CRM that breaks every connection costs those who wait a tenth more, not twice as much.
func TestLostAnswersDoNotDoubleTheCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) { p.Limits[0].Calls = 10_000 }))
		b.crm.script = slices.Repeat([]answer{{broken: true}}, 1000)
		const calls = 200
		for n := range calls {
			if r := b.refused(read(fmt.Sprint("/", n)), time.Second); r.Code != contract.ReasonUpstreamFailed {
				t.Errorf("call %d: %s", n, r.Code)
			}
		}
		if got, most := len(b.crm.targets()), calls+mostRetries+calls/10; got > most || got < calls+mostRetries {
			t.Errorf("%d requests for %d calls, want at most %d", got, calls, most)
		}
	})
}

// TestABacklogThatFailsIsSentAgainWithinTheBudget, and drains as fast as the limits let it once the CRM answers.
func TestABacklogThatFailsIsSentAgainWithinTheBudget(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) { p.Limits[0].Calls = 10_000; p.Limits[0].WindowSeconds = 10 }))
		// Every other request fails, so the backlog is never held back for long.
		b.crm.script = slices.Repeat([]answer{{status: http.StatusServiceUnavailable}, {status: http.StatusOK}}, 150)
		var ids []call.ID
		for n := range 100 {
			ids = append(ids, b.enqueue(write(fmt.Sprint("/", n), call.RepeatKeyed)))
		}
		time.Sleep(20 * time.Minute)
		for _, id := range ids {
			if r := b.result(id); r.State != call.StateSucceeded {
				t.Errorf("%s is %s %s", id, r.State, r.Reason)
			}
		}
		if got := len(b.crm.targets()); got > 2*len(ids)+mostRetries {
			t.Errorf("%d requests for %d calls", got, len(ids))
		}
	})
}

// TestAKeyEndsWhileItsCallWaitsForALimit: what was sent under a key without an answer is not sent again once the CRM may have forgotten the key, though nothing but
// time has passed.
func TestAKeyEndsWhileItsCallWaitsForALimit(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) { p.Limits[0].Calls, p.Limits[0].WindowSeconds = 1, 6*60*60 }))
		b.crm.script = []answer{{broken: true}}
		id := b.enqueue(write("/tickets", call.RepeatKeyed)) // its key is valid for 2 h
		time.Sleep(7 * time.Hour)
		if r := b.result(id); r.State != call.StateParked {
			t.Errorf("the call is %s %s, want it parked", r.State, r.Reason)
		}
		if n := len(b.crm.targets()); n != 1 {
			t.Errorf("it was sent %d times, want once", n)
		}
	})
}
