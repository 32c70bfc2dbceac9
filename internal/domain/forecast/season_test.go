// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// close32 says whether a figure that is kept in 32 bits is the one that it should be.
func close32(got float32, want float64) bool {
	return math.Abs(float64(got)-want) <= 1e-4*max(1e-3, math.Abs(want))
}

// TestEveryObservationCountsAlikeUntilTheNewestHasItsRate: a mean of few is that of all, one of many follows what is newer.
func TestEveryObservationCountsAlikeUntilTheNewestHasItsRate(t *testing.T) {
	for name, tc := range map[string]struct {
		observed []float64
		rate     float64
		want     float64
	}{
		"one":                       {[]float64{8}, 0.2, 8},
		"two":                       {[]float64{8, 4}, 0.2, 6},
		"as many as the rate":       {[]float64{8, 4, 0, 0, 3}, 0.2, 3},
		"the newest counts a fifth": {[]float64{8, 4, 0, 0, 3, 13}, 0.2, 0.8*3 + 0.2*13},
		"nothing is too large":      {[]float64{math.Inf(1)}, 0.2, mostSquare},
	} {
		mean, seen := float32(0), uint8(0)
		for _, x := range tc.observed {
			approach(&mean, x, seen, tc.rate)
			seen = next(seen)
		}
		if !close32(mean, tc.want) {
			t.Errorf("%s: the mean is %v, want %v", name, mean, tc.want)
		}
	}
	if next(0) != 1 || next(254) != 255 || next(255) != 255 {
		t.Errorf("0, 254 and 255 are followed by %d, %d, %d", next(0), next(254), next(255))
	}
}

// observed is what a slot was like, from the first time on.
type observed struct{ calls, wrong []float64 }

// mean of all, where the newest count at least the rate.
func mean(of []float64, rate float64) (m float64) {
	for i, x := range of {
		m += max(rate, 1/float64(i+1)) * (x - m)
	}
	return m
}

// credibly is a mean of some that were seen, and of what is usual more generally, which counts as many of them as it takes to see one call.
func credibly(seen []float64, rate, general float64) float64 {
	m := mean(seen, rate)
	if len(seen) == 0 || m == 0 && general == 0 {
		return general
	}
	n, prior := min(float64(len(seen)), 2/rate), 1/max(m, general)
	return (n*m + prior*general) / (n + prior)
}

// squares likewise, where the more general counts a fixed number.
func squares(seen []float64, rate, general, prior float64) float64 {
	n := min(float64(len(seen)), 8)
	return (n*mean(seen, rate) + prior*general) / (n + prior)
}

// TestWhatIsUsual holds a season against the list of all it has learnt: what is usual in a half hour of the week goes by that half hour, by the time of the day
// before it was seen often, and by the time of day on all days.
func TestWhatIsUsual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s season
		var overall []float64
		weeks, days := map[int]*observed{}, map[int]*observed{}
		note := func(in map[int]*observed, at int, calls, wrong float64) {
			if in[at] == nil {
				in[at] = &observed{}
			}
			in[at].calls, in[at].wrong = append(in[at].calls, calls), append(in[at].wrong, wrong)
		}
		of := func(in map[int]*observed, at int) observed {
			if in[at] == nil {
				return observed{}
			}
			return *in[at]
		}
		slots := rapid.SliceOfN(rapid.IntRange(0, slotsPerWeek-1), 1, 4).Draw(t, "slots")
		for range rapid.IntRange(1, 60).Draw(t, "observations") {
			slot := rapid.SampledFrom(slots).Draw(t, "slot")
			calls, foreseen := rapid.SampledFrom([]float64{0, 0, 1, 7, 60}).Draw(t, "calls"), rapid.SampledFrom([]float64{0, 1, 20}).Draw(t, "foreseen")
			s.learn(slot, calls, foreseen)
			wrong := (calls - foreseen) * (calls - foreseen)
			note(weeks, slot, calls, wrong)
			note(days, slot%48, calls, wrong)
			overall = append(overall, calls)
		}
		if !close32(s.overall, mean(overall, 1./336)) || int(s.seen) != len(overall) {
			t.Fatalf("overall %v of %d, want %v of %d", s.overall, s.seen, mean(overall, 1./336), len(overall))
		}
		daySum, squareSum := 0., 0.
		day, square := [48]float64{}, [48]float64{}
		for d := range 48 {
			day[d] = credibly(of(days, d).calls, 0.3, mean(overall, 1./336))
			square[d] = squares(of(days, d).wrong, 0.05, day[d]+0.25*day[d]*day[d], 1)
			daySum, squareSum = daySum+day[d], squareSum+square[d]
			if !close32(s.daySums[d+1], daySum) || !close32(s.daySquares[d+1], squareSum) {
				t.Fatalf("until half hour %d of the day %v, squares %v, want %v, %v", d, s.daySums[d+1], s.daySquares[d+1], daySum, squareSum)
			}
		}
		weekSum, weekSquares := 0., 0.
		for i := range 336 {
			usual := credibly(of(weeks, i).calls, 0.2, day[i%48])
			weekSum, weekSquares = weekSum+usual, weekSquares+squares(of(weeks, i).wrong, 0.15, square[i%48], 2)
			if !close32(s.weekSums[i+1], weekSum) || !close32(s.weekSquares[i+1], weekSquares) {
				t.Fatalf("until half hour %d of the week %v, squares %v, want %v, %v", i, s.weekSums[i+1], s.weekSquares[i+1], weekSum, weekSquares)
			}
			if got := s.usual(i); math.Abs(got-usual) > 1e-4*(1+weekSum) {
				t.Fatalf("in half hour %d %v are usual, want %v", i, got, usual)
			}
		}
	})
}

