// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"time"
)

// Envelope follows the highest level seen: up at once, down by half in each half-life.
type Envelope struct {
	halfLife time.Duration
	level    float64
	at       time.Time
}

// NewEnvelope returns an Envelope at level 0. The half-life must be positive.
func NewEnvelope(halfLife time.Duration) *Envelope { return &Envelope{halfLife: halfLife} }

// Observe tells the level at now.
func (e *Envelope) Observe(now time.Time, level float64) {
	e.level = max(level, e.At(now))
	if now.After(e.at) {
		e.at = now
	}
}

// At is the envelope's level at now. Before the last observation it is as high as it was then.
func (e *Envelope) At(now time.Time) float64 {
	if e.level == 0 || !now.After(e.at) {
		return e.level
	}
	return e.level * math.Exp2(-float64(now.Sub(e.at))/float64(e.halfLife))
}
