// SPDX-License-Identifier: Apache-2.0

package forecast

import "math"

const (
	// Half-lives of what was asked for lately, in slots.
	presentHalfLife = 1
	levelHalfLife   = 36
	// steepest: a level is at most so many times the usual one, or one in so many.
	steepest = 8
)

// recent compares what was asked for lately with what is usual at such times.
type recent struct {
	present, level decayed
	// asked since local midnight, and what is usual since then.
	today, todayUsual float64
}

// decayed are sums over the past, halved in each half-life: calls asked for, calls that were usual, and slots.
type decayed struct {
	asked, usual, slots float64
}

func (r *recent) learn(slot int, asked, usual float64) {
	if slot%slotsPerDay == 0 {
		r.today, r.todayUsual = 0, 0
	}
	r.add(asked, usual, 1)
	if slot%slotsPerDay == slotsPerDay-1 {
		r.today, r.todayUsual = 0, 0
	}
}

func (r *recent) add(asked, usual, slots float64) {
	r.present.add(presentHalfLife, asked, usual, slots)
	r.level.add(levelHalfLife, asked, usual, slots)
	r.today, r.todayUsual = r.today+asked, r.todayUsual+usual
}

func (d *decayed) add(halfLife, asked, usual, slots float64) {
	keep := math.Exp2(-slots / halfLife)
	d.asked, d.usual, d.slots = d.asked*keep+asked, d.usual*keep+usual, d.slots*keep+slots
}

// ratio is how many times the usual was asked for. With the damping, which counts as asked for and as usual, a few calls say little.
func (d *decayed) ratio(damping float64) float64 {
	return max(1./steepest, min((d.asked+damping)/(d.usual+damping), steepest))
}
