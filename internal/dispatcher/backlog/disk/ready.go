// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// group is the ready calls of one integration and kind. Those without any are forgotten, so that others can have a kind of their own.
type group struct {
	// front is where the search starts: before it are only tombstones.
	front call.ID
	// arrivals counts the calls that became ready: a search that began before one of them may not have seen it.
	arrivals uint64
	// arriving counts the calls that are being written.
	arriving int
	// departures counts the calls that were ready and are no more: a search that began before one of them may have found it.
	departures uint64
	// first is the ready call that was accepted first; nil if that has to be searched for.
	first *first
}

// first is a call that no other one of its group is before.
type first struct {
	id      call.ID
	ordinal int64
}

// groups are those of one integration.
type groups map[backlog.Kind]*group

// groupsOf returns an integration's groups. The caller holds the lock.
func (s *Store) groupsOf(integration string) groups {
	g := s.groups[integration]
	if g == nil {
		g = groups{}
		s.groups[integration] = g
	}
	return g
}

// ready writes that nothing but the limits holds a queued call back any more, unless it waits for one that it refers to. Once that is in effect, inEffect must be called.
func (s *Store) ready(w *writer, ref backlog.Ref, r *record) {
	if len(r.Awaits) > 0 { // it will be, once these have ended
		return
	}
	kind := r.ownKind()
	s.mu.Lock()
	all := s.groupsOf(ref.Integration)
	named := len(all)
	if all[backlog.Others] != nil {
		named--
	}
	r.Others = all[kind] == nil && named == backlog.MaxKinds-1
	kind = r.kind()
	if all[kind] == nil {
		all[kind] = &group{front: ref.ID}
	}
	all[kind].arriving++
	s.mu.Unlock()
	w.set(readyKey(ref, kind), nil)
	w.readied = append(w.readied, backlog.Ready{Integration: ref.Integration, Head: r.head(ref.ID)})
}

// unready writes that a call is not ready any more.
func (s *Store) unready(w *writer, ref backlog.Ref, r *record) {
	w.del(readyKey(ref, r.kind()))
	w.departed = append(w.departed, backlog.Ready{Integration: ref.Integration, Head: r.head(ref.ID)})
	i := slices.IndexFunc(w.readied, func(r backlog.Ready) bool { return r.Integration == ref.Integration && r.ID == ref.ID })
	if i >= 0 { // since the same batch
		s.readied(w.readied[i:i+1], false)
		w.readied = slices.Delete(w.readied, i, i+1)
	}
}

// inEffect notes what a batch has changed of the ready calls, if it was written.
func (s *Store) inEffect(w *writer, written bool) {
	s.readied(w.readied, written)
	s.departed(w.departed)
}

// readied notes that calls have become ready, if that was written: the search must not start behind them.
func (s *Store) readied(all []backlog.Ready, written bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range all {
		g := s.groupsOf(r.Integration)[r.Kind]
		g.arriving--
		if written {
			g.front = min(g.front, r.ID)
			g.arrivals++
			if g.first != nil && r.ID < g.first.id {
				g.first = nil
			}
		}
	}
}

// departed notes that calls are ready no more, after that was written.
func (s *Store) departed(all []backlog.Ready) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range all {
		if g := s.groupsOf(r.Integration)[r.Kind]; g != nil {
			g.departures++
			if g.first != nil && r.ID == g.first.id {
				g.first = nil
			}
		}
	}
}

