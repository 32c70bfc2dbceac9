// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/oklog/ulid/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/sealing"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Append implements backlog.Store. Concurrent callers share fsyncs.
func (s *Store) Append(e backlog.Entry) (backlog.Appended, error) {
	defer s.endOnPanic()
	if e.DedupeKey != "" {
		release := s.lockKey(dedupeKey(e.Call.Integration, dedupeHash(e.DedupeKey)))
		defer release()
		if first, seen, err := s.seenBefore(e); seen || err != nil {
			return backlog.Appended{ID: first, Seen: seen}, err
		}
	}
	if err := s.room.take(len(e.Call.Body)); err != nil {
		return backlog.Appended{}, err
	}
	if err := s.raise(needs(e.Call)); err != nil {
		return backlog.Appended{}, err
	}
	s.keyring.use.enter()
	defer s.keyring.use.leave()
	if e.Call.OrderKey == "" && len(e.Call.References) == 0 {
		return s.append(e, pebble.Sync)
	}
	// The first call of a day has a key made, which is synced: not while others wait for their turns.
	if _, _, err := s.sealingKey(e.Call.Integration, e.Call.AcceptedAt.UTC().Format(time.DateOnly)); err != nil {
		return backlog.Appended{}, err
	}
	a, err := s.appendInOrder(e)
	if err != nil {
		return a, err
	}
	return a, s.sync()
}

// appendInOrder stores a call with an ordering key or references, not durably yet: calls with one key come into effect in the order of their IDs, none that is
// referred to ends meanwhile, and they share fsyncs still.
func (s *Store) appendInOrder(e backlog.Entry) (backlog.Appended, error) {
	s.turns.Lock()
	defer s.turns.Unlock()
	if err := s.checkReferences(e.Call); err != nil {
		return backlog.Appended{}, err
	}
	return s.append(e, pebble.NoSync)
}

// sync makes durable what is in effect.
func (s *Store) sync() error { return s.db.LogData(nil, pebble.Sync) }

// append stores a call. The caller is in the doorway of the data keys.
func (s *Store) append(e backlog.Entry, sync *pebble.WriteOptions) (backlog.Appended, error) {
	id, ordinal, err := s.arrive(e)
	if err != nil {
		return backlog.Appended{}, err
	}
	key, name, err := s.sealingKey(e.Call.Integration, dayOf(ulid.MustParseStrict(string(id))))
	if err != nil {
		s.arrived(e.Call.Integration, int64(len(e.Call.Body)), false)
		return backlog.Appended{}, err
	}
	w := writer{batch: s.db.NewBatch(), from: s.db}
	ref, r := backlog.Ref{Integration: e.Call.Integration, ID: id}, newRecord(e, ordinal)
	s.store(&w, ref, e, r, key, name)
	err = w.commit(sync)
	s.inEffect(&w, err == nil)
	s.arrived(ref.Integration, r.Size, err == nil)
	if err != nil {
		return backlog.Appended{}, err
	}
	return backlog.Appended{ID: id, Ready: len(w.readied) > 0, Kind: r.kind(), Result: func() call.Result { return s.resultOfNew(ref, r) }}, nil
}

// resultOfNew is what is known of a call that is stored. It is that whatever happens here: what cannot be read is left out.
func (s *Store) resultOfNew(ref backlog.Ref, r *record) call.Result {
	result, err := s.resultOf(ref, r)
	if err != nil {
		result = r.result(ref)
		result.Turns = call.UnknownTurns
	}
	return result
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
	}
	fingerprint := e.Fingerprint[:]
	if first.Key != "" {
		key, err := s.dataKey(e.Call.Integration, first.Key)
		if errors.Is(err, backlog.ErrErased) { // with which request the key came is not known any more
			return first.ID, true, nil
		}
		if err != nil {
			return "", false, err
		}
		fingerprint = key.Fingerprint(fingerprint)
	}
	if !bytes.Equal(first.Fingerprint, fingerprint) {
		return "", false, call.ErrKeyReused
	}
	return first.ID, true, nil
}

// arrive gives the call its ID and its place in the queue.
func (s *Store) arrive(e backlog.Entry) (call.ID, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	integration := e.Call.Integration
	size, arriving, t := int64(len(e.Call.Body)), s.arriving[integration], s.tally(integration)
	if t.Queued+arriving.calls >= e.MaxQueued {
		return "", 0, backlog.ErrQueueFull
	}
	if e.MaxBytes > 0 && t.QueuedBytes+arriving.bytes+size > e.MaxBytes {
		return "", 0, backlog.ErrQueueLarge
	}
	id, err := s.nextID(e.Call.AcceptedAt)
	if err != nil {
		return "", 0, err
	}
	arriving.calls++
	arriving.bytes += size
	s.arriving[integration] = arriving
	s.ordinals[integration]++
	return id, s.ordinals[integration], nil
}

func (s *Store) arrived(integration string, size int64, stored bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	arriving := s.arriving[integration]
	arriving.calls--
	arriving.bytes -= size
	s.arriving[integration] = arriving
	if stored {
		s.tally(integration).Add(accepted(size))
	}
}

// accepted is what a new call adds to the tally.
func accepted(size int64) backlog.Tally {
	t := backlog.Tally{Accepted: 1, QueuedBytes: size}
	t.Move("", call.StateQueued)
	return t
}

// store writes a new call, encrypted if there is a key.
func (s *Store) store(w *writer, ref backlog.Ref, e backlog.Entry, r *record, key *sealing.Key, name string) {
	w.keep(s.enter(w, ref, r))
	place, fingerprint := refKey(spaceBody, ref), e.Fingerprint[:]
	if key != nil {
		sealContents(w, place, key, r.Header, e.Call.Body)
		r.Key, r.Header, fingerprint = name, nil, key.Fingerprint(fingerprint)
	} else {
		w.set(place, e.Call.Body)
	}
	w.setJSON(refKey(spaceRecord, ref), r)
	w.set(dueKey(r.DueAt, ref), nil)
	w.merge(tallyKey(ref.Integration), encodeTally(accepted(r.Size)))
	if r.DedupeHash != nil {
		w.setJSON(dedupeKey(ref.Integration, r.DedupeHash), dedupe{ID: ref.ID, Fingerprint: fingerprint, Key: r.Key})
	}
}