// TestACycleGoesRound adds up, part by part, what is in the slots from a position on.
func TestACycleGoesRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		each := rapid.SliceOfN(rapid.Float64Range(0, 9), 1, 6).Draw(t, "each")
		sums := make([]float32, len(each)+1)
		for i, x := range each {
			sums[i+1] = sums[i] + float32(x)
		}
		position := rapid.Float64Range(0, float64(len(each))).Draw(t, "position")
		length := rapid.OneOf(rapid.Float64Range(0, 20), rapid.Map(rapid.IntRange(0, 20), func(n int) float64 { return float64(n) })).Draw(t, "length")
		want := 0.
		for i := range 40 {
			within := max(0, min(position+length, float64(i+1))-max(position, float64(i)))
			want += within * each[i%len(each)]
		}
		c := newCycle(sums, position)
		if got := c.ahead(length); math.Abs(got-want) > 1e-4 {
			t.Fatalf("%v slots of %v from %v on hold %v, want %v", length, each, position, got, want)
		}
	})
}

// TestLatelyIsHalvedInEachHalfLife: what was asked for in the last half hour, in the last day, and since midnight.
func TestLatelyIsHalvedInEachHalfLife(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r recent
		var asked, usual []float64
		first := rapid.IntRange(0, 100).Draw(t, "first slot")
		today, todayUsual := 0., 0.
		for i := range rapid.IntRange(1, 120).Draw(t, "slots") {
			asked, usual = append(asked, float64(rapid.IntRange(0, 9).Draw(t, "asked"))), append(usual, float64(rapid.IntRange(0, 9).Draw(t, "usual")))
			r.learn(first+i, asked[i], usual[i])
			if (first+i)%48 == 0 {
				today, todayUsual = 0, 0
			}
			today, todayUsual = today+asked[i], todayUsual+usual[i]
			if (first+i)%48 == 47 {
				today, todayUsual = 0, 0
			}
		}
		if r.today != today || r.todayUsual != todayUsual {
			t.Fatalf("today %v of %v, want %v of %v", r.today, r.todayUsual, today, todayUsual)
		}
		for halfLife, got := range map[float64]decayed{1: r.present, 36: r.level} {
			var want decayed
			for i := range asked {
				part := math.Pow(0.5, float64(len(asked)-1-i)/halfLife)
				want.asked, want.usual, want.slots = want.asked+part*asked[i], want.usual+part*usual[i], want.slots+part
			}
			if !near(got.asked, want.asked) || !near(got.usual, want.usual) || !near(got.slots, want.slots) {
				t.Fatalf("with a half-life of %v slots %+v, want %+v", halfLife, got, want)
			}
		}
	})
}

// TestADayThatWasLeftOutBeginsAnew: also where the last half hour of the day before was not learnt.
func TestADayThatWasLeftOutBeginsAnew(t *testing.T) {
	var r recent
	r.learn(46, 5, 3)
	r.learn(48, 7, 2)
	if r.today != 7 || r.todayUsual != 2 {
		t.Errorf("today are %v of %v, want 7 of 2", r.today, r.todayUsual)
	}
}

// TestCallsAreLearntAtMost: sums and squares of many are finite.
func TestCallsAreLearntAtMost(t *testing.T) {
	var s season
	for slot := range slotsPerWeek {
		s.learn(slot, 1e30, 0)
	}
	if s.week[5] != mostCalls || s.weekSquare[5] != mostSquare || math.IsInf(float64(s.weekSquares[slotsPerWeek]), 0) {
		t.Errorf("%v calls with a square of %v, %v in all", s.week[5], s.weekSquare[5], s.weekSquares[slotsPerWeek])
	}
}

// TestNothingForYearsIsForeseenAsNothing: means that fall for ever stay numbers.
func TestNothingForYearsIsForeseenAsNothing(t *testing.T) {
	h := NewHistory(nil)
	h.Ask(slotTime(0), 1)
	for week := range 52 * 3 {
		h.advance(slotTime(336 * float64(week)))
	}
	o := h.outlook(0)
	if p50, p95 := o.ahead(48); !(p50 >= 0 && p50 < 0.01 && p95 >= p50 && p95 < 1) {
		t.Errorf("three years after the last call %v to %v a day are foreseen", p50, p95)
	}
}

// TestAFewCallsSayLittle of how busy it is, and nothing says more than eight times as busy, or as quiet, as usual.
func TestAFewCallsSayLittle(t *testing.T) {
	for name, tc := range map[string]struct {
		d             decayed
		damping, want float64
	}{
		"as usual":         {decayed{asked: 50, usual: 50}, 3, 1},
		"twice as many":    {decayed{asked: 200, usual: 100}, 0, 2},
		"damped":           {decayed{asked: 4, usual: 1}, 2, 2},
		"far more":         {decayed{asked: 900, usual: 1}, 1, 8},
		"far less":         {decayed{asked: 1, usual: 900}, 1, 1. / 8},
		"nothing is usual": {decayed{asked: 5}, 1, 6},
	} {
		if got := tc.d.ratio(tc.damping); !near(got, tc.want) {
			t.Errorf("%s: %v times the usual, want %v", name, got, tc.want)
		}
	}
}
