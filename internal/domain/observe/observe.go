// SPDX-License-Identifier: Apache-2.0

// Package observe estimates, from what a CRM says of its limits, how large they are and how much of them others use behind our back.
//
// An answer says how much of a limit is left. What is used by that, less what we have used ourselves, is what others have used. Which of our own calls the CRM
// had counted by then is known but for those in flight, so what others have used is an interval. Its upper end is kept free, and so is what they are expected to
// use until the limit is renewed: others do not ask us before they call.
//
// CRMs renew a limit all at once, at an instant that their answers tell, or call by call. In the first case an answer's own word says in which window it was
// counted, so that our part of that window is a plain count of answers. In the second our part is what the ledger has charged. Which it is shows: the end of a
// window stays where it is, while the instant at which the oldest call is forgotten moves on.
//
// A Watch has no clock and no lock: one goroutine owns it and passes instants of one timeline that is never stepped. Nothing of it is stored: after a restart
// the next answers tell.
package observe

import (
	"math"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

const (
	// slack is how far an answer may be off on when a window ends: they give whole seconds, some rounded up and some down.
	slack = 1100 * time.Millisecond
	// wander is the part of a window by which the clock that windows go by may be off after one.
	wander = 1000
	// silence is after how many windows without a word all that was learnt is forgotten.
	silence = 10
	// manyProofs are words in a row which leave more open than calls of ours alone had used of a window that moves along: there is none.
	manyProofs = 3
	// manyBreaks are ends in a row that fit no window, from which on the limit is taken to be renewed call by call.
	manyBreaks = 3
	// fewCalls is how far bounds may lie apart for what is between them to be learnt from, however little it is.
	fewCalls = 10
)

// Word is what one answer said of a limit.
type Word struct {
	// Began and Ended are when its call was sent and when it was read.
	Began, Ended time.Time
	// Limit is the limit's size; 0 if the answer did not say.
	Limit int64
	// Remaining units; nil if the answer did not say.
	Remaining *int64
	// Resets is how long after the answer the limit is renewed; 0 if it did not say.
	Resets time.Duration
	// Units is what the call itself took; 0 if it was refused.
	Units int64
	// Own is what we have used ourselves by the ledger, the call itself included.
	Own Own
}

// Own is what we have used ourselves of a limit.
type Own struct {
	// Settled units are of calls that were answered, Open ones of calls that the CRM may have counted or not: in flight, or given up.
	Settled, Open int64
}

// Watch follows one limit.
type Watch struct {
	max    int64
	length time.Duration

	size    size
	trust   trust
	history history

	// gradual: the limit is renewed call by call.
	gradual bool
	breaks  int
	// windowed: it is not, for sure.
	windowed bool
	proofs   int
	// heard is when a word on what is left came last.
	heard   time.Time
	calls   calls
	squeeze squeeze
	// own is the most that calls of ours had used at a word of late, passed when the history was told last.
	own    ownWord
	passed time.Time
	// The window of which the answers told last ends in [early, late]; zero while none has told of one.
	early, late time.Time
	// The ends of all windows so far are in step with one in [stepEarly, stepLate].
	stepEarly, stepLate time.Time
	present             present
}

// ownWord is the most that calls of ours had used at a moment.
type ownWord struct {
	at    time.Time
	units int64
}

// present is what the last words said, while it holds.
type present struct {
	// until is when that is over: at the end of the window, or the limit's length after the last word; zero if nothing was said.
	until time.Time
	// began is when the window began.
	began time.Time
	// at is when the last word came while something was left, change how far what others use of a window that moves along may have changed since the bounds were told.
	at     time.Time
	change float64
	// counted is what answered calls of ours have used of the window, top the most that the CRM said was used of it.
	counted, top int64
	// Others have used from least to most of it.
	least, most int64
	// gap is by how much the limit that the CRM told is smaller than the one in force.
	gap int64
	// zeroAt is when an answer first said that nothing is left of it.
	zeroAt time.Time
}

func (p present) holds(now time.Time) bool { return now.Before(p.until) }

func (p present) middle() float64 { return float64(p.least+p.most) / 2 }

// seen is what others have used of a part of the window.
func (p present) seen(length time.Duration) (units, part float64) {
	if part = p.at.Sub(p.began).Seconds() / length.Seconds(); p.at.IsZero() || length > longWindow && part < leastSeen {
		return 0, 0
	}
	return p.middle(), part
}

// New returns a watch of a limit that has a window or a period. At first nothing is known.
func New(l limits.Limit) *Watch {
	w := &Watch{max: l.Max, length: l.Window}
	if l.Kind == limits.Calendar {
		w.length = l.Period.Longest()
	}
	return w
}

// SetMax tells the limit's size in force.
func (w *Watch) SetMax(n int64) { w.max = n }

// Count notes that the CRM has answered a call of ours, of n units, without a word about the limit.
func (w *Watch) Count(began, ended time.Time, n int64) {
	w.present.counted += n
	w.log(began, ended, n)
}

func (w *Watch) log(began, ended time.Time, n int64) {
	if w.length <= longestLog && n > 0 {
		w.calls.add(began, ended, n, ended.Add(-2*w.length))
	}
}

// Hear takes what an answer said.
func (w *Watch) Hear(word Word) {
	w.lapse(word.Ended)
	w.log(word.Began, word.Ended, word.Units)
	switch {
	case w.trust.lost(word.Ended):
		return
	case word.impossible():
		w.doubt(word, true)
		return
	}
	w.size.hear(word.Limit)
	if word.Remaining == nil {
		return
	}
	said := word.Limit
	if said == 0 {
		said = w.max
	}
	used := max(0, said-*word.Remaining)
	w.heard = word.Ended
	if w.prove(word, used); !w.place(word) {
		return
	}
	w.doubt(word, w.surprises(word))
	if w.trust.lost(word.Ended) {
		return
	}
	if w.inWindows() {
		w.hearWindow(word, used)
	} else {
		w.hearGradual(word, used)
	}
	w.present.gap = max(0, w.max-said)
}

// doubt notes whether a word contradicts what was said. Once there is no trust any more, nothing holds that was said.
func (w *Watch) doubt(word Word, contradicts bool) {
	w.trust.strike(contradicts, word.Ended)
	if w.trust.lost(word.Ended) {
		w.present = present{}
	}
}

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

// goGradual takes the limit to be renewed call by call from now on.
func (w *Watch) goGradual() { w.gradual, w.present, w.history = true, present{}, history{} }

// prove notes whether less is used than calls of ours alone would have used of a window that moves along.
func (w *Watch) prove(word Word, used int64) {
	if w.windowed || w.length > longestLog || !word.Began.Add(-w.length).After(w.calls.since) {
		return
	}
	if least, _ := w.calls.within(word.Began, word.Ended, w.length); used+fewCalls >= least {
		w.proofs = 0
		return
	}
	if w.proofs++; w.proofs < manyProofs {
		return
	}
	w.windowed, w.squeeze = true, squeeze{}
	if w.gradual {
		w.gradual, w.early, w.late = false, time.Time{}, time.Time{}
		w.present, w.history = present{}, history{}
	}
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
	}
	if !w.windowed {
		w.squeeze.hear(word.Ended, w.length, p.least, *word.Remaining, w.max)
	}
}

