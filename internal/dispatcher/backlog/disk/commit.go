// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Commit implements backlog.Store.
func (s *Store) Commit(b *backlog.Batch) ([]backlog.Ready, error) {
	defer s.endOnPanic()
	if len(b.Transitions) == 0 && len(b.ForgetCalls) == 0 {
		sync := pebble.Sync
		if !b.Durable() {
			sync = pebble.NoSync
		}
		return s.write(b, writer{batch: s.db.NewBatch(), from: s.db}, sync)
	}
	ready, err := s.writeInOrder(b)
	if err != nil {
		return nil, err
	}
	if err := s.sync(); err != nil {
		return nil, err
	}
	s.reveal()
	return ready, nil
}

// writeInOrder brings a batch with transitions into effect, not durably yet: whose turn it is must not change meanwhile.
func (s *Store) writeInOrder(b *backlog.Batch) ([]backlog.Ready, error) {
	s.turns.Lock()
	defer s.turns.Unlock()
	batch := s.db.NewIndexedBatch() // transitions of one batch can be about calls with one ordering key
	return s.write(b, writer{batch: batch, from: batch}, pebble.NoSync)
}

func (s *Store) write(b *backlog.Batch, w writer, sync *pebble.WriteOptions) ([]backlog.Ready, error) {
	sums := map[string]*backlog.Tally{}
	sum := func(integration string) *backlog.Tally {
		if sums[integration] == nil {
			sums[integration] = &backlog.Tally{}
		}
		return sums[integration]
	}
	for integration, t := range b.Tallies {
		t.Queued, t.Sent, t.Parked, t.Succeeded, t.Failed, t.Dead, t.QueuedBytes = 0, 0, 0, 0, 0, 0, 0
		t.CallbacksWaiting, t.CallbacksDelivered, t.CallbacksGivenUp = 0, 0, 0
		*sum(integration) = t
	}
	for _, t := range b.Transitions {
		w.keep(s.transit(&w, t, sum(t.Integration)))
	}
	for _, ref := range b.ForgetCalls {
		state, err := s.forget(&w, ref, b.Clock.Time)
		w.keep(err)
		sum(ref.Integration).Move(state, "")
	}
	s.writeCharges(&w, b)
	s.setBulks(&w, b.Bulks)
	for integration, t := range sums {
		w.merge(tallyKey(integration), encodeTally(*t))
	}
	if b.Volume != "" {
		w.set(keyVolume, []byte(b.Volume))
	}
	if b.Plan != nil {
		w.set(keyPlan, b.Plan)
	}
	if b.Memory != nil {
		w.set(keyMemory, b.Memory)
	}
	w.setJSON(keyClock, b.Clock)
	s.hide(w.told)
	err := w.commit(sync)
	s.inEffect(&w, err == nil)
	if err != nil {
		return nil, err
	}
	s.committed(b, sums)
	return w.readied, s.fillReadied(w.readied)
}

// writeCharges keeps open charges by their IDs and ended ones by their ends, so that forgetting is one range.
func (s *Store) writeCharges(w *writer, b *backlog.Batch) {
	for _, c := range b.Charges {
		if c.Open {
			w.setJSON(openKey(c.ID), c)
			continue
		}
		w.del(openKey(c.ID))
		w.setJSON(endedKey(c.End, c.ID), c)
	}
	for _, id := range b.Refunds {
		w.del(openKey(id))
	}
	if b.Clock.Horizon > s.horizon {
		w.keep(w.batch.DeleteRange(endedKey(0, 0), endedKey(b.Clock.Horizon, 0), nil))
	}
}

func (s *Store) committed(b *backlog.Batch, sums map[string]*backlog.Tally) {
	s.horizon = max(s.horizon, b.Clock.Horizon)
	s.mu.Lock()
	defer s.mu.Unlock()
	for integration, t := range sums {
		s.tally(integration).Add(*t)
	}
}

