// SPDX-License-Identifier: Apache-2.0

package limit

import "time"

// bucket keeps what has been drawn, in parts of 1/Window of a unit, so that no rounding ever gives a call away:
// a unit draws Window nanoseconds' worth, and each nanosecond refills Calls.
type bucket struct {
	limit Limit
	drawn int64
	at    time.Time
}

func (c *bucket) refill(now time.Time) {
	elapsed := int64(now.Sub(c.at))
	c.at = now
	calls := int64(c.limit.Calls)
	if elapsed > c.drawn/calls {
		c.drawn = 0
		return
	}
	c.drawn -= elapsed * calls
}

func (c *bucket) Remaining(now time.Time) (int, time.Duration) {
	c.refill(now)
	window, calls := int64(c.limit.Window), int64(c.limit.Calls)
	free := int64(c.limit.Burst)*window - c.drawn
	if free >= window {
		return int(free / window), 0
	}
	return 0, time.Duration(ceilDiv(window-free, calls))
}

func (c *bucket) Take(now time.Time, units int) {
	c.refill(now)
	window := int64(c.limit.Window)
	c.drawn = min(c.drawn+int64(units)*window, int64(c.limit.Burst)*window)
}
