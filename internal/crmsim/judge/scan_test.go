// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"iter"
	"testing"

	"pgregory.net/rapid"
)

// Small worlds, in ticks: ties are the rule in them, not the exception.
var smallSpan = rapid.Custom(func(t *rapid.T) span {
	from := rapid.Int64Range(0, 14).Draw(t, "from")
	return span{from: from, to: from + rapid.Int64Range(0, 4).Draw(t, "length"), units: rapid.Int64Range(1, 3).Draw(t, "units")}
})

var smallWorld = rapid.SliceOfN(smallSpan, 0, 12)

func largest(all iter.Seq[window]) int64 { return fullest(all).count }

// touching counts, one by one, the units that may have been counted in [start, end).
func touching(spans []span, start, end int64) int64 {
	n := int64(0)
	for _, s := range spans {
		if s.from < end && s.to >= start {
			n += s.units
		}
	}
	return n
}

func TestSlidingFindsTheFullestPositionOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := smallWorld.Draw(t, "spans")
		length := rapid.Int64Range(1, 6).Draw(t, "length")
		want := int64(0)
		for start := int64(-10); start <= 30; start++ {
			want = max(want, touching(spans, start, start+length))
		}
		if got := largest(sliding(spans, length)); got != want {
			t.Fatalf("fullest position holds %d, brute force finds %d", got, want)
		}
		for w := range sliding(spans, length) {
			if got := touching(spans, w.start, w.end); got != w.count {
				t.Fatalf("window [%d,%d) is said to hold %d, holds %d", w.start, w.end, w.count, got)
			}
		}
	})
}

func TestPeriodsCountEachWindowOfTheAlignment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := smallWorld.Draw(t, "spans")
		length := rapid.Int64Range(1, 6).Draw(t, "length")
		offset := rapid.Int64Range(0, length-1).Draw(t, "offset")
		bounds := func(at int64) (int64, int64) {
			start := at - ((at-offset)%length+length)%length
			return start, start + length
		}
		found := map[int64]int64{}
		for w := range periods(spans, bounds) {
			found[w.start] = w.count
		}
		for start := offset - 5*length; start <= 30; start += length {
			if want := touching(spans, start, start+length); found[start] != want {
				t.Fatalf("window at %d is said to hold %d, holds %d", start, found[start], want)
			}
		}
	})
}

func TestBucketsFindTheLargestDemandOverAllStretches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := smallWorld.Draw(t, "spans")
		calls := rapid.Int64Range(1, 4).Draw(t, "calls")
		length := rapid.Int64Range(1, 6).Draw(t, "length")
		want := int64(0)
		for start := int64(0); start <= 20; start++ {
			for end := start; end <= 20; end++ {
				demand := touching(spans, start, end+1)*length - calls*(end-start)
				want = max(want, (demand+length-1)/length)
			}
		}
		if got := largest(buckets(spans, calls, length)); got != want {
			t.Fatalf("needs %d tokens, brute force finds %d", got, want)
		}
	})
}

func TestConcurrentFindsTheMomentWithMostCallsInService(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := smallWorld.Draw(t, "spans")
		want := int64(0)
		for at := int64(0); at <= 20; at++ {
			n := int64(0)
			for _, s := range spans {
				if s.from <= at && at < s.to {
					n += s.units
				}
			}
			want = max(want, n)
		}
		if got := largest(concurrent(spans)); got != want {
			t.Fatalf("%d in service, brute force finds %d", got, want)
		}
	})
}

func TestEstimatesFindTheLargestThatAWeightedCounterMayMake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := smallWorld.Draw(t, "spans")
		length := rapid.Int64Range(1, 6).Draw(t, "length")
		offset := rapid.Int64Range(0, length-1).Draw(t, "offset")
		want := int64(0)
		for at := int64(-5); at <= 40; at++ {
			start := at - ((at-offset)%length+length)%length
			// Each call is counted where it weighs most: in the present window if it can be, or in the one before.
			weight := int64(0)
			for _, s := range spans {
				switch {
				case s.from <= at && s.to >= start:
					weight += s.units * length
				case s.from < start && s.to >= start-length:
					weight += s.units * (start + length - at)
				}
			}
			want = max(want, (weight+length-1)/length)
		}
		if got := largest(estimates(spans, length, offset)); got != want {
			t.Fatalf("the largest estimate is %d, brute force finds %d", got, want)
		}
	})
}

func TestStepsFindTheFullestWindowAndStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := smallWorld.Draw(t, "spans")
		step := rapid.Int64Range(1, 3).Draw(t, "step")
		length := step * rapid.Int64Range(1, 3).Draw(t, "steps")
		want := int64(0)
		for end := -4 * step; end <= 40; end += step {
			want = max(want, touching(spans, end-length-step, end))
		}
		if got := largest(steps(spans, length, step)); got != want {
			t.Fatalf("fullest window and step hold %d, brute force finds %d", got, want)
		}
	})
}
