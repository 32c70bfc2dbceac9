// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestAtFirstResidualsAreNormal, with a spread of 0.8 below the mean and of 1.2 above it, as if twelve had been seen.
func TestAtFirstResidualsAreNormal(t *testing.T) {
	r := newResiduals()
	sum := 0.
	for _, w := range r.weight {
		sum += float64(w)
	}
	// A normal distribution is below the mean by one part in 2/0.8 of the sides' spreads.
	below := func(z float64) float64 {
		if z < 0 {
			return 0.4 * math.Erfc(-z/0.8/math.Sqrt2)
		}
		return 0.4 + 0.6*math.Erf(z/1.2/math.Sqrt2)
	}
	if math.Abs(sum-12) > 1e-4 || r.miss != 0.05 {
		t.Errorf("%v residuals, %v of them above p95, want 12 and 0.05", sum, r.miss)
	}
	if p50, p95 := below(float64(r.p50)), below(float64(r.p95)); math.Abs(p50-0.5) > 0.005 || math.Abs(p95-0.95) > 0.002 {
		t.Errorf("p50 is above %.4f of a normal distribution, p95 above %.4f", p50, p95)
	}
	for _, part := range []float64{0.01, 0.1, 0.3, 0.45, 0.7, 0.99} {
		if got := below(float64(r.quantile(float32(12 * part)))); math.Abs(got-part) > 0.01 {
			t.Errorf("the quantile of %v is above %.4f of a normal distribution", part, got)
		}
	}
}

// bin is a range of residuals: between sinh of its bounds.
func binOf(z float64) int {
	for i := range residualBins {
		if z < math.Sinh(-3.2+0.15*float64(i+1)) {
			return i
		}
	}
	return residualBins - 1
}

// TestQuantilesAreThoseOfTheResiduals: each residual counts half as much when as many newer ones as the memory were seen, and the quantiles are where the sum
// of what is below them is the part that it should be.
func TestQuantilesAreThoseOfTheResiduals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		memory := rapid.SampledFrom([]float64{3, 20, 1000}).Draw(t, "memory")
		const step = 0.003
		r, first := newResiduals(), newResiduals()
		zs := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-3, 5), rapid.Float64Range(-100, 100)), 1, 60).Draw(t, "residuals")
		miss := 0.05
		for _, z := range zs {
			if z > float64(r.p95) {
				miss -= step * 0.95
			} else {
				miss += step * 0.05
			}
			miss = max(0.02, min(miss, 0.08))
			r.observe(z, memory, step)
		}
		want, sum := [residualBins]float64{}, 0.
		for i, w := range first.weight {
			want[i] = float64(w) * math.Pow(0.5, float64(len(zs))/memory)
		}
		for i, z := range zs {
			want[binOf(min(z, 4))] += math.Pow(0.5, float64(len(zs)-1-i)/memory)
		}
		for i, w := range want {
			sum += w
			if math.Abs(float64(r.weight[i])-w) > 1e-3*(1+w) {
				t.Fatalf("%v residuals in bin %d, want %v", r.weight[i], i, w)
			}
		}
		if math.Abs(float64(r.miss)-miss) > 1e-5 {
			t.Fatalf("%v are to lie above p95, want %v", r.miss, miss)
		}
		for part, got := range map[float64]float32{0.5: r.p50, 1 - miss: r.p95} {
			// Within its bin a residual can be anywhere: evenly in asinh.
			at, below := (math.Asinh(float64(got))+3.2)/0.15, 0.
			for i, w := range want {
				below += w * max(0, min(1, at-float64(i)))
			}
			if math.Abs(below-part*sum) > 2e-3*sum {
				t.Fatalf("%v is above %.4f of the residuals, want %.4f", got, below/sum, part)
			}
		}
	})
}

// TestTheQuantileOfNothingIsTheHighest, and bins without a residual are not where one is.
func TestTheQuantileOfNothingIsTheHighest(t *testing.T) {
	var r residuals
	if got, want := float64(r.quantile(1)), math.Sinh(-3.2+36*0.15); math.Abs(got-want) > 1e-3 {
		t.Errorf("the quantile of no residuals is %v, want %v", got, want)
	}
	r.weight[20] = 2
	for below, want := range map[float32]float64{0: 20, 1: 20.5, 2: 21} {
		if got := (math.Asinh(float64(r.quantile(below))) + 3.2) / 0.15; !(math.Abs(got-want) <= 1e-3) {
			t.Errorf("below quantile %v of two residuals in bin 20 are %v bins, want %v", below, got, want)
		}
	}
}

// TestThePartAboveP95IsBounded: it follows what was seen, and goes no further than from 2 % to 8 %. What lies at p95 is not above it.
func TestThePartAboveP95IsBounded(t *testing.T) {
	for name, tc := range map[string]struct {
		of   func(r *residuals) float64
		want float32
	}{
		"all are above":  {func(r *residuals) float64 { return float64(r.p95) + 1 }, 0.02},
		"none is above":  {func(r *residuals) float64 { return float64(r.p95) - 1 }, 0.08},
		"all are at p95": {func(r *residuals) float64 { return float64(r.p95) }, 0.08},
	} {
		r := newResiduals()
		for range 500 {
			r.observe(tc.of(&r), 1000, 0.01)
		}
		if r.miss != tc.want {
			t.Errorf("%s: %v are to lie above it, want %v", name, r.miss, tc.want)
		}
	}
}
