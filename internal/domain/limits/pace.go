// SPDX-License-Identifier: Apache-2.0

package limits

import (
	"math"
	"time"
)

// Pace spreads calls over time: as if from a bucket that holds Burst units and gets one back every Interval.
type Pace struct {
	Burst    int64
	Interval time.Duration
}

const (
	// approximateBurst is the part of an Approximate limit that may be sent at once, one in so many.
	approximateBurst = 50
	// stay is how long a call keeps its units at least, on its way and until the CRM has counted it: a smaller burst than is sent in that time would slow the rate.
	stay = time.Second
)

// Pace is by how much calls to a Rolling limit must be spread so that the CRM's own way of counting takes them, besides keeping to Max in every window; ok is
// false if that is enough. Intervals are long by the drift between the two clocks.
//
// A bucket takes what a bucket of the same size and rate lets through. A weighted counter takes the count of the present fixed window plus that of the one
// before, by the part of it that the last Window still covers. A sender of burst b and rate r makes that at most r*W + 2b, so it keeps below Max at a rate of
// (Max-2b)/W, where b is at least what one call takes. For a Max of few calls that would be next to nothing: then half of Max per window keeps below it too, as
// one interval never holds more than Max/2 + 1 of the two windows together.
func (g Guards) Pace(l Limit) (p Pace, ok bool) {
	if l.Kind != Rolling {
		return Pace{}, false
	}
	window := l.Window + g.Drift(l.Window)
	switch l.Counting {
	case TokenBucket:
		return Pace{Burst: l.Burst, Interval: perUnit(window, l.Max)}, true
	case Approximate:
		inStay := math.Ceil(float64(l.Max) * stay.Seconds() / (window + 2*stay).Seconds())
		burst := max(l.LargestAmount(), l.Max/approximateBurst, int64(inStay))
		if rate := l.Max - 2*burst; 2*rate >= l.Max {
			return Pace{Burst: burst, Interval: perUnit(window, rate)}, true
		}
		return Pace{Burst: l.LargestAmount(), Interval: perUnit(2*window, l.Max)}, true
	default:
		return Pace{}, false
	}
}

// perUnit is window/n, rounded up.
func perUnit(window time.Duration, n int64) time.Duration {
	return time.Duration((int64(window) + n - 1) / n)
}
