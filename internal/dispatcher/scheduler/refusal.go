// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
)

// giveUp refuses the calls that have waited as long as they may.
func (s *Scheduler) giveUp(now time.Time) {
	for _, l := range s.order {
		kept := l.waiting[:0]
		for _, w := range l.waiting {
			if now.Before(w.deadline) {
				kept = append(kept, w)
				continue
			}
			s.refuseWaiter(w, s.whyWaiting(now, l))
		}
		clear(l.waiting[len(kept):])
		l.waiting = kept
	}
}

// refuseWaiter ends the waiting of a call that is not on its way. If the CRM refused it before, that answer is the one to give.
func (s *Scheduler) refuseWaiter(w *waiter, why *call.Refusal) {
	if w.refused != nil {
		s.count(w.lane.key, backlog.Tally{Forwarded: 1})
		w.give(reply{answer: w.refused})
		return
	}
	s.count(w.lane.key, backlog.Tally{Refused: 1})
	w.give(reply{err: why})
}

// whyWaiting says what holds the lane's calls back at now.
func (s *Scheduler) whyWaiting(now time.Time, l *lane) *call.Refusal {
	switch {
	case s.plan == nil || l.spec == nil:
		return refuseNoPlan()
	case s.plan.Hold:
		return &call.Refusal{Code: contract.ReasonHeld, Detail: "spec.dispatch of the CRM object is Hold: calls are queued and none is sent"}
	case !s.refusals.open(now):
		return &call.Refusal{
			Code: contract.ReasonCRMRefusing, RetryAfter: max(0, s.refusals.until.Sub(now)),
			Detail: "the CRM refused calls for quota and asked for a pause; one call will probe it when the pause is over",
		}
	}
	e, waits := s.sharing.Explain(l.owner, callCost)
	if !waits {
		return &call.Refusal{Code: contract.ReasonLimitReached, RetryAfter: time.Second, Detail: "other calls of the integration were ahead"}
	}
	limit := s.ledger.Limit(e.Limit).Name
	r := &call.Refusal{Code: contract.ReasonLimitReached, Limit: limit, RetryAfter: max(0, e.Earliest.Sub(now))}
	switch e.Cause {
	case fairshare.UsedUp:
		r.Detail = fmt.Sprintf("limit %q of the licence is used up: %d of %d", limit, s.ledger.Used(e.Limit), s.ledger.Limit(e.Limit).Max)
	case fairshare.Reserved:
		r.Detail = fmt.Sprintf("what is left of limit %q is kept free for guaranteed shares, most of it for %s; %s has used %d and is guaranteed %d",
			limit, e.ReservedFor, l.key, s.ledger.UsedBy(e.Limit, l.owner), s.sharing.Guaranteed(e.Limit, l.owner))
	case fairshare.Ceiling:
		r.Detail = fmt.Sprintf("%s has used %d of limit %q, the most that its share allows", l.key, s.ledger.UsedBy(e.Limit, l.owner), limit)
	case fairshare.NoShare:
		r.Detail = fmt.Sprintf("%s has no share of limit %q", l.key, limit)
	}
	return r
}

func refuseNoPlan() *call.Refusal {
	return &call.Refusal{Code: contract.ReasonNoPlan, Detail: "the dispatcher has no plan that names this integration yet"}
}

func refuseDraining() *call.Refusal {
	return &call.Refusal{Code: contract.ReasonDraining, Detail: "the dispatcher takes no new calls: it is stopping, or spec.dispatch of the CRM object is Drain"}
}
