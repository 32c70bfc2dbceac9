// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"slices"
)

// spans are the lengths, in slots, over which a History keeps score of its forecasts, how many slots lie between two of these, and where its pending ones are
// kept.
var spans = [...]struct {
	length, every int64
	first         int
}{{1, 1, 0}, {2, 1, 1}, {4, 1, 3}, {8, 2, 7}, {16, 4, 11}, {32, 4, 15}, {64, 8, 23}, {128, 16, 31}, {336, 16, 39}}

// pendingForecasts is the sum of length/every over all spans.
const pendingForecasts = 60

const (
	// Half-lives of scores, in slots: of the views, which change with the demand; of the spreads; of the residuals, of which rare ones matter.
	offMemory, fitMemory, residualMemory = 144, 672, 1344
	// fitSharpness is how much a spread that fits better is preferred, and mostUnfit how badly one forecast can fit.
	fitSharpness, mostUnfit = 20, 50
)

// span is what is known of forecasts over one length.
type span struct {
	// off is by how many calls each view was off, unfit how badly each spread fitted that: the negative logarithm of the normal density.
	off   [views]float32
	unfit [spreads]float32
	// wrong and foreseen are sums of squares, for the spread as a part of the forecast.
	wrong, foreseen float32
	seen            uint8
	// weights of the views and spreads by their scores: derived from the above.
	weights   [views]float32
	fits      [spreads]float32
	residuals [groups]residuals
}

// groups of forecasts whose residuals are alike: where the spread is small against the mean, about as large, and larger; where a call is rare, and very rare.
const groups = 5

func groupOf(mean, spread float64) int {
	switch {
	case mean < 0.1:
		return 4
	case mean < 1:
		return 3
	case spread < 0.5*mean:
		return 0
	case spread < 1.5*mean:
		return 1
	default:
		return 2
	}
}

// pendingForecast is a forecast whose outcome is not known yet.
type pendingForecast struct {
	from         int64   // the slot that it begins with
	before       float64 // calls asked for before it
	views        [views]float32
	squares      [spreads]float32
	mean, spread float32
}

func newSpan() (s span) {
	for i := range s.residuals {
		s.residuals[i] = newResiduals()
	}
	s.weigh()
	return s
}

// forecast joins the views and the spreads.
func (s *span) forecast(v *[views]float64, q *[spreads]float64, length float64) (mean, spread float64) {
	for i, w := range s.weights {
		mean += float64(w) * v[i]
	}
	q[overallSpread] = (mean + mean*mean) * (float64(s.wrong) + firstSpread*firstSpread) / (float64(s.foreseen) + 1)
	square := 0.0
	for i, w := range s.fits {
		square += float64(w) * q[i]
	}
	if length > float64(slotsPerWeek) {
		square *= length / float64(slotsPerWeek) // what is wrong for a week is wrong for the next one too
	}
	return mean, spreadOf(mean, square)
}

// spreadOf is a standard deviation that is never less than calls that come by chance have, or next to nothing.
func spreadOf(mean, square float64) float64 { return math.Sqrt(0.05 + 0.5*mean + square) }

func (s *span) quantiles(v *[views]float64, q *[spreads]float64, length float64) (p50, p95 float64) {
	mean, spread := s.forecast(v, q, length)
	r := &s.residuals[groupOf(mean, spread)]
	p50 = max(0, mean+float64(r.p50)*spread)
	return p50, max(p50, mean+float64(r.p95)*spread)
}

// score compares a forecast with how many calls came. There is one every so many slots.
func (s *span) score(p *pendingForecast, calls, every float64) {
	wrong := calls - float64(p.mean)
	for i, v := range p.views {
		approach(&s.off[i], math.Abs(calls-float64(v)), s.seen, 1-math.Exp2(-every/offMemory))
	}
	for i, q := range p.squares {
		square := spreadOf(float64(p.mean), float64(q))
		square *= square
		approach(&s.unfit[i], 0.5*math.Log(square)+min(mostUnfit, wrong*wrong/(2*square)), s.seen, 1-math.Exp2(-every/fitMemory))
	}
	keep := math.Exp2(-every / residualMemory)
	s.wrong = float32(min(mostSquare, keep*float64(s.wrong)+wrong*wrong))
	s.foreseen = float32(min(mostSquare, keep*float64(s.foreseen)+float64(p.mean)*(1+float64(p.mean))))
	s.seen = next(s.seen)
	s.weigh()
	s.residuals[groupOf(float64(p.mean), float64(p.spread))].observe(wrong/float64(p.spread), residualMemory/every, missStep*every)
}

// weigh derives the weights. A view that is twice as far off as the best counts a sixteenth.
func (s *span) weigh() {
	least, best := slices.Min(s.off[:]), slices.Min(s.unfit[:])
	for i, off := range s.off {
		r := (least + 0.05) / (off + 0.05)
		s.weights[i] = r * r * r * r
	}
	for i, unfit := range s.unfit {
		s.fits[i] = float32(math.Exp(-fitSharpness * float64(unfit-best)))
	}
	normalise(s.weights[:])
	normalise(s.fits[:])
}

func normalise(weights []float32) {
	sum := float32(0)
	for _, w := range weights {
		sum += w
	}
	for i := range weights {
		weights[i] /= sum
	}
}
