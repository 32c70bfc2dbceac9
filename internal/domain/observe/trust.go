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
	// again is when words are listened to again; zero while they always were.
	again time.Time
}

func (t *trust) lost(now time.Time) bool { return now.Before(t.again) }

// strike notes whether a word contradicts itself or another one.
func (t *trust) strike(contradicts bool, now time.Time) {
	if !contradicts {
		t.strikes = 0
		return
	}
	if t.strikes++; t.strikes >= manyStrikes {
		*t = trust{again: now.Add(distrust)}
	}
}

// impossible says whether more is left than there is.
func (w Word) impossible() bool {
	return w.Limit < 0 || w.Remaining != nil && (*w.Remaining < 0 || w.Limit > 0 && *w.Remaining > w.Limit)
}

// surprises says whether nothing is left by a word about the present window, and yet its call went through: as the first of the window, or sent after an answer
// had said the same. Where calls are forgotten one by one, one more can fit at any time.
func (w *Watch) surprises(word Word) bool {
	p := &w.present
	if !w.inWindows() || *word.Remaining > 0 || word.Units == 0 {
		return false
	}
	if p.zeroAt.IsZero() {
		p.zeroAt = word.Ended
		return p.at.IsZero()
	}
	return word.Began.After(p.zeroAt)
}

// Contradicts says whether the CRM's words about the limit contradict themselves, so that they are ignored.
func (w *Watch) Contradicts(now time.Time) bool { return w.trust.lost(now) }
