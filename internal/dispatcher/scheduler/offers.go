// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/reference"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// price is what a call takes of the limits in force, and the record it is about.
type price struct {
	kind   tariff.Kind
	record ledger.Record
}

func (s *Scheduler) price(c tariff.Call) price {
	if s.tariff == nil {
		return price{}
	}
	kind, record := s.tariff.Price(c)
	return price{kind, record}
}

func (s *Scheduler) priceCall(as *access, c *call.Call) price {
	target := c.Target
	if len(c.References) > 0 { // its record may not be known yet
		target = reference.Sample(target)
	}
	return s.price(tariff.Call{User: as.user, Operation: c.Operation, Method: c.Method, Target: target, Counts: c.Counts})
}

func (s *Scheduler) priceHead(as *access, h *backlog.Head) price {
	return s.price(tariff.Call{User: as.user, Operation: h.Operation, Method: h.Method, Target: h.Target, Counts: h.Counts})
}

// offer is a head that the shares know of: the first call of its kind in a lane that only the shared limits can hold back. Calls that take the same of every limit
// are of one kind, so those behind it could not be sent either.
type offer struct {
	fairshare.Head
	waiter *waiter
	queued call.ID
	record ledger.Record
	about  subject
	// bulk is the operation whose calls go together, or several, items of them from queued on; empty if one goes by itself.
	bulk  string
	items int
}

// reoffer tells the shares what these lanes would send now, as far as that may have changed; what all of them would, if that has changed for all.
func (s *Scheduler) reoffer(now time.Time, lanes []*lane) {
	if open, shut := s.outages.open(now), s.outages.shut; open != s.backlogOpen || shut != s.backlogShut {
		s.backlogOpen, s.backlogShut = open, shut
		s.staleAll()
		lanes = s.order
	}
	if s.refreshAccesses(now) {
		lanes = s.order
	}
	for _, l := range lanes {
		if l.stale || !l.staleAt.IsZero() && !now.Before(l.staleAt) {
			s.offer(now, l)
		}
	}
}

func (s *Scheduler) staleAll() {
	for _, l := range s.order {
		l.stale = true
	}
}

// offer replaces what a lane offers.
func (s *Scheduler) offer(now time.Time, l *lane) {
	l.stale, l.staleAt, l.onlyMerged = false, time.Time{}, false
	var next []offer
	if l.spec != nil {
		next = s.offerWaiting(now, l, next)
		if s.backlogOpen && l.access.gate.open(now) {
			next = s.offerQueued(now, l, next)
		}
	}
	for _, o := range l.offers {
		if !slices.ContainsFunc(next, o.samePlace) {
			s.sharing.Withdraw(o.Owner, o.Lane, o.Kind)
		}
	}
	for _, o := range next {
		s.sharing.Offer(o.Head)
	}
	l.offers = next
}

func (o offer) samePlace(p offer) bool { return o.Lane == p.Lane && o.Kind == p.Kind }

func (s *Scheduler) newOffer(l *lane, in fairshare.Lane, of price, since time.Time) offer {
	return offer{
		Head:   fairshare.Head{Owner: l.owner, Lane: in, Kind: int(of.kind), Cost: s.tariff.Cost(of.kind), Since: since},
		record: of.record,
	}
}

// offerWaiting adds the first call of each kind that somebody waits for.
func (s *Scheduler) offerWaiting(now time.Time, l *lane, to []offer) []offer {
	for _, w := range l.waitingInOrder() {
		o := s.newOffer(l, fairshare.Waiting, w.price, w.since)
		o.waiter, o.about = w, subjectOf(w.call)
		if outranked(to, o) || !s.recordFree(now, l, w.price) || s.held(now, l, o.about) {
			continue
		}
		to = enlist(to, o)
	}
	return to
}

// offerQueued adds the first call of each kind in the part of the backlog that is in memory.
func (s *Scheduler) offerQueued(now time.Time, l *lane, to []offer) []offer {
	s.endUnsendable(now, l)
	all, turns := s.togetherNow(now, l), s.turnsOf(now, l)
	for _, h := range l.inOrder() {
		if !turns.has(h) {
			continue
		}
		if h.NotBefore.After(now) {
			l.staleAt = earlier(l.staleAt, h.NotBefore)
			continue
		}
		if until := s.sparedUntil(now, h); !until.IsZero() {
			l.staleAt = earlier(l.staleAt, until)
			continue
		}
		if h.Attempts > 0 && !l.retries.allows(now) {
			l.staleAt = earlier(l.staleAt, l.retries.next())
			continue
		}
		o := s.newOffer(l, fairshare.Backlog, s.priceOf(l, h), h.AcceptedAt)
		var merged bool
		if to, merged = s.offerMerged(now, l, h, all, to); merged {
			continue
		}
		o.queued, o.about = h.ID, subject{h.Operation, h.Method, h.Target}
		if outranked(to, o) || !s.recordFree(now, l, h.price) || s.held(now, l, o.about) {
			continue
		}
		to = enlist(to, o)
	}
	return to
}

// endUnsendable parks the calls that are not to be sent any more, and ends those that refer to an answer which will never come. The lane is looked at again when a
// call's key ends, however long the call waits for a limit.
func (s *Scheduler) endUnsendable(now time.Time, l *lane) {
	for i := 0; i < len(l.queue.heads); i++ {
		h := &l.queue.heads[i]
		if h.NotBefore.After(now) {
			continue
		}
		if h.Unfillable != "" {
			s.end(now, l.ref(h.ID), call.StateQueued, h.Unfillable)
			i--
		} else if reason := s.unfit(now, l, h); reason != "" {
			parked := l.queue.take(h.ID)
			s.transit(backlog.Transition{
				Ref: l.ref(parked.ID), From: call.StateQueued, To: call.StateParked, At: now, Progress: parked.Progress, Reason: reason,
			}, parked.Expires)
			i--
		} else if until := keyEnds(h.Repeat, h.Progress, s.guards.MaxServerDelay); !until.IsZero() {
			l.staleAt = earlier(l.staleAt, until)
		}
	}
}

// unfit says why a queued call is not to be sent any more: the time for that has passed, or the limits have changed.
func (s *Scheduler) unfit(now time.Time, l *lane, h *queued) string {
	if reason := s.tooOld(&h.Head, now); reason != "" {
		return reason
	}
	if refusal := s.exceeds(s.priceOf(l, h)); refusal != nil {
		return refusal.Detail
	}
	return ""
}

// recordFree says whether the limits per record let a call through. If not, the lane is looked at again when they may.
func (s *Scheduler) recordFree(now time.Time, l *lane, of price) bool {
	cost := s.tariff.Cost(of.kind)
	for _, k := range s.recordLimits {
		if cost[k] > 0 && s.ledger.RecordFree(k, of.record) < cost[k] {
			again := s.ledger.EarliestRecord(k, of.record, cost[k])
			if !again.After(now) {
				again = now.Add(time.Millisecond) // a call in flight has to end first, which makes the lanes stale
			}
			l.staleAt = earlier(l.staleAt, again)
			return false
		}
	}
	return true
}
