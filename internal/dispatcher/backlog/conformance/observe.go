// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// observation is all that can be seen of a store.
type observation struct {
	Tallies  map[string]backlog.Tally
	Heads    map[string][]backlog.Head
	Results  map[backlog.Ref]call.Result
	Calls    map[backlog.Ref]call.Call
	Due      []backlog.Due
	Restored backlog.Restored
	Secrets  map[string][]byte
}

func newObservation() observation {
	return observation{
		Tallies: map[string]backlog.Tally{}, Heads: map[string][]backlog.Head{},
		Results: map[backlog.Ref]call.Result{}, Calls: map[backlog.Ref]call.Call{}, Secrets: map[string][]byte{},
	}
}

// observe looks at a store through every method; refs are all calls there ever were.
func observe(t *rapid.T, s backlog.Store, refs []backlog.Ref) observation {
	o := newObservation()
	must := func(err error) {
		if err != nil {
			t.Fatalf("the store does not answer: %v", err)
		}
	}
	for integration, tally := range s.Tallies() {
		if tally != (backlog.Tally{}) {
			o.Tallies[integration] = tally
		}
	}
	for _, integration := range integrations {
		heads, err := s.Heads(integration, "", 3)
		must(err)
		for n := len(heads); n == 3; n = len(heads) % 3 { // in pages, until one is not full
			more, err := s.Heads(integration, heads[len(heads)-1].ID, 3)
			must(err)
			if len(more) == 0 {
				break
			}
			heads = append(heads, more...)
		}
		if len(heads) > 0 {
			o.Heads[integration] = heads
		}
	}
	for _, ref := range refs {
		r, err := s.Result(ref)
		if errors.Is(err, call.ErrUnknown) {
			continue
		}
		must(err)
		o.Results[ref] = r
		c, err := s.Call(ref)
		if errors.Is(err, call.ErrUnknown) {
			continue
		}
		must(err)
		o.Calls[ref] = *c
	}
	var err error
	o.Due, _, err = s.Due(endOfTime, len(refs)+1)
	must(err)
	o.Restored, err = s.Restore()
	must(err)
	o.Restored.Volume = "" // each run compares it with its own
	for _, name := range secretNames {
		sealed, err := s.Kept(name)
		must(err)
		if sealed != nil {
			o.Secrets[name] = sealed
		}
	}
	return o
}

// observe looks at the model in the same way.
func (m *model) observe() observation {
	o := newObservation()
	for integration, tally := range m.tallies {
		if tally != (backlog.Tally{}) {
			o.Tallies[integration] = tally
		}
	}
	for _, integration := range integrations {
		for _, c := range m.queued(integration) {
			o.Heads[integration] = append(o.Heads[integration], c.head)
		}
	}
	type when struct {
		at  time.Time
		due backlog.Due
	}
	var due []when
	for ref, c := range m.calls {
		if c.result.State == call.StateQueued {
			c.result.Ahead = c.ordinal - m.queued(ref.Integration)[0].ordinal
		}
		o.Results[ref] = c.result
		if !ended(c.result.State) {
			o.Calls[ref] = c.call
		}
		if !c.due.IsZero() {
			due = append(due, when{c.due, backlog.Due{Ref: ref, State: c.result.State, Reason: c.result.Reason}})
		}
	}
	slices.SortFunc(due, func(a, b when) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.due.Integration, b.due.Integration), cmp.Compare(a.due.ID, b.due.ID))
	})
	for _, d := range due {
		o.Due = append(o.Due, d.due)
	}
	o.Restored = m.restored()
	maps.Copy(o.Secrets, m.secrets)
	return o
}

func ended(s call.State) bool {
	return s == call.StateSucceeded || s == call.StateFailed || s == call.StateDead
}
