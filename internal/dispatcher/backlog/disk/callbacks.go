// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/oklog/ulid/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// callback is what is stored of one; its integration and endpoint stand in the key.
type callback struct {
	ID         call.ID    `json:"id"`
	Number     int        `json:"number"`
	State      call.State `json:"state"`
	Status     int        `json:"status,omitempty"`
	AcceptedAt time.Time  `json:"acceptedAt"`
	At         time.Time  `json:"at"`
	Attempts   int        `json:"attempts,omitempty"`
	Due        time.Time  `json:"due"`
}

func tellQueueKey(q backlog.CallbackQueue) []byte {
	return append(append(integrationKey(spaceTell, q.Integration), q.Endpoint...), sep)
}

// tellQueueEnd is above every key of the queue.
func tellQueueEnd(q backlog.CallbackQueue) []byte {
	key := tellQueueKey(q)
	key[len(key)-1] = sep + 1
	return key
}

func tellKey(c backlog.Callback) []byte {
	key := binary.BigEndian.AppendUint64(tellQueueKey(backlog.CallbackQueue{Integration: c.Integration, Endpoint: c.Endpoint}), dueMillis(c.Due))
	return binary.BigEndian.AppendUint32(append(key, c.ID...), uint32(c.Number)) //nolint:gosec // a call has few
}

// parseTellQueue reads the queue that a key of spaceTell is in.
func parseTellQueue(key []byte) (backlog.CallbackQueue, error) {
	integration, rest, hasIntegration := bytes.Cut(key[1:], []byte{sep})
	endpoint, _, hasEndpoint := bytes.Cut(rest, []byte{sep})
	if !hasIntegration || !hasEndpoint {
		return backlog.CallbackQueue{}, malformed(key)
	}
	return backlog.CallbackQueue{Integration: string(integration), Endpoint: string(endpoint)}, nil
}

// told are the states that a receiver is told of: the ends, and the one that needs a person.
func told(s call.State) bool { return ended(s) || s == call.StateParked }

// tell stores the callback that a transition calls for, if there is one.
func (s *Store) tell(w *writer, t backlog.Transition, r *record, sum *backlog.Tally) {
	if r.Callback == "" || !told(t.To) {
		return
	}
	r.Callbacks++
	if s.Tally(t.Integration).CallbacksWaiting+sum.CallbacksWaiting >= backlog.MaxCallbacks {
		sum.CallbacksGivenUp++
		return
	}
	sum.CallbacksWaiting++
	c := backlog.Callback{Ref: t.Ref, Endpoint: r.Callback, Number: r.Callbacks, State: t.To, AcceptedAt: r.AcceptedAt, At: t.At, Due: t.At}
	if t.Answer != nil {
		c.Status = t.Answer.Status
	}
	w.told = append(w.told, string(tellKey(c)))
	w.setCallback(c)
}

func (w *writer) setCallback(c backlog.Callback) {
	w.setJSON(tellKey(c), callback{
		ID: c.ID, Number: c.Number, State: c.State, Status: c.Status, AcceptedAt: c.AcceptedAt, At: c.At, Attempts: c.Attempts, Due: c.Due,
	})
}

// hide keeps callbacks from being read until reveal is called. Commits are one at a time.
func (s *Store) hide(keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		s.hidden[key] = true
	}
}

// reveal shows the callbacks that are durable by now, and wakes who tells receivers.
func (s *Store) reveal() {
	s.mu.Lock()
	some := len(s.hidden) > 0
	clear(s.hidden)
	s.mu.Unlock()
	if !some {
		return
	}
	select {
	case s.told <- struct{}{}:
	default: // it is awake
	}
}

func (s *Store) isHidden(key []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hidden[string(key)]
}

// CallbacksStored implements backlog.Callbacks.
func (s *Store) CallbacksStored() <-chan struct{} { return s.told }

