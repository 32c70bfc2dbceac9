// SPDX-License-Identifier: Apache-2.0

// Package forecast foresees what integrations will ask for and how long a backlog will take. It is pure and has no clock: instants are those of package limits.
package forecast

import (
	"math"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// Envelope follows the highest level seen: up at once, down by half in each half-life.
type Envelope struct {
	halfLife time.Duration
	level    float64
	at       time.Time
}

// NewEnvelope returns an Envelope at level 0.
func NewEnvelope(halfLife time.Duration) *Envelope { return &Envelope{halfLife: halfLife} }

// Observe tells the level at now.
func (e *Envelope) Observe(now time.Time, level float64) {
	e.level = max(level, e.At(now))
	e.at = now
}

// At is the envelope's level at now.
func (e *Envelope) At(now time.Time) float64 {
	if e.level == 0 || !now.After(e.at) {
		return e.level
	}
	return e.level * math.Exp2(-now.Sub(e.at).Seconds()/e.halfLife.Seconds())
}

// Demand foresees what one integration will have used of one limit when the limit is renewed. It is what package fairshare calls D.
type Demand struct {
	kind     limits.Kind
	asked    *window
	envelope *Envelope
}

// NewDemand returns a Demand that has seen nothing.
func NewDemand(l limits.Limit) *Demand { return nil }

// Ask tells that a call of this cost was asked for at now, whether or not it can be sent.
func (d *Demand) Ask(now time.Time, cost int64) {}

// Present is what is known of the integration at the moment of a forecast.
type Present struct {
	// Used units are charged, Waiting units are asked for and not sent.
	Used, Waiting int64
	// Left is the time until a calendar period ends.
	Left time.Duration
}

// Until is the forecast at now.
func (d *Demand) Until(now time.Time, p Present) int64 { return 0 }

type window struct{}

// Capacity is what one limit allows an integration's backlog.
type Capacity struct {
	// Free can be sent at once.
	Free int64
	// PerWindow can be sent in each window or period after that.
	PerWindow int64
	Window    time.Duration
	// Reset is the time until the next calendar period begins; a rolling window has none and frees evenly.
	Reset    time.Duration
	Calendar bool
}

// Drain is how long a backlog of this many units takes under all limits; ok is false if one of them never lets it through.
func Drain(backlog int64, limits []Capacity) (left time.Duration, ok bool) { return 0, false }
