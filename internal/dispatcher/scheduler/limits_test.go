// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

func limited(sequence int64, more ...contract.Limit) *contract.Plan {
	return plan(sequence, func(p *contract.Plan) {
		p.Limits = append([]contract.Limit{{Name: "minute", Calls: 100, WindowSeconds: 60}}, more...)
	})
}

func update(target string) *call.Call {
	c := write(target, call.RepeatIdempotent)
	c.Method, c.Operation = http.MethodPut, "UpdateTicket"
	return c
}

// TestAnExhaustedLimitHoldsOnlyItsCalls: a queue whose first calls have used up a limit of their own is passed by those that the limit does not count.
func TestAnExhaustedLimitHoldsOnlyItsCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(limited(2, contract.Limit{Name: "updates", Calls: 2, WindowSeconds: 60, Match: &contract.Match{Operations: []string{"UpdateTicket"}}}))
		for n := range 4 {
			b.enqueue(update(fmt.Sprint("/update/", n)))
		}
		b.enqueue(write("/other", call.RepeatKeyed))
		synctest.Wait()
		if got, want := fmt.Sprint(slices.Sorted(slices.Values(b.crm.targets()))), "[/other /update/0 /update/1]"; got != want {
			t.Errorf("sent are %s, want %s", got, want)
		}
		if w := b.snap().Integrations[0].Waiting; w == nil || w.Limit != "updates" || w.Cause != contract.CauseUsedUp || w.Earliest == nil {
			t.Errorf("what waits is explained by %+v", w)
		}
		time.Sleep(hold + time.Second)
		if got := len(b.crm.targets()); got != 5 {
			t.Errorf("a window later %d calls were sent, want all 5", got)
		}
	})
}

// TestARecordHoldsOnlyItsCalls: a ticket that was updated too often does not hold up others, of whatever lane.
func TestARecordHoldsOnlyItsCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(limited(2, contract.Limit{
			Name: "per ticket", Calls: 1, WindowSeconds: 60, PerRecord: true, Match: &contract.Match{Methods: []string{"PUT"}, Path: "/tickets/*"},
		}))
		for _, target := range []string{"/tickets/1", "/tickets/1", "/tickets/2"} {
			b.enqueue(update(target))
		}
		synctest.Wait()
		if got, want := fmt.Sprint(slices.Sorted(slices.Values(b.crm.targets()))), "[/tickets/1 /tickets/2]"; got != want {
			t.Errorf("sent are %s, want %s", got, want)
		}
		if r := b.refused(update("/tickets/2"), 0); r.Limit != "per ticket" || r.RetryAfter < 50*time.Second {
			t.Errorf("a waiting call for the same record is refused with %+v", r)
		}
		if status := b.do(update("/tickets/3"), 0); status != http.StatusOK {
			t.Errorf("a waiting call for another record: %d", status)
		}
		if got := b.snap().Windows[1].Used; got != 1 {
			t.Errorf("the record that has used most has used %d, want 1", got)
		}
		time.Sleep(hold + time.Second)
		if got, want := strings.Count(fmt.Sprint(b.crm.targets()), "/tickets/1"), 2; got != want {
			t.Errorf("a window later ticket 1 was updated %d times, want %d", got, want)
		}
	})
}

// TestCostsAreCharged in the units of each limit.
func TestCostsAreCharged(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(limited(2, contract.Limit{
			Name: "tokens", Calls: 100, WindowSeconds: 3600, Costs: []contract.Cost{{Match: contract.Match{Path: "/search"}, Cost: 40}},
		}))
		b.do(read("/search"), 0)
		b.do(read("/other"), 0)
		if w := b.snap().Windows; w[0].Used != 2 || w[1].Used != 41 {
			t.Errorf("used are %d calls and %d tokens, want 2 and 41", w[0].Used, w[1].Used)
		}
		b.do(read("/search"), 0)
		if r := b.refused(read("/search"), 0); r.Limit != "tokens" {
			t.Errorf("a third search is refused with %+v", r)
		}
		b.restart(time.Second)
		if w := b.snap().Windows; w[0].Used != 3 || w[1].Used != 81 {
			t.Errorf("after a restart used are %d calls and %d tokens, want 3 and 81", w[0].Used, w[1].Used)
		}
	})
}