// CallbackQueues implements backlog.Callbacks.
func (s *Store) CallbackQueues() (all []backlog.CallbackQueue, err error) {
	iter, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceTell}, UpperBound: []byte{spaceTell + 1}})
	if err != nil {
		return nil, err
	}
	for valid := iter.First(); valid; {
		q, err := parseTellQueue(iter.Key())
		if err != nil {
			return nil, errors.Join(err, iter.Close())
		}
		all = append(all, q)
		valid = iter.SeekGE(tellQueueEnd(q))
	}
	return all, iter.Close()
}

// Callbacks implements backlog.Callbacks.
func (s *Store) Callbacks(q backlog.CallbackQueue, n int) (all []backlog.Callback, err error) {
	err = s.scan(tellQueueKey(q), tellQueueEnd(q), func(key, value []byte) error {
		switch {
		case len(all) == n:
			return errStop
		case s.isHidden(key):
			return nil
		}
		var c callback
		if err := json.Unmarshal(value, &c); err != nil {
			return fmt.Errorf("the store holds a malformed value under %q: %w", key, err)
		}
		found := backlog.Callback{
			Ref: backlog.Ref{Integration: q.Integration, ID: c.ID}, Endpoint: q.Endpoint, Number: c.Number,
			State: c.State, Status: c.Status, AcceptedAt: c.AcceptedAt, At: c.At, Attempts: c.Attempts, Due: c.Due,
		}
		if !bytes.Equal(tellKey(found), key) { // it could never be removed
			return fmt.Errorf("the store holds a malformed value under %q", key)
		}
		all = append(all, found)
		return nil
	})
	return all, err
}

// PostponeCallback implements backlog.Callbacks.
func (s *Store) PostponeCallback(c backlog.Callback, due time.Time) error {
	return s.changeCallbacks([]backlog.Callback{c}, func(w *writer, c backlog.Callback) backlog.Tally {
		c.Attempts++
		c.Due = due
		w.setCallback(c)
		return backlog.Tally{}
	})
}

// EndCallback implements backlog.Callbacks.
func (s *Store) EndCallback(c backlog.Callback, how backlog.CallbackEnd) error {
	return s.changeCallbacks([]backlog.Callback{c}, func(*writer, backlog.Callback) backlog.Tally {
		if how == backlog.CallbackDelivered {
			return backlog.Tally{CallbacksWaiting: -1, CallbacksDelivered: 1}
		}
		return backlog.Tally{CallbacksWaiting: -1, CallbacksGivenUp: 1}
	})
}

// changeCallbacks removes the callbacks of one integration that are still there, and has something written in the place of each. Nothing of it is synced.
func (s *Store) changeCallbacks(all []backlog.Callback, change func(*writer, backlog.Callback) backlog.Tally) error {
	defer s.endOnPanic()
	s.telling.Lock()
	defer s.telling.Unlock()
	w := writer{batch: s.db.NewBatch(), from: s.db}
	var sum backlog.Tally
	for _, c := range all {
		_, err := s.get(tellKey(c))
		if errors.Is(err, pebble.ErrNotFound) { // it was given up meanwhile
			continue
		}
		w.keep(err)
		w.del(tellKey(c))
		sum.Add(change(&w, c))
	}
	if sum != (backlog.Tally{}) {
		w.merge(tallyKey(all[0].Integration), encodeTally(sum))
	}
	if err := w.commit(pebble.NoSync); err != nil {
		return fmt.Errorf("change callbacks: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally(all[0].Integration).Add(sum)
	return nil
}

// eraseCallbacks gives up those of an integration that tell of calls of days before that one.
func (s *Store) eraseCallbacks(integration, day string) error {
	queues, err := s.CallbackQueues()
	if err != nil {
		return err
	}
	for _, q := range queues {
		if q.Integration != integration {
			continue
		}
		waiting, err := s.Callbacks(q, backlog.MaxCallbacks)
		if err != nil {
			return err
		}
		var gone []backlog.Callback
		for _, c := range waiting {
			if id, err := ulid.ParseStrict(string(c.ID)); err == nil && dayOf(id) < day {
				gone = append(gone, c)
			}
		}
		if len(gone) == 0 {
			continue
		}
		err = s.changeCallbacks(gone, func(*writer, backlog.Callback) backlog.Tally {
			return backlog.Tally{CallbacksWaiting: -1, CallbacksGivenUp: 1}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
