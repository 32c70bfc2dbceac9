// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"math"
	"time"
)

const (
	// manyProofs are words in a row which leave more open than calls of ours alone had used of a window that moves along: there is none.
	manyProofs = 3
	// fewCalls, or 1/fewPart of a small limit, is how far bounds may lie apart for what is between them to be learnt from, however little it is.
	fewCalls = 10
	fewPart  = 40
)

// ownWord is the most that calls of ours had used at a moment.
type ownWord struct {
	at    time.Time
	units int64
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
		*p = present{until: word.Ended.Add(w.length), at: word.Ended, told: word.Ended, least: least, most: most}
	} else {
		// What others use of a window that moves along changes by what comes and what is forgotten.
		p.change += 2 * word.Ended.Sub(p.at).Seconds() / w.length.Seconds() * max(float64(p.most), w.history.mean())
		aged := int64(math.Ceil(p.change))
		if word.Ended.Sub(p.told) > w.length/2 {
			aged = w.max // others may have begun since
		}
		low, high := max(0, p.least-aged), p.most+aged
		if most-least > high-low {
			least, most = min(max(low, least), most), min(max(high, least), most)
		}
		if least != low || most != high {
			p.least, p.most, p.change, p.told = least, most, 0, word.Ended
		}
		p.at, p.until = word.Ended, word.Ended.Add(w.length)
	}
	// What calls of ours had used counted for a window on, and those of others that count now came meanwhile.
	w.squeeze.hear(word.Ended, w.length, p.least, min(*word.Remaining, w.max-w.own.units-int64(p.middle())), w.max)
	if p.narrow(w.max) && !w.squeeze.censors(word.Ended, w.length) {
		w.history.pass(min(1, word.Ended.Sub(w.passed).Seconds()/w.length.Seconds()), p.middle())
		w.passed = word.Ended
	}
}