// TestExecutionTimeIsMeasured: estimated before, corrected after, and shown as an estimate.
func TestExecutionTimeIsMeasured(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(limited(2, contract.Limit{Name: "time", ExecutionSeconds: 10, WindowSeconds: 300}))
		b.crm.script = []answer{{status: 200, after: 3 * time.Second}}
		go b.do(read("/slow"), 0)
		synctest.Wait()
		if w := b.snap().Windows[1]; w.Used < 1000 || w.Used > 1415 || !w.Estimated || w.Limit != 10_000 {
			t.Errorf("in flight it is %+v, want about a second of 10", w)
		}
		time.Sleep(4 * time.Second)
		if w := b.snap().Windows[1]; w.Used != 3000 {
			t.Errorf("afterwards used are %d ms, want 3000", w.Used)
		}
		b.stop()
		b.start()
		if w := b.snap().Windows[1]; w.Used != 3000 {
			t.Errorf("after a restart used are %d ms, want 3000", w.Used)
		}
		b.crm.script = []answer{{after: time.Hour}}
		go func() { _, _ = b.Do(context.Background(), read("/lost"), 0) }()
		synctest.Wait()
		b.restart(0)
		if w := b.snap().Windows[1]; w.Used != 63_000 || w.InDoubt != 60_000 {
			t.Errorf("after a crash used are %d ms and %d in doubt, want 63,000: the call may run for a minute", w.Used, w.InDoubt)
		}
	})
}

// TestOverridesHoldByThemselves: a share changes when its time has come, without another plan.
func TestOverridesHoldByThemselves(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		from := time.Now().Add(90 * time.Second)
		until := from.Add(30 * time.Second)
		b.apply(plan(2, func(p *contract.Plan) {
			p.Integrations[0].Overrides = []contract.Override{{
				Name: "night", From: &from, Until: &until, Share: contract.Share{Part: contract.Part{GuaranteedPercent: 20, MaxPercent: 30}, Weight: 1},
			}}
		}))
		guaranteed := func(want int64) {
			t.Helper()
			if got := b.snap().Integrations[0].Windows[0].Guaranteed; got != want {
				t.Errorf("after %s %d are guaranteed, want %d", time.Since(from.Add(-90*time.Second)), got, want)
			}
		}
		guaranteed(5)
		time.Sleep(90 * time.Second)
		guaranteed(2)
		for range 3 {
			b.do(read("/a"), 0)
		}
		if r := b.refused(read("/b"), 0); r.Limit != "minute" {
			t.Errorf("past its ceiling it is refused with %+v", r)
		}
		time.Sleep(30 * time.Second)
		guaranteed(5)
		b.do(read("/c"), 0)
	})
}

// TestOthersAreKeptFree: what is declared as used by callers outside the dispatcher, by name or not, is never lent.
func TestOthersAreKeptFree(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) {
			p.ExternalPercent = 20
			p.Integrations = append(p.Integrations, contract.Integration{
				Namespace: "a", Name: "app", UID: "app", External: true, Share: contract.Share{Part: contract.Part{GuaranteedPercent: 30, MaxPercent: 30}, Weight: 1, LendPercent: 100},
			})
		}))
		for range 5 {
			b.do(read("/a"), 0)
		}
		if r := b.refused(read("/b"), 0); r.Limit != "minute" || r.Code != contract.ReasonLimitReached {
			t.Errorf("the sixth of ten calls is refused with %+v", r)
		}
		if w := b.snap().Windows[0]; w.KeptFree != 5 || w.Used != 5 {
			t.Errorf("the window is %+v, want 5 kept free and 5 used", w)
		}
	})
}

