// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/sealing"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/reference"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
)

// Do sends a call that somebody waits for and returns the CRM's answer, whose body must be closed. When the call does not fit within wait it returns a
// *call.Refusal; with wait 0 at once. When ctx ends, a call that was not sent is withdrawn.
func (s *Scheduler) Do(ctx context.Context, c *call.Call, wait time.Duration) (*call.Answer, error) {
	w := &waiter{call: c, urgency: c.Urgency, answered: make(chan reply, 1)}
	if err := s.submit(ctx, func() { s.admit(w, wait) }); err != nil {
		return nil, refuseStopped(err)
	}
	select {
	case r := <-w.answered:
		return r.answer, r.err
	case <-s.stopped:
		return nil, refuseDraining()
	case <-ctx.Done():
		s.report(func() { s.withdraw(w) })
		return nil, context.Cause(ctx)
	}
}

// admit lets a call wait.
func (s *Scheduler) admit(w *waiter, wait time.Duration) {
	now := s.options.Now()
	l, refusal := s.admissible(w.call.Integration)
	if refusal != nil {
		s.count(w.call.Integration, backlog.Tally{Refused: 1})
		w.give(reply{err: refusal})
		return
	}
	w.lane, w.since, w.deadline = l, now, now.Add(wait)
	w.access = s.accessOf(l, w.call)
	w.price = s.priceCall(w.access, w.call)
	if refusal := s.exceeds(w.price); refusal != nil && !s.shadowed(l, now) {
		s.refuseWaiter(w, refusal)
		return
	}
	if s.join(now, w) {
		return
	}
	s.ask(now, l, w.price, true)
	if wait > 0 && s.hopeless(now, w) {
		s.refuseWaiter(w, s.refusalOf(now, w))
		return
	}
	s.noteHeld(now, w)
	w.wait()
}

// noteHeld finds out what holds a call back, for its trace alone.
func (s *Scheduler) noteHeld(now time.Time, w *waiter) {
	if s.options.Observer == nil || !w.call.Traced() {
		return
	}
	y := s.whyWaiting(now, w.lane, w.price, subjectOf(w.call), fairshare.Waiting, w.since)
	w.held = Held{Cause: y.cause, Limit: y.limit}
}

// hopeless says whether a call surely has to wait beyond its deadline: only time frees what it needs. What is kept free for others may be given up sooner.
func (s *Scheduler) hopeless(now time.Time, w *waiter) bool {
	if s.shadowed(w.lane, now) {
		return false
	}
	about := subjectOf(w.call)
	_, paced := s.paced(now, about)
	if _, ok := s.sharing.Admissible(w.lane.owner, s.tariff.Cost(w.price.kind)); ok && !paced && s.refusals.open(now) && s.heldBy(now, about) == nil {
		return false
	}
	y := s.whyWaiting(now, w.lane, w.price, about, fairshare.Waiting, w.since)
	switch y.cause {
	case contract.CauseUsedUp, contract.CauseCeiling, contract.CauseCRMRefusing:
		return y.earliest.After(w.deadline)
	default:
		return false
	}
}

// admissible returns the lane of an integration whose new calls are taken, or why they are not.
func (s *Scheduler) admissible(integration string) (*lane, *call.Refusal) {
	l := s.lanes[integration]
	switch {
	case s.stopping:
		return nil, refuseDraining()
	case l == nil || l.spec == nil:
		return nil, refuseNoPlan()
	case s.plan.Observe:
		return nil, call.RefuseObserving()
	case s.plan.Drain:
		return nil, refuseDraining()
	}
	return l, nil
}

// withdraw forgets a call whose client has gone. One that was sent ends by itself.
func (s *Scheduler) withdraw(w *waiter) {
	w.gone = true
	switch {
	case w.leader != nil:
		w.leave()
	case w.lane != nil && slices.Contains(w.lane.waiting, w):
		w.lane.waiting = slices.DeleteFunc(w.lane.waiting, func(x *waiter) bool { return x == w })
		w.lane.stale = true
		s.part(s.options.Now(), w)
	}
	select {
	case r := <-w.answered: // it was answered in the same moment
		if r.answer != nil {
			_ = r.answer.Body.Close() // nobody reads it
		}
	default:
	}
}

