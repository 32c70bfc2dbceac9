// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Call implements backlog.Store.
func (s *Store) Call(ref backlog.Ref) (*call.Call, error) {
	r, err := s.record(ref)
	if err != nil {
		return nil, err
	}
	if ended(r.State) {
		return nil, call.ErrUnknown
	}
	c, err := s.callOf(ref, r)
	if err == nil {
		err = s.fill(c)
	}
	return c, err
}

// Request implements backlog.Store.
func (s *Store) Request(ref backlog.Ref) (*call.Call, error) {
	r, err := s.record(ref)
	if err != nil {
		return nil, err
	}
	c, err := s.callOf(ref, r)
	if errors.Is(err, pebble.ErrNotFound) || errors.Is(err, backlog.ErrErased) {
		return nil, call.ErrBodyGone
	}
	return c, err
}

func (s *Store) callOf(ref backlog.Ref, r *record) (*call.Call, error) {
	header, body, err := s.request(ref, r)
	if err != nil {
		return nil, fmt.Errorf("read the body of call %s: %w", ref.ID, err)
	}
	return &call.Call{
		ID: ref.ID, Integration: ref.Integration, Client: r.Client, Operation: r.Operation, Method: r.Method, Target: r.Target,
		Header: header, Body: body, Counts: r.Counts, OrderKey: r.OrderKey, Urgency: r.Urgency, References: r.References, Callback: r.Callback, Repeat: r.repeat(),
		AcceptedAt: r.AcceptedAt, Expires: r.Expires,
	}, nil
}

// Result implements backlog.Store. Ahead is an upper bound: it counts calls that ended before their turn, too.
func (s *Store) Result(ref backlog.Ref) (call.Result, error) {
	r, err := s.record(ref)
	if err != nil {
		return call.Result{}, err
	}
	return s.resultOf(ref, r)
}

func (s *Store) resultOf(ref backlog.Ref, r *record) (result call.Result, err error) {
	result = r.result(ref)
	if r.Answer != nil {
		result.Status, result.Composed = r.Answer.Status, r.Answer.Composed
		result.Header, result.Body, err = s.answer(ref, r)
		if errors.Is(err, backlog.ErrErased) {
			result.Reason, err = backlog.Erased, nil
		}
	}
	if err == nil && r.State == call.StateQueued {
		result.Ahead, err = s.ahead(ref.Integration, r.Ordinal)
	}
	if err == nil && r.State == call.StateQueued {
		result.Turns, err = s.turnsBefore(ref, r)
	}
	switch {
	case err != nil || r.State != call.StateQueued:
	case len(r.Awaits) > 0:
		result.Behind = r.Awaits[0]
	case r.OrderKey != "":
		result.Behind, err = s.behind(ref, r.OrderKey)
	}
	return result, err
}

// behind is the call whose turn it is, if that is another one.
func (s *Store) behind(ref backlog.Ref, orderKey string) (call.ID, error) {
	t, _, err := s.turn(s.db, ref.Integration, orderKey)
	if t.holder == ref.ID {
		return "", err
	}
	return t.holder, err
}

func (r *record) result(ref backlog.Ref) call.Result {
	return call.Result{
		ID: ref.ID, Integration: ref.Integration, Method: r.Method, Target: r.Target, State: r.State, Reason: r.Reason,
		AcceptedAt: r.AcceptedAt, EndedAt: r.EndedAt,
	}
}

// List implements backlog.Store.
func (s *Store) List(integration string, state call.State, after call.ID, n int) (all []call.Result, err error) {
	prefix := stateKey(state, backlog.Ref{Integration: integration})
	lower := stateKey(state, backlog.Ref{Integration: integration, ID: after})
	err = s.scan(lower, stateKey(state, backlog.Ref{Integration: integration, ID: "~"}), func(key, _ []byte) error {
		ref := backlog.Ref{Integration: integration, ID: call.ID(key[len(prefix):])}
		if ref.ID <= after {
			return nil
		}
		if len(all) == n {
			return errStop
		}
		r, err := s.record(ref)
		if errors.Is(err, call.ErrUnknown) || err == nil && r.State != state { // it went on since the scan began
			return nil
		}
		all = append(all, r.result(ref))
		return err
	})
	return all, err
}

// Holds implements backlog.Store.
func (s *Store) Holds(ref backlog.Ref) (bytes int64, held bool, err error) {
	r, err := s.record(ref)
	if err != nil {
		return 0, false, err
	}
	_, err = s.get(refKey(spaceBody, ref))
	if err == nil && r.Key != "" {
		_, err = s.get(dataKeyKey(ref.Integration, r.Key))
	}
	if errors.Is(err, pebble.ErrNotFound) {
		return r.Size, false, nil
	}
	return r.Size, err == nil, err
}

