// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// maxHeads is how many queued calls of an integration are known in memory. The kinds that have ready calls share it; it is a multiple of backlog.MaxKinds.
const maxHeads = 64

// window is the front of an integration's ready calls, of each kind. The store has the rest.
type window struct {
	// heads of all kinds, in the order of acceptance.
	heads []queued
	kinds map[backlog.Kind]*front
	// anew: which kinds have ready calls is to be read from the store.
	anew bool
	// wide are kinds of which more is held than their share, because so many go together.
	wide map[backlog.Kind]int
	// each is how many of any kind are held at least, because so many go together whatever they are; 0 if they do not.
	each int
}

// front is what is known of one kind.
type front struct {
	// n heads are in memory: all that are ready up to end.
	n   int
	end call.ID
	// more: there may be ready calls behind end.
	more bool
}

// queued is a call in the window, with its price once it was asked for.
type queued struct {
	backlog.Head
	price  price
	priced bool
	// changes names the record that it changes, once that was asked for.
	changes string
	named   bool
	// mixes: it can go with those of other operations, once that was asked for.
	mixes, asked bool
}

func newWindow() window { return window{kinds: map[backlog.Kind]*front{}, anew: true} }

// reprice forgets the prices, and what goes together.
func (w *window) reprice() {
	for i := range w.heads {
		w.heads[i].priced, w.heads[i].asked = false, false
	}
}

// forget has everything read from the store again.
func (w *window) forget() {
	wide, each := w.wide, w.each
	*w = newWindow()
	w.wide, w.each = wide, each
}

// know takes over which kinds may have ready calls.
func (w *window) know(kinds []backlog.Kind) {
	for _, kind := range kinds {
		w.front(kind).more = true
	}
	w.anew = false
}

func (w *window) front(kind backlog.Kind) *front {
	f := w.kinds[kind]
	if f == nil {
		f = &front{}
		w.kinds[kind] = f
	}
	return f
}

// share is how many heads of a kind are held, and at how many there are too few.
func (w *window) share(kind backlog.Kind) (held, few int) {
	if n := w.wide[kind]; n > 0 {
		return n, n - 1
	}
	held = max(maxHeads/max(1, len(w.kinds)), w.each)
	return held, max(held/2, w.each-1)
}

// short says whether there are fewer in memory of a kind than there could be.
func (w *window) short() bool {
	for kind, f := range w.kinds {
		if _, few := w.share(kind); f.more && f.n <= few {
			return true
		}
	}
	return false
}

// wants says of which kind heads should be read from the store, behind which, and how many. Before that it lets go of kinds that have no calls, and of what others
// hold beyond their share.
func (w *window) wants() (kind backlog.Kind, after call.ID, n int, some bool) {
	if len(w.kinds) == 0 {
		return 0, "", 0, false // most integrations have nothing queued, and each is asked in each turn
	}
	maps.DeleteFunc(w.kinds, func(_ backlog.Kind, f *front) bool { return f.n == 0 && !f.more })
	for kind, f := range w.kinds {
		if held, _ := w.share(kind); f.n > held {
			w.trim(kind, f, held)
		}
	}
	for kind, f := range w.kinds {
		if held, few := w.share(kind); f.more && f.n <= few { // see short
			return kind, f.end, held - f.n, true
		}
	}
	return 0, "", 0, false
}

// trim forgets the last heads of a kind, so that n are left.
func (w *window) trim(kind backlog.Kind, f *front, n int) {
	kept := 0
	w.heads = slices.DeleteFunc(w.heads, func(h queued) bool {
		if h.Kind != kind {
			return false
		}
		if kept == n {
			return true
		}
		kept++
		f.end = h.ID
		return false
	})
	f.n, f.more = kept, true
}

// extend takes what the store returned when it was asked for n heads of a kind behind the end.
func (w *window) extend(kind backlog.Kind, heads []backlog.Head, n int) {
	f := w.front(kind)
	f.more = len(heads) == n
	for _, h := range heads {
		w.insert(h)
		f.end = h.ID
	}
}

func (w *window) insert(h backlog.Head) {
	at, there := w.find(h.ID)
	if !there {
		w.heads = slices.Insert(w.heads, at, queued{Head: h})
		w.front(h.Kind).n++
	}
}

func (w *window) find(id call.ID) (at int, there bool) {
	return slices.BinarySearchFunc(w.heads, id, func(h queued, id call.ID) int { return strings.Compare(string(h.ID), string(id)) })
}

// arrived notes a new call in the store that is ready. One that overtook others on its way there is found by reading its kind anew.
func (w *window) arrived(kind backlog.Kind, id call.ID) {
	f := w.front(kind)
	if _, there := w.find(id); there {
		return
	}
	if id <= f.end {
		w.heads = slices.DeleteFunc(w.heads, func(h queued) bool { return h.Kind == kind })
		*f = front{}
	}
	f.more = true
}

// ready puts a call into its place that has become ready in the store.
func (w *window) ready(h backlog.Head) {
	if f := w.front(h.Kind); h.ID > f.end {
		f.more = true
		return
	}
	w.insert(h)
}

// head is a call by its ID. It must be there, and holds until the window changes.
func (w *window) head(id call.ID) *queued {
	at, _ := w.find(id)
	return &w.heads[at]
}

// take takes a call out and returns it. It must be there.
func (w *window) take(id call.ID) backlog.Head {
	i, _ := w.find(id)
	h := w.heads[i].Head
	w.drop(id)
	return h
}

// drop takes out a call by its ID, if it is there.
func (w *window) drop(id call.ID) {
	if i, there := w.find(id); there {
		w.kinds[w.heads[i].Kind].n--
		w.heads = slices.Delete(w.heads, i, i+1)
	}
}

// earlier returns the earlier of two instants, where a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
