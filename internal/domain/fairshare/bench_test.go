// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// crowd is n integrations that all have calls waiting in both lanes, under a minute that is used up, an hour, a day and slots for updates, which are all taken.
// Every other integration has a guarantee, of which half is lent; they are of all bands and of seven weights. A unit of the minute comes back with each tick.
type crowd struct {
	*market
	tick time.Duration
}

// What searches and updates take of the limits.
var search, update = ledger.Cost{1, 1, 1, 0}, ledger.Cost{1, 1, 1, 1}

// perMinuteEach is how many calls a minute has for each integration.
const perMinuteEach = 4

// newCrowd returns a crowd in the steady state in which only one in searchers has searches to make, and others updates.
func newCrowd(t tester, n, searchers int) *crowd {
	t.Helper()
	units, shares := int64(perMinuteEach*n), map[string]fairshare.Share{}
	part := func(guaranteed int64) fairshare.Part {
		return fairshare.Part{Guaranteed: fairshare.Amount{Units: guaranteed, InUnits: true}, Ceiling: fairshare.Amount{Percent: 100}}
	}
	for i := range n {
		share := fairshare.Share{Part: part(0), Weight: int64(1 + i%7), LendPercent: 50, Band: fairshare.Band(i % 3)}
		if i%2 == 0 {
			share.PerLimit = map[string]fairshare.Part{"minute": part(4), "hour": part(1000), "day": part(10_000)}
		}
		shares[fmt.Sprintf("%06d", i)] = share
	}
	minute := limits.Limit{Name: "minute", Kind: limits.Rolling, Max: units + 1, Window: time.Minute} // a unit is that of who has the slot
	c := &crowd{}
	c.market = newMarketOf(t, shares,
		minute,
		limits.Limit{Name: "hour", Kind: limits.Rolling, Max: 1000 * units, Window: time.Hour},
		limits.Limit{Name: "day", Kind: limits.Calendar, Period: limits.Day, Max: 10_000 * units, Location: time.UTC},
		limits.Limit{Name: "updates", Kind: limits.Concurrent, Max: 1, Meter: limits.Meter{Subject: "update"}},
	)
	c.must(c.book.Charge(begin, 1<<40, c.book.Owner("stranger"), update, ledger.NoRecord))
	for o := range n {
		cost := search
		if o%searchers > 0 {
			cost = update
			hard, _ := c.sharing.Reserved(0, ledger.Owner(o))
			units -= hard // nobody else gets it
		}
		for _, lane := range []fairshare.Lane{fairshare.Waiting, fairshare.Backlog} {
			c.sharing.Offer(fairshare.Head{Owner: ledger.Owner(o), Lane: lane, Cost: cost, Since: begin})
		}
	}
	c.tick = limits.DefaultGuards().Hold(minute)/time.Duration(units) + 1
	for range units + units/2 { // until every unit has been used once and some twice
		c.decide()
	}
	return c
}

// decide sends a call, has it answered, and offers the next of its lane.
func (c *crowd) decide() {
	c.now = c.now.Add(c.tick)
	choice, ok := c.sharing.Pick(c.now)
	if !ok {
		c.tb.Fatal("nothing fits")
	}
	c.sent++
	c.must(c.sharing.Charge(c.now, c.sent, choice, ledger.NoRecord))
	c.must(c.book.Settle(c.sent, c.now))
	choice.Since = c.now
	c.sharing.Offer(choice.Head)
}

// run is the loop of a benchmark that also reports how many limits, posts and lots it looked at.
func (c *crowd) run(b *testing.B, step func()) {
	b.Helper()
	c.sharing.Work()
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
	b.ReportMetric(float64(c.sharing.Work())/float64(b.N), "looked/op")
}

// expectLive has guaranteed integrations expect different numbers of live calls, so that of hardly any two backlogs the same is asked.
func (c *crowd) expectLive(n int) {
	const hour = 1
	for o := range n {
		c.sharing.SetLive(hour, ledger.Owner(o), int64(1+o%800), 0)
	}
}

