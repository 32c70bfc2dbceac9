package judge

import (
	"iter"
	"testing"

	"pgregory.net/rapid"
)

// Small worlds, in ticks: ties are the rule in them, not the exception.
var smallSpan = rapid.Custom(func(t *rapid.T) span {
	from := rapid.Int64Range(0, 14).Draw(t, "from")
	return span{from: from, to: from + rapid.Int64Range(0, 4).Draw(t, "length")}
})

var smallWorld = rapid.SliceOfN(smallSpan, 0, 12)

func largest(all iter.Seq[window]) int { return fullest(all).count }

// touching counts, one by one, the calls that may have been counted in [start, end).
func touching(spans []span, start, end int64) int {
	n := 0
	for _, s := range spans {
		if s.from < end && s.to >= start {
			n++
		}
	}
	return n
}

func TestSlidingFindsTheFullestPositionOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := smallWorld.Draw(t, "spans")
		length := rapid.Int64Range(1, 6).Draw(t, "length")
		want := 0
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
		found := map[int64]int{}
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
				demand := int64(touching(spans, start, end+1))*length - calls*(end-start)
				want = max(want, (demand+length-1)/length)
			}
		}
		if got := largest(buckets(spans, calls, length)); int64(got) != want {
			t.Fatalf("needs %d tokens, brute force finds %d", got, want)
		}
	})
}

func TestConcurrentFindsTheMomentWithMostCallsInService(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := smallWorld.Draw(t, "spans")
		want := 0
		for at := int64(0); at <= 20; at++ {
			n := 0
			for _, s := range spans {
				if s.from <= at && at < s.to {
					n++
				}
			}
			want = max(want, n)
		}
		if got := largest(concurrent(spans)); got != want {
			t.Fatalf("%d in service, brute force finds %d", got, want)
		}
	})
}
