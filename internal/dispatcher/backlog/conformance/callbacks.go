// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// tell notes the callback that a transition calls for.
func (m *model) tell(t backlog.Transition, c *modelCall) {
	if c.call.Callback == "" || !ended(t.To) && t.To != call.StateParked {
		return
	}
	c.callbacks++
	made := backlog.Callback{
		Ref: t.Ref, Endpoint: c.call.Callback, Number: c.callbacks, State: t.To, AcceptedAt: c.call.AcceptedAt, At: t.At, Due: t.At,
	}
	if t.Answer != nil {
		made.Status = t.Answer.Status
	}
	m.callbacks[made.MessageID()] = made
	m.count(t.Integration, backlog.Tally{CallbacksWaiting: 1})
}

func (m *model) count(integration string, change backlog.Tally) {
	sum := m.tallies[integration]
	sum.Add(change)
	m.tallies[integration] = sum
}

// waiting are the callbacks by their queues, in the order of their Due.
func (m *model) waiting() map[backlog.CallbackQueue][]backlog.Callback {
	all := map[backlog.CallbackQueue][]backlog.Callback{}
	for _, id := range slices.Sorted(maps.Keys(m.callbacks)) {
		c := m.callbacks[id]
		q := backlog.CallbackQueue{Integration: c.Integration, Endpoint: c.Endpoint}
		all[q] = append(all[q], c)
	}
	for _, queue := range all {
		slices.SortFunc(queue, func(a, b backlog.Callback) int {
			return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Number, b.Number))
		})
	}
	return all
}

// waitingIn reads the callbacks of a store.
func waitingIn(s backlog.Store) (map[backlog.CallbackQueue][]backlog.Callback, error) {
	all := map[backlog.CallbackQueue][]backlog.Callback{}
	queues, err := s.CallbackQueues()
	for _, q := range queues {
		if err == nil {
			all[q], err = s.Callbacks(q, 1000)
		}
	}
	return all, err
}

// tell postpones a callback or ends it, as somebody does who tries to deliver it. What was not made durable since may be lost: it is told once more then. One that is
// not there any more stays away.
func (r *run) tell(t *rapid.T) {
	if len(r.now.callbacks) == 0 {
		t.Skip("no callback waits")
	}
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(r.now.callbacks))).Draw(t, "callback")
	c := r.now.callbacks[id]
	postpone := func() error { return r.store.PostponeCallback(c, c.Due.Add(time.Minute)) }
	how := rapid.SampledFrom([]string{"postponed", "delivered", "given up"}).Draw(t, "how")
	var err error
	switch how {
	case "postponed":
		err = postpone()
		later := c
		later.Attempts, later.Due = c.Attempts+1, c.Due.Add(time.Minute)
		r.now.callbacks[id] = later
	case "delivered":
		err = r.store.EndCallback(c, backlog.CallbackDelivered)
		r.now.count(c.Integration, backlog.Tally{CallbacksWaiting: -1, CallbacksDelivered: 1})
		delete(r.now.callbacks, id)
	default:
		err = r.store.EndCallback(c, backlog.CallbackGivenUp)
		r.now.count(c.Integration, backlog.Tally{CallbacksWaiting: -1, CallbacksGivenUp: 1})
		delete(r.now.callbacks, id)
	}
	if err != nil {
		t.Fatalf("%s: %v", how, err)
	}
	if err := postpone(); err != nil {
		t.Fatalf("one that is not there: %v", err)
	}
	r.durable = append(r.durable, r.now.clone())
}
