// SPDX-License-Identifier: Apache-2.0

package observe

import "time"

const (
	// manyStrikes are contradictions in a row from which on the words about a limit are ignored, for distrust.
	manyStrikes = 3
	distrust    = 10 * time.Minute
)

// trust is whether the words about a limit can be relied on.
type trust struct {
	strikes int
	// zeroAt is when an answer first said that nothing is left, of what ends at zeroUntil.
	zeroAt, zeroUntil time.Time
	// again is when words are listened to again; zero while they are.
	again time.Time
}

func (t *trust) lost(now time.Time) bool { return now.Before(t.again) }

// believes judges a word, and says whether to go by it.
func (t *trust) believes(w *Watch, word Word) bool {
	if t.lost(word.Ended) {
		return false
	}
	t.again = time.Time{}
	switch {
	case t.contradicts(w, word):
		t.strikes++
	case word.Remaining != nil && *word.Remaining > 0:
		t.strikes, t.zeroAt = 0, time.Time{}
	}
	if t.strikes >= manyStrikes {
		*t = trust{again: word.Ended.Add(distrust)}
		return false
	}
	return true
}

// contradicts says whether a word cannot be true: more is left than there is; or nothing, and yet a call went through that was sent after that was first said,
// or that is the first of its window.
func (t *trust) contradicts(w *Watch, word Word) bool {
	if word.Limit < 0 || word.Remaining == nil {
		return word.Limit < 0
	}
	left := *word.Remaining
	if left < 0 || word.Limit > 0 && left > word.Limit {
		return true
	}
	if left > 0 || word.Units == 0 {
		return false
	}
	if first := w.present.at.IsZero(); first || t.zeroAt.IsZero() || !word.Ended.Before(t.zeroUntil) {
		t.zeroAt, t.zeroUntil = word.Ended, word.Ended.Add(w.length)
		if word.Resets > 0 {
			t.zeroUntil = earliest(t.zeroUntil, word.Ended.Add(word.Resets-slack))
		}
		return first
	}
	return w.inWindows() && word.Began.After(t.zeroAt) // where calls are forgotten one by one, one more can fit at any time
}

// Contradicts says whether the CRM's words about the limit contradict themselves, so that they are ignored.
func (w *Watch) Contradicts(now time.Time) bool { return w.trust.lost(now) }
