// SPDX-License-Identifier: Apache-2.0

package observe

import "time"

const (
	// slack is how far an answer may be off on when a window ends: they give whole seconds, some rounded up and some down.
	slack = 1100 * time.Millisecond
	// wander is the part of a window by which the clock that windows go by may be off after one.
	wander = 1000
	// manyBreaks are ends that fit no window, of one window's answers, from which on the limit is taken to be renewed call by call.
	manyBreaks = 3
)

// inWindows says whether the limit is renewed all at once, at instants that answers tell.
func (w *Watch) inWindows() bool { return !w.gradual && !w.late.IsZero() }

// place finds out which window a word is about, and begins a new one if it is about a later one than the word before. It returns false if that window is over.
func (w *Watch) place(word Word) bool {
	if w.gradual || word.Resets <= 0 && w.late.IsZero() {
		return true
	}
	if word.Resets <= 0 {
		w.present.counted += word.Units
		return w.present.holds(word.Ended)
	}
	early, late := word.Began.Add(word.Resets-slack), word.Ended.Add(word.Resets+slack)
	switch {
	case w.late.IsZero():
		// Of the first window only the ledger knows what we had used before.
		w.begin(early, late, word.Own.Settled)
	case !early.After(w.late) && !late.Before(w.early):
		w.early, w.late = latest(w.early, early), earliest(w.late, late)
		w.stepEarly, w.stepLate = latest(w.stepEarly, w.early), earliest(w.stepLate, w.late)
		if !w.present.holds(word.Ended) && !word.Ended.Before(w.late) {
			return false
		}
		w.present.until = w.late
		w.present.counted += word.Units
	case !late.Add(-w.length).Before(w.early):
		if !w.inStep(early, late) {
			w.goGradual()
			return true
		}
		w.breaks = 0
		w.close()
		w.begin(early, late, word.Units)
	case !late.Add(-slack).After(w.late.Add(-w.length + 2*slack)):
		return false // a slow answer of the window before
	default:
		if w.breaks++; w.breaks >= manyBreaks && !w.windowed {
			w.goGradual()
		}
		return w.gradual
	}
	return true
}

// inStep says whether a window that ends in [early, late] can be a number of windows after those before.
func (w *Watch) inStep(early, late time.Time) bool {
	windows := early.Sub(w.stepEarly).Round(w.length)
	early, late = early.Add(-windows), late.Add(-windows)
	off := windows / wander
	w.stepEarly, w.stepLate = latest(w.stepEarly.Add(-off), early), earliest(w.stepLate.Add(off), late)
	w.stepEarly, w.stepLate = w.stepEarly.Add(windows), w.stepLate.Add(windows)
	return w.windowed || !w.stepLate.Before(w.stepEarly)
}

func (w *Watch) begin(early, late time.Time, counted int64) {
	if w.stepEarly.IsZero() || w.windowed {
		w.stepEarly, w.stepLate = early, late
	}
	w.early, w.late = early, late
	w.present = present{began: early.Add(late.Sub(early)/2 - w.length), until: late, counted: counted}
}

// hearWindow compares what was used of the window with the answers that were counted in it. What others have used never falls within a window.
func (w *Watch) hearWindow(word Word, used int64) {
	p := &w.present
	p.top = max(p.top, used)
	p.least = max(p.least, p.top-p.counted-word.Own.Open)
	p.most = max(p.least, p.top-p.counted)
	if p.at.IsZero() || *word.Remaining > 0 {
		p.at = word.Ended
		if p.narrow(w.max) {
			p.closely = reading{at: word.Ended, units: p.middle()}
		}
	}
	if !w.windowed {
		w.squeeze.hear(word.Ended, w.length, p.least, *word.Remaining, w.max)
	}
}

// close notes what others have used of a window that is over, as far as the words about it reach.
func (w *Watch) close() {
	if w.inWindows() {
		w.history.add(w.present.seen(w.length))
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
