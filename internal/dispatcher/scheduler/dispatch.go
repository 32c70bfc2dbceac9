// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// dispatch launches the calls that may be sent now, and reports whether it stopped before all of them were.
func (s *Scheduler) dispatch(now time.Time) (more bool) {
	if !s.sends() {
		return false
	}
	s.foresee(now)
	s.passShadowed(now)
	look := s.order // at all of them once, and then at those that a decision is about: time stands still here
	for sends := 0; sends < maxSends; sends++ {
		if !s.refusals.open(now) {
			return false
		}
		s.reoffer(now, look)
		choice, ok := s.sharing.Pick(now)
		if !ok {
			if look = s.reconsider(); len(look) > 0 {
				continue
			}
			return false
		}
		l := s.byOwner[choice.Owner]
		look = []*lane{l}
		i := slices.IndexFunc(l.offers, func(o offer) bool { return o.Lane == choice.Lane && o.Kind == choice.Kind })
		o := l.offers[i]
		members := append(s.gather(now, l, o), s.foldable(now, l, o)...)
		// Another call like this was sent since, or it can go with others now.
		if !s.recordOpen(now, l, o, members) || s.held(now, l, o.about) || s.rather(l, o) {
			l.stale = true
			continue
		}
		if r := s.rideOf(now, l, o); r != nil {
			look = s.launchRide(now, r)
			sends += len(r.members) - 1
			continue
		}
		id := s.newID()
		if err := s.sharing.Charge(now, id, choice, o.record); err != nil {
			panic("scheduler: " + err.Error()) // a new ID and a cost of this tariff: cannot be
		}
		l.offers, l.stale = slices.Delete(l.offers, i, i+1), true
		switch {
		case o.waiter != nil:
			s.launchWaiter(now, o.waiter, id)
		case o.bulk != "":
			s.launchMerged(now, l, o, id, members)
			sends += len(members) - 1
		case len(members) > 1:
			s.launchFolded(now, l, o, id, members)
			sends += len(members) - 1
		default:
			s.launchQueued(now, l, o, id)
		}
	}
	return true
}

// passShadowed lets waiting calls through that are not to be held back, and counts those that would have been.
func (s *Scheduler) passShadowed(now time.Time) {
	for _, l := range s.order {
		if len(l.waiting) == 0 || !s.shadowed(l, now) {
			continue
		}
		l.stale = true
		for len(l.waiting) > 0 {
			w := l.waiting[0]
			cost := s.tariff.Cost(w.price.kind)
			if _, ok := s.sharing.Admissible(l.owner, cost); !ok {
				s.count(l.key, backlog.Tally{Overheld: 1})
			}
			id := s.newID()
			if err := s.ledger.Charge(now, id, l.owner, cost, w.price.record); err != nil {
				panic("scheduler: " + err.Error()) // a new ID and a cost of this tariff: cannot be
			}
			s.launchWaiter(now, w, id)
		}
	}
}

// launchWaiter sends a call that somebody waits for under a charge that was taken.
func (s *Scheduler) launchWaiter(now time.Time, w *waiter, id ledger.ID) {
	l := w.lane
	l.waiting = slices.DeleteFunc(l.waiting, func(x *waiter) bool { return x == w })
	if w.refused == nil && !w.repeated { // asked for once, it is sent once
		s.sentLive(now, l, w.price)
	}
	s.observeWait(l, now.Sub(w.since))
	s.launch(&flight{id: id, lane: l, price: w.price, waiter: w, call: w.call, about: subjectOf(w.call), repeated: w.repeated, waited: now.Sub(w.since)})
}

// launchQueued sends a call of the lane's backlog under a charge that was taken.
func (s *Scheduler) launchQueued(now time.Time, l *lane, o offer, id ledger.ID) {
	h := l.queue.take(o.queued)
	sent := backlog.Progress{Attempts: h.Attempts + 1, FirstSent: h.FirstSent, Ordered: h.Ordered}
	if sent.FirstSent.IsZero() {
		sent.FirstSent = now
	}
	s.transit(backlog.Transition{Ref: l.ref(h.ID), From: call.StateQueued, To: call.StateSent, At: now, Progress: sent}, time.Time{})
	s.observeWait(l, now.Sub(h.AcceptedAt))
	s.queuedSent(l, id)
	f := &flight{id: id, lane: l, price: price{kindOf(o.Head), o.record}, head: h, sent: sent, about: o.about, repeated: h.Attempts > 0}
	if m := l.merging[h.Operation]; m != nil && m.fold {
		f.changes = changed(s.provider, &h)
		l.hold(f.changes)
	}
	s.launch(f)
}

// launch logs the intent to send; the call leaves once that is durable.
func (s *Scheduler) launch(f *flight) {
	f.to = upstream.To(s.plan, s.plan.CredentialsOf(f.lane.spec))
	f.access, f.tariff, f.at = f.lane.access, s.tariff, s.options.Now()
	if f.waiter != nil {
		f.access = f.waiter.access
	}
	f.charge = backlog.Charge{
		ID: uint64(f.id), Integration: f.lane.key, Amounts: s.amountsOf(s.tariff.Cost(f.price.kind), f.access.user), Record: uint64(f.price.record), Open: true, Call: f.head.ID,
	}
	s.refusals.sent(f.id)
	s.passHolds(f)
	f.like = s.likeness(f.about)
	s.learner.Sent(f.like, f.at)
	if f.repeated {
		f.lane.retries.spend()
	} else {
		f.lane.retries.earn(retryShare)
	}
	s.flights[f.id] = f
	s.count(f.lane.key, backlog.Tally{Dispatched: 1})
	s.batch.Charges = append(s.batch.Charges, f.charge)
	s.visible(func() { s.takeOff(f) })
}

// transit notes a transition, and when the call is due in its new state.
func (s *Scheduler) transit(t backlog.Transition, due time.Time) {
	s.batch.Transitions = append(s.batch.Transitions, t)
	s.nextDue = earlier(s.nextDue, due)
	if ends(t.To) {
		s.visible(func() { s.watchers.notify(t.Ref) })
	}
}

func (s *Scheduler) observeWait(l *lane, waited time.Duration) {
	if s.options.Observer != nil {
		s.options.Observer.Decided(l.key, waited)
	}
}
