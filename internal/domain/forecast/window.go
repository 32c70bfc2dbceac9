// SPDX-License-Identifier: Apache-2.0

package forecast

import "time"

// windowSlices is in how many parts a window is counted.
const windowSlices = 16

// window counts what happened within the last length, and up to one slice longer: too much rather than too little.
type window struct {
	slice  int64 // nanoseconds
	latest int64 // the number of the slice that is counted now
	counts [windowSlices + 1]int64
	total  int64
}

func newWindow(length time.Duration) window {
	return window{slice: max(1, int64(length)/windowSlices)}
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

// before is what was counted in the slice that is so many windowSlices older than the latest.
func (w *window) before(age int) int64 {
	return w.counts[max(0, w.latest-int64(age))%int64(len(w.counts))]
}

// advance empties the windowSlices that have passed. Instants that go back count as the latest.
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
