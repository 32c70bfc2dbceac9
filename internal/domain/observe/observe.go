// SPDX-License-Identifier: Apache-2.0

// Package observe estimates, from what a CRM says of its limits, how large they are and how much of them others use behind our back.
//
// An answer says how much of a limit is left. What is used by that, less what we have used ourselves, is what others have used. Which of our own calls the CRM
// had counted by then is known but for those in flight, so what others have used is an interval. Its upper end is kept free, and so is what they are expected to
// use until the limit is renewed: others do not ask us before they call.
//
// CRMs renew a limit all at once, at an instant that their answers tell, or call by call. In the first case an answer's own word says in which window it was
// counted, so that our part of that window is a plain count of answers. In the second our part are the answers of the window's length before, or, where that is
// long, what the ledger has charged. Which it is shows: windows end in step, while the instant at which the oldest call is forgotten moves on.
//
// A Watch has no clock and no lock: one goroutine owns it and passes instants of one timeline that is never stepped. Nothing of it is stored: after a restart
// the next answers tell.
package observe

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// silence is after how many windows without a word all that was learnt is forgotten.
const silence = 10

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

// present is what the last words said, while it holds.
type present struct {
	// until is when that is over: at the end of the window, or the limit's length after the last word; zero if nothing was said.
	until time.Time
	// began is when the window began.
	began time.Time
	// at is when the last word came while something was left, change how far what others use of a window that moves along may have changed since the bounds were told.
	at     time.Time
	told   time.Time
	change float64
	// counted is what answered calls of ours have used of the window, top the most that the CRM said was used of it.
	counted, top int64
	// Others have used from least to most of it; closely is how much when that was known closely last, and when that was.
	least, most int64
	closely     reading
	// gap is by how much the limit that the CRM told is smaller than the one in force.
	gap int64
	// zeroAt is when an answer first said that nothing is left of it.
	zeroAt time.Time
}

// reading is what others have used, by what a word at a moment said.
type reading struct {
	at    time.Time
	units float64
}

func (p present) holds(now time.Time) bool { return now.Before(p.until) }

// middle is the likeliest of what others have used: none, if that is possible, as calls of ours in flight alone keep the bounds apart then.
func (p present) middle() float64 {
	if p.least == 0 {
		return 0
	}
	return float64(p.least+p.most) / 2
}

// narrow says whether it is known closely, of a limit of this size, what others have used.
func (p present) narrow(size int64) bool {
	return float64(p.most-p.least) <= max(float64(min(fewCalls, size/fewPart)), p.middle()/4)
}

// seen is what others have used of a part of the window.
func (p present) seen(length time.Duration) (units, part float64) {
	if part = p.closely.at.Sub(p.began).Seconds() / length.Seconds(); p.closely.at.IsZero() || length > longWindow && part < leastSeen {
		return 0, 0
	}
	return p.closely.units, part
}

// New returns a watch of a limit that has a window or a period. At first nothing is known.
func New(l limits.Limit) *Watch {
	return &Watch{max: l.Max, length: l.Length()}
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
