// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// Which of an integration's calls goes first is its own affair: a step of urgency is worth some time of waiting, so that a call that has waited for longer goes first at
// last. The shares are told since when the longest of those at one place has waited, and so see no difference.

const (
	// stepsOfWait is how many steps are worth the longest time that a call may wait. There are seven.
	stepsOfWait = 8
	// mostStep bounds a step: who queues for days does not want to be passed for days.
	mostStep = time.Hour
)

func step(longest time.Duration) time.Duration { return min(longest/stepsOfWait, mostStep) }

// queueStep is what a step of urgency is worth among queued calls.
func queueStep(spec *contract.Integration) time.Duration {
	if spec == nil {
		return 0
	}
	return step(time.Duration(spec.Queue.MaxAgeSeconds) * time.Second)
}

// inOrder are the queued calls in memory in the order in which they are offered. They hold until the window changes.
func (l *lane) inOrder() []*queued {
	ordered, urgent := make([]*queued, 0, len(l.queue.heads)), false
	for i := range l.queue.heads {
		h := &l.queue.heads[i]
		ordered, urgent = append(ordered, h), urgent || h.Urgency != 0
	}
	if urgent {
		step := queueStep(l.spec)
		slices.SortStableFunc(ordered, func(a, b *queued) int {
			return a.AcceptedAt.Add(time.Duration(a.Urgency) * step).Compare(b.AcceptedAt.Add(time.Duration(b.Urgency) * step))
		})
	}
	return ordered
}

// waitingInOrder are the calls that somebody waits for, in the order in which they are offered.
func (l *lane) waitingInOrder() []*waiter {
	if !slices.ContainsFunc(l.waiting, func(w *waiter) bool { return w.urgency != 0 }) {
		return l.waiting
	}
	ordered, step := slices.Clone(l.waiting), step(time.Duration(l.spec.WaitSeconds)*time.Second)
	slices.SortStableFunc(ordered, func(a, b *waiter) int {
		return a.since.Add(time.Duration(a.urgency) * step).Compare(b.since.Add(time.Duration(b.urgency) * step))
	})
	return ordered
}

// enlist adds an offer if its place is free. If not, the one that has it counts as having waited for as long as the longest.
func enlist(to []offer, o offer) []offer {
	at := slices.IndexFunc(to, o.samePlace)
	if at < 0 {
		return append(to, o)
	}
	if o.Since.Before(to[at].Since) {
		to[at].Since = o.Since
	}
	return to
}

// outranked says whether an offer would change nothing: its place is taken by one that has waited for as long.
func outranked(to []offer, o offer) bool {
	return slices.ContainsFunc(to, func(p offer) bool { return p.samePlace(o) && !o.Since.Before(p.Since) })
}
