// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// model is what a store must hold, as plainly as it can be said.
type model struct {
	calls   map[backlog.Ref]modelCall
	keys    map[modelKey]modelDedupe
	tallies map[string]backlog.Tally
	charges map[uint64]backlog.Charge
	plan    []byte
	memory  []byte
	clock   backlog.Clock
	bulks   map[uint64]backlog.Bulk
	secrets map[string][]byte
	// callbacks that wait, by their message IDs.
	callbacks map[string]backlog.Callback
}

type modelCall struct {
	call    call.Call
	result  call.Result
	head    backlog.Head
	ordinal int64
	due     time.Time
	key     string
	body    bool
	// callbacks counts those that were made.
	callbacks int
	// awaits are those it refers to that have not ended, while it is queued.
	awaits []call.ID
}

type modelKey struct{ integration, key string }

type modelDedupe struct {
	id          call.ID
	fingerprint [32]byte
}

func newModel() *model {
	return &model{
		calls: map[backlog.Ref]modelCall{}, keys: map[modelKey]modelDedupe{}, tallies: map[string]backlog.Tally{}, charges: map[uint64]backlog.Charge{},
		bulks: map[uint64]backlog.Bulk{}, secrets: map[string][]byte{}, callbacks: map[string]backlog.Callback{},
	}
}

func (m *model) clone() *model {
	return &model{
		calls: maps.Clone(m.calls), keys: maps.Clone(m.keys), tallies: maps.Clone(m.tallies), charges: maps.Clone(m.charges),
		plan: m.plan, memory: m.memory, clock: m.clock, bulks: maps.Clone(m.bulks), secrets: maps.Clone(m.secrets),
		callbacks: maps.Clone(m.callbacks),
	}
}

func (m *model) move(integration string, from, to call.State) {
	t := m.tallies[integration]
	t.Move(from, to)
	m.tallies[integration] = t
}

// append stores a call under the ID that the store gave it.
func (m *model) append(e backlog.Entry, id call.ID) {
	c := *e.Call
	c.ID = id
	t := m.tallies[c.Integration]
	t.Accepted++
	t.QueuedBytes += int64(len(c.Body))
	m.tallies[c.Integration] = t
	m.move(c.Integration, "", call.StateQueued)
	m.calls[backlog.Ref{Integration: c.Integration, ID: id}] = modelCall{
		call:   c,
		result: call.Result{ID: id, Integration: c.Integration, Method: c.Method, Target: c.Target, State: call.StateQueued, AcceptedAt: c.AcceptedAt},
		head: backlog.Head{
			ID: id, Kind: backlog.KindOf(c.Operation, c.Method, c.Target).Urgent(c.Urgency), Operation: c.Operation, Method: c.Method, Target: c.Target, Counts: c.Counts,
			Repeat: c.Repeat, AcceptedAt: c.AcceptedAt, Expires: c.Expires, Size: int64(len(c.Body)), Urgency: c.Urgency, Refers: len(c.References) > 0,
		},
		ordinal: t.Accepted, due: c.Expires, key: e.DedupeKey, body: true,
	}
	m.await(backlog.Ref{Integration: c.Integration, ID: id})
	if e.DedupeKey != "" {
		m.keys[modelKey{c.Integration, e.DedupeKey}] = modelDedupe{id, e.Fingerprint}
	}
}

func (m *model) commit(b *backlog.Batch) {
	for integration, t := range b.Tallies {
		sum := m.tallies[integration]
		sum.Add(t)
		m.tallies[integration] = sum
	}
	for _, t := range b.Transitions {
		m.transit(t)
	}
	for _, ref := range b.ForgetCalls {
		c := m.calls[ref]
		delete(m.calls, ref)
		delete(m.keys, modelKey{ref.Integration, c.key})
		m.move(ref.Integration, c.result.State, "")
	}
	for _, c := range b.Charges {
		m.charges[c.ID] = c
	}
	for _, id := range b.Refunds {
		delete(m.charges, id)
	}
	for _, bulk := range b.Bulks {
		m.bulks[bulk.ID] = bulk
	}
	maps.DeleteFunc(m.bulks, func(_ uint64, b backlog.Bulk) bool { return b.Empty() })
	maps.DeleteFunc(m.charges, func(_ uint64, c backlog.Charge) bool { return !c.Open && c.End < b.Clock.Horizon })
	if b.Plan != nil {
		m.plan = b.Plan
	}
	if b.Memory != nil {
		m.memory = b.Memory
	}
	m.clock = b.Clock
}

