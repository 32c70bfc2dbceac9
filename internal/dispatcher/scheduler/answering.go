// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"errors"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// enoughTrouble calls in a row show that the CRM takes none, and not that one of them was unlucky.
const enoughTrouble = 3

// answering is whether the CRM takes calls.
type answering struct {
	known bool
	// since is when calls began to fare badly, inARow how many have since then.
	since  time.Time
	inARow int
	// trouble is what they met. It is another one once enoughTrouble in a row met that.
	trouble, latest contract.CRMTrouble
	ofLatest        int
}

// unreadErrors are why there is nothing to be sent. References that cannot be filled are among the damaged.
var unreadErrors = []error{errDamaged, errOtherTarget, errNotMerged, errStopped}

// note takes what became of a call.
func (a *answering) note(now time.Time, o upstream.Outcome, what fate, v dialect.Verdict) {
	trouble, tells := troubleOf(o, what, v)
	if !tells {
		return
	}
	a.known = true
	if trouble == "" {
		*a = answering{known: true}
		return
	}
	if a.inARow++; a.inARow == 1 {
		a.since, a.trouble = now, trouble
	}
	if trouble != a.latest {
		a.latest, a.ofLatest = trouble, 0
	}
	if a.ofLatest++; a.ofLatest >= enoughTrouble {
		a.trouble = trouble
	}
}

// troubleOf says what a call has met; tells is false if it never got as far as to tell something of the CRM.
func troubleOf(o upstream.Outcome, what fate, v dialect.Verdict) (trouble contract.CRMTrouble, tells bool) {
	switch what {
	case succeeded, failed:
		return "", true
	case refused:
		if v.Scope != dialect.ScopeLicence {
			return "", true // it takes others
		}
		return contract.CRMRefusing, true
	case unauthorised:
		return contract.CRMUnauthorised, true
	case unavailable:
		return contract.CRMFailing, true
	case unsent:
		if isUnsigned(o.Err) || slices.ContainsFunc(unreadErrors, func(ours error) bool { return errors.Is(o.Err, ours) }) {
			return "", false
		}
	case lost:
	}
	return contract.CRMUnreachable, true
}

func (a *answering) report() contract.AnsweringReport {
	r := contract.AnsweringReport{Known: a.known}
	if a.inARow >= enoughTrouble {
		r.Trouble, r.Since = a.trouble, a.since.UTC()
	}
	return r
}