// transit writes one transition: the record in its new state, the keys by which a call in that state is found, and the callback that tells of it. It adds to sum what
// changes in the integration's tally.
func (s *Store) transit(w *writer, t backlog.Transition, sum *backlog.Tally) error {
	r, err := readRecord(w.from, t.Ref)
	if err != nil {
		return err
	}
	if r.State != t.From {
		return fmt.Errorf("call %s is %s, not %s: %w", t.ID, r.State, t.From, backlog.ErrConflict)
	}
	if !r.DueAt.IsZero() {
		w.del(dueKey(r.DueAt, t.Ref))
	}
	if err := s.depart(w, t, r); err != nil {
		return err
	}
	r.State, r.Reason, r.Progress = t.To, t.Reason, t.Progress
	switch {
	case t.To == call.StateQueued:
		if !t.Expires.IsZero() {
			r.Expires = t.Expires
		}
		r.DueAt, r.EndedAt = r.Expires, time.Time{}
		w.keep(s.enter(w, t.Ref, r))
	case t.To == call.StateParked:
		r.DueAt = r.Expires
	case ended(t.To):
		r.DueAt, r.EndedAt, r.Answer = t.KeepUntil, t.At, t.Answer
		w.keep(s.leave(w, t.Ref, r))
		w.keep(s.release(w, t.Ref, r))
	default: // a sent call cannot be due before its outcome is known
		r.DueAt = time.Time{}
	}
	if t.To == call.StateSucceeded || t.To == call.StateFailed { // a dead call can be queued again
		r.Header = nil
		w.del(refKey(spaceBody, t.Ref))
	}
	if listed(t.To) {
		w.set(stateKey(t.To, t.Ref), nil)
	}
	switch {
	case t.Answer == nil:
	case r.Key != "":
		s.sealAnswer(w, t.Ref, r, t.Answer)
	case len(t.Answer.Body) > 0:
		w.set(refKey(spaceAnswer, t.Ref), t.Answer.Body)
	}
	if !r.DueAt.IsZero() {
		w.set(dueKey(r.DueAt, t.Ref), nil)
	}
	s.tell(w, t, r, sum)
	w.setJSON(refKey(spaceRecord, t.Ref), r)
	count(sum, t, r.Size)
	return nil
}

// count adds a transition of a call to a tally; size is that of its body.
func count(sum *backlog.Tally, t backlog.Transition, size int64) {
	sum.Move(t.From, t.To)
	if t.From == call.StateQueued {
		sum.QueuedBytes -= size
	}
	if t.To == call.StateQueued {
		sum.QueuedBytes += size
	}
}

// depart removes the keys by which a call is found in the state that it leaves. A call cannot be sent or parked when it is not its turn, or it waits for one that it
// refers to.
func (s *Store) depart(w *writer, t backlog.Transition, r *record) error {
	if listed(t.From) {
		w.del(stateKey(t.From, t.Ref))
	}
	if t.From != call.StateQueued {
		return nil
	}
	turn, err := s.hasTurn(w.from, t.Ref, r)
	switch {
	case err != nil:
		return err
	case turn && len(r.Awaits) == 0:
		s.unready(w, t.Ref, r)
	case !ended(t.To):
		return fmt.Errorf("call %s waits for another one: %w", t.ID, backlog.ErrConflict)
	}
	return nil
}

// forget removes an ended call and returns the state it was in; none if it is to be kept for longer by now.
func (s *Store) forget(w *writer, ref backlog.Ref, now time.Time) (call.State, error) {
	r, err := readRecord(w.from, ref)
	if err != nil {
		return "", err
	}
	if !ended(r.State) {
		return "", fmt.Errorf("call %s is %s and cannot be forgotten: %w", ref.ID, r.State, backlog.ErrConflict)
	}
	if !now.IsZero() && r.DueAt.After(now) {
		return "", nil
	}
	w.del(refKey(spaceRecord, ref))
	w.del(refKey(spaceAnswer, ref))
	if r.State == call.StateDead {
		w.del(refKey(spaceBody, ref))
		w.del(stateKey(r.State, ref))
	}
	w.del(dueKey(r.DueAt, ref))
	if r.DedupeHash != nil {
		w.del(dedupeKey(ref.Integration, r.DedupeHash))
	}
	return r.State, nil
}

// record reads a call's record, or returns call.ErrUnknown.
func (s *Store) record(ref backlog.Ref) (*record, error) { return readRecord(s.db, ref) }

func readRecord(from pebble.Reader, ref backlog.Ref) (*record, error) {
	r := &record{}
	err := getJSON(from, refKey(spaceRecord, ref), r)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, call.ErrUnknown
	}
	return r, err
}
