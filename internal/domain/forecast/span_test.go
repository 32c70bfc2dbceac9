// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestTheGroupsOfForecasts are told apart by the mean and by the spread as a part of it.
func TestTheGroupsOfForecasts(t *testing.T) {
	for _, tc := range []struct {
		mean, spread float64
		want         int
	}{
		{0.09, 0, 4}, {0.1, 0, 3}, {0.99, 0, 3}, {1, 0.49, 0}, {1, 0.5, 1}, {1, 1.49, 1}, {1, 1.5, 2}, {100, 49, 0}, {100, 50, 1}, {100, 149, 1}, {100, 150, 2},
	} {
		if got := groupOf(tc.mean, tc.spread); got != tc.want {
			t.Errorf("a mean of %v with a spread of %v is of group %d, want %d", tc.mean, tc.spread, got, tc.want)
		}
	}
}

// drawSpan draws one with scores.
func drawSpan(t *rapid.T) span {
	s := newSpan()
	for i := range s.off {
		s.off[i] = float32(rapid.Float64Range(0, 20).Draw(t, "off"))
	}
	for i := range s.unfit {
		s.unfit[i] = float32(rapid.Float64Range(-1, 1).Draw(t, "unfit"))
	}
	s.wrong, s.foreseen = float32(rapid.Float64Range(0, 100).Draw(t, "wrong")), float32(rapid.Float64Range(0, 100).Draw(t, "foreseen"))
	s.seen = rapid.Uint8().Draw(t, "seen")
	s.weigh()
	return s
}

// TestViewsThatWereRightCountMore: one that was twice as far off counts a sixteenth; of spreads one counts e times less for each twentieth that it fits worse.
func TestViewsThatWereRightCountMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpan(t)
		sum, fits := 0., 0.
		for i := range s.weights {
			ratio := math.Pow((float64(s.off[i])+0.05)/(float64(s.off[0])+0.05), -4)
			if got := float64(s.weights[i] / s.weights[0]); math.Abs(got-ratio) > 1e-3*(1+ratio) && s.weights[0] > 1e-6 {
				t.Fatalf("views that were off by %v and %v count as 1 to %v, want %v", s.off[0], s.off[i], got, ratio)
			}
			sum += float64(s.weights[i])
		}
		for i := range s.fits {
			ratio := math.Exp(-20 * float64(s.unfit[i]-s.unfit[0]))
			if got := float64(s.fits[i] / s.fits[0]); math.Abs(got-ratio) > 1e-2*(1+ratio) && s.fits[0] > 1e-6 {
				t.Fatalf("spreads that fit %v and %v badly count as 1 to %v, want %v", s.unfit[0], s.unfit[i], got, ratio)
			}
			fits += float64(s.fits[i])
		}
		if math.Abs(sum-1) > 1e-4 || math.Abs(fits-1) > 1e-4 {
			t.Fatalf("views count %v in all, spreads %v, want 1", sum, fits)
		}
	})
}

// TestAForecastJoinsViewsAndSpreads: means of them by their weights; a forecast is wrong by as large a part of it as others were, among other things, and by no
// less than calls that come by chance vary.
func TestAForecastJoinsViewsAndSpreads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpan(t)
		var v [views]float64
		var q [spreads]float64
		mean, square := 0., 0.
		for i := range v {
			v[i] = rapid.Float64Range(0, 100).Draw(t, "view")
			mean += float64(s.weights[i]) * v[i]
		}
		q[weekSpread], q[daySpread] = rapid.Float64Range(0, 400).Draw(t, "week"), rapid.Float64Range(0, 400).Draw(t, "day")
		overall := (mean + mean*mean) * (float64(s.wrong) + 0.25) / (float64(s.foreseen) + 1)
		for i, one := range [spreads]float64{q[weekSpread], q[daySpread], overall} {
			square += float64(s.fits[i]) * one
		}
		length := rapid.SampledFrom([]float64{1, 48, 336, 672, 1008}).Draw(t, "length")
		spread := math.Sqrt(0.05 + mean/2 + square*max(1, length/336))
		gotMean, gotSpread := s.forecast(&v, &q, length)
		if !near(gotMean, mean) || math.Abs(gotSpread-spread) > 1e-6*spread {
			t.Fatalf("the forecast is %v with a spread of %v, want %v, %v", gotMean, gotSpread, mean, spread)
		}
		r := &s.residuals[groupOf(mean, spread)]
		r.p50, r.p95 = float32(rapid.Float64Range(-3, 3).Draw(t, "p50")), float32(rapid.Float64Range(-3, 3).Draw(t, "p95"))
		want50 := max(0, mean+float64(r.p50)*spread)
		want95 := max(want50, mean+float64(r.p95)*spread)
		if p50, p95 := s.quantiles(&v, &q, length); math.Abs(p50-want50) > 1e-6*(1+want50) || math.Abs(p95-want95) > 1e-6*(1+want95) {
			t.Fatalf("%v to %v are foreseen, want %v to %v", p50, p95, want50, want95)
		}
	})
}