// hearGradual compares what was used with what we have used of the same time. A word that leaves more open than the one before, for which calls of ours are to
// blame that come and go, only corrects that one.
func (w *Watch) hearGradual(word Word, used int64) {
	p := &w.present
	least, most := word.Own.Settled, word.Own.Settled
	if w.length <= longestLog && word.Began.Add(-w.length).After(w.calls.since) {
		least, most = w.calls.within(word.Began, word.Ended, w.length)
	}
	if most >= w.own.units || word.Ended.Sub(w.own.at) > w.length*5/4 {
		w.own = ownWord{at: word.Ended, units: most}
	}
	least, most = max(0, used-most-word.Own.Open), max(0, used-least)
	if !p.holds(word.Ended) {
		*p = present{until: word.Ended.Add(w.length), at: word.Ended, least: least, most: most}
	} else {
		// What others use of a window that moves along changes by what comes and what is forgotten.
		p.change += 2 * word.Ended.Sub(p.at).Seconds() / w.length.Seconds() * max(float64(p.most), w.history.mean())
		aged := int64(math.Ceil(p.change))
		low, high := max(0, p.least-aged), p.most+aged
		if most-least > high-low {
			least, most = min(max(low, least), most), min(max(high, least), most)
		}
		if least != low || most != high {
			p.least, p.most, p.change = least, most, 0
		}
		p.at, p.until = word.Ended, word.Ended.Add(w.length)
	}
	// What calls of ours had used counted for a window on, and those of others that count now came meanwhile.
	w.squeeze.hear(word.Ended, w.length, p.least, min(*word.Remaining, w.max-w.own.units-int64(p.middle())), w.max)
	if narrow := float64(p.most-p.least) <= max(fewCalls, p.middle()/4); narrow && !w.squeeze.censors(word.Ended, w.length) {
		w.history.pass(min(1, word.Ended.Sub(w.passed).Seconds()/w.length.Seconds()), p.middle())
		w.passed = word.Ended
	}
}

// lapse forgets what was said once it is over, and what was learnt from it once nothing has been said for long.
func (w *Watch) lapse(now time.Time) {
	if now.After(w.heard.Add(silence * w.length)) {
		w.history, w.squeeze = history{}, squeeze{}
	}
	if !w.present.until.IsZero() && !w.present.holds(now) {
		w.close()
		w.present = present{}
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
