package limit

import "time"

// Counter enforces one limit. Its methods take the present, which must never go back; it is not safe for concurrent use.
type Counter interface {
	// Remaining is how many calls would be taken at now, and how long it takes from now until more of them are: at least 0.
	Remaining(now time.Time) (calls int, more time.Duration)
	// Take counts one call at now, whether it fits or not (a judge-only limit counts without refusing).
	Take(now time.Time)
}

// NewCounter returns an empty counter for l, or nil for Concurrent, which is about calls in service and not about time.
func NewCounter(l Limit) Counter {
	switch l.Kind {
	case Rolling:
		return &rolling{limit: l}
	case Fixed:
		return &period{calls: l.Calls, bounds: func(now time.Time) (start, end time.Time) { return fixedBounds(now, l) }}
	case CalendarDay:
		return &period{calls: l.Calls, bounds: func(now time.Time) (start, end time.Time) { return DayBounds(now, l.Zone) }}
	case TokenBucket:
		return &bucket{limit: l}
	case Concurrent:
	}
	return nil
}

// rolling remembers the moments of the latest calls, at most Calls of them.
type rolling struct {
	limit Limit
	taken []time.Time
}

func (c *rolling) Remaining(now time.Time) (int, time.Duration) {
	for len(c.taken) > 0 && now.Sub(c.taken[0]) >= c.limit.Window {
		c.taken = c.taken[1:]
	}
	if len(c.taken) == 0 {
		return c.limit.Calls, 0
	}
	return c.limit.Calls - len(c.taken), c.taken[0].Add(c.limit.Window).Sub(now)
}

func (c *rolling) Take(now time.Time) {
	if len(c.taken) == c.limit.Calls { // judge-only, past the limit: older calls decide nothing any more
		c.taken = c.taken[1:]
	}
	c.taken = append(c.taken, now)
}

// period counts in windows that do not overlap: fixed ones and calendar days.
type period struct {
	calls      int
	bounds     func(now time.Time) (start, end time.Time)
	start, end time.Time
	count      int
}

func (c *period) Remaining(now time.Time) (int, time.Duration) {
	if !now.Before(c.end) {
		c.start, c.end = c.bounds(now)
		c.count = 0
	}
	return max(0, c.calls-c.count), c.end.Sub(now)
}

func (c *period) Take(now time.Time) {
	c.Remaining(now) // moves on to the period of now
	c.count++
}

func fixedBounds(now time.Time, l Limit) (start, end time.Time) {
	into := time.Duration((now.UnixNano() - int64(l.Offset)) % int64(l.Window))
	if into < 0 {
		into += l.Window
	}
	start = now.Add(-into)
	return start, start.Add(l.Window)
}

// bucket keeps what has been drawn, in units of 1/Window of a call, so that no rounding ever gives a call away:
// a call draws Window nanoseconds' worth, and each nanosecond refills Calls.
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
	missing := window - free
	return 0, time.Duration((missing + calls - 1) / calls)
}

func (c *bucket) Take(now time.Time) {
	c.refill(now)
	window := int64(c.limit.Window)
	c.drawn = min(c.drawn+window, int64(c.limit.Burst)*window)
}
