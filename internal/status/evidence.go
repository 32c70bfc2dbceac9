// SPDX-License-Identifier: Apache-2.0

package status

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Patience is for how long there must be evidence before advice turns: a busy minute is no news.
const Patience = 2 * time.Minute

// Evidence is what contradicts conditions as they are published, by type. A process that loses it is patient once more.
type Evidence map[string]Observed

// Observed is a status of a condition that is not published yet, and since when it has been observed.
type Observed struct {
	Status metav1.ConditionStatus
	Since  time.Time
}

// weighing settles what advice is published.
type weighing struct {
	now     time.Time
	current []metav1.Condition
	before  Evidence
	// next is the evidence to keep, wait how long until the first verdict turns if nothing else is observed; 0 for never.
	next Evidence
	wait time.Duration
}

func newWeighing(before Evidence, current []metav1.Condition, now time.Time) *weighing {
	return &weighing{now: now, current: current, before: before}
}

// settle returns the verdict to publish of one that is observed now, and is known to have been right for some time already. One that contradicts what is
// published has to hold for as long as patience says; that something is not known is published at once, and so is the first good news.
func (w *weighing) settle(conditionType string, observed verdict, held, patience time.Duration) verdict {
	published := meta.FindStatusCondition(w.current, conditionType)
	known := published != nil && published.Status != metav1.ConditionUnknown
	switch {
	case observed.status == metav1.ConditionUnknown, known && published.Status == observed.status, !known && observed.status == metav1.ConditionTrue:
		return observed
	}
	since := w.now.Add(-held)
	if b := w.before[conditionType]; b.Status == observed.status && b.Since.Before(since) {
		since = b.Since
	}
	if w.next == nil {
		w.next = make(Evidence)
	}
	w.next[conditionType] = Observed{observed.status, since}
	left := patience - w.now.Sub(since)
	switch {
	case left <= 0:
		return observed
	case known:
		w.wait = soonest(w.wait, left)
		return verdict{published.Status, published.Reason, published.Message}
	default:
		w.wait = soonest(w.wait, left)
		return notKnown
	}
}
