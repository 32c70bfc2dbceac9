// SPDX-License-Identifier: Apache-2.0

package observe

import "math"

const (
	// memory is how much of what was learnt is left after one more window.
	memory = 0.9
	// leastSeen is the part of a long window that must have been seen to say anything of the rest: nights and days differ.
	leastSeen = 0.25
	// mostlySeen is the part of a window from which on it counts as a whole one.
	mostlySeen = 0.8
	// fewWindows tell nothing yet of how far windows are apart.
	fewWindows = 2
	// inARow is how many windows far off on the same side show that others do something else now.
	inARow = 2
)

// history is what others have used while they could use what they wanted.
type history struct {
	// units were used in so many windows, both fading.
	units, windows float64
	// last is what the last whole window came to, variance how far windows are apart.
	last, variance float64
	// off counts windows in a row that were far above what was known, or, below zero, far below.
	off int
	// area is units times windows, over a part of one.
	area, part float64
}

func (h *history) mean() float64 {
	if h.windows == 0 {
		return 0
	}
	return h.units / h.windows
}

// add notes what was used in a part of a window.
func (h *history) add(units, part float64) {
	if part <= 0 {
		return
	}
	part = min(part, 1)
	if h.last = 0; part >= mostlySeen {
		h.last = units / part
		h.compare(h.last - h.mean())
	}
	fade := math.Pow(memory, part)
	h.units, h.windows = fade*h.units+units, fade*h.windows+part
}

// compare notes how far a window was from what was known, which is forgotten once that shows that it holds no longer.
func (h *history) compare(off float64) {
	if h.windows == 0 {
		return
	}
	switch far := sigmas * math.Sqrt(max(1, h.mean(), h.variance)); {
	case off > far:
		h.off = max(0, h.off) + 1
	case off < -far:
		h.off = min(0, h.off) - 1
	default:
		h.off = 0
	}
	if h.off >= inARow || h.off <= -inARow {
		*h = history{last: h.last, area: h.area, part: h.part}
		return
	}
	if h.windows > fewWindows {
		h.variance += (off*off - h.variance) / h.windows
	}
}

// pass notes that for a part of a window so much was used of one that moves along.
func (h *history) pass(part, units float64) {
	h.area, h.part = h.area+part*units, h.part+part
	if h.part >= 1 {
		h.add(h.area/h.part, 1)
		h.area, h.part = 0, 0
	}
}

// above is what others hardly ever pass in a part of a window: their mean, and a margin for chance and for how little of them was seen.
func (h *history) above(part float64) int64 {
	if h.windows == 0 {
		return 0
	}
	mean := max(h.mean(), h.last)
	variance := max(mean, h.variance)
	return int64(math.Ceil(mean*part + sigmas*math.Sqrt(variance*part*(1+part/h.windows))))
}
