// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"slices"
	"sort"
	"time"
)

// longestLog is the longest window of which each of our calls is kept: in longer ones the guard by which the ledger charges a call for longer than the CRM
// counts it does not matter.
const longestLog = 10 * time.Minute

// calls are our own that were answered of late, in the order of their end.
type calls struct {
	all []answered
	// before is the sum of the units of all calls that were forgotten, longest how long one of those kept took at most.
	before  int64
	longest time.Duration
	// since is when the log begins; zero for never.
	since time.Time
}

// answered is one call. sum is of all units up to it, its own included.
type answered struct {
	began, ended time.Time
	units, sum   int64
}

// add notes a call, and forgets those that ended before a moment.
func (c *calls) add(began, ended time.Time, units int64, forget time.Time) {
	if c.since.IsZero() {
		c.since = began
	}
	at := len(c.all)
	for at > 0 && c.all[at-1].ended.After(ended) {
		at--
	}
	c.all = slices.Insert(c.all, at, answered{began: began, ended: ended, units: units})
	for ; at < len(c.all); at++ {
		c.all[at].sum = c.before + c.all[at].units
		if at > 0 {
			c.all[at].sum = c.all[at-1].sum + c.all[at].units
		}
	}
	c.longest = max(c.longest, ended.Sub(began))
	if old := c.upTo(forget); old > len(c.all)/2 {
		c.before = c.all[old-1].sum
		c.all = slices.Delete(c.all, 0, old)
		c.longest = 0
		for _, a := range c.all {
			c.longest = max(c.longest, a.ended.Sub(a.began))
		}
	}
}

// upTo is how many calls had ended by a moment.
func (c *calls) upTo(at time.Time) int {
	return sort.Search(len(c.all), func(i int) bool { return c.all[i].ended.After(at) })
}

// sum is the units of the first n calls and of all that were forgotten.
func (c *calls) sum(n int) int64 {
	if n == 0 {
		return c.before
	}
	return c.all[n-1].sum
}

// within bounds what answered calls have used of a window of this length that ends in [began, ended]: at least those sent and answered within it for certain.
func (c *calls) within(began, ended time.Time, length time.Duration) (least, most int64) {
	first := c.upTo(began.Add(-length))
	most = c.sum(len(c.all)) - c.sum(first)
	start := ended.Add(-length)
	least = c.sum(c.upTo(began)) - c.sum(c.upTo(start))
	for _, a := range c.all[c.upTo(start):c.upTo(start.Add(c.longest))] {
		if !a.began.After(start) && !a.ended.After(began) {
			least -= a.units // it may have been counted before the window
		}
	}
	return max(0, least), most
}