func (m *model) transit(t backlog.Transition) {
	c := m.calls[t.Ref]
	c.head.Progress = t.Progress
	c.result.State, c.result.Reason = t.To, t.Reason
	switch t.To {
	case call.StateQueued, call.StateParked:
		if !t.Expires.IsZero() {
			c.head.Expires, c.call.Expires = t.Expires, t.Expires
		}
		c.due, c.result.EndedAt = c.head.Expires, time.Time{}
	case call.StateSent:
		c.due = time.Time{}
	default:
		c.due, c.result.EndedAt = t.KeepUntil, t.At
	}
	c.body = t.To != call.StateSucceeded && t.To != call.StateFailed
	if t.Answer != nil {
		c.result.Status, c.result.Header, c.result.Body, c.result.Composed = t.Answer.Status, t.Answer.Header, t.Answer.Body, t.Answer.Composed
	}
	m.tell(t, &c)
	m.calls[t.Ref] = c
	switch {
	case t.To == call.StateQueued:
		m.await(t.Ref)
	case ended(t.To):
		m.release(t.Ref)
	}
	m.move(t.Integration, t.From, t.To)
	sum, size := m.tallies[t.Integration], int64(len(c.call.Body))
	if t.From == call.StateQueued {
		sum.QueuedBytes -= size
	}
	if t.To == call.StateQueued {
		sum.QueuedBytes += size
	}
	m.tallies[t.Integration] = sum
}

// turn is the call whose turn it is among those with the integration and the ordering key of c: one that is sent or parked, else the first one that is queued.
func (m *model) turn(c modelCall) (first call.ID) {
	for _, other := range m.calls {
		if other.call.Integration != c.call.Integration || other.call.OrderKey != c.call.OrderKey {
			continue
		}
		switch other.result.State {
		case call.StateSent, call.StateParked:
			return other.call.ID
		case call.StateQueued:
			if first == "" || other.call.ID < first {
				first = other.call.ID
			}
		default: // it has ended
		}
	}
	return first
}

func (m *model) ready(c modelCall) bool {
	return c.result.State == call.StateQueued && len(c.awaits) == 0 && (c.call.OrderKey == "" || m.turn(c) == c.call.ID)
}

// readySince are the calls that are ready and were not before.
func (m *model) readySince(before *model) (all []backlog.Ready) {
	for _, integration := range integrations {
		for _, c := range m.in(integration, call.StateQueued) {
			if ref := (backlog.Ref{Integration: integration, ID: c.call.ID}); m.ready(c) && !before.ready(before.calls[ref]) {
				all = append(all, backlog.Ready{Integration: integration, Head: m.fillHead(c)})
			}
		}
	}
	return all
}

// in are an integration's calls in a state, in order.
func (m *model) in(integration string, state call.State) []modelCall {
	var all []modelCall
	for ref, c := range m.calls {
		if ref.Integration == integration && c.result.State == state {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b modelCall) int { return cmp.Compare(a.head.ID, b.head.ID) })
	return all
}

// restored is what the model would go on from.
func (m *model) restored() backlog.Restored {
	r := backlog.Restored{Plan: bytes.Clone(m.plan), Memory: bytes.Clone(m.memory), Clock: m.clock}
	var open []backlog.Charge
	for _, c := range m.charges {
		if c.Open {
			open = append(open, c)
		} else {
			r.Charges = append(r.Charges, c)
		}
	}
	slices.SortFunc(r.Charges, func(a, b backlog.Charge) int { return cmp.Or(cmp.Compare(a.End, b.End), cmp.Compare(a.ID, b.ID)) })
	slices.SortFunc(open, func(a, b backlog.Charge) int { return cmp.Compare(a.ID, b.ID) })
	r.Charges = append(r.Charges, open...)
	for _, c := range open {
		ref := backlog.Ref{Integration: c.Integration, ID: c.Call}
		known := slices.ContainsFunc(r.Sent, func(s backlog.SentCall) bool { return s.Ref == ref })
		if of, is := m.calls[ref]; is && of.result.State == call.StateSent && !known {
			r.Sent = append(r.Sent, backlog.SentCall{Ref: ref, Head: of.head})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.bulks)) {
		sent := backlog.SentBulk{Bulk: m.bulks[id], Heads: make([]backlog.Head, len(m.bulks[id].Members))}
		for i, member := range sent.Members {
			if member != "" {
				sent.Heads[i] = m.calls[sent.Ref(i)].head
			}
		}
		r.Bulks = append(r.Bulks, sent)
	}
	return r
}
