// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAWindowCountsByItsSlices holds a window against a list of all that it was told: it counts what is in the present slice and the sixteen before.
func TestAWindowCountsByItsSlices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slice := rapid.SampledFrom([]int64{1, 3, 1000, int64(time.Hour)}).Draw(t, "slice")
		w := newWindow(time.Duration(16*slice + rapid.Int64Range(0, 15).Draw(t, "more")))
		counts := map[int64]int64{}
		now, latest := rapid.Int64Range(0, 40*slice).Draw(t, "begin"), int64(0)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = max(0, now+rapid.OneOf(rapid.Int64Range(-slice, slice), rapid.Int64Range(0, 40*slice)).Draw(t, "pass"))
			latest = max(latest, now/slice)
			at := time.Unix(0, now)
			if n := rapid.Int64Range(0, 9).Draw(t, "n"); n > 0 {
				w.add(at, n)
				counts[latest] += n
			}
			want := int64(0)
			for of, n := range counts {
				if latest-of < 17 {
					want += n
				}
			}
			if got := w.sum(at); got != want {
				t.Fatalf("at %d of slices of %d it counts %d, want %d of %v", now, slice, got, want, counts)
			}
			for age := range 17 {
				if of := latest - int64(age); of >= 0 && w.before(age) != counts[of] {
					t.Fatalf("%d slices before %d it counts %d, want %d", age, latest, w.before(age), counts[of])
				}
			}
		}
	})
}

// TestAWindowOfCenturies has fewer slices behind it than it could count.
func TestAWindowOfCenturies(t *testing.T) {
	w := newWindow(math.MaxInt64)
	w.add(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), 5)
	sum := int64(0)
	for age := range 3 {
		sum += w.before(age)
	}
	if w.before(windowSlices) != 0 || sum != 5 {
		t.Errorf("%d in the oldest slice, %d in the newest three, want 0 and 5", w.before(windowSlices), sum)
	}
}

// TestAmountsAreThoseOfTheirCalls: four calls of one unit, and then all that were seen, count alike.
func TestAmountsAreThoseOfTheirCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := float64(rapid.IntRange(0, 1000).Draw(t, "calls before"))
		a := amounts{since: before}
		seen := append([]int64{1, 1, 1, 1}, rapid.SliceOfN(rapid.Int64Range(0, 100), 0, 30).Draw(t, "amounts")...)
		for i, amount := range seen[4:] {
			a.add(amount, before+float64(i+1))
		}
		mean, variance := 0., 0.
		for _, amount := range seen {
			mean += float64(amount) / float64(len(seen))
		}
		for _, amount := range seen {
			variance += (float64(amount) - mean) * (float64(amount) - mean) / float64(len(seen))
		}
		calls := before + float64(len(seen)-4)
		if gotMean, gotVariance := a.moments(calls); !near(gotMean, mean) || math.Abs(gotVariance-variance) > 1e-6 {
			t.Fatalf("of %v the mean is %v, the variance %v, want %v, %v", seen, gotMean, gotVariance, mean, variance)
		}
		p50, spread := rapid.Float64Range(0, 100).Draw(t, "p50"), rapid.Float64Range(0, 100).Draw(t, "spread")
		// The variance of a sum of some independent amounts: that of their number, and their own.
		want := math.Sqrt(mean*mean*spread*spread + 1.645*1.645*p50*variance)
		if units50, units95 := a.units(p50, p50+spread, calls); !near(units50, mean*p50) || !near(units95, mean*p50+want) {
			t.Fatalf("%v to %v calls take %v to %v units, want %v to %v", p50, p50+spread, units50, units95, mean*p50, mean*p50+want)
		}
	})
}

// TestOldAmountsCountLess: after some thousand calls those before count half.
func TestOldAmountsCountLess(t *testing.T) {
	const calls, old, recent = 2*4096 + 1, 3, 10
	var a amounts
	for i := range calls {
		a.add(old, float64(i+1))
		if want := (old*float64(i+1) + 4) / (float64(i+1) + 4); i < calls-1 {
			if mean, _ := a.moments(float64(i + 1)); !near(mean, want) {
				t.Fatalf("after %d calls the mean is %v, want %v", i+1, mean, want)
			}
		}
	}
	for i := range 100 {
		a.add(recent, float64(calls+i+1))
	}
	n := calls/2. + 100 + 4
	mean, square := (calls/2.*old+100*recent+4)/n, (calls/2.*old*old+100*recent*recent+4)/n
	if gotMean, gotVariance := a.moments(calls + 100); !near(gotMean, mean) || !near(gotVariance, square-mean*mean) {
		t.Errorf("the mean is %v, the variance %v, want %v, %v", gotMean, gotVariance, mean, square-mean*mean)
	}
}

// TestAmountsOfALaterHistory: of a history that has counted less than it had, only what is known counts.
func TestAmountsOfALaterHistory(t *testing.T) {
	a := amounts{sum: 8, squares: 16, since: 100}
	if mean, variance := a.moments(50); mean != 3 || variance != 0 {
		t.Errorf("the mean is %v, the variance %v, want 3 and 0", mean, variance)
	}
}

// near says whether two figures are the same but for rounding.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }
