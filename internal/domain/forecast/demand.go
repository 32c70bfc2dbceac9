// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

const (
	// shortestHalfLife is how long a demand is remembered at least: agents who pause for some minutes find their calls still kept free.
	shortestHalfLife = 5 * time.Minute
	// rateWindow is over what time the rate for the rest of a day is measured: long enough that one burst does not pass for a habit.
	rateWindow = time.Hour
)

// Demand foresees how much of one limit one integration will have used when the limit is renewed. It is what package fairshare calls D.
type Demand struct {
	kind     limits.Kind
	asked    *window
	sent     *window
	envelope *Envelope
}

// NewDemand returns a Demand that has seen nothing.
func NewDemand(l limits.Limit) *Demand {
	length := rateWindow
	if l.Kind == limits.Rolling {
		length = l.Window
	}
	halfLife := max(length, shortestHalfLife)
	if l.Kind == limits.Concurrent {
		halfLife = shortestHalfLife
	}
	return &Demand{kind: l.Kind, asked: newWindow(length), sent: newWindow(length), envelope: NewEnvelope(halfLife)}
}

// Ask tells that a call of this cost was asked for at now, whether or not it can be sent.
func (d *Demand) Ask(now time.Time, cost int64) {
	if d.kind == limits.Concurrent {
		return // slots are held, not counted: Until sees how many
	}
	d.asked.add(now, cost)
	d.envelope.Observe(now, float64(d.asked.sum(now)))
}

// Present is an integration's state at the moment of a forecast.
type Present struct {
	// Used units are charged, Waiting units are asked for and not sent.
	Used, Waiting int64
	// Left is the time until the period of a calendar limit ends.
	Left time.Duration
}

// Until is the forecast at now: at least what is used and waits; besides, for a rolling limit as much as was asked for within a window, for a calendar day what
// the rate of the last hours adds in the time that is left, for slots as many as were wanted at a time.
func (d *Demand) Until(now time.Time, p Present) int64 {
	known := p.Used + p.Waiting
	if d.kind == limits.CalendarDay {
		perHour := d.envelope.At(now)
		return known + int64(math.Ceil(perHour*p.Left.Hours()/rateWindow.Hours()))
	}
	if d.kind == limits.Concurrent {
		d.envelope.Observe(now, float64(known))
	}
	return max(known, int64(math.Ceil(d.envelope.At(now))))
}

// Send tells that a call of this cost that was asked for is sent at now.
func (d *Demand) Send(now time.Time, cost int64) { d.sent.add(now, cost) }

// Window is how much of a rolling limit is expected to be asked for within its window, at now, and how much was sent within the last one. Both are 0 for slots,
// which are free again at once, and for calendar days: what the last hours say of the rest of a day is too little to hold calls back for.
func (d *Demand) Window(now time.Time) (expected, sent int64) {
	if d.kind != limits.Rolling {
		return 0, 0
	}
	return int64(math.Ceil(d.envelope.At(now))), d.sent.sum(now)
}
