// SPDX-License-Identifier: Apache-2.0

// Package forecast foresees what integrations will ask for and how long a backlog will take. It is pure and has no clock: instants are those of package limits.
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

// slices is in how many parts a window is counted.
const slices = 16

// window counts what was asked for within the last length, and up to one slice longer: too much rather than too little.
type window struct {
	slice  int64 // nanoseconds
	latest int64 // the number of the slice that is counted now
	counts [slices + 1]int64
	total  int64
}

func newWindow(length time.Duration) *window {
	return &window{slice: max(1, int64(length)/slices)}
}

func (w *window) add(now time.Time, n int64) {
	w.advance(now)
	w.counts[w.latest%int64(len(w.counts))] += n
	w.total += n
}

func (w *window) sum(now time.Time) int64 {
	w.advance(now)
	return w.total
}

// advance empties the slices that have passed. Instants that go back count as the latest.
func (w *window) advance(now time.Time) {
	to := now.UnixNano() / w.slice
	if to-w.latest > int64(len(w.counts)) {
		w.latest = to - int64(len(w.counts))
	}
	for w.latest < to {
		w.latest++
		w.total -= w.counts[w.latest%int64(len(w.counts))]
		w.counts[w.latest%int64(len(w.counts))] = 0
	}
}
