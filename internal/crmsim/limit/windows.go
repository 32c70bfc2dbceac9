// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"slices"
	"time"
)

// periods are what was counted in the latest windows that do not overlap. Three are enough: clocks of nodes are less than a window apart, and a weighted
// counter looks one window back.
type periods struct {
	limit  Limit
	latest []period // by their start
}

type period struct {
	start, end time.Time
	units      int
}

const keptPeriods = 3

// at returns the period of now.
func (p *periods) at(now time.Time) *period {
	for i := range p.latest {
		if known := &p.latest[i]; !now.Before(known.start) && now.Before(known.end) {
			return known
		}
	}
	start, end := p.limit.PeriodAt(now)
	if len(p.latest) == keptPeriods {
		p.latest = slices.Delete(p.latest, 0, 1)
	}
	i := 0
	for i < len(p.latest) && p.latest[i].start.Before(start) {
		i++
	}
	p.latest = slices.Insert(p.latest, i, period{start: start, end: end})
	return &p.latest[i]
}

// endingAt returns what was counted in the period that ends at a moment.
func (p *periods) endingAt(end time.Time) int {
	for _, known := range p.latest {
		if known.end.Equal(end) {
			return known.units
		}
	}
	return 0
}

// fixed counts in windows that do not overlap: fixed ones and those of the calendar.
type fixed struct {
	limit  Limit
	counts periods
}

func (c *fixed) Remaining(now time.Time) (int, time.Duration) {
	p := c.counts.at(now)
	return max(0, c.limit.Calls-p.units), p.end.Sub(now)
}

func (c *fixed) Take(now time.Time, units int) { c.counts.at(now).units += units }

// weighted estimates a rolling window from two fixed ones. Parts of a call that are left from the window before count as a whole one.
type weighted struct {
	limit  Limit
	counts periods
}

func (c *weighted) Remaining(now time.Time) (int, time.Duration) {
	p := *c.counts.at(now)
	window, before := int64(c.limit.Window), int64(c.counts.endingAt(p.start))
	into, current := int64(now.Sub(p.start)), int64(p.units)
	carried := ceilDiv(before*(window-into), window)
	remaining := max(0, int64(c.limit.Calls)-current-carried)
	// One more fits as soon as so much at most is carried over: in this window, or in the next one, which begins empty.
	if goal := min(carried-1, int64(c.limit.Calls)-current-remaining-1); goal >= 0 {
		return int(remaining), time.Duration(fadesTo(goal, before, window) - into)
	}
	if current == 0 {
		return int(remaining), 0
	}
	goal := int64(c.limit.Calls) - remaining - 1
	return int(remaining), time.Duration(window - into + max(0, fadesTo(goal, current, window)))
}

// fadesTo is how far into a window not more than goal is left of what was counted in the one before, rounded up to whole calls.
func fadesTo(goal, before, window int64) int64 { return window - goal*window/before }

func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }

func (c *weighted) Take(now time.Time, units int) {
	p := c.counts.at(now)
	p.units = min(p.units+units, 2*MaxCalls) // judge-only, far past the limit: more would say the same, and overflow
}