// TestALostLedger starts a new volume under a plan that knows of another one.
func TestALostLedger(t *testing.T) {
	past := func(l contract.LedgerPast) func(p *contract.Plan) {
		return func(p *contract.Plan) {
			p.Ledger = l
			p.Limits = append(p.Limits, contract.Limit{Name: "hour", Calls: 100, WindowSeconds: 3600})
		}
	}
	for name, tc := range map[string]struct {
		past       contract.LedgerPast
		lost       map[string]int64
		ago        time.Duration
		wait       bool
		minute     int64
		hour       int64
		begunAgain bool
	}{
		"none was known":                    {past: contract.LedgerPast{AfterLoss: contract.LedgerBounded}},
		"fresh":                             {past: contract.LedgerPast{AfterLoss: contract.LedgerFresh, Volume: "old"}},
		"spent":                             {past: contract.LedgerPast{AfterLoss: contract.LedgerSpent, Volume: "old"}, minute: 100, hour: 100},
		"bounded waits for what was known":  {past: contract.LedgerPast{AfterLoss: contract.LedgerBounded, Volume: "old"}, wait: true},
		"bounded by what was seen just now": {past: contract.LedgerPast{AfterLoss: contract.LedgerBounded, Volume: "old"}, lost: map[string]int64{"minute": 3, "hour": 40}, minute: 50, hour: 50},
		"bounded by what may have followed": {past: contract.LedgerPast{AfterLoss: contract.LedgerBounded, Volume: "old"}, lost: map[string]int64{"minute": 3, "hour": 40}, ago: 3 * time.Minute, minute: 80, hour: 80},
		"bounded by the limit":              {past: contract.LedgerPast{AfterLoss: contract.LedgerBounded, Volume: "old"}, lost: map[string]int64{"hour": 95}, ago: time.Hour, minute: 100, hour: 100},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.stop()
				b.fresh()
				if tc.lost != nil {
					tc.past.Lost = &contract.LedgerLost{Found: b.snap().Volume, At: time.Now().Add(-tc.ago), Used: tc.lost}
				}
				b.apply(plan(7, past(tc.past)))
				s := b.snap()
				if s.Ledger.Waiting != tc.wait || s.Windows[0].Used != tc.minute || s.Windows[1].Used != tc.hour {
					t.Errorf("waiting %t, used %d and %d; want %t, %d and %d", s.Ledger.Waiting, s.Windows[0].Used, s.Windows[1].Used, tc.wait, tc.minute, tc.hour)
				}
				if tc.wait {
					if r := b.refused(read("/a"), 0); !strings.Contains(r.Detail, "the quota ledger was lost") {
						t.Errorf("a call is refused with %+v", r)
					}
					return
				}
				// Once it has begun, the plan's word on the past does not matter any more, nor does a restart.
				b.apply(plan(8, past(contract.LedgerPast{AfterLoss: contract.LedgerBounded, Volume: "yet another"})))
				b.restart(0)
				assumes := tc.hour > 0 || tc.past.AfterLoss == contract.LedgerFresh
				if s := b.snap(); s.Ledger.Waiting || s.Windows[1].Used != tc.hour || (s.Ledger.Assumed != nil) != assumes {
					t.Errorf("after a restart: waiting %t, used %d, assumed %v", s.Ledger.Waiting, s.Windows[1].Used, s.Ledger.Assumed)
				}
			})
		})
	}
}

// TestWhatWasLearntSurvivesARestart: the forecast of a restarted dispatcher is the one before.
func TestWhatWasLearntSurvivesARestart(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) {
			p.Limits = []contract.Limit{{Name: "day", Calls: 10_000, Calendar: &contract.Calendar{Unit: contract.CalendarDay, TimeZone: "UTC"}}}
		}))
		for range 25 * 4 {
			for range 20 {
				b.do(read("/a"), 0)
			}
			time.Sleep(15 * time.Minute)
		}
		before := b.snap().Windows[0]
		b.stop()
		b.start()
		after := b.snap().Windows[0]
		if before.DemandP50 < 1000 || after.DemandP50 < before.DemandP50*9/10 || after.DemandP50 > before.DemandP50*11/10 {
			t.Errorf("the expected demand of a day was %d and is %d, at 1,920 a day", before.DemandP50, after.DemandP50)
		}
		if a := b.snap().Advice; a == nil || !a.Adequate {
			t.Errorf("the advice is %+v", a)
		}
	})
}

// TestAdviceOnALicenceThatIsTooSmall names the limit, a size that would do, and what batching would save.
func TestAdviceOnALicenceThatIsTooSmall(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) {
			p.Tiers = []contract.Tier{{Name: "Small", Limits: map[string]int64{"minute": 10}}, {Name: "Large", Limits: map[string]int64{"minute": 40}}}
		}))
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		for range 26 * 60 {
			for range 15 { // half as many again as the licence allows
				go func() { _, _ = b.Do(ctx, read("/a"), 20*time.Second) }()
			}
			time.Sleep(time.Minute)
		}
		a := b.snap().Advice
		if a == nil || a.Adequate || a.Limit != "minute" || a.NeededP95 <= 10 || a.NeededP95 > 20 || a.Tier != "Large" {
			t.Errorf("the advice is %+v", a)
		}
		for range 50 {
			c := write("/tickets", call.RepeatKeyed)
			c.Operation = "CreateTicket"
			b.enqueue(c)
		}
		if a := b.snap().Advice; a.BatchingSaves < 30 || a.BatchingSaves > 50 {
			t.Errorf("batching would save %d of the calls that are queued of 50", a.BatchingSaves)
		}
	})
}
