// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

const (
	// hiddenCalls are the updates that the CRM takes in a minute, of which its documentation says nothing.
	hiddenCalls = 30
	// learning is how long it may take to learn that, obeying how long it is then looked at.
	learning, obeying = 12 * time.Minute, 30 * time.Minute
)

// TestAHiddenLimit: a CRM takes fewer updates a minute than the licence, and says so nowhere. The dispatcher learns it from the refusals, and from then on, over a loss of power, too,
// at most one update in a hundred is refused, four fifths of what the CRM takes go through, and calls of other kinds are not held back.
func TestAHiddenLimit(t *testing.T) {
	for _, kind := range []limit.Kind{limit.Fixed, limit.Rolling} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newHidden(t, limit.Limit{Name: "hidden", Calls: hiddenCalls, Kind: kind, Window: time.Minute, Match: limit.Match{Operation: "UpdateTicket"}})
				began := time.Now()
				w.backlog(int((learning + obeying + 10*time.Minute).Minutes()) * hiddenCalls)
				time.Sleep(learning)
				w.believes(t)
				learnt := time.Now()
				time.Sleep(obeying / 2)
				disk, _ := w.powerOff(100, rand.New(rand.NewPCG(1, 8))) //nolint:gosec // repeatable on purpose
				w.powerOn(disk, w.boot, rand.New(rand.NewPCG(1, 9)))    //nolint:gosec // repeatable on purpose
				w.believes(t)
				asked := time.Now()
				w.ask(t.Context(), 0, request{method: "GET", target: "/api/v2/tickets/1.json"})
				if took := time.Since(asked); took > 5*time.Second {
					t.Errorf("a call of another kind took %s", took)
				}
				time.Sleep(obeying / 2)
				before, o := w.since(began), w.since(learnt)
				share := float64(o.calls-o.refused) / (hiddenCalls * obeying.Minutes())
				t.Logf("in all %s; since it was learnt %s; %.0f %% of what the CRM takes go through", before, o, 100*share)
				if o.percent() > 1 || share < .8 {
					t.Errorf("since the limit was learnt %s, and %.0f %% of what the CRM takes go through", o, 100*share)
				}
			})
		})
	}
}

// newHidden is a world in which the CRM keeps limits besides the licence's 400 calls a minute.
func newHidden(t *testing.T, hidden ...limit.Limit) *world {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 8)) //nolint:gosec // repeatable on purpose
	s := setup{guards: limits.DefaultGuards()}
	s.addLimit(contract.Limit{Name: "minute", Calls: declared, WindowSeconds: 60})
	s.crm.Limits = append(s.crm.Limits, hidden...)
	s.choosePlan(random)
	s.plan.Integrations = s.plan.Integrations[:1]
	app := &s.plan.Integrations[0]
	app.Share.MaxPercent, app.Queue.MaxCalls = 100, 100_000
	s.crm.Tokens, s.crm.Seed = []string{secret, othersToken}, 1
	s.crm.Latency, s.crm.Jitter = 100*time.Millisecond, 400*time.Millisecond
	w := newWorld(t, s)
	w.firstMachine(random)
	return w
}

// believes fails the test unless the hidden limit is what was learnt.
func (w *world) believes(t *testing.T) {
	t.Helper()
	learnt := w.snapshot().Learnt
	if len(learnt) != 1 || fmt.Sprint(learnt[0].Match.Operations) != "[UpdateTicket]" || learnt[0].WindowSeconds != 60 ||
		learnt[0].Calls < hiddenCalls*8/10 || learnt[0].Calls > hiddenCalls+2 {
		t.Errorf("what was learnt is %+v, want %d updates in a minute", learnt, hiddenCalls)
	}
}

// TestNothingIsHidden: others who use the licence up in bursts, and outages, are not taken for limits.
func TestNothingIsHidden(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newHidden(t)
		w.backlog(declared * 20)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		for n := range 4 {
			time.AfterFunc(time.Duration(1+5*n)*time.Minute, func() { w.fail(crmsim.Outage{Kind: crmsim.Unavailable, For: 30 * time.Second}) })
		}
		w.others(ctx, 2, 200)
		o := w.since(w.began)
		t.Logf("%s", o)
		if o.refused < 10 {
			t.Errorf("%d calls were refused, too few to learn from", o.refused)
		}
		if learnt := w.snapshot().Learnt; len(learnt) > 0 {
			t.Errorf("limits were learnt: %+v", learnt)
		}
	})
}
