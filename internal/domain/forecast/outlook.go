// SPDX-License-Identifier: Apache-2.0

package forecast

import "math"

// views are ways to foresee how many calls there will be. Which is right depends on the law of the demand, so each span of time keeps score of them:
const (
	usualView   = iota // what is usual at that time of the week
	levelView          // the same at the level of the last day: trends, and what has changed for good
	presentView        // the same at the level of the last half hour: days that are busier than others
	dailyView          // what is usual at that time on all days: before a second week was seen, and for what comes any day
	fadingView         // what is usual by level, and by how much the present is beyond it while that fades: bursts
	dueView            // what is usual, and what should have come today and has not yet: late begins, and work that is done for the day
	views
)

// spreads are ways to foresee by how much that will be wrong, as squares: by the time of the week, by that of the day, and as a part of the forecast itself.
const (
	weekSpread = iota
	daySpread
	overallSpread
	spreads
)

const (
	// fadeSlots is how long the present's departure from what is usual lasts, in slots.
	fadeSlots = 6.0
	// firstSlots is over how long a time the first rate is measured at least, in slots.
	firstSlots = 0.25
	// Damping of levels: so many calls, and so many slots' worth of them.
	dampingCalls, dampingSlots = 2, 0.5
)

// outlook is what can be said at one instant about the times after it.
type outlook struct {
	spans *[len(spans)]span
	// What is usual, and the square errors, from the present position in the week and in the day on.
	week, weekSquares, day, daySquares cycle
	// level and present are how many times the usual was asked for in the last day and half hour; beyond is by how many calls a slot the present is more than
	// level says; due is how many calls are usual up to now today and did not come.
	level, present, beyond, due float64
	// first is the present rate, in calls a slot, while there is nothing else.
	first float64
	// leftToday is what is usual in the rest of the day.
	leftToday float64
}

// outlook looks ahead from the present slot, of which a part has passed.
func (h *History) outlook(passed float64) outlook {
	local := h.zone.local(h.slot)
	r := h.recent
	observed := passed - h.missed
	if observed > 0 {
		r.add(h.count, observed*h.season.usual(local), observed)
	}
	inWeek, inDay, s := float64(local)+passed, float64(local%slotsPerDay)+passed, &h.season
	o := outlook{
		spans: &h.spans,
		week:  newCycle(s.weekSums[:], inWeek), weekSquares: newCycle(s.weekSquares[:], inWeek),
		day: newCycle(s.daySums[:], inDay), daySquares: newCycle(s.daySquares[:], inDay),
	}
	damping := dampingCalls + dampingSlots*float64(h.season.overall)
	o.level, o.present = r.level.ratio(2*damping), r.present.ratio(damping)
	o.beyond = (r.present.asked - r.present.usual*o.level) / max(0.5, r.present.slots)
	o.due = r.todayUsual - r.today
	if h.season.seen == 0 {
		o.first = h.count / max(observed, firstSlots)
	}
	o.leftToday = o.week.ahead(o.day.length - inDay)
	return o
}

// look returns the calls within a length, in slots, by each view, and the square by which that will be wrong, by each spread.
func (o *outlook) look(length float64) (v [views]float64, q [spreads]float64) {
	if o.first > 0 {
		for i := range v {
			v[i] = o.first * length
		}
		return v, q
	}
	week := o.week.ahead(length)
	due := o.due
	if o.day.position+length < o.day.length {
		due *= (week + 0.01) / (o.leftToday + 0.01)
	}
	v = [views]float64{
		usualView:   week,
		levelView:   week * o.level,
		presentView: week * o.present,
		dailyView:   o.day.ahead(length),
		fadingView:  max(0, week*o.level+o.beyond*fadeSlots*(1-math.Exp(-length/fadeSlots))),
		dueView:     max(0, week+due),
	}
	scale := max(1, o.level)
	q[weekSpread] = scale * scale * o.weekSquares.ahead(length)
	q[daySpread] = scale * scale * o.daySquares.ahead(length)
	return v, q
}

// ahead is how many calls are asked for within a length, in slots. Between two spans that keep score it is between what they say.
func (o *outlook) ahead(length float64) (p50, p95 float64) {
	v, q := o.look(length)
	i := 0
	for i < len(spans)-1 && float64(spans[i].length) < length {
		i++
	}
	p50, p95 = o.spans[i].quantiles(&v, &q, length)
	if upper := float64(spans[i].length); i > 0 && length < upper {
		lower := float64(spans[i-1].length)
		part := (length - lower) / (upper - lower)
		lower50, lower95 := o.spans[i-1].quantiles(&v, &q, length)
		p50, p95 = part*p50+(1-part)*lower50, part*p95+(1-part)*lower95
	}
	return p50, p95
}

// pend notes a forecast over a span, to be scored when its time has come.
func (o *outlook) pend(h *History, i int) {
	length := float64(spans[i].length)
	v, q := o.look(length)
	mean, spread := o.spans[i].forecast(&v, &q, length)
	p := h.pendingOf(i, h.slot)
	*p = pendingForecast{from: h.slot, before: h.total, mean: float32(mean), spread: float32(spread)}
	for i := range v {
		p.views[i] = float32(v[i])
	}
	for i := range q {
		p.squares[i] = float32(q[i])
	}
}
