// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// drawLimit draws a limit of which calls can take different amounts.
func drawLimit(t *rapid.T, k int) limits.Limit {
	name := fmt.Sprint("limit", k)
	l := limits.Limit{Name: name, Kind: limits.Rolling, Meter: limits.Meter{Subject: name}, Max: rapid.Int64Range(1, 12).Draw(t, "max")}
	l.Window = ticks(rapid.IntRange(1, 6).Draw(t, "window"))
	switch rapid.IntRange(0, 11).Draw(t, "form") {
	case 0:
		l.AlertOnly = true
	case 1:
		l.Meter.PerRecord = true
	case 2, 3:
		l.Counting, l.Burst = limits.TokenBucket, rapid.Int64Range(1, 3).Draw(t, "burst")
	case 4, 5, 6:
		l.Kind, l.Window = limits.Concurrent, 0
	default:
	}
	return l
}

func drawAmount(t *rapid.T, least, most int64, of string) fairshare.Amount {
	if rapid.Bool().Draw(t, "in units") {
		return fairshare.Amount{InUnits: true, Units: rapid.Int64Range(0, 8).Draw(t, of)}
	}
	return fairshare.Amount{Percent: rapid.Int64Range(least, most).Draw(t, of)}
}

func drawPart(t *rapid.T) fairshare.Part {
	return fairshare.Part{Guaranteed: drawAmount(t, 0, 60, "guaranteed"), Ceiling: drawAmount(t, 30, 100, "ceiling")}
}

func drawShares(t *rapid.T, n int) (shares []fairshare.Share) {
	for range n {
		s := fairshare.Share{
			Part:                drawPart(t),
			Weight:              rapid.Int64Range(1, 5).Draw(t, "weight"),
			LendPercent:         rapid.SampledFrom([]int64{0, 30, 50, 100}).Draw(t, "lend"),
			ReclaimWithinWindow: rapid.IntRange(0, 5).Draw(t, "reclaim") == 0,
			Band:                fairshare.Band(rapid.IntRange(0, 2).Draw(t, "band")),
			External:            rapid.IntRange(0, 5).Draw(t, "external") == 0,
		}
		if rapid.IntRange(0, 2).Draw(t, "per limit") == 0 {
			s.PerLimit = map[string]fairshare.Part{"limit1": drawPart(t)}
		}
		shares = append(shares, s)
	}
	return shares
}

// drawKinds draws what calls of some kinds cost.
func drawKinds(t *rapid.T, width int) (kinds [][]int64) {
	amount := rapid.SampledFrom([]int64{0, 1, 1, 1, 2, 3})
	for range rapid.IntRange(1, 3).Draw(t, "kinds") {
		kinds = append(kinds, rapid.SliceOfN(amount, width, width).Draw(t, "cost"))
	}
	return kinds
}

// TestRandomWorlds draws limits, shares, demand, costs and delays, and lets everything change on the way.
func TestRandomWorlds(t *testing.T) {
	tenThousand(t)
	rapid.Check(t, randomWorld)
}

// FuzzShareWorlds looks for worlds that take the sharing where those drawn by chance do not. The first ones are drawn; those that a draw was too short for are
// skipped.
func FuzzShareWorlds(f *testing.F) {
	for seed := range byte(8) {
		draws := make([]byte, 32<<10)
		_, _ = rand.NewChaCha8([32]byte{seed}).Read(draws) // never fails
		f.Add(draws)
	}
	f.Fuzz(rapid.MakeFuzz(randomWorld))
}

// randomWorld draws a world and lets it run.
func randomWorld(t *rapid.T) {
	e := &evaluator{ageing: rapid.IntRange(0, 8).Draw(t, "ageing")}
	for k := range rapid.IntRange(1, 3).Draw(t, "limits") {
		e.limits = append(e.limits, drawLimit(t, k))
	}
	e.shares = drawShares(t, rapid.SampledFrom([]int{2, 2, 3, 3, 4, 9}).Draw(t, "integrations"))
	w := newWorld(t, e)
	d := &dice{t, w, drawKinds(t, len(e.limits))}
	for range rapid.IntRange(1, 40).Draw(t, "steps") {
		w.tick += rapid.IntRange(0, 2).Draw(t, "pass")
		d.change()
		d.end()
		d.arrive()
		d.outOfTurn()
		w.dispatch()
	}
	w.drain()
}

