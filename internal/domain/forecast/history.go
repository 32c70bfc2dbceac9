// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"time"
)

// History is how many calls one integration asks for by the time of the week, and how well that can be foreseen. Its limits share it. What is newer counts
// more; after some weeks little is left of what was. The zero value is not ready to use. 18 KiB.
type History struct {
	zone zone
	// slot is the present half hour, count its calls so far.
	slot  int64
	count float64
	// started: slot is set. missed is the part of it that had passed before; from a slot of which most was missed nothing is learnt.
	started bool
	missed  float64
	// total is how many calls there were since the History was made.
	total float64

	season season
	recent recent
	spans  [len(spans)]span
	// pending are forecasts whose time has not come, by span.
	pending [pendingForecasts]pendingForecast
}

// NewHistory returns a History that has seen nothing. Times of the week are those of clocks in loc, UTC if it is nil: office hours follow local clocks, so
// an hour that is inserted or left out does not shift them.
func NewHistory(loc *time.Location) *History {
	if loc == nil {
		loc = time.UTC
	}
	h := &History{zone: zone{location: loc, from: math.MaxInt64}}
	for i := range h.spans {
		h.spans[i] = newSpan()
	}
	return h
}

// longestGap is for how many slots without any call it is learnt that there were none; of a longer gap, only for the last of it.
const longestGap = 4 * int64(slotsPerWeek)

// Ask tells that so many calls were asked for at now, whether or not they can be sent. Instants that go back count as the latest.
func (h *History) Ask(now time.Time, calls int64) {
	h.advance(now)
	n := float64(max(0, min(calls, mostAmount)))
	h.count, h.total = h.count+n, h.total+n
}

// advance closes the slots that have passed and returns which part of the present one has.
func (h *History) advance(now time.Time) (passed float64) {
	slot, passed := slotOf(now)
	switch {
	case !h.started:
		h.slot, h.missed, h.started = slot, passed, true
	case slot < h.slot:
		return h.missed
	case slot-h.slot > longestGap:
		h.slot, h.count, h.missed = slot-longestGap, 0, 1
	}
	for h.slot < slot {
		h.close()
	}
	return max(passed, h.missed)
}

// mostMissed is which part of a slot can be missed.
const mostMissed = 0.5

// close learns from the present slot and begins the next.
func (h *History) close() {
	if h.missed < mostMissed {
		local, calls := h.zone.local(h.slot), h.count/(1-h.missed)
		usual := h.season.usual(local)
		foreseen, ok := h.settle()
		if !ok {
			foreseen = usual
		}
		h.recent.learn(local, calls, usual)
		h.season.learn(local, calls, foreseen)
	}
	h.slot, h.count, h.missed = h.slot+1, 0, 0
	h.foresee()
}

// settle scores the forecasts that end with the present slot and returns the one for that slot alone.
func (h *History) settle() (foreseen float64, ok bool) {
	end := h.slot + 1
	for i := range spans {
		from := end - spans[i].length
		if from%spans[i].every != 0 {
			continue
		}
		p := h.pendingOf(i, from)
		if p.from != from {
			continue // none was made
		}
		if i == 0 {
			foreseen, ok = float64(p.mean), true
		}
		h.spans[i].score(p, h.total-p.before, float64(spans[i].every))
	}
	return foreseen, ok
}

// foresee makes the forecasts from the begin of the present slot on that are scored later.
func (h *History) foresee() {
	o := h.outlook(0)
	for i := range spans {
		if h.slot%spans[i].every == 0 {
			o.pend(h, i)
		}
	}
}

// pendingOf is the place of the forecast over a span that begins with the slot.
func (h *History) pendingOf(span int, from int64) *pendingForecast {
	s := &spans[span]
	return &h.pending[s.first+int(from/s.every%(s.length/s.every))]
}
