// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// maxErased is how many calls of an integration one turn looks at.
const maxErased = 256

// erasure ends the calls of which the contents were erased.
type erasure struct {
	integration  string
	after, until call.ID
	sum          call.Erasure
	done         chan struct{}
}

// Erase makes the contents of an integration's calls unreadable for good that were accepted on days, in UTC, before that of before: what they send, and what was
// answered. Then it ends those that are queued or parked, as dead, durably, and counts them. A call that is sent ends by itself, and its answer is not kept.
//
// If it is interrupted after the first step, the rest ends by itself: a queued call when it is its turn, a parked one when it has reached its maximum age. Refusals
// are NotEncrypted, NoPlan and Draining.
func (s *Scheduler) Erase(ctx context.Context, integration string, before time.Time) (call.Erasure, error) {
	switch plan, _ := s.Plan(); {
	case plan == nil:
		return call.Erasure{}, refuseNoPlan()
	case plan.Encryption == nil:
		return call.Erasure{}, &call.Refusal{
			Code:   contract.ReasonNotEncrypted,
			Detail: "what is stored of calls is not encrypted, so it cannot be erased: see storage.encryption of the CRM object",
		}
	}
	e := &erasure{integration: integration, done: make(chan struct{})}
	err := s.useStore(func() (err error) {
		e.until, err = s.options.Store.Erase(context.WithoutCancel(ctx), integration, before)
		return err
	})
	if err == nil {
		err = s.submit(context.WithoutCancel(ctx), func() { s.erasures = append(s.erasures, e) })
	}
	if err != nil {
		return call.Erasure{}, refuseStopped(err)
	}
	select {
	case <-e.done:
		return e.sum, nil
	case <-s.stopped:
		return call.Erasure{}, refuseDraining()
	}
}

// Request returns a call as it was accepted. Errors are call.ErrUnknown, call.ErrBodyGone, or a *call.Refusal while its key is missing.
func (s *Scheduler) Request(_ context.Context, integration string, id call.ID) (c *call.Call, err error) {
	err = s.useStore(func() (err error) {
		c, err = s.options.Store.Request(backlog.Ref{Integration: integration, ID: id})
		return err
	})
	return c, refuseSealed(err)
}

// endErased ends the next calls that were erased. It reads the store, so it comes before the turn's decisions about queued calls.
func (s *Scheduler) endErased(now time.Time) error {
	for _, e := range slices.Clone(s.erasures) {
		erased, last, err := s.options.Store.Erased(e.integration, e.after, e.until, maxErased)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(erased, s.decided) {
			continue // the next turn knows what has become of them
		}
		for _, d := range erased {
			reason := backlog.Erased
			if d.State == call.StateParked {
				e.sum.Parked++
				reason = d.Reason + "; " + reason
			} else {
				e.sum.Queued++
			}
			s.end(now, d.Ref, d.State, reason)
		}
		if s.options.Observer != nil && len(erased) > 0 {
			s.options.Observer.Erased(e.integration, len(erased))
		}
		e.after = last
		if last == "" {
			s.erasures = slices.DeleteFunc(s.erasures, func(other *erasure) bool { return other == e })
			s.visible(func() { close(e.done) })
		}
	}
	return nil
}

// decided says whether the batch has a decision on a call of which the store is yet to be told.
func (s *Scheduler) decided(d backlog.Due) bool {
	return slices.ContainsFunc(s.batch.Transitions, func(t backlog.Transition) bool { return t.Ref == d.Ref }) || slices.Contains(s.batch.ForgetCalls, d.Ref)
}