func (s *Store) ahead(integration string, ordinal int64) (int64, error) {
	f, err := s.firstReady(integration)
	if err != nil || f == nil {
		return 0, err
	}
	return max(0, ordinal-f.ordinal), nil
}

// Due implements backlog.Store.
func (s *Store) Due(at time.Time, n int) (due []backlog.Due, next time.Time, err error) {
	err = s.scan([]byte{spaceDue}, []byte{spaceDue + 1}, func(key, _ []byte) error {
		when, ref, err := parseDueKey(key)
		if err != nil {
			return err
		}
		if when.After(at) || len(due) == n {
			next = when
			return errStop
		}
		r, err := s.record(ref)
		if err != nil {
			return err
		}
		due = append(due, backlog.Due{Ref: ref, State: r.State, Reason: r.Reason})
		return nil
	})
	return due, next, err
}

// Erased implements backlog.Store.
func (s *Store) Erased(integration string, after, until call.ID, n int) (erased []backlog.Due, last call.ID, err error) {
	prefix := integrationKey(spaceRecord, integration)
	lower := refKey(spaceRecord, backlog.Ref{Integration: integration, ID: after})
	err = s.scan(lower, integrationEnd(spaceRecord, integration), func(key, value []byte) error {
		id := call.ID(key[len(prefix):])
		if id > until || n == 0 {
			return errStop
		}
		if id == after {
			return nil
		}
		n--
		last = id
		r := record{}
		if err := json.Unmarshal(value, &r); err != nil {
			return fmt.Errorf("the store holds a malformed value under %q: %w", key, err)
		}
		if r.Key == "" || r.State != call.StateQueued && r.State != call.StateParked {
			return nil
		}
		_, err := s.get(dataKeyKey(integration, r.Key))
		if errors.Is(err, pebble.ErrNotFound) {
			ref := backlog.Ref{Integration: integration, ID: id}
			erased, err = append(erased, backlog.Due{Ref: ref, State: r.State, Reason: r.Reason}), nil
		}
		return err
	})
	return erased, last, err
}

// Restore implements backlog.Store.
func (s *Store) Restore() (backlog.Restored, error) {
	r := backlog.Restored{}
	volume, err := s.get(keyVolume)
	if err != nil {
		return r, err
	}
	r.Volume = string(volume)
	for key, to := range map[string]*[]byte{string(keyPlan): &r.Plan, string(keyMemory): &r.Memory} {
		value, err := s.get([]byte(key))
		if err != nil && !errors.Is(err, pebble.ErrNotFound) {
			return r, err
		}
		*to = slices.Clip(value)
	}
	if r.Clock, err = s.Clock(); err != nil {
		return r, err
	}
	keep := func(c backlog.Charge, value []byte) error {
		if err := json.Unmarshal(value, &c); err != nil {
			return fmt.Errorf("the store holds a malformed charge: %w", err)
		}
		r.Charges = append(r.Charges, c)
		return nil
	}
	err = s.scan([]byte{spaceEnded}, []byte{spaceEnded + 1}, func(key, value []byte) error {
		end, err := parseEndedKey(key)
		if err != nil {
			return err
		}
		return keep(backlog.Charge{End: end}, value)
	})
	if err != nil {
		return r, err
	}
	open := len(r.Charges)
	err = s.scan([]byte{spaceOpen}, []byte{spaceOpen + 1}, func(_, value []byte) error {
		return keep(backlog.Charge{Open: true}, value)
	})
	if err != nil {
		return r, err
	}
	if r.Sent, err = s.sentCalls(r.Charges[open:]); err != nil {
		return r, err
	}
	r.Bulks, err = s.bulks()
	return r, err
}

// Clock is the reading that was committed last; the zero Clock if none was.
func (s *Store) Clock() (c backlog.Clock, err error) {
	if err = s.getJSON(keyClock, &c); errors.Is(err, pebble.ErrNotFound) {
		return c, nil
	}
	return c, err
}

// sentCalls are the acknowledged calls among the open charges that are on their way. The charge of a call that has ended is open as long as the rest of a long answer
// comes in, and one that is sent again meanwhile has two.
func (s *Store) sentCalls(open []backlog.Charge) (sent []backlog.SentCall, err error) {
	known := map[backlog.Ref]bool{}
	for _, c := range open {
		ref := backlog.Ref{Integration: c.Integration, ID: c.Call}
		if c.Call == "" || known[ref] {
			continue
		}
		known[ref] = true
		r, err := s.record(ref)
		if errors.Is(err, call.ErrUnknown) { // it was erased after it had ended
			continue
		}
		if err != nil {
			return nil, err
		}
		if r.State == call.StateSent {
			sent = append(sent, backlog.SentCall{Ref: ref, Head: r.head(ref.ID)})
		}
	}
	return sent, nil
}
