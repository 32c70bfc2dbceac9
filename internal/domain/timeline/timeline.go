// SPDX-License-Identifier: Apache-2.0

// Package timeline has what happens in a test's world happen in the order of its moments, in no time.
package timeline

import (
	"container/heap"
	"time"
)

// Timeline is the time of a world and what is still to happen in it.
type Timeline struct {
	Now    time.Time
	events events
}

// After has something happen when so much time has passed. Of two things at the same moment either may be first, but always the same one.
func (t *Timeline) After(d time.Duration, what func()) {
	heap.Push(&t.events, event{t.Now.Add(d), what})
}

// RunUntil lets all happen that is to happen until then, what is at that moment included.
func (t *Timeline) RunUntil(until time.Time) {
	for len(t.events) > 0 && !t.events[0].at.After(until) {
		e := heap.Pop(&t.events).(event)
		t.Now = e.at
		e.what()
	}
	t.Now = until
}

type event struct {
	at   time.Time
	what func()
}

type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