// TestForecastsAreScored: by how much each view was off, how badly each spread fitted that, and how far off in all, all of which are halved by what is newer:
// after three days, two weeks and four weeks of half hours.
func TestForecastsAreScored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSpan()
		every := rapid.SampledFrom([]float64{1, 8, 96}).Draw(t, "every")
		var off [views][]float64
		var unfit [spreads][]float64
		wrongs, foreseen := 0., 0.
		for range rapid.IntRange(1, 30).Draw(t, "forecasts") {
			p := pendingForecast{mean: float32(rapid.Float64Range(0, 50).Draw(t, "mean")), spread: 3}
			calls := float64(rapid.IntRange(0, 100).Draw(t, "calls"))
			wrong, mean := calls-float64(p.mean), float64(p.mean)
			for i := range p.views {
				p.views[i] = float32(rapid.Float64Range(0, 50).Draw(t, "view"))
				off[i] = append(off[i], math.Abs(calls-float64(p.views[i])))
			}
			for i := range p.squares {
				p.squares[i] = float32(rapid.Float64Range(0, 50).Draw(t, "square"))
				square := 0.05 + mean/2 + float64(p.squares[i])
				unfit[i] = append(unfit[i], math.Log(square)/2+min(50, wrong*wrong/2/square))
			}
			before := s.residuals[groupOf(mean, 3)]
			s.score(&p, calls, every)
			before.observe(wrong/3, 1344/every, 0.0005*every)
			if s.residuals[groupOf(mean, 3)] != before {
				t.Fatalf("a forecast of %v for %v calls was not counted among its group's residuals", p.mean, calls)
			}
			keep := math.Pow(0.5, every/1344)
			wrongs, foreseen = wrongs*keep+wrong*wrong, foreseen*keep+mean*(1+mean)
		}
		for i := range off {
			if want := mean(off[i], 1-math.Pow(0.5, every/144)); !close32(s.off[i], want) {
				t.Fatalf("view %d was off by %v, want %v", i, s.off[i], want)
			}
		}
		for i := range unfit {
			if want := mean(unfit[i], 1-math.Pow(0.5, every/672)); !close32(s.unfit[i], want) {
				t.Fatalf("spread %d fits %v badly, want %v", i, s.unfit[i], want)
			}
		}
		if !close32(s.wrong, wrongs) || !close32(s.foreseen, foreseen) || int(s.seen) != len(off[0]) {
			t.Fatalf("wrong by %v of %v in %d forecasts, want %v of %v in %d", s.wrong, s.foreseen, s.seen, wrongs, foreseen, len(off[0]))
		}
		again := s
		again.weigh()
		if again.weights != s.weights || again.fits != s.fits {
			t.Fatalf("the weights %v and %v are not those of the scores", s.weights, s.fits)
		}
	})
}

// TestScoresStayFinite whatever calls come.
func TestScoresStayFinite(t *testing.T) {
	s := newSpan()
	s.score(&pendingForecast{mean: 1e18, spread: 1}, 0, 1)
	if s.wrong != mostSquare || s.foreseen != mostSquare {
		t.Errorf("wrong by %v of %v, want %v at most", s.wrong, s.foreseen, float32(mostSquare))
	}
}
