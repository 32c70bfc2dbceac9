// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// TestChargesOutliveARestart: the time that passed meanwhile counts only where it is proven.
func TestChargesOutliveARestart(t *testing.T) {
	cases := map[string]struct {
		boot string
		// wallError of the machine before and after.
		before, after time.Duration
		// room is when, after 40 s of downtime, the window has room again.
		room time.Duration
	}{
		"the same boot":  {"boot", 0, 0, hold - 40*time.Second},
		"another boot":   {"another", 0, 0, hold},
		"no boot to see": {"", 0, 0, hold},
		"another boot, where it is known what time it is": {"another", 2 * time.Second, 3 * time.Second, hold - 34*time.Second},
		"another boot, of which alone that is known":      {"another", 0, 3 * time.Second, hold},
		"another boot, of which that is not known":        {"another", 2 * time.Second, 0, hold},
		"another boot, and hardly known what time it is":  {"another", 20 * time.Second, 25 * time.Second, hold},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.wallError = c.before
				b.restart(0)
				b.fill()
				b.boot, b.wallError = c.boot, c.after
				b.restart(40 * time.Second)
				if r := b.refused(read("/x"), 0); r.RetryAfter != c.room {
					t.Errorf("there is room in %s, want %s", r.RetryAfter, c.room)
				}
				b.do(read("/x"), 2*time.Minute)
			})
		})
	}
}

// TestCallsInFlightAtACrash are in doubt: charged until the restart, the server's longest delay and the window have passed.
func TestCallsInFlightAtACrash(t *testing.T) {
	cases := map[string]struct {
		class call.RepeatClass
		state call.State
		says  string
	}{
		"idempotent":            {call.RepeatIdempotent, call.StateSucceeded, ""},
		"the CRM knows the key": {call.RepeatKeyed, call.StateSucceeded, ""},
		"a repeat would show":   {call.RepeatNever, call.StateParked, "might take effect twice"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.crm.script = []answer{{status: 200, after: time.Hour}}
				id := b.enqueue(write("/x", c.class))
				if r := b.result(id); r.State != call.StateSent {
					t.Fatalf("it is %s before the crash", r.State)
				}
				b.restart(10 * time.Second)
				if s := b.snap(); s.Windows[0].InDoubt != 1 {
					t.Errorf("%d charges are in doubt", s.Windows[0].InDoubt)
				}
				time.Sleep(time.Minute + hold - time.Second)
				if s := b.snap(); s.Windows[0].InDoubt != 1 {
					t.Errorf("a second early %d charges are in doubt", s.Windows[0].InDoubt)
				}
				time.Sleep(2 * time.Second)
				if s := b.snap(); s.Windows[0].InDoubt != 0 {
					t.Errorf("in the end %d charges are in doubt", s.Windows[0].InDoubt)
				}
				if r := b.result(id); r.State != c.state || !strings.Contains(r.Reason, c.says) {
					t.Errorf("it is %s: %s", r.State, r.Reason)
				}
			})
		})
	}
}

func TestPlanOutlivesARestart(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(7))
		b.restart(0)
		if p, _ := b.Plan(); p == nil || p.Sequence != 7 {
			t.Errorf("the plan is %+v", p)
		}
		if err := b.Apply(t.Context(), plan(7)); err != nil {
			t.Errorf("the same plan again: %v", err)
		}
		if err := b.Apply(t.Context(), plan(6)); err == nil {
			t.Error("an older plan is accepted after a restart")
		}
		b.do(read("/x"), 0)
	})
}

func TestPlansThatAreNotAccepted(t *testing.T) {
	cases := map[string]struct {
		change func(*contract.Plan)
		says   string
	}{
		"older":           {func(p *contract.Plan) { p.Sequence = 4 }, "sequence 4 is older than 5"},
		"changed":         {func(p *contract.Plan) { p.Sequence, p.Hold = 5, true }, "sequence 5 is in force with other content"},
		"another licence": {func(p *contract.Plan) { p.CRM.Account = "other" }, `not to "other" of Test`},
		"another schema":  {func(p *contract.Plan) { p.Schema = 99 }, "schema 99"},
		"another dialect": {func(p *contract.Plan) { p.CRM.UID, p.CRM.Provider = "new", "Unknown" }, "Unknown"},
		"a time zone nobody knows": {func(p *contract.Plan) {
			p.Limits = []contract.Limit{{Name: "day", Calls: 1, Calendar: &contract.Calendar{Unit: contract.CalendarDay, TimeZone: "Mars/Olympus"}}}
		}, "limits[day].calendar.timeZone"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.apply(plan(5))
				err := b.Apply(t.Context(), plan(6, c.change))
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("the error is %v, want one that says %q", err, c.says)
				}
				if p, _ := b.Plan(); p.Sequence != 5 || p.CRM.Account != "acme" {
					t.Errorf("in force is %+v", p)
				}
				b.do(read("/x"), 0)
			})
		})
	}
}

func TestCRMMadeAnewBeginsItsSequenceAnew(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(9))
		_, changed := b.Plan()
		b.apply(plan(1, func(p *contract.Plan) { p.CRM.UID = "new" }))
		select {
		case <-changed:
		default:
			t.Error("the change was not told")
		}
		if p, _ := b.Plan(); p.Sequence != 1 {
			t.Errorf("in force is %d", p.Sequence)
		}
	})
}

// TestLowerLimitHoldsAtOnce: what was charged under the higher one counts.
func TestLowerLimitHoldsAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for range 6 {
			b.do(read("/x"), 0)
		}
		b.apply(plan(2, func(p *contract.Plan) { p.Limits[0].Calls, p.Limits[0].Name = 5, "renamed" }))
		if r := b.refused(read("/x"), 0); r.Limit != "renamed" {
			t.Errorf("the binding limit is %q", r.Limit)
		}
	})
}
