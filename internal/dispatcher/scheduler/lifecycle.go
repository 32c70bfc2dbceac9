// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// fate is what became of one sending of an acknowledged call.
type fate uint8

const (
	// unsent: surely nothing left.
	unsent fate = iota
	// refused: the CRM did not take the call, for want of quota.
	refused
	// succeeded: an answer 2xx.
	succeeded
	// failed: the CRM's answer, and not a good one.
	failed
	// unauthorised: 401. The CRM did not look at the call, because it does not take our credentials.
	unauthorised
	// unavailable: 502, 503 or 504. Something in between answered; the CRM may have taken the call or not.
	unavailable
	// lost: no answer, or the process died before it knew one.
	lost
)

// fateOf reads a status that is not a refusal.
func fateOf(status int) fate {
	switch {
	case status >= 200 && status <= 299:
		return succeeded
	case status == http.StatusUnauthorized:
		return unauthorised
	case status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		return unavailable
	default:
		return failed
	}
}

// after is the state a sent call goes to, and why if that is not its end by an answer. now is on the timeline that progress.FirstSent was taken from.
//
//	what became of it   RepeatNever   RepeatIdempotent   RepeatKeyed, key known   RepeatKeyed, key too old
//	unsent              queued        queued             queued                   parked
//	refused             queued        queued             queued                   parked
//	unauthorised        queued        queued             queued                   parked
//	succeeded           succeeded     succeeded          succeeded                succeeded
//	failed              failed        failed             failed                   failed
//	unavailable, lost   parked        queued             queued                   parked
//
// unsent, refused and unauthorised sendings do not count as attempts: for a first sending the key is then never too old.
func after(what fate, repeat call.Repeat, progress backlog.Progress, now time.Time, maxServerDelay time.Duration) (to call.State, reason string) {
	switch what {
	case succeeded:
		return call.StateSucceeded, ""
	case failed:
		return call.StateFailed, ""
	case unavailable, lost:
		if repeat.Class == call.RepeatNever {
			return call.StateParked, "it is not known whether the CRM took the call, and sending it again might take effect twice"
		}
	case unsent, refused, unauthorised:
	}
	if reason := tooOld(repeat, progress, now, maxServerDelay); reason != "" {
		return call.StateParked, reason
	}
	return call.StateQueued, ""
}

// keyMargin is how long before the CRM may forget an idempotency key we no longer rely on it.
const keyMargin = 10 * time.Minute

// keyEnds is from when on a keyed call that was sent before must not be sent again; zero for any other call.
func keyEnds(repeat call.Repeat, progress backlog.Progress, maxServerDelay time.Duration) time.Time {
	if repeat.Class != call.RepeatKeyed || progress.Attempts == 0 {
		return time.Time{}
	}
	return progress.FirstSent.Add(repeat.KeyValidFor - keyMargin - maxServerDelay)
}

// tooOld says why a call must not be sent again at now, or returns the empty string.
func tooOld(repeat call.Repeat, progress backlog.Progress, now time.Time, maxServerDelay time.Duration) string {
	if until := keyEnds(repeat, progress, maxServerDelay); until.IsZero() || now.Before(until) {
		return ""
	}
	return fmt.Sprintf("it is not known whether the CRM took the call, and its idempotency key, first sent at %s, may be forgotten by now",
		progress.FirstSent.UTC().Format(time.RFC3339))
}
