// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"fmt"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// dropped is the reason of a call that ended by an order.
const dropped = "dropped by order"

// order is what somebody decided about an acknowledged call.
type order struct {
	ref    backlog.Ref
	decide func(order, time.Time, call.Result) error
	// done gets the error at once, or nil when what was decided is durable.
	done chan error
}

// List returns the first n calls of an integration behind after, in the order of acceptance, that are parked or dead: state is call.StateParked or
// call.StateDead, and none are in any other list. The results have no answer.
func (s *Scheduler) List(_ context.Context, integration string, state call.State, after call.ID, n int) (all []call.Result, err error) {
	err = s.useStore(func() (err error) {
		all, err = s.options.Store.List(integration, state, after, n)
		return err
	})
	return all, refuseStopped(err)
}

// Resend queues a call again that is parked or dead, at its old place, with a new maximum age, and as if it had never been sent. Calls behind it with its
// ordering key wait for it.
//
// Of a parked call it is not known whether the CRM took it: if it did, the resend has a second effect, unless the CRM still knows the call's idempotency key.
// The same holds for a dead call that was parked before. Whoever gives the order has to look into the CRM first.
//
// Errors are call.ErrUnknown, call.ErrOtherState, call.ErrBodyGone, or a *call.Refusal as from Enqueue.
func (s *Scheduler) Resend(ctx context.Context, integration string, id call.ID) error {
	return s.give(ctx, integration, id, s.resend)
}

// Drop ends a queued or parked call as dead; it can be resent until its result is forgotten. A parked one may have had its effect all the same. Errors are
// call.ErrUnknown and call.ErrOtherState: a call that is sent has to come back first.
func (s *Scheduler) Drop(ctx context.Context, integration string, id call.ID) error {
	return s.give(ctx, integration, id, s.drop)
}

// give hands an order to the loop and waits until it is carried out, durably.
func (s *Scheduler) give(ctx context.Context, integration string, id call.ID, decide func(order, time.Time, call.Result) error) error {
	o := order{ref: backlog.Ref{Integration: integration, ID: id}, decide: decide, done: make(chan error, 1)}
	if err := s.submit(ctx, func() { s.orders = append(s.orders, o) }); err != nil {
		return refuseStopped(err)
	}
	select {
	case err := <-o.done:
		return refuseSealed(err)
	case <-s.stopped:
		return refuseDraining()
	}
}

// carryOut decides on the orders. It reads the store, so it comes before the turn's decisions about queued calls; an order about a call of which the store is
// yet to be told waits for the next turn.
func (s *Scheduler) carryOut(now time.Time) {
	var later []order
	for _, o := range s.orders {
		if s.decided(backlog.Due{Ref: o.ref}) {
			later = append(later, o)
			continue
		}
		r, err := s.options.Store.Result(o.ref)
		if err == nil {
			err = o.decide(o, now, r)
		}
		if err != nil {
			o.done <- err
			continue
		}
		s.visible(func() { o.done <- nil })
	}
	s.orders = later
}

func (s *Scheduler) resend(o order, now time.Time, r call.Result) error {
	if r.State != call.StateParked && r.State != call.StateDead {
		return fmt.Errorf("it is %s: %w", r.State, call.ErrOtherState)
	}
	l, refusal := s.admissible(o.ref.Integration)
	if refusal != nil {
		return refusal
	}
	size, held, err := s.options.Store.Holds(o.ref)
	switch t, most := s.options.Store.Tally(l.key), l.spec.Queue; {
	case err != nil:
		return err
	case !held:
		return call.ErrBodyGone
	case t.Queued >= most.MaxCalls:
		return refuseQueueFull(l.key, most)
	case most.MaxBytes > 0 && t.QueuedBytes+size > most.MaxBytes:
		return refuseQueueLarge(l.key, most)
	}
	expires := now.Add(time.Duration(l.spec.Queue.MaxAgeSeconds) * time.Second)
	anew := backlog.Progress{Ordered: !s.origin.doubted.IsZero()}
	s.transit(backlog.Transition{Ref: o.ref, From: r.State, To: call.StateQueued, At: now, Expires: expires, Progress: anew}, expires)
	// It may take the turn of one behind it, which must not be sent in the same batch.
	l.queue.forget()
	l.stale = true
	return nil
}

func (s *Scheduler) drop(o order, now time.Time, r call.Result) error {
	if r.State != call.StateQueued && r.State != call.StateParked {
		return fmt.Errorf("it is %s: %w", r.State, call.ErrOtherState)
	}
	reason := dropped
	if r.State == call.StateParked {
		reason = r.Reason + "; " + dropped
	}
	s.end(now, o.ref, r.State, reason)
	return nil
}

// end ends a queued or parked call without an answer of the CRM.
func (s *Scheduler) end(now time.Time, ref backlog.Ref, from call.State, reason string) {
	if l := s.lanes[ref.Integration]; l != nil {
		l.queue.drop(ref.ID)
		l.stale = true
	}
	keepUntil := now.Add(keepResults)
	s.transit(backlog.Transition{Ref: ref, From: from, To: call.StateDead, At: now, Reason: reason, KeepUntil: keepUntil}, keepUntil)
}
