// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// crm refuses calls in virtual time, by the counters of crmsim, and keeps the record for its judge.
type crm struct {
	limits   []limit.Limit
	random   *rand.Rand
	counters map[counterKey]limit.Counter
	// busy are when slots become free, of calls in flight and of jobs.
	busy     map[counterKey][]time.Time
	arrivals []judge.Arrival
}

// counterKey is one count of a limit.
type counterKey struct {
	limit int
	of    string
}

func newCRM(random *rand.Rand, limits ...limit.Limit) *crm {
	return &crm{limits: limits, random: random, counters: map[counterKey]limit.Counter{}, busy: map[counterKey][]time.Time{}}
}

// receive counts a call that arrives now, in all limits or in none. A slot that it takes is free at released, that of a job at jobEnd.
func (c *crm) receive(now, released, jobEnd time.Time, what limit.Call) (taken bool) {
	taken = true
	for i, l := range c.limits {
		taken = taken && (!l.Applies(what) || c.fits(now, counterKey{i, l.CountOf(what)}, l.UnitsOf(what)))
	}
	a := judge.Arrival{
		Method: what.Method, Path: what.Path, Operation: what.Operation, Record: what.Record, Credential: what.Credential,
		Received: now, Earliest: now, Latest: now, Released: released, Outcome: judge.Refused,
	}
	if taken {
		a.Outcome, a.JobEnd = judge.Answered, jobEnd
		c.take(now, released, jobEnd, what)
	}
	c.arrivals = append(c.arrivals, a)
	return taken
}

func (c *crm) fits(now time.Time, key counterKey, units int) bool {
	l := c.limits[key.limit]
	if l.Kind == limit.Concurrent || l.Kind == limit.Jobs {
		c.busy[key] = slices.DeleteFunc(c.busy[key], func(free time.Time) bool { return !now.Before(free) })
		return len(c.busy[key]) < l.Calls
	}
	if c.counters[key] == nil {
		c.counters[key] = limit.NewCounter(l, c.random)
	}
	remaining, _ := c.counters[key].Remaining(now)
	return remaining >= units
}

func (c *crm) take(now, released, jobEnd time.Time, what limit.Call) {
	for i, l := range c.limits {
		key := counterKey{i, l.CountOf(what)}
		switch {
		case !l.Applies(what):
		case l.Kind == limit.Concurrent:
			c.busy[key] = append(c.busy[key], released)
		case l.Kind == limit.Jobs:
			c.busy[key] = append(c.busy[key], jobEnd)
		default:
			c.counters[key].Take(now, l.UnitsOf(what))
		}
	}
}

// taken is how many calls were taken from a moment on.
func (c *crm) taken(since time.Time) int {
	n := 0
	for _, a := range c.arrivals {
		if a.Outcome == judge.Answered && !a.Earliest.Before(since) {
			n++
		}
	}
	return n
}
