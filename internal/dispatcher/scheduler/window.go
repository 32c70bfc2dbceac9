// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// maxHeads is how many queued calls of an integration are known in memory.
const maxHeads = 64

// window is the front of an integration's queue. The store has the rest.
type window struct {
	heads []queued
	// end: the calls up to it that are queued are among heads.
	end call.ID
	// more: there may be queued calls behind end.
	more bool
}

// queued is a call in the window, with its price once it was asked for.
type queued struct {
	backlog.Head
	price  price
	priced bool
}

// reprice forgets the prices.
func (w *window) reprice() {
	for i := range w.heads {
		w.heads[i].priced = false
	}
}

// wants says whether heads should be read from the store, behind end.
func (w *window) wants() bool { return w.more && len(w.heads) <= maxHeads/2 }

// extend takes what the store returned when it was asked for n heads behind end.
func (w *window) extend(heads []backlog.Head, n int) {
	w.more = len(heads) == n
	for _, h := range heads {
		w.heads = append(w.heads, queued{Head: h})
	}
	if len(heads) > 0 {
		w.end = heads[len(heads)-1].ID
	}
}

// arrived notes a new call in the store. One that overtook others on its way there is found by reading anew.
func (w *window) arrived(id call.ID) {
	w.more = true
	if id <= w.end {
		w.heads, w.end = nil, ""
	}
}

// returned puts a call back into its place.
func (w *window) returned(h backlog.Head) {
	if h.ID > w.end {
		w.more = true
		return
	}
	at, _ := slices.BinarySearchFunc(w.heads, h.ID, func(e queued, id call.ID) int { return strings.Compare(string(e.ID), string(id)) })
	w.heads = slices.Insert(w.heads, at, queued{Head: h})
	if len(w.heads) > 2*maxHeads {
		w.heads = w.heads[:maxHeads]
		w.end, w.more = w.heads[maxHeads-1].ID, true
	}
}

// take takes a call out and returns it. It must be there.
func (w *window) take(id call.ID) backlog.Head {
	i := slices.IndexFunc(w.heads, func(h queued) bool { return h.ID == id })
	h := w.heads[i].Head
	w.heads = slices.Delete(w.heads, i, i+1)
	return h
}

// drop takes out a call by its ID, if it is there.
func (w *window) drop(id call.ID) {
	w.heads = slices.DeleteFunc(w.heads, func(h queued) bool { return h.ID == id })
}

// earlier returns the earlier of two instants, where a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
