// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Append implements backlog.Store. Concurrent callers share fsyncs.
func (s *Store) Append(e backlog.Entry) (id call.ID, seen bool, err error) {
	if e.DedupeKey != "" {
		release := s.lockKey(dedupeKey(e.Call.Integration, dedupeHash(e.DedupeKey)))
		defer release()
		if id, seen, err = s.seenBefore(e); seen || err != nil {
			return id, seen, err
		}
	}
	if err := s.room.take(len(e.Call.Body)); err != nil {
		return "", false, err
	}
	id, ordinal, err := s.arrive(e)
	if err != nil {
		return "", false, err
	}
	err = s.store(backlog.Ref{Integration: e.Call.Integration, ID: id}, e, newRecord(e, ordinal))
	s.arrived(backlog.Ref{Integration: e.Call.Integration, ID: id}, err == nil)
	return id, false, err
}

// lockKey waits until nobody else stores a call under the same key.
func (s *Store) lockKey(key []byte) (release func()) {
	for {
		s.mu.Lock()
		busy, found := s.keys[string(key)]
		if !found {
			done := make(chan struct{})
			s.keys[string(key)] = done
			s.mu.Unlock()
			return func() {
				s.mu.Lock()
				delete(s.keys, string(key))
				s.mu.Unlock()
				close(done)
			}
		}
		s.mu.Unlock()
		<-busy
	}
}

func (s *Store) seenBefore(e backlog.Entry) (call.ID, bool, error) {
	var first dedupe
	err := s.getJSON(dedupeKey(e.Call.Integration, dedupeHash(e.DedupeKey)), &first)
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		return "", false, nil
	case err != nil:
		return "", false, err
	case !bytes.Equal(first.Fingerprint, e.Fingerprint[:]):
		return "", false, call.ErrKeyReused
	}
	return first.ID, true, nil
}

// arrive gives the call its ID and its place in the queue.
func (s *Store) arrive(e backlog.Entry) (call.ID, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	integration := e.Call.Integration
	if s.tally(integration).Queued+s.arriving[integration] >= e.MaxQueued {
		return "", 0, backlog.ErrQueueFull
	}
	id, err := s.nextID(e.Call.AcceptedAt)
	if err != nil {
		return "", 0, err
	}
	s.arriving[integration]++
	s.ordinals[integration]++
	return id, s.ordinals[integration], nil
}

func (s *Store) arrived(ref backlog.Ref, stored bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arriving[ref.Integration]--
	if !stored {
		return
	}
	t := s.tally(ref.Integration)
	t.Accepted++
	t.Move("", call.StateQueued)
	s.queued(ref)
}

func (s *Store) store(ref backlog.Ref, e backlog.Entry, r *record) error {
	value, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode a call: %w", err)
	}
	sum := backlog.Tally{Accepted: 1}
	sum.Move("", call.StateQueued)
	w := writer{batch: s.db.NewBatch()}
	w.set(refKey(spaceRecord, ref), value)
	w.set(refKey(spaceBody, ref), e.Call.Body)
	w.set(refKey(spaceQueue, ref), nil)
	w.set(dueKey(r.DueAt, ref), nil)
	w.merge(tallyKey(ref.Integration), encodeTally(sum))
	if r.DedupeHash != nil {
		w.setJSON(dedupeKey(ref.Integration, r.DedupeHash), dedupe{ID: ref.ID, Fingerprint: e.Fingerprint[:]})
	}
	return w.commit(pebble.Sync)
}