// dice decide what happens in a world.
type dice struct {
	*rapid.T
	*world
	kinds [][]int64
}

func (d *dice) limit() int { return rapid.IntRange(0, len(d.eval.limits)-1).Draw(d.T, "limit") }
func (d *dice) integration() int {
	return rapid.IntRange(0, len(d.eval.shares)-1).Draw(d.T, "integration")
}

// change changes forecasts now and then, and more rarely limits and shares.
func (d *dice) change() {
	switch rapid.IntRange(0, 29).Draw(d.T, "change") {
	case 0, 1, 2:
		d.setDemand(d.limit(), d.integration(), rapid.Int64Range(0, 12).Draw(d.T, "demand"))
	case 3, 4:
		d.setLive(d.limit(), d.integration(), rapid.Int64Range(0, 8).Draw(d.T, "expected"), rapid.Int64Range(0, 3).Draw(d.T, "sent"))
	case 5:
		d.disturbed = true
		d.eval.shares = drawShares(d.T, len(d.eval.shares))
		d.setShares()
	case 6:
		d.disturbed = true
		d.eval.limits = slices.Clone(d.eval.limits)
		d.eval.limits[d.limit()].Max = rapid.Int64Range(1, 12).Draw(d.T, "max")
		d.setLimits()
	case 7:
		d.disturbed = true
		d.chargeUnasked(d.integration(), d.kinds[rapid.IntRange(0, len(d.kinds)-1).Draw(d.T, "kind")])
	case 8:
		if len(d.first()) > 0 {
			c := d.first()[0]
			for _, other := range d.first() { // the order of a map is not drawn
				if other.String() < c.String() {
					c = other
				}
			}
			d.giveUp(line{c.owner, c.lane, c.kind})
		}
	default:
	}
}

// outOfTurn sends a call now and then that is not the first, or does not wait at all, if the definition lets it.
func (d *dice) outOfTurn() {
	if rapid.IntRange(0, 4).Draw(d.T, "out of turn") > 0 {
		return
	}
	kind := rapid.IntRange(0, len(d.kinds)-1).Draw(d.T, "kind")
	lane := fairshare.Lane(rapid.IntRange(0, 1).Draw(d.T, "lane"))
	d.sendOutOfTurn(waiting{owner: d.integration(), lane: lane, kind: kind, cost: d.kinds[kind], since: rapid.IntRange(0, d.tick).Draw(d.T, "since")})
}

// end ends some of the calls in flight.
func (d *dice) end() {
	for _, n := range d.open() {
		switch rapid.IntRange(0, 19).Draw(d.T, "end") {
		case 0:
			d.refund(n)
		case 1:
			d.settle(n, true)
		case 2, 3, 4, 5, 6, 7, 8, 9, 10, 11:
			d.settle(n, false)
		default:
		}
	}
}

func (d *dice) arrive() {
	for range rapid.IntRange(0, 4).Draw(d.T, "arrivals") {
		i := d.integration()
		if d.eval.shares[i].External {
			continue
		}
		kind := rapid.IntRange(0, len(d.kinds)-1).Draw(d.T, "kind")
		lane := fairshare.Lane(rapid.IntRange(0, 1).Draw(d.T, "lane"))
		d.world.arrive(waiting{owner: i, lane: lane, kind: kind, cost: d.kinds[kind]})
	}
}

// tenThousand has rapid try ten thousand worlds, unless it was told how many, or to be short.
func tenThousand(t *testing.T) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if before := checks.Value.String(); before == checks.DefValue && !testing.Short() {
		if err := flag.Set("rapid.checks", "10000"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Set("rapid.checks", before) })
	}
}
