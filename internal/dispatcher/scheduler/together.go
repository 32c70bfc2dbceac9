// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"bytes"
	"io"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Calls with the same answer become one while they wait. Once it was sent nobody joins it any more: the CRM may have answered before a change that the newcomer
// has seen made. So who joins gets an answer no older than that to a call of its own.

// join has a call wait for the answer of an equal one that was not sent yet and gives up no later: else it would be told too late that there is no answer. It
// reports whether there is one.
func (s *Scheduler) join(now time.Time, w *waiter) bool {
	if w.call.Identity == [32]byte{} || s.shadowed(w.lane, now) {
		return false
	}
	for _, first := range w.lane.waiting {
		if first.call.Identity == w.call.Identity && !first.deadline.After(w.deadline) {
			first.followers, w.leader = append(first.followers, w), first
			if w.urgency < first.urgency {
				first.urgency, w.lane.stale = w.urgency, true
			}
			return true
		}
	}
	return false
}

// wait has a call wait for being sent, behind those that have waited for longer.
func (w *waiter) wait() {
	l := w.lane
	at := len(l.waiting)
	for at > 0 && l.waiting[at-1].since.After(w.since) {
		at--
	}
	l.waiting = slices.Insert(l.waiting, at, w)
	l.stale = true
}

// part has those who wait for a call that gets no answer, or none for them, wait on their own.
func (s *Scheduler) part(now time.Time, w *waiter) {
	followers := w.followers
	w.followers = nil
	for _, f := range followers {
		f.leader = nil
		f.price = s.priceCall(f.access, f.call)
		if !s.join(now, f) {
			f.wait()
		}
	}
}

// Saved counts a call that was answered without a request to the CRM.
func (s *Scheduler) Saved(integration string) {
	s.report(func() { s.count(integration, backlog.Tally{Saved: 1}) })
}

// leave takes a call whose client has gone out of those that wait for its leader.
func (w *waiter) leave() {
	w.leader.followers = slices.DeleteFunc(w.leader.followers, func(f *waiter) bool { return f == w })
	w.leader = nil
}

// conclude gives a reply to a call and to all who wait for it. An answer that is not in memory is its own alone.
func (s *Scheduler) conclude(now time.Time, w *waiter, r reply, whole bool) {
	followers := w.followers
	switch {
	case len(followers) == 0:
	case r.answer != nil && !whole:
		s.part(now, w)
	case r.answer != nil:
		body, _ := io.ReadAll(r.answer.Body) // from memory
		copied := func() *call.Answer {
			a := *r.answer
			a.Header, a.Body = a.Header.Clone(), io.NopCloser(bytes.NewReader(body))
			return &a
		}
		for _, f := range followers {
			s.count(f.lane.key, backlog.Tally{Saved: 1})
			f.give(reply{answer: copied()})
		}
		r.answer = copied()
	default:
		for _, f := range followers {
			f.give(r)
		}
	}
	w.give(r)
}
