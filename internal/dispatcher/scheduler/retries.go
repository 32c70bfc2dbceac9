// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

const (
	// mostRetries is how many sendings again an integration can have to its credit: more than that never fail side by side.
	mostRetries = 10
	// retryShare of a sending again is earned by each first sending, and a whole one each retryEvery.
	retryShare = 0.1
	retryEvery = 10 * time.Second
)

// retries is an integration's budget for sending calls again whose answer was lost: at most a tenth of its calls, and a few a minute, can be spent on what fails
// once more. One that succeeds costs nothing: after an outage a backlog is sent again as fast as the limits let it.
type retries struct {
	spent float64
	at    time.Time
}

// allows says whether a call may be sent again at now.
func (r *retries) allows(now time.Time) bool {
	if !r.at.IsZero() && now.After(r.at) {
		r.earn(now.Sub(r.at).Seconds() / retryEvery.Seconds())
	}
	r.at = now
	return r.spent+1 <= mostRetries+1e-6 // what was earned in tenths is not quite whole
}

// next is when a call may be sent again, of which allows has just said that it may not.
func (r *retries) next() time.Time {
	return r.at.Add(time.Duration((r.spent + 1 - mostRetries) * float64(retryEvery))).Add(time.Millisecond)
}

// spend notes that a call is sent again.
func (r *retries) spend() { r.spent++ }

// repeat says whether a call whose answer was lost is to be sent again, and notes it.
func (w *waiter) repeat(now time.Time) bool {
	if w.repeated || w.call.Repeat.Class == call.RepeatNever || !now.Before(w.deadline) {
		return false
	}
	w.repeated = w.lane.retries.allows(now)
	return w.repeated
}

func (r *retries) earn(n float64) { r.spent = max(0, r.spent-n) }
