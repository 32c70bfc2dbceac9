// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"math/rand/v2"
	"time"
)

// Counter is one count of a limit. Its methods take the present, which must never go back; it is not safe for concurrent use.
type Counter interface {
	// Remaining is how many units would be taken at now, at least 0, and how long it takes from now until more of them are, at least 0. Where the CRM
	// counts late or by several clocks, both are what one of its nodes knows.
	Remaining(now time.Time) (units int, more time.Duration)
	// Take counts a call of so many units at now, whether it fits or not (a judge-only limit counts without refusing).
	Take(now time.Time, units int)
}

// NewCounter returns an empty counter for l, or nil for Concurrent and Jobs, which are about calls in flight and not about time. What the limit leaves open,
// which node counts a call and how late, is drawn from random.
func NewCounter(l Limit, random *rand.Rand) Counter {
	c := newCounter(l)
	if l.Skew > 0 || l.Late > 0 {
		return &fleet{counter: c, skew: l.Skew, late: l.Late, random: random}
	}
	return c
}

// newCounter returns a counter whose present may go back, by at most twice the limit's skew.
func newCounter(l Limit) Counter {
	switch l.Kind {
	case Rolling:
		return &rolling{limit: l}
	case Fixed, CalendarHour, CalendarDay, CalendarMonth:
		return &fixed{limit: l, counts: periods{limit: l}}
	case Weighted:
		return &weighted{limit: l, counts: periods{limit: l}}
	case Stepped:
		return &stepped{limit: l}
	case TokenBucket:
		return &bucket{limit: l}
	case Concurrent, Jobs:
	}
	return nil
}
