// SPDX-License-Identifier: Apache-2.0

package backlog

import "github.com/crmquota/crm-quota-operator/internal/dispatcher/call"

// Tally counts one integration's calls since the volume was made.
type Tally struct {
	// Accepted calls were appended; Dispatched requests went to the CRM; Drained acknowledged calls were answered by it; Refused calls were turned away;
	// Forwarded calls that somebody waited for were answered by the CRM; Overheld ones were sent although they did not fit. Saved calls were answered without a
	// request of their own.
	Accepted, Dispatched, Drained, Refused, Forwarded, Overheld, Saved int64
	// How many acknowledged calls are in each state.
	Queued, Sent, Parked, Succeeded, Failed, Dead int64
	// QueuedBytes is how many bytes the bodies of queued calls have.
	QueuedBytes int64
	// CallbacksWaiting are yet to be delivered; CallbacksDelivered were taken by their receivers; CallbacksGivenUp are not tried any more.
	CallbacksWaiting, CallbacksDelivered, CallbacksGivenUp int64
}

// Add adds u to t, member by member.
func (t *Tally) Add(u Tally) {
	into, from := t.Members(), u.Members()
	for i := range into {
		*into[i] += *from[i]
	}
}

// Move counts a call out of one state and into another. An empty state stands for a call that is not in the store.
func (t *Tally) Move(from, to call.State) {
	if p := t.in(from); p != nil {
		*p--
	}
	if p := t.in(to); p != nil {
		*p++
	}
}

// Members returns the counts in an order that never changes: stores write them in it.
func (t *Tally) Members() []*int64 {
	return []*int64{
		&t.Accepted, &t.Dispatched, &t.Drained, &t.Refused, &t.Forwarded, &t.Overheld,
		&t.Queued, &t.Sent, &t.Parked, &t.Succeeded, &t.Failed, &t.Dead,
		&t.Saved, &t.QueuedBytes,
		&t.CallbacksWaiting, &t.CallbacksDelivered, &t.CallbacksGivenUp,
	}
}

func (t *Tally) in(s call.State) *int64 {
	switch s {
	case call.StateQueued:
		return &t.Queued
	case call.StateSent:
		return &t.Sent
	case call.StateParked:
		return &t.Parked
	case call.StateSucceeded:
		return &t.Succeeded
	case call.StateFailed:
		return &t.Failed
	case call.StateDead:
		return &t.Dead
	default:
		return nil
	}
}
