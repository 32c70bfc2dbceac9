// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"slices"
	"time"
)

// rolling remembers the moments of the latest calls, as many as it takes to be full.
type rolling struct {
	limit  Limit
	taken  []taken // by their moments
	units  int     // of all of them
	latest time.Time
}

type taken struct {
	at    time.Time
	units int
}

func (c *rolling) Remaining(now time.Time) (int, time.Duration) {
	c.forget(now)
	units, next := c.units, 0
	for next < len(c.taken) && now.Sub(c.taken[next].at) >= c.limit.Window {
		units -= c.taken[next].units
		next++
	}
	if next == len(c.taken) {
		return c.limit.Calls, 0
	}
	return max(0, c.limit.Calls-units), c.taken[next].at.Add(c.limit.Window).Sub(now)
}

// forget drops the calls that no node's window holds any more.
func (c *rolling) forget(now time.Time) {
	if now.After(c.latest) {
		c.latest = now
	}
	for len(c.taken) > 0 && c.latest.Sub(c.taken[0].at) >= c.limit.Window+2*c.limit.Skew {
		c.drop()
	}
}

func (c *rolling) drop() {
	c.units -= c.taken[0].units
	c.taken = c.taken[1:]
}

func (c *rolling) Take(now time.Time, units int) {
	i := len(c.taken)
	for i > 0 && c.taken[i-1].at.After(now) {
		i--
	}
	c.taken = slices.Insert(c.taken, i, taken{now, units})
	c.units += units
	for c.units-c.taken[0].units >= c.limit.Calls { // judge-only, past the limit: older calls decide nothing any more
		c.drop()
	}
}

// stepped counts by steps.
type stepped struct {
	limit  Limit
	steps  []step // in their order
	latest int64
}

// step is the number of a step since the epoch and what was counted in it.
type step struct {
	number int64
	units  int
}

func (c *stepped) Remaining(now time.Time) (int, time.Duration) {
	number, whole := c.number(now), int64(c.limit.Window/c.limit.Step)
	c.latest = max(c.latest, number)
	behind := int64(2*c.limit.Skew/c.limit.Step) + 1
	for len(c.steps) > 0 && c.steps[0].number < c.latest-whole-behind {
		c.steps = c.steps[1:]
	}
	left, more := c.limit.Calls, time.Duration(0)
	for _, s := range c.steps {
		if s.number < number-whole {
			continue
		}
		if more == 0 {
			more = time.Unix(0, (s.number+whole+1)*int64(c.limit.Step)).Sub(now)
		}
		left -= s.units
	}
	return max(0, left), more
}

func (c *stepped) Take(now time.Time, units int) {
	number := c.number(now)
	i, found := slices.BinarySearchFunc(c.steps, number, func(s step, number int64) int { return int(s.number - number) })
	if !found {
		c.steps = slices.Insert(c.steps, i, step{number: number})
	}
	c.steps[i].units += units
}

func (c *stepped) number(now time.Time) int64 { return now.UnixNano() / int64(c.limit.Step) }