// Enqueue stores a call: when it returns no error, the call survives power loss and is sent when it fits, and what is known of it is returned. dedupeKey, which may
// be empty, is the client's: a key that the integration has used before returns what is known of the first call and seen, or call.ErrKeyReused if that had another
// fingerprint. A *call.Refusal says why a call was not taken. Expires of c is set by the plan.
func (s *Scheduler) Enqueue(ctx context.Context, c *call.Call, dedupeKey string, fingerprint [32]byte) (r call.Result, seen bool, err error) {
	entry := backlog.Entry{Call: c, DedupeKey: dedupeKey, Fingerprint: fingerprint}
	var line longestLine
	refusal, err := onLoop(ctx, s, func() *call.Refusal {
		refusal := s.admitQueued(&entry)
		line = s.lineFor(c) // which goes by the call's age, set with its admission
		return refusal
	})
	if err != nil {
		return r, false, refuseStopped(err)
	}
	if refusal != nil {
		return r, false, refusal
	}
	var a backlog.Appended
	err = s.useStore(func() (err error) {
		if err = line.check(s.options.Store, c); err != nil {
			return err
		}
		if a, err = s.options.Store.Append(entry); err == nil && !a.Seen {
			r = a.Result()
		}
		return err
	})
	if err != nil {
		return r, false, s.refuseAppend(&entry, err)
	}
	if a.Seen {
		if r, err = s.Result(ctx, c.Integration, a.ID, 0); err != nil { // it was stored all the same
			r = call.Result{ID: a.ID, Integration: c.Integration, State: call.StateQueued, AcceptedAt: c.AcceptedAt}
		}
		return r, true, nil
	}
	s.report(func() { s.arrived(c, a) })
	s.foretell(ctx, &r)
	return r, false, nil
}

// admitQueued completes the entry of a call to be queued, or says why it is not taken.
func (s *Scheduler) admitQueued(e *backlog.Entry) *call.Refusal {
	now := s.options.Now()
	l, refusal := s.admissible(e.Call.Integration)
	if refusal == nil {
		maxAge := time.Duration(l.spec.Queue.MaxAgeSeconds) * time.Second
		e.MaxQueued, e.MaxBytes, e.Call.Expires = l.spec.Queue.MaxCalls, l.spec.Queue.MaxBytes, now.Add(maxAge)
		refusal = s.exceeds(s.priceCall(l.access, e.Call))
		if _, late, ok := s.drainTime(now, l, s.options.Store.Tally(l.key).Queued+1); refusal == nil && !s.plan.Hold && (!ok || late > maxAge) {
			refusal = &call.Refusal{
				Code: contract.ReasonQueueTooSlow, RetryAfter: max(0, late-maxAge),
				Detail: fmt.Sprintf("the queue of %s may take longer to drain than queue.maxAgeSeconds, %d", l.key, l.spec.Queue.MaxAgeSeconds),
			}
		}
	}
	if refusal != nil {
		s.count(e.Call.Integration, backlog.Tally{Refused: 1})
	}
	return refusal
}

// arrived notes a call that was stored.
func (s *Scheduler) arrived(c *call.Call, a backlog.Appended) {
	l := s.lane(c.Integration)
	if a.Ready {
		l.queue.arrived(a.Kind, a.ID)
		l.stale = true
	}
	s.ask(s.options.Now(), l, s.priceCall(l.access, c), false)
	s.nextDue = earlier(s.nextDue, c.Expires)
}

// refuseAppend puts the store's errors into the words of a refusal.
func (s *Scheduler) refuseAppend(e *backlog.Entry, err error) error {
	integration, most := e.Call.Integration, contract.Queue{MaxCalls: e.MaxQueued, MaxBytes: e.MaxBytes}
	refusal := &call.Refusal{}
	problem, refers := errors.AsType[*reference.Error](err)
	late, tooLate := errors.AsType[*call.Refusal](err)
	switch {
	case tooLate:
		refusal = late
	case refers:
		refusal.Code, refusal.Detail = contract.ReasonBadReference, "the call cannot be sent: "+problem.Error()
	case errors.Is(err, backlog.ErrQueueFull):
		refusal = refuseQueueFull(integration, most)
	case errors.Is(err, backlog.ErrQueueLarge):
		refusal = refuseQueueLarge(integration, most)
	case errors.Is(err, backlog.ErrStoreFull):
		refusal.Code, refusal.Detail = contract.ReasonStoreFull, "the volume has no room for another call"
	case errors.Is(err, sealing.ErrNoKey):
		refusal = refuseNoKey()
	case errors.Is(err, errStopped):
		return refuseDraining()
	default:
		return err
	}
	s.report(func() { s.count(integration, backlog.Tally{Refused: 1}) })
	return refusal
}

func refuseQueueFull(integration string, most contract.Queue) *call.Refusal {
	return &call.Refusal{Code: contract.ReasonQueueFull, Detail: fmt.Sprintf("the queue of %s holds queue.maxCalls calls, %d", integration, most.MaxCalls)}
}

func refuseQueueLarge(integration string, most contract.Queue) *call.Refusal {
	return &call.Refusal{
		Code:   contract.ReasonQueueFull,
		Detail: fmt.Sprintf("with this call's body the queue of %s would hold more than queue.maxBytes bytes, %d", integration, most.MaxBytes),
	}
}

func refuseStopped(err error) error {
	if errors.Is(err, errStopped) {
		return refuseDraining()
	}
	return err
}
