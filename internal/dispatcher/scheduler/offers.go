// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// price is what a call takes of the limits in force, and the record it is about.
type price struct {
	kind   tariff.Kind
	record ledger.Record
}

func (s *Scheduler) price(operation, method, target string) price {
	if s.tariff == nil {
		return price{}
	}
	kind, record := s.tariff.Price(operation, method, target)
	return price{kind, record}
}

// offer is a head that the shares know of: the first call of its kind in a lane that only the shared limits can hold back. Calls that take the same of every limit
// are of one kind, so those behind it could not be sent either.
type offer struct {
	fairshare.Head
	waiter *waiter
	queued call.ID
	record ledger.Record
	about  subject
	// bulk is the operation whose calls go together, from queued on; empty if one goes by itself.
	bulk string
}

// reoffer tells the shares what each lane would send now, as far as that may have changed.
func (s *Scheduler) reoffer(now time.Time) {
	if open, shut := s.outages.open(now), s.outages.shut; open != s.backlogOpen || shut != s.backlogShut {
		s.backlogOpen, s.backlogShut = open, shut
		s.staleAll()
	}
	for _, l := range s.order {
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
		if s.backlogOpen {
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
	for _, w := range l.waiting {
		o := s.newOffer(l, fairshare.Waiting, w.price, w.since)
		o.waiter, o.about = w, subjectOf(w.call)
		if slices.ContainsFunc(to, o.samePlace) || !s.recordFree(now, l, w.price) || s.held(now, l, o.about) {
			continue
		}
		to = append(to, o)
	}
	return to
}

// offerQueued adds the first call of each kind in the part of the backlog that is in memory. It parks those whose time for being sent has passed.
func (s *Scheduler) offerQueued(now time.Time, l *lane, to []offer) []offer {
	counts := s.togetherNow(now, l)
	for i := 0; i < len(l.queue.heads); i++ {
		h := &l.queue.heads[i]
		if h.NotBefore.After(now) {
			l.staleAt = earlier(l.staleAt, h.NotBefore)
			continue
		}
		if reason := s.tooOld(&h.Head, now); reason != "" {
			parked := l.queue.take(h.ID)
			s.transit(backlog.Transition{
				Ref: l.ref(parked.ID), From: call.StateQueued, To: call.StateParked, At: now, Progress: parked.Progress, Reason: reason,
			}, parked.Expires)
			i--
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
		o := s.newOffer(l, fairshare.Backlog, s.priceOf(h), h.AcceptedAt)
		var merged bool
		if to, merged = s.offerMerged(now, l, h, counts, to); merged {
			continue
		}
		o.queued, o.about = h.ID, subject{h.Operation, h.Method, h.Target}
		if slices.ContainsFunc(to, o.samePlace) || !s.recordFree(now, l, h.price) || s.held(now, l, o.about) {
			continue
		}
		to = append(to, o)
	}
	return to
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
