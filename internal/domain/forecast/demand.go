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
	// longWindow is from what length on a rolling limit is foreseen by the history. What is lent of a shorter one is back soon, and its calls come in bursts that
	// half hours do not show.
	longWindow = time.Hour
)

// Demand foresees how much of one limit one integration will have used when the limit is renewed. It is what package fairshare calls D. 0.4 KiB for a rolling
// limit, 1.5 KiB for a calendar one.
type Demand struct {
	kind     limits.Kind
	history  *History
	amounts  amounts
	envelope Envelope
	rolling  *rolling // nil for other kinds
	renewal  *renewal // nil for other kinds than Calendar, or without a history
}

// rolling is what a Demand knows of a rolling limit: what was asked for and what was sent within its window.
type rolling struct {
	asked, sent window
	// long: the history foresees it.
	long bool
}

// NewDemand returns a Demand that has seen nothing. Those of one integration share its History, which counts the same calls. Without one only a rolling limit
// is foreseen, as a short one.
func NewDemand(l limits.Limit, h *History) *Demand {
	d := &Demand{kind: l.Kind, history: h, envelope: *NewEnvelope(shortestHalfLife)}
	if l.Kind == limits.Rolling {
		d.rolling = &rolling{asked: newWindow(l.Window), sent: newWindow(l.Window), long: l.Window >= longWindow && h != nil}
		d.envelope.halfLife = max(l.Window, shortestHalfLife)
	}
	if l.Kind == limits.Calendar && h != nil {
		d.renewal = newRenewal(l)
	}
	if h != nil {
		d.amounts.since = h.total
	}
	return d
}

// Ask tells that a call that takes this amount of the limit was asked for at now, whether or not it can be sent. The History is told of each call too, once and
// before; calls that take nothing of the limit need not be told here.
func (d *Demand) Ask(now time.Time, amount int64) {
	amount = max(0, min(amount, mostAmount))
	if d.history != nil {
		d.amounts.add(amount, d.history.total)
	}
	switch {
	case d.rolling != nil:
		d.rolling.asked.add(now, amount)
		d.envelope.Observe(now, float64(d.rolling.asked.total))
	case d.renewal != nil:
		d.check(now)
		d.renewal.asked += float64(amount)
	}
}

// Send tells that a call of this amount that was asked for is sent at now.
func (d *Demand) Send(now time.Time, amount int64) {
	if d.rolling != nil {
		d.rolling.sent.add(now, max(0, min(amount, mostAmount)))
	}
}

// Present is an integration's state at the moment of a forecast.
type Present struct {
	// Used units are charged, Waiting units are asked for and not sent.
	Used, Waiting int64
	// Left is the time until the period of a calendar limit ends.
	Left time.Duration
}

// Until is the forecast at now: at least what is used and waits. Besides, for
//   - a calendar limit: what is asked for in the time that is left;
//   - a rolling limit of an hour or longer: by how much what is asked for will at any time within the window be ahead of the own calls that it releases;
//   - a shorter one: as much as was asked for within a window, half of it in each half-life later, which is the window or five minutes, and the root of that
//     more, by which calls that come by chance vary: else those that are one too many for a window would wait for what was lent;
//   - slots: as many as were wanted at a time, likewise.
func (d *Demand) Until(now time.Time, p Present) (p50, p95 int64) {
	known := min(max(0, p.Used), mostUnits) + min(max(0, p.Waiting), mostUnits)
	switch {
	case d.kind == limits.Concurrent:
		d.envelope.Observe(now, float64(known))
		return known, max(known, up(d.envelope.At(now)))
	case d.rolling != nil && d.rolling.long:
		rest50, rest95 := d.aheadOfReleases(now)
		return known + round(rest50), known + round(rest95)
	case d.rolling != nil:
		level := d.envelope.At(now)
		p95 = max(known, up(level+math.Sqrt(level)))
		return min(max(known, d.rolling.asked.sum(now)), p95), p95
	case d.renewal != nil && p.Left > 0:
		d.check(now)
		rest50, rest95 := d.rest(now, p.Left)
		if off := d.renewal.end.Sub(now) - p.Left; off.Abs() < slotLength {
			rest95 = d.renewal.correct(now, rest50, rest95)
		}
		return known + round(rest50), known + round(rest95)
	default:
		return known, known
	}
}

// check notes a forecast for the end of the period, to be scored then, if one is due. What is foreseen before a day was seen says nothing of later forecasts.
func (d *Demand) check(now time.Time) {
	if due := d.renewal.advance(now); due != nil && int(d.history.season.seen) >= slotsPerDay {
		p50, p95 := d.rest(now, d.renewal.end.Sub(now))
		d.renewal.note(due, p50, p95)
	}
}

// rest is what is asked for within a time from now on.
func (d *Demand) rest(now time.Time, within time.Duration) (p50, p95 float64) {
	o := d.history.outlook(d.history.advance(now))
	return d.look(&o, within)
}

func (d *Demand) look(o *outlook, within time.Duration) (p50, p95 float64) {
	p50, p95 = o.ahead(float64(within) / float64(slotLength))
	return d.amounts.units(p50, p95, d.history.total)
}

// aheadOfReleases is by how much what is asked for gets ahead of the own calls that are released, at most, within the window. A slice of sent calls counts as
// released a window after its end. What was sent before a restart is not known: it counts as released last.
func (d *Demand) aheadOfReleases(now time.Time) (p50, p95 float64) {
	o, sent := d.history.outlook(d.history.advance(now)), &d.rolling.sent
	sent.advance(now)
	released := int64(0)
	for slice := 1; slice <= windowSlices; slice++ {
		released += sent.before(windowSlices + 1 - slice)
		if slice%horizonSlices == 0 {
			next50, next95 := d.look(&o, time.Duration(slice)*time.Duration(sent.slice))
			p50, p95 = max(p50, next50-float64(released)), max(p95, next95-float64(released))
		}
	}
	return p50, max(p50, p95)
}

// horizonSlices is how many slices of a window lie between two comparisons of demand and releases.
const horizonSlices = 2

// Window is how much of a rolling limit is expected to be asked for within its window, at now, and how much was sent within the last one. Both are 0 for slots,
// which are free again at once, and for calendar periods: what the last hours say of the rest of a day is too little to hold calls back for.
func (d *Demand) Window(now time.Time) (expected, sent int64) {
	if d.rolling == nil {
		return 0, 0
	}
	return up(d.envelope.At(now)), d.rolling.sent.sum(now)
}

// Ahead is what is asked for from now on, by how far ahead. Nothing without a History.
func (d *Demand) Ahead(now time.Time) (c Curve) {
	if d.history == nil {
		return c
	}
	o := d.history.outlook(d.history.advance(now))
	for i, after := range curveTimes[1:] {
		p50, p95 := d.look(&o, after)
		c.p50[i+1], c.p95[i+1] = max(c.p50[i], p50), max(c.p95[i], p95)
	}
	return c
}

// mostUnits is the largest forecast: sums of some of them do not overflow.
const mostUnits = math.MaxInt64 / 16

// mostAmount is the largest amount that one call is taken to have.
const mostAmount = 1 << 40

// up rounds up: what is foreseen is kept free.
func up(x float64) int64 { return int64(math.Ceil(min(x, mostUnits))) }

func round(x float64) int64 { return int64(math.Round(min(x, mostUnits))) }
