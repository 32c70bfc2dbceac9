// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

const (
	// checks is how many forecasts of a period are held against its outcome.
	checks = 24
	// checkRate is the least weight of the newest period in what forecasts were off by, checkPrior how many periods the history's own spread is worth.
	checkRate, checkPrior = 0.03, 2
	// checkMemory is how many forecasts later a residual counts half: those of four weeks of days.
	checkMemory = 28 * checks
	// ownPart is how much the history's own p95 counts.
	ownPart = 0.3
)

// renewal keeps score of forecasts to the end of a calendar period, for each part of the period apart. Half hours of a day make up for each other: who
// begins late works late, and work that is done is not done again. The history adds their errors up as if they knew nothing of each other; here the outcome
// of the whole is known.
type renewal struct {
	period     limits.Period
	location   *time.Location
	start, end time.Time
	// asked is how many units were asked for since this began.
	asked     float64
	checks    [checks]check
	residuals [groups]residuals
}

// check is one forecast a period, made in the same part of each: what was to be asked for from then on, and what had been asked for before.
type check struct {
	before      float64
	p50, spread float32
	// square is the mean square by which it was off in the periods seen.
	square float32
	seen   uint8
	made   bool
}

func newRenewal(l limits.Limit) *renewal {
	r := &renewal{period: l.Period, location: l.Location}
	for i := range r.residuals {
		r.residuals[i] = newResiduals()
	}
	return r
}

// advance ends the period if it is over, and returns the check that is due at now, nil if none is.
func (r *renewal) advance(now time.Time) *check {
	if !now.Before(r.end) {
		for i := range r.checks {
			r.settle(&r.checks[i])
		}
		r.start, r.end = r.period.Containing(now, r.location)
	}
	if due := r.check(now); !due.made {
		return due
	}
	return nil
}

// check is the one for the part of the period that holds now.
func (r *renewal) check(now time.Time) *check {
	part := float64(now.Sub(r.start)) / float64(r.end.Sub(r.start))
	return &r.checks[max(0, min(int(checks*part), checks-1))]
}

func (r *renewal) settle(c *check) {
	if !c.made {
		return
	}
	wrong := r.asked - c.before - float64(c.p50)
	r.residuals[groupOf(float64(c.p50), float64(c.spread))].observe(wrong/float64(c.spread), checkMemory, missStep)
	approach(&c.square, wrong*wrong, c.seen, checkRate)
	c.seen, c.made = next(c.seen), false
}

// note makes the check.
func (r *renewal) note(c *check, p50, p95 float64) {
	c.made, c.before = true, r.asked
	c.p50, c.spread = float32(min(p50, mostSquare)), float32(min(c.spreadOf(p50, p95), mostSquare))
}

// spreadOf is the standard deviation of the forecasts in this part of the period.
func (c *check) spreadOf(p50, p95 float64) float64 {
	n, own := min(float64(c.seen), 1/checkRate), (p95-p50)/normal95
	return math.Sqrt(0.05 + (n*float64(c.square)+checkPrior*own*own)/(n+checkPrior))
}

// correct is p95 as it should be by what forecasts at this time of the period were off by.
func (r *renewal) correct(now time.Time, p50, p95 float64) float64 {
	spread := r.check(now).spreadOf(p50, p95)
	learnt := p50 + float64(r.residuals[groupOf(p50, spread)].p95)*spread
	return max(p50, ownPart*p95+(1-ownPart)*learnt)
}
