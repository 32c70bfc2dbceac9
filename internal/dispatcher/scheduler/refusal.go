// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
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
		var alone []*waiter
		for _, w := range l.waiting {
			if now.Before(w.deadline) {
				kept = append(kept, w)
				continue
			}
			l.stale = true
			s.refuseWaiter(w, s.refusalOf(now, w))
			alone = append(alone, w)
		}
		clear(l.waiting[len(kept):])
		l.waiting = kept
		for _, w := range alone {
			s.part(now, w)
		}
	}
}

// refusalOf says why a call that waits cannot be sent yet.
func (s *Scheduler) refusalOf(now time.Time, w *waiter) *call.Refusal {
	if refusal := s.exceeds(w.price); refusal != nil {
		return refusal
	}
	y := s.whyWaiting(now, w.lane, w.price, subjectOf(w.call), fairshare.Waiting, w.since)
	r := &call.Refusal{Code: y.code, Limit: y.limit, RetryAfter: y.wait, Detail: y.detail}
	if s.plan != nil {
		r.Rooms = s.rooms(now, w.lane, s.tariff.Cost(w.price.kind))
	}
	return r
}

// refuseWaiter ends the waiting of a call that is not on its way. If the CRM refused it before, that answer is the one to give.
func (s *Scheduler) refuseWaiter(w *waiter, why *call.Refusal) {
	if w.refused != nil {
		s.countFor(w, backlog.Tally{Forwarded: 1})
		w.give(reply{answer: w.refused})
		return
	}
	s.countFor(w, backlog.Tally{Refused: 1})
	w.give(reply{err: why})
}

func refuseNoPlan() *call.Refusal {
	return &call.Refusal{Code: contract.ReasonNoPlan, Detail: "the dispatcher has no plan that names this integration yet"}
}

func refuseDraining() *call.Refusal {
	return &call.Refusal{Code: contract.ReasonDraining, Detail: "the dispatcher takes no new calls: it is stopping, or spec.dispatch of the CRM object is Drain"}
}
