// SPDX-License-Identifier: Apache-2.0

package forecast

import "math"

const (
	residualBins = 36
	// lowestBin is asinh of the lowest residual that is told apart, and mostResidual the highest residual.
	lowestBin, binWidth, mostResidual = -3.2, 0.15, 4
	// residualPrior is how many residuals of a usual kind are taken to have been seen at first.
	residualPrior = 12

	targetMiss             = 0.05
	leastMiss, mostMiss    = 0.02, 0.08
	missStep               = 0.0005
	lowerSpread, upperSide = 0.8, 1.2
)

// residuals is the distribution of how far forecasts were off, in their own standard deviations, newer ones counting more. Its bins are even in asinh: fine
// where most residuals are.
type residuals struct {
	weight [residualBins]float32
	// miss is the part of outcomes that is to lie above p95 next: less than 5 % after too many did, more after too few. It keeps the coverage while the law of the
	// demand changes (adaptive conformal inference: Gibbs and Candès, Adaptive Conformal Inference Under Distribution Shift, 2021).
	miss     float32
	p50, p95 float32
}

func newResiduals() residuals {
	r := residuals{miss: targetMiss}
	sum := 0.0
	for i := range r.weight {
		z := math.Sinh(lowestBin + (float64(i)+0.5)*binWidth)
		// A normal distribution whose upper side is wider than its lower one: calls come in bursts.
		spread := lowerSpread
		if z > 0 {
			spread = upperSide
		}
		w := math.Exp(-z*z/(2*spread*spread)) * math.Cosh(lowestBin+(float64(i)+0.5)*binWidth)
		r.weight[i] = float32(w)
		sum += w
	}
	for i := range r.weight {
		r.weight[i] *= float32(residualPrior / sum)
	}
	r.settle()
	return r
}

// observe adds a residual. memory is how many newer ones halve its weight; step is how fast miss follows.
func (r *residuals) observe(z, memory, step float64) {
	if z > float64(r.p95) {
		r.miss += float32(step * (targetMiss - 1))
	} else {
		r.miss += float32(step * targetMiss)
	}
	r.miss = max(leastMiss, min(r.miss, mostMiss))
	keep := float32(math.Exp2(-1 / memory))
	for i := range r.weight {
		r.weight[i] *= keep
	}
	// A few forecasts that were wrong altogether, as in the first week, must not make others as wide.
	i := int((math.Asinh(min(z, mostResidual)) - lowestBin) / binWidth)
	r.weight[max(0, min(i, residualBins-1))]++
	r.settle()
}

// settle computes the quantiles anew.
func (r *residuals) settle() {
	sum := float32(0)
	for _, w := range r.weight {
		sum += w
	}
	r.p50 = r.quantile(sum / 2)
	r.p95 = max(r.p50, r.quantile(sum*(1-r.miss)))
}

// quantile is the residual below which there is so much weight.
func (r *residuals) quantile(below float32) float32 {
	sum, at := float32(0), float64(residualBins)
	for i, w := range r.weight {
		if w > 0 && sum+w >= below {
			at = float64(i) + float64((below-sum)/w)
			break
		}
		sum += w
	}
	return float32(math.Sinh(lowestBin + at*binWidth))
}
