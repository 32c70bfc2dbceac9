// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// dispatch launches the calls that may be sent now, and reports whether it stopped before all of them were.
func (s *Scheduler) dispatch(now time.Time) (more bool) {
	if s.plan == nil || s.plan.Hold || s.stopping {
		return false
	}
	s.foresee(now)
	s.passShadowed(now)
	for range maxSends {
		heads, of := s.candidates(now)
		choice, ok := s.sharing.Pick(heads)
		if !ok {
			return false
		}
		id := s.newID()
		if err := s.sharing.Charge(now, id, choice); err != nil {
			panic("scheduler: " + err.Error()) // a new ID and a cost of 1: cannot be
		}
		if l := of[choice.Index]; choice.Lane == fairshare.Waiting {
			s.launchWaiter(now, l, id)
		} else {
			s.launchQueued(now, l, id)
		}
	}
	return true
}

// candidates are the heads of all lanes that nothing but the limits can hold back, each with its lane.
func (s *Scheduler) candidates(now time.Time) (heads []fairshare.Head, of []*lane) {
	if !s.refusals.open(now) {
		return nil, nil
	}
	backlogOpen := s.outages.open(now)
	for _, l := range s.order {
		if l.spec == nil {
			continue
		}
		if len(l.waiting) > 0 {
			heads, of = append(heads, fairshare.Head{Owner: l.owner, Lane: fairshare.Waiting, Cost: callCost}), append(of, l)
		}
		if backlogOpen && s.headReady(now, l) {
			heads, of = append(heads, fairshare.Head{Owner: l.owner, Lane: fairshare.Backlog, Cost: callCost}), append(of, l)
		}
	}
	return heads, of
}

// headReady says whether a queued call of the lane may be sent now. It parks those whose time for that has passed.
func (s *Scheduler) headReady(now time.Time, l *lane) bool {
	for {
		i, _ := l.queue.first(now)
		if i < 0 {
			return false
		}
		h := l.queue.heads[i]
		reason := tooOld(h.Repeat, h.Progress, now, s.options.Guards.MaxServerDelay)
		if reason == "" {
			return true
		}
		l.queue.remove(i)
		s.transit(backlog.Transition{
			Ref: l.ref(h.ID), From: call.StateQueued, To: call.StateParked, At: now, Progress: h.Progress, Reason: reason,
		}, h.Expires)
	}
}

// foresee tells the shares what each integration is expected to ask for.
func (s *Scheduler) foresee(now time.Time) {
	all := now.Sub(s.forecastAt) >= forecastEvery
	if all {
		s.forecastAt = now
	}
	for _, l := range s.order {
		if l.spec == nil || !all && !l.asked {
			continue
		}
		l.asked = false
		waiting := int64(len(l.waiting)) + s.options.Store.Tally(l.key).Queued
		for k, d := range l.demands {
			p := forecast.Present{Used: s.ledger.UsedBy(k, l.owner), Waiting: waiting}
			if _, end, ok := s.ledger.Period(k); ok {
				p.Left = max(0, end.Sub(now))
			}
			s.sharing.SetDemand(k, l.owner, d.Until(now, p))
			expected, sent := l.live[k].Window(now)
			s.sharing.SetLive(k, l.owner, expected, sent)
		}
	}
}

// passShadowed lets waiting calls through that are not to be held back, and counts those that would have been.
func (s *Scheduler) passShadowed(now time.Time) {
	for _, l := range s.order {
		if !s.shadowed(l, now) {
			continue
		}
		for len(l.waiting) > 0 {
			if _, ok := s.sharing.Admissible(l.owner, callCost); !ok {
				s.count(l.key, backlog.Tally{Overheld: 1})
			}
			id := s.newID()
			if err := s.ledger.Charge(now, id, l.owner, callCost); err != nil {
				panic("scheduler: " + err.Error()) // a new ID and a cost of 1: cannot be
			}
			s.launchWaiter(now, l, id)
		}
	}
}

// launchWaiter sends the first waiting call of the lane under a charge that was taken.
func (s *Scheduler) launchWaiter(now time.Time, l *lane, id ledger.ID) {
	w := l.waiting[0]
	l.waiting = l.waiting[1:]
	for _, d := range l.live {
		d.Send(now, callCost)
	}
	s.observeWait(l, now.Sub(w.since))
	s.launch(&flight{id: id, lane: l, waiter: w, call: w.call})
}

// launchQueued sends the first ready call of the lane's backlog under a charge that was taken.
func (s *Scheduler) launchQueued(now time.Time, l *lane, id ledger.ID) {
	i, _ := l.queue.first(now)
	h := l.queue.remove(i)
	sent := backlog.Progress{Attempts: h.Attempts + 1, FirstSent: h.FirstSent}
	if sent.FirstSent.IsZero() {
		sent.FirstSent = now
	}
	s.transit(backlog.Transition{Ref: l.ref(h.ID), From: call.StateQueued, To: call.StateSent, At: now, Progress: sent}, time.Time{})
	s.observeWait(l, now.Sub(h.AcceptedAt))
	s.outages.sent(id)
	s.launch(&flight{id: id, lane: l, head: h, sent: sent})
}

// launch logs the intent to send; the call leaves once that is durable.
func (s *Scheduler) launch(f *flight) {
	f.to = upstream.Destination{Endpoint: s.plan.Endpoint, Credentials: s.plan.Credentials}
	s.refusals.sent(f.id)
	s.flights[f.id] = f
	s.count(f.lane.key, backlog.Tally{Dispatched: 1})
	s.batch.Charges = append(s.batch.Charges, f.charge())
	s.visible(func() { go s.fly(f) })
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
