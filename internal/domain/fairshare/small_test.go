// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"fmt"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// smallCalls is how many calls a small world has: one less with -short, which is for runs by the hundred, makes a quarter of the worlds.
func smallCalls() int {
	if testing.Short() {
		return 4
	}
	return 5
}

// TestEverySmallWorld goes through all worlds of two integrations, one limit of 1 to 3 units in a window of 3 or 5 ticks, all divisions of it into guarantees,
// lent or not and forecast or not, and all arrivals of five calls that come together or two ticks after one another.
func TestEverySmallWorld(t *testing.T) {
	for _, window := range []int{3, 5} {
		for most := int64(1); most <= 3; most++ {
			t.Run(fmt.Sprintf("%d in %d ticks", most, window), func(t *testing.T) {
				t.Parallel()
				l := limits.Limit{Name: "only", Kind: limits.Rolling, Max: most, Window: ticks(window)}
				for mine := range most + 1 {
					for theirs := range most - mine + 1 {
						everyTerms(t, l, [2]int64{mine, theirs})
					}
				}
			})
		}
	}
}

// everyTerms leaves out terms that make no difference: what is never lent need not be forecast.
func everyTerms(t *testing.T, l limits.Limit, guaranteed [2]int64) {
	t.Helper()
	everyArrival(t, l, guaranteed, 0, 0)
	for _, lend := range []int64{50, 100} {
		if guaranteed[0]+guaranteed[1] > 0 {
			everyArrival(t, l, guaranteed, lend, 0)
		}
		if guaranteed[0] > 0 {
			everyArrival(t, l, guaranteed, lend, l.Max)
		}
	}
}

func everyArrival(t *testing.T, l limits.Limit, guaranteed [2]int64, lend, demand int64) {
	t.Helper()
	const choices = 4 // each call is of one of two integrations, at once or later
	n := 1
	for range smallCalls() {
		n *= choices
	}
	for arrivals := range n {
		e := &evaluator{limits: []limits.Limit{l}}
		for i, g := range guaranteed {
			share := calls(g)
			share.LendPercent, share.Weight, share.Band = lend, int64(i+1), fairshare.Bulk
			e.shares = append(e.shares, share)
		}
		w := newWorld(t, e)
		w.setDemand(0, 0, demand)
		for range smallCalls() {
			if arrivals&1 > 0 {
				w.pass(2)
			}
			w.arrive(waiting{owner: arrivals >> 1 & 1, cost: []int64{1}})
			w.dispatch()
			arrivals /= choices
		}
		w.drain()
	}
}

// pass lets time pass, tick by tick; each call is answered a tick after it was sent.
func (w *world) pass(n int) {
	for range n {
		w.tick++
		for _, n := range w.open() {
			w.settle(n, false)
		}
		w.dispatch()
	}
}
