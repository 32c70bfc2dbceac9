// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// errTurns: how many calls have to end before another one cannot be said.
var errTurns = errors.New("one is parked, or there are too many")

// maxRead is how many calls are read from the store for a count. One that stands in line is not, and costs a hundredth.
const maxRead = 64

// turns counts the calls that have to end, one after the other, before a queued one can be sent: some, since clients ask again and again.
type turns struct {
	store *Store
	// inLine is how many more calls are counted in lines, read how many more are read.
	inLine, read int64
}

// turnsBefore is call.UnknownTurns where the number cannot be said.
func (s *Store) turnsBefore(ref backlog.Ref, r *record) (int64, error) {
	t := turns{store: s, inLine: backlog.MaxLine, read: maxRead}
	n, err := t.before(ref, r)
	if errors.Is(err, errTurns) {
		return call.UnknownTurns, nil
	}
	return n, err
}

// before follows the longest of the ways back from a call.
func (t *turns) before(ref backlog.Ref, r *record) (longest int64, err error) {
	for _, id := range r.Awaits {
		n, err := t.with(backlog.Ref{Integration: ref.Integration, ID: id})
		if err != nil {
			return 0, err
		}
		longest = max(longest, n)
	}
	if r.OrderKey == "" {
		return longest, nil
	}
	holds, found, err := t.store.turn(t.store.db, ref.Integration, r.OrderKey)
	if err != nil || !found || holds.holder == ref.ID {
		return longest, err
	}
	inLine, err := t.store.inLine(ref, r.OrderKey, holds, t.inLine+1)
	if t.inLine -= inLine; err == nil && t.inLine < 0 {
		err = errTurns
	}
	if err != nil {
		return 0, err
	}
	n, err := t.with(backlog.Ref{Integration: ref.Integration, ID: holds.holder})
	return max(longest, n+inLine), err
}

// with is before, and the call itself.
func (t *turns) with(ref backlog.Ref) (int64, error) {
	if t.read--; t.read < 0 {
		return 0, errTurns
	}
	r, err := t.store.record(ref)
	switch {
	case errors.Is(err, call.ErrUnknown) || err == nil && ended(r.State): // it went on since the counting began
		return 0, nil
	case err != nil:
		return 0, err
	case r.State == call.StateParked:
		return 0, errTurns
	case r.State == call.StateSent:
		return 1, nil
	}
	n, err := t.before(ref, r)
	return n + 1, err
}

// inLine counts the calls that stand in line before a call, to at most n.
func (s *Store) inLine(before backlog.Ref, orderKey string, t turn, n int64) (count int64, err error) {
	lower := lineKey(backlog.Ref{Integration: before.Integration, ID: t.front}, orderKey)
	err = s.scan(lower, lineKey(before, orderKey), func(_, _ []byte) error {
		if count == n {
			return errStop
		}
		count++
		return nil
	})
	return count, err
}

// Line implements backlog.Store.
func (s *Store) Line(integration, orderKey string, n int64) (int64, error) {
	t, found, err := s.turn(s.db, integration, orderKey)
	if err != nil || !found || n <= 0 {
		return 0, err
	}
	count, err := s.inLine(backlog.Ref{Integration: integration, ID: "~"}, orderKey, t, n-1)
	return count + 1, err
}
