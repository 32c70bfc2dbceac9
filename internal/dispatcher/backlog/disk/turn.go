// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// turn says which of the calls with one ordering key may be sent next, is sent, or is parked. The queued ones whose turn it is not stand in line. Who reads a turn
// in order to change it holds the lock of turns until that is in effect.
type turn struct {
	holder call.ID
	// front is where the search in the line starts: before it are only tombstones.
	front call.ID
}

func (s *Store) turn(from pebble.Reader, integration, orderKey string) (t turn, found bool, err error) {
	value, err := getFrom(from, turnKey(integration, orderKey))
	if errors.Is(err, pebble.ErrNotFound) {
		return turn{}, false, nil
	}
	holder, front, whole := strings.Cut(string(value), " ")
	if err == nil && !whole {
		err = fmt.Errorf("the store holds a malformed turn %q", value)
	}
	return turn{holder: call.ID(holder), front: call.ID(front)}, err == nil, err
}

func (w *writer) setTurn(integration, orderKey string, t turn) {
	w.set(turnKey(integration, orderKey), []byte(string(t.holder)+" "+string(t.front)))
}

// hasTurn says whether no other call with its ordering key keeps a call from being ready.
func (s *Store) hasTurn(from pebble.Reader, ref backlog.Ref, r *record) (bool, error) {
	if r.OrderKey == "" {
		return true, nil
	}
	t, _, err := s.turn(from, ref.Integration, r.OrderKey)
	return t.holder == ref.ID, err
}

// enter writes that a call is queued: it is ready, stands in line, or waits for calls that it refers to.
func (s *Store) enter(w *writer, ref backlog.Ref, r *record) error {
	if err := s.await(w, ref, r); err != nil {
		return err
	}
	if r.OrderKey == "" {
		s.ready(w, ref, r)
		return nil
	}
	t, found, err := s.turn(w.from, ref.Integration, r.OrderKey)
	switch {
	case err != nil:
		return err
	case !found:
		w.setTurn(ref.Integration, r.OrderKey, turn{holder: ref.ID, front: ref.ID})
	case t.holder == ref.ID: // it was sent or parked, and earlier ones may have been queued again meanwhile
		first, err := s.firstInLine(w.from, ref.Integration, r.OrderKey, t)
		if err != nil {
			return err
		}
		if first.ID != "" && first.ID < ref.ID {
			w.set(lineKey(ref, r.OrderKey), nil)
			return s.takeTurn(w, first, r.OrderKey)
		}
	case t.holder > ref.ID: // it was dead
		gives, err := s.giveWay(w, backlog.Ref{Integration: ref.Integration, ID: t.holder}, r.OrderKey)
		if err != nil || !gives {
			w.line(ref, r.OrderKey, t)
			return err
		}
		w.setTurn(ref.Integration, r.OrderKey, turn{holder: ref.ID, front: t.holder})
	default:
		w.line(ref, r.OrderKey, t)
		return nil
	}
	s.ready(w, ref, r)
	return nil
}

// line puts a call into the line.
func (w *writer) line(ref backlog.Ref, orderKey string, t turn) {
	w.set(lineKey(ref, orderKey), nil)
	if ref.ID < t.front {
		t.front = ref.ID
		w.setTurn(ref.Integration, orderKey, t)
	}
}

// firstInLine returns the call that was accepted first of those in line; its ID is empty if there is none.
func (s *Store) firstInLine(from pebble.Reader, integration, orderKey string, t turn) (first backlog.Ref, err error) {
	first.Integration = integration
	lower, id := lineKey(backlog.Ref{Integration: integration, ID: t.front}, orderKey), len(t.front)
	err = scan(from, lower, lineEnd(integration, orderKey), func(key, _ []byte) error {
		first.ID = call.ID(key[len(lower)-id:])
		return errStop
	})
	return first, err
}

// giveWay puts a ready call back into the line because one that was accepted before is queued again. A call that is sent or parked keeps its turn.
func (s *Store) giveWay(w *writer, holder backlog.Ref, orderKey string) (bool, error) {
	r, err := readRecord(w.from, holder)
	if err != nil || r.State != call.StateQueued {
		return false, err
	}
	s.unready(w, holder, r)
	w.set(lineKey(holder, orderKey), nil)
	return true, nil
}

// leave writes that a call with an ordering key has ended: if it was its turn, that is the next one's.
func (s *Store) leave(w *writer, ref backlog.Ref, r *record) error {
	if r.OrderKey == "" {
		return nil
	}
	t, _, err := s.turn(w.from, ref.Integration, r.OrderKey)
	if err != nil {
		return err
	}
	if t.holder != ref.ID {
		w.del(lineKey(ref, r.OrderKey))
		return nil
	}
	next, err := s.firstInLine(w.from, ref.Integration, r.OrderKey, t)
	if err != nil {
		return err
	}
	if next.ID == "" {
		w.del(turnKey(ref.Integration, r.OrderKey))
		return nil
	}
	return s.takeTurn(w, next, r.OrderKey)
}

// takeTurn takes the first one out of the line.
func (s *Store) takeTurn(w *writer, ref backlog.Ref, orderKey string) error {
	r, err := readRecord(w.from, ref)
	if err != nil {
		return err
	}
	w.del(lineKey(ref, orderKey))
	w.setTurn(ref.Integration, orderKey, turn{holder: ref.ID, front: ref.ID})
	s.ready(w, ref, r)
	w.setJSON(refKey(spaceRecord, ref), r) // the kind under which it is ready
	return nil
}
