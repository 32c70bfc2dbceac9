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
	Tallies map[string]backlog.Tally
	Heads   map[string][]backlog.Head
	Results map[backlog.Ref]call.Result
	Lists   map[string][]call.ID
	// Lines are how many calls of an integration and an ordering key have not ended.
	Lines map[string]int64
	Calls map[backlog.Ref]call.Call
	// Bodies has their sizes, -1 for one that is gone.
	Bodies   map[backlog.Ref]int64
	Due      []backlog.Due
	Restored backlog.Restored
	Secrets  map[string][]byte
	// Callbacks that wait.
	Callbacks map[backlog.CallbackQueue][]backlog.Callback
}

func newObservation() observation {
	return observation{
		Tallies: map[string]backlog.Tally{}, Heads: map[string][]backlog.Head{},
		Results: map[backlog.Ref]call.Result{}, Lists: map[string][]call.ID{}, Calls: map[backlog.Ref]call.Call{}, Bodies: map[backlog.Ref]int64{},
		Secrets: map[string][]byte{}, Callbacks: map[backlog.CallbackQueue][]backlog.Callback{},
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
	o.Lines = lines(func(integration, orderKey string) int64 {
		n, err := s.Line(integration, orderKey, manyInLine)
		must(err)
		return n
	})
	for _, integration := range integrations {
		if heads := headsOf(t, s, integration); len(heads) > 0 {
			o.Heads[integration] = heads
		}
		for _, state := range []call.State{call.StateParked, call.StateDead} {
			for _, r := range listOf(t, s, integration, state) {
				if name := integration + " " + string(state); r.State == state && r.Integration == integration {
					o.Lists[name] = append(o.Lists[name], r.ID)
				}
			}
		}
	}
	for _, ref := range refs {
		r, err := s.Result(ref)
		if errors.Is(err, call.ErrUnknown) {
			continue
		}
		must(err)
		o.Results[ref] = r
		size, held, err := s.Holds(ref)
		must(err)
		if o.Bodies[ref] = -1; held {
			o.Bodies[ref] = size
		}
		c, err := sendable(s, ref)
		must(err)
		if c != nil {
			o.Calls[ref] = *c
		}
	}
	var err error
	o.Due, _, err = s.Due(endOfTime, len(refs)+1)
	must(err)
	o.Restored, err = s.Restore()
	must(err)
	o.Restored.Volume = "" // each run compares it with its own
	o.Callbacks, err = waitingIn(s)
	must(err)
	for _, name := range secretNames {
		sealed, err := s.Kept(name)
		must(err)
		if sealed != nil {
			o.Secrets[name] = sealed
		}
	}
	return o
}

// headsOf are the ready calls of an integration of all kinds, in the order of acceptance.
func headsOf(t *rapid.T, s backlog.Store, integration string) (heads []backlog.Head) {
	for _, kind := range s.Kinds(integration) {
		heads = append(heads, inPages(func(after call.ID, n int) []backlog.Head {
			page, err := s.Heads(integration, kind, after, n)
			if err != nil {
				t.Fatalf("the store does not answer: %v", err)
			}
			return page
		}, func(h backlog.Head) call.ID { return h.ID })...)
	}
	for i := range heads {
		if heads[i].Unfillable != "" {
			heads[i].Unfillable = unfillable
		}
	}
	slices.SortFunc(heads, func(a, b backlog.Head) int { return cmp.Compare(a.ID, b.ID) })
	return heads
}

func listOf(t *rapid.T, s backlog.Store, integration string, state call.State) []call.Result {
	return inPages(func(after call.ID, n int) []call.Result {
		page, err := s.List(integration, state, after, n)
		if err != nil {
			t.Fatalf("the store does not answer: %v", err)
		}
		return page
	}, func(r call.Result) call.ID { return r.ID })
}

// inPages reads a list in pages of three, until one is not full.
func inPages[E any](read func(after call.ID, n int) []E, id func(E) call.ID) (all []E) {
	for after := call.ID(""); ; after = id(all[len(all)-1]) {
		page := read(after, 3)
		if all = append(all, page...); len(page) < 3 {
			return all
		}
	}
}

// observe looks at the model in the same way.
func (m *model) observe() observation {
	o := newObservation()
	for integration, tally := range m.tallies {
		if tally != (backlog.Tally{}) {
			o.Tallies[integration] = tally
		}
	}
	o.Lines = lines(m.line)
	for _, integration := range integrations {
		for _, c := range m.in(integration, call.StateQueued) {
			if m.ready(c) {
				o.Heads[integration] = append(o.Heads[integration], m.fillHead(c))
			}
		}
		for _, state := range []call.State{call.StateParked, call.StateDead} {
			for _, c := range m.in(integration, state) {
				o.Lists[integration+" "+string(state)] = append(o.Lists[integration+" "+string(state)], c.call.ID)
			}
		}
	}
	type when struct {
		at  time.Time
		due backlog.Due
	}
	var due []when
	for ref, c := range m.calls {
		if c.result.State == call.StateQueued {
			if ready := o.Heads[ref.Integration]; len(ready) > 0 {
				c.result.Ahead = max(0, c.ordinal-m.calls[backlog.Ref{Integration: ref.Integration, ID: ready[0].ID}].ordinal)
			}
			c.result.Behind, c.result.Turns = m.behind(c), m.turnsBefore(c)
		}
		o.Results[ref], o.Bodies[ref] = c.result, -1
		if c.body {
			o.Bodies[ref] = int64(len(c.call.Body))
		}
		if filled, ok := m.fill(c.call); ok && !ended(c.result.State) {
			o.Calls[ref] = filled
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
	o.Callbacks = m.waiting()
	return o
}

func ended(s call.State) bool {
	return s == call.StateSucceeded || s == call.StateFailed || s == call.StateDead
}
