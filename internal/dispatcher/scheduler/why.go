// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
)

// why says what holds a call back.
type why struct {
	code  contract.Reason
	cause contract.Cause
	// limit is the name of the binding one; reservedFor names whose reserve it is.
	limit, reservedFor string
	// earliest is when the call can be sent at the earliest; zero if that cannot be foreseen.
	earliest time.Time
	// wait is how long that is from now on.
	wait   time.Duration
	detail string
}

// whyWaiting says what holds a call of the lane back at now, from the structures by which that is decided.
func (s *Scheduler) whyWaiting(now time.Time, l *lane, p price, about subject, in fairshare.Lane, since time.Time) why {
	switch {
	case s.plan == nil || l.spec == nil:
		return why{code: contract.ReasonNoPlan, cause: contract.CauseNoPlan, detail: refuseNoPlan().Detail}
	case s.plan.Observe:
		return why{code: contract.ReasonObserving, cause: contract.CauseObserving, detail: "spec.enforcement of the CRM object is Observe: no call is sent for anybody"}
	case s.plan.Hold:
		return why{code: contract.ReasonHeld, cause: contract.CauseHeld, detail: "spec.dispatch of the CRM object is Hold: calls are queued and none is sent"}
	case s.origin.waiting:
		return why{
			code: contract.ReasonLimitReached, cause: contract.CauseLedgerLost,
			detail: "the volume with the quota ledger was lost, and how much of the licence had been used is not known yet",
		}
	case !s.refusals.open(now):
		return s.until(now, s.refusals.until, why{
			code: contract.ReasonCRMRefusing, cause: contract.CauseCRMRefusing,
			detail: "the CRM refused calls for quota and asked for a pause; one call will probe it when the pause is over",
		})
	case in == fairshare.Backlog && s.outages.shut:
		return s.until(now, s.outages.until, why{
			code: contract.ReasonUpstreamFailed, cause: contract.CauseOutage,
			detail: "the CRM failed calls; one queued call will probe it when the pause is over",
		})
	case in == fairshare.Backlog && !l.access.gate.open(now):
		return s.until(now, l.access.gate.until, why{
			code: contract.ReasonNoCredentials, cause: contract.CauseCredentials,
			detail: "the credentials are missing, or the CRM does not take them; one queued call will probe it when the pause is over",
		})
	}
	if y, held := s.whyAlikeWait(now, about); held {
		return y
	}
	for _, k := range s.recordLimits {
		if cost := s.tariff.Cost(p.kind); cost[k] > 0 && s.ledger.RecordFree(k, p.record) < cost[k] {
			limit := s.ledger.Limit(k)
			return s.until(now, s.ledger.EarliestRecord(k, p.record, cost[k]), why{
				code: contract.ReasonLimitReached, cause: contract.CauseRecord, limit: limit.Name,
				detail: fmt.Sprintf("limit %q allows %d for each record, and this one has used them", limit.Name, limit.Max),
			})
		}
	}
	e, waits := s.sharing.Explain(now, s.newOffer(l, in, p, since).Head)
	if !waits {
		return why{code: contract.ReasonLimitReached, cause: contract.CauseTurn, wait: time.Second, detail: "other calls are ahead"}
	}
	return s.until(now, s.renewed(now, e.Limit, e.Earliest), s.explained(l, e))
}

// whyAlikeWait says what holds calls like this one back, and no others; false if nothing does.
func (s *Scheduler) whyAlikeWait(now time.Time, about subject) (why, bool) {
	if g := s.heldBy(now, about); g != nil {
		return s.until(now, g.until, why{
			code: contract.ReasonCRMRefusing, cause: contract.CauseCRMRefusing,
			detail: "the CRM refused calls like this one, while it takes others; one call will probe it when the pause is over",
		}), true
	}
	if until, paced := s.paced(now, about); paced {
		l, _ := s.learner.Of(s.likeness(about))
		return s.until(now, until, why{
			code: contract.ReasonLimitReached, cause: contract.CauseUsedUp,
			detail: fmt.Sprintf("the CRM takes about %d calls like this one in %s, as its refusals have shown, and they are used up", l.Calls, l.Window),
		}), true
	}
	return why{}, false
}

func (s *Scheduler) until(now, earliest time.Time, y why) why {
	y.earliest = earliest
	if !earliest.IsZero() {
		y.wait = max(0, earliest.Sub(now))
	}
	return y
}

// explained puts an explanation of the shares into words.
func (s *Scheduler) explained(l *lane, e fairshare.Explanation) why {
	k, limit := e.Limit, s.ledger.Limit(e.Limit)
	y := why{code: contract.ReasonLimitReached, limit: limit.Name}
	switch e.Cause {
	case fairshare.UsedUp:
		y.cause = contract.CauseUsedUp
		y.detail = fmt.Sprintf("limit %q of the licence is used up: %d of %d", limit.Name, s.ledger.Used(k), limit.Max)
		if outside := s.ledger.Outside(k); outside > 0 {
			y.detail += fmt.Sprintf(", of which %d are for callers outside the dispatcher", outside)
		}
	case fairshare.Reserved:
		y.cause, y.reservedFor = contract.CauseReserved, e.ReservedFor
		y.detail = fmt.Sprintf("what is left of limit %q is kept free for guaranteed shares, most of it for %s; %s has used %d and is guaranteed %d",
			limit.Name, e.ReservedFor, l.key, s.ledger.UsedBy(k, l.owner), s.sharing.Guaranteed(k, l.owner))
	case fairshare.Ceiling:
		y.cause = contract.CauseCeiling
		y.detail = fmt.Sprintf("%s has used %d of limit %q, of which its share allows %d", l.key, s.ledger.UsedBy(k, l.owner), limit.Name, s.sharing.Ceiling(k, l.owner))
	case fairshare.NoShare:
		y.cause = contract.CauseNoShare
		y.detail = fmt.Sprintf("%s has no share of limit %q", l.key, limit.Name)
	case fairshare.Paced:
		y.cause = contract.CausePaced
		y.detail = fmt.Sprintf("calls to limit %q are spread over its window, because the CRM refuses bursts", limit.Name)
	}
	return y
}