// decideAll decides, and finds then that nothing else fits, as the dispatcher does whenever something has come back.
func (c *crowd) decideAll() {
	c.decide()
	if choice, ok := c.sharing.Pick(c.now); ok {
		c.tb.Fatalf("%+v fits, too", choice)
	}
}

// TestADecisionTakesLogarithmicWork, whatever most heads wait for: a hundred times the integrations are some levels more of a heap.
func TestADecisionTakesLogarithmicWork(t *testing.T) {
	for name, tc := range map[string]struct {
		searchers int
		live      bool
		decide    func(*crowd)
	}{
		"the limit that comes back":     {1, false, (*crowd).decideAll},
		"another limit":                 {100, false, (*crowd).decide},
		"no two of them the same needs": {1, true, (*crowd).decideAll},
	} {
		t.Run(name, func(t *testing.T) {
			work := map[int]int64{}
			const decisions = 5000
			for _, n := range []int{100, 10_000} {
				c := newCrowd(t, n, tc.searchers)
				if tc.live {
					c.expectLive(n)
				}
				tc.decide(c)
				c.sharing.Work()
				for range decisions {
					tc.decide(c)
				}
				work[n] = c.sharing.Work() / decisions
				c.must(c.sharing.Check())
			}
			t.Logf("limits, posts and lots that a decision looks at, by integrations: %v", work)
			if work[10_000] > 2*work[100] {
				t.Errorf("a decision looks at %d limits, posts and lots among 100 integrations, at %d among 10,000", work[100], work[10_000])
			}
		})
	}
}

// BenchmarkDecision picks a head, charges it, ends the call and offers the next one, at the limit: each decision uses up what has just come back.
func BenchmarkDecision(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("integrations=%d", n), func(b *testing.B) {
			c := newCrowd(b, n, 1)
			c.run(b, c.decide)
		})
	}
}

// BenchmarkDecisionMostBlocked is the same while 99 % of the heads are held back by another limit.
func BenchmarkDecisionMostBlocked(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("integrations=%d", n), func(b *testing.B) {
			c := newCrowd(b, n, 100)
			c.run(b, c.decide)
		})
	}
}

// BenchmarkDecisionManyNeeds is a decision after which nothing fits, where the same is asked of hardly any two backlogs.
func BenchmarkDecisionManyNeeds(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("integrations=%d", n), func(b *testing.B) {
			c := newCrowd(b, n, 1)
			c.expectLive(n)
			c.decideAll()
			c.run(b, c.decideAll)
		})
	}
}

// BenchmarkNextPick100k is the choice alone, with heads of 100,000 integrations, after one of them has changed.
func BenchmarkNextPick100k(b *testing.B) {
	const n = 100_000
	c := newCrowd(b, n, 1)
	c.now = c.now.Add(time.Second)
	o := 0
	c.run(b, func() {
		o = (o + 7919) % n
		c.sharing.Offer(fairshare.Head{Owner: ledger.Owner(o), Cost: search, Since: c.now})
		if _, ok := c.sharing.Pick(c.now); !ok {
			b.Fatal("nothing fits")
		}
	})
}

// BenchmarkNothingFits is what the dispatcher asks most often at the limit: 200 heads wait, and nothing has come back.
func BenchmarkNothingFits(b *testing.B) {
	c := newCrowd(b, 100, 1)
	c.run(b, func() {
		if _, ok := c.sharing.Pick(c.now); ok {
			b.Fatal("something fits")
		}
	})
}

// BenchmarkAdmissible is the decision for one call after amounts have changed.
func BenchmarkAdmissible(b *testing.B) {
	c := newCrowd(b, 100, 1)
	c.now = c.now.Add(time.Second)
	c.book.Advance(c.now)
	c.run(b, func() {
		c.sent++
		c.must(c.book.Charge(c.now, c.sent, 7, search, ledger.NoRecord))
		if _, ok := c.sharing.Admissible(4, search); !ok {
			b.Fatal("does not fit")
		}
		c.must(c.book.Refund(c.sent))
	})
}
