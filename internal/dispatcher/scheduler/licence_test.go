// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// followed is a plan of so many calls a minute, and of others from a time on.
func followed(sequence, now, then int64, from time.Time) *contract.Plan {
	return plan(sequence, func(p *contract.Plan) {
		p.Limits[0].Calls = now
		p.Next = &contract.NextLimits{From: from, Limits: []contract.Limit{{Name: "minute", Calls: then, WindowSeconds: 60}}}
	})
}

// TestALicenceThatShrinksShrinksByItself: without another plan, at its instant, and what was sent before counts.
func TestALicenceThatShrinksShrinksByItself(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		from := time.Now().Add(time.Hour)
		b.apply(followed(2, 10, 4, from))
		time.Sleep(time.Until(from) - 10*time.Second)
		for n := range 3 {
			b.do(read(fmt.Sprint("/before/", n)), 0)
		}
		if w := b.snap().Windows[0]; w.Limit != 10 || w.Used != 3 {
			t.Errorf("before, the limit is %+v, want 3 used of 10", w)
		}
		time.Sleep(time.Until(from) - time.Millisecond)
		if w := b.snap().Windows[0]; w.Limit != 10 {
			t.Errorf("a millisecond before, the limit is %d, want 10", w.Limit)
		}
		time.Sleep(time.Millisecond)
		if w := b.snap().Windows[0]; w.Limit != 4 || w.Used != 3 {
			t.Errorf("afterwards the limit is %+v, want 3 used of 4", w)
		}
		if status := b.do(read("/fits"), 0); status != http.StatusOK {
			t.Errorf("a call that fits: %d", status)
		}
		if r := b.refused(read("/more"), 0); r.Limit != "minute" {
			t.Errorf("a call beyond the smaller licence is refused with %+v", r)
		}
		b.restart(time.Second)
		if w := b.snap().Windows[0]; w.Limit != 4 || w.Used != 4 {
			t.Errorf("after a restart the limit is %+v, want 4 used of 4", w)
		}
		b.apply(plan(3, func(p *contract.Plan) { p.Limits[0].Calls = 4 }))
		if w := b.snap().Windows[0]; w.Limit != 4 || w.Used != 4 {
			t.Errorf("under the plan that has the new limits as its own, the limit is %+v, want 4 used of 4", w)
		}
	})
}

// TestALicenceThatGrowsLetsWaitingCallsGo at once, though nothing else happens.
func TestALicenceThatGrowsLetsWaitingCallsGo(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		from := time.Now().Add(20 * time.Second)
		b.apply(followed(2, 2, 5, from))
		for n := range 5 {
			b.enqueue(update(fmt.Sprint("/", n)))
		}
		synctest.Wait()
		if got := len(b.crm.targets()); got != 2 {
			t.Errorf("before, %d calls were sent, want 2", got)
		}
		time.Sleep(time.Until(from))
		synctest.Wait()
		if got := len(b.crm.targets()); got != 5 {
			t.Errorf("once the licence is larger %d calls were sent, want 5", got)
		}
	})
}

// TestWhileTheDispatcherIsDownALicenceChanges as well.
func TestWhileTheDispatcherIsDownALicenceChanges(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(followed(2, 10, 4, time.Now().Add(time.Hour)))
		b.restart(2 * time.Hour)
		if w := b.snap().Windows[0]; w.Limit != 4 {
			t.Errorf("the limit is %d, want 4", w.Limit)
		}
	})
}

// TestNextLimitsThatCannotBeReadAreRefused when the plan comes, not when they are due.
func TestNextLimitsThatCannotBeReadAreRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		p := followed(2, 10, 4, time.Now().Add(time.Hour))
		p.Next.Limits[0] = contract.Limit{Name: "day", Calls: 1, Calendar: &contract.Calendar{Unit: contract.CalendarDay, TimeZone: "Mars/Olympus"}}
		if err := b.Apply(context.Background(), p); err == nil {
			t.Error("limits of a time zone that does not exist are taken")
		}
	})
}
