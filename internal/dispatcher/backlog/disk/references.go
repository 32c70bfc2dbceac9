// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/reference"
)

// keepReferred is for how long after the maximum age of a call the answers are kept that it refers to: when it died of that, it can be queued again.
const keepReferred = 24 * time.Hour

// checkReferences returns a *reference.Error if a call refers to one that can never give it what it needs.
func (s *Store) checkReferences(c *call.Call) error {
	for _, id := range c.References {
		if _, err := s.referred(backlog.Ref{Integration: c.Integration, ID: id}); err != nil {
			return err
		}
	}
	return nil
}

// referred reads a call that another one refers to. It returns a *reference.Error if that has ended without success, or is not known.
func (s *Store) referred(ref backlog.Ref) (*record, error) {
	r, err := s.record(ref)
	switch {
	case errors.Is(err, call.ErrUnknown):
		return nil, &reference.Error{ID: ref.ID, Problem: "of which this integration has no result"}
	case err != nil:
		return nil, err
	case r.State == call.StateFailed || r.State == call.StateDead:
		return nil, &reference.Error{ID: ref.ID, Problem: "which is " + string(r.State)}
	}
	return r, nil
}

// await notes which calls a queued one has to wait for, as it refers to them, and has the answers of the others kept for it. The caller holds the lock of turns.
func (s *Store) await(w *writer, ref backlog.Ref, r *record) error {
	r.Awaits = nil
	for _, id := range r.References {
		other := backlog.Ref{Integration: ref.Integration, ID: id}
		o, err := readRecord(w.from, other)
		switch {
		case errors.Is(err, call.ErrUnknown): // fillHead says so
		case err != nil:
			return err
		case ended(o.State):
			if until := r.Expires.Add(keepReferred); o.DueAt.Before(until) {
				w.del(dueKey(o.DueAt, other))
				o.DueAt = until
				w.set(dueKey(o.DueAt, other), nil)
				w.setJSON(refKey(spaceRecord, other), o)
			}
		default:
			r.Awaits = append(r.Awaits, id)
			w.set(awaitKey(other, ref.ID), nil)
		}
	}
	return nil
}

// release writes that a call has ended: it waits for no other one any more, and those that wait for it may be ready. Its answer is kept for them. The caller holds the
// lock of turns.
func (s *Store) release(w *writer, ref backlog.Ref, r *record) error {
	for _, id := range r.Awaits {
		w.del(awaitKey(backlog.Ref{Integration: ref.Integration, ID: id}, ref.ID))
	}
	r.Awaits = nil
	prefix := awaitKey(ref, "")
	var waiting []backlog.Ref
	err := scan(w.from, prefix, awaitKey(ref, "~"), func(key, _ []byte) error {
		waiting = append(waiting, backlog.Ref{Integration: ref.Integration, ID: call.ID(key[len(prefix):])})
		return nil
	})
	if err != nil {
		return err
	}
	for _, other := range waiting {
		w.del(awaitKey(ref, other.ID))
		until, err := s.freed(w, other, ref.ID)
		if err != nil {
			return err
		}
		if until.After(r.DueAt) {
			r.DueAt = until
		}
	}
	return nil
}

// freed writes that a call waits no longer for another one, and returns until when it may need its answer.
func (s *Store) freed(w *writer, ref backlog.Ref, from call.ID) (time.Time, error) {
	r, err := readRecord(w.from, ref)
	if err != nil {
		return time.Time{}, err
	}
	r.Awaits = slices.DeleteFunc(r.Awaits, func(id call.ID) bool { return id == from })
	turn, err := s.hasTurn(w.from, ref, r)
	if err != nil {
		return time.Time{}, err
	}
	if turn {
		s.ready(w, ref, r)
	}
	w.setJSON(refKey(spaceRecord, ref), r)
	return r.Expires.Add(keepReferred), nil
}

// fill replaces the references of a call.
func (s *Store) fill(c *call.Call) (err error) {
	if len(c.References) == 0 {
		return nil
	}
	if err := s.checkReferences(c); err != nil {
		return err
	}
	answers := s.answersFor(c.Integration)
	if c.Target, err = reference.Target(c.Target, answers); err != nil || !call.IsJSON(c.Header.Get("Content-Type")) {
		return err
	}
	c.Body, err = reference.Body(c.Body, answers)
	return err
}

// answersFor reads the answers that an integration's calls refer to.
func (s *Store) answersFor(integration string) reference.Answers {
	return func(id call.ID) ([]byte, error) {
		ref := backlog.Ref{Integration: integration, ID: id}
		r, err := s.referred(ref)
		if err != nil {
			return nil, err
		}
		if r.Answer == nil {
			return nil, &reference.Error{ID: id, Problem: "which has not ended"}
		}
		_, body, err := s.answer(ref, r)
		if errors.Is(err, backlog.ErrErased) {
			return nil, &reference.Error{ID: id, Problem: "whose answer was " + backlog.Erased}
		}
		return body, err
	}
}

// fillHead fills the target of a ready call, by which it is priced, or says why the call can never be sent. While an answer cannot be read, for want of its key, it is
// priced by a sample: the call cannot be read then either.
func (s *Store) fillHead(integration string, r *record, h *backlog.Head) {
	if !h.Refers {
		return
	}
	c := call.Call{Integration: integration, Target: r.Target, References: r.References}
	err := s.fill(&c)
	h.Target = c.Target
	switch problem, is := errors.AsType[*reference.Error](err); {
	case is:
		h.Unfillable = problem.Error()
	case err != nil:
		h.Target = reference.Sample(r.Target)
	}
}

// fillReadied fills the targets of calls that have become ready.
func (s *Store) fillReadied(all []backlog.Ready) error {
	for i := range all {
		if !all[i].Refers {
			continue
		}
		r, err := s.record(backlog.Ref{Integration: all[i].Integration, ID: all[i].ID})
		if err != nil {
			return err
		}
		s.fillHead(all[i].Integration, r, &all[i].Head)
	}
	return nil
}