// Kinds implements backlog.Store.
func (s *Store) Kinds(integration string) []backlog.Kind {
	s.mu.Lock()
	defer s.mu.Unlock()
	kinds := make([]backlog.Kind, 0, len(s.groups[integration]))
	for kind := range s.groups[integration] {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// Heads implements backlog.Store.
func (s *Store) Heads(integration string, kind backlog.Kind, after call.ID, n int) ([]backlog.Head, error) {
	ids, err := s.readyIDs(integration, kind, after, n)
	if err != nil {
		return nil, err
	}
	heads := make([]backlog.Head, 0, len(ids))
	for _, id := range ids {
		r, err := s.record(backlog.Ref{Integration: integration, ID: id})
		if err != nil {
			return nil, err
		}
		h := r.head(id)
		s.fillHead(integration, r, &h)
		heads = append(heads, h)
	}
	return heads, nil
}

func (s *Store) readyIDs(integration string, kind backlog.Kind, after call.ID, n int) (ids []call.ID, err error) {
	_, began := s.groupOf(integration, kind)
	from := max(began.front, after)
	upper := readyKey(backlog.Ref{Integration: integration, ID: "~"}, kind)
	err = s.scan(readyKey(backlog.Ref{Integration: integration, ID: from}, kind), upper, func(key, _ []byte) error {
		_, id, err := parseReadyKey(integration, key)
		if err != nil || id <= after {
			return err
		}
		ids = append(ids, id)
		if len(ids) == n {
			return errStop
		}
		return nil
	})
	// A call at after may be ready still: only a search that began before it tells where the group begins.
	if err == nil && (after == "" || after < began.front) {
		s.advance(integration, kind, began, ids)
	}
	return ids, err
}

// advance moves a group's front from where a search began to the first ready call that it found, or forgets the group if there was none, unless a call came
// into the group meanwhile.
func (s *Store) advance(integration string, kind backlog.Kind, began group, found []call.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[integration][kind]
	if g == nil || g.front != began.front || g.arrivals != began.arrivals || g.arriving > 0 {
		return
	}
	if len(found) == 0 {
		delete(s.groups[integration], kind)
		return
	}
	g.front = found[0]
}

// firstReady is the ready call of an integration that was accepted first; nil if there is none.
func (s *Store) firstReady(integration string) (least *first, err error) {
	for _, kind := range s.Kinds(integration) {
		f, err := s.firstOf(integration, kind)
		if err != nil {
			return nil, err
		}
		if f != nil && (least == nil || f.id < least.id) {
			least = f
		}
	}
	return least, nil
}

// firstOf is the first ready call of one kind; nil if there is none. Each call that is accepted asks for it, so it is not searched for again until it has gone.
func (s *Store) firstOf(integration string, kind backlog.Kind) (*first, error) {
	g, began := s.groupOf(integration, kind)
	if g == nil || began.first != nil {
		return began.first, nil
	}
	ids, err := s.readyIDs(integration, kind, "", 1)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	r, err := s.record(backlog.Ref{Integration: integration, ID: ids[0]})
	if err != nil {
		return nil, err
	}
	found := &first{id: ids[0], ordinal: r.Ordinal}
	s.mu.Lock()
	defer s.mu.Unlock()
	if g == s.groups[integration][kind] && g.arrivals == began.arrivals && g.departures == began.departures {
		g.first = found
	}
	return found, nil
}

// groupOf returns a group, nil if there is none, and what it is like now.
func (s *Store) groupOf(integration string, kind backlog.Kind) (g *group, now group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g = s.groups[integration][kind]; g != nil {
		now = *g
	}
	return g, now
}

// loadGroups finds the kinds of which calls are ready, from one to the next.
func (s *Store) loadGroups() error {
	for integration := range s.tallies {
		iter, err := s.db.NewIter(&pebble.IterOptions{LowerBound: integrationKey(spaceReady, integration), UpperBound: integrationEnd(spaceReady, integration)})
		if err != nil {
			return err
		}
		for valid := iter.First(); valid; {
			kind, id, err := parseReadyKey(integration, iter.Key())
			if err != nil {
				return errors.Join(err, iter.Close())
			}
			s.groupsOf(integration)[kind] = &group{front: id}
			valid = iter.SeekGE(readyKey(backlog.Ref{Integration: integration, ID: "~"}, kind))
		}
		if err := iter.Close(); err != nil {
			return err
		}
	}
	return nil
}
