// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// queue is a store's ready calls of one integration, for TestWindow.
type queue []backlog.Head

func (q queue) behind(kind backlog.Kind, after call.ID, n int) []backlog.Head {
	var heads []backlog.Head
	for _, h := range q {
		if h.Kind == kind && h.ID > after && len(heads) < n {
			heads = append(heads, h)
		}
	}
	return heads
}

func (q queue) find(id call.ID) (int, bool) {
	return slices.BinarySearchFunc(q, id, func(h backlog.Head, id call.ID) int { return strings.Compare(string(h.ID), string(id)) })
}

func (q *queue) store(h backlog.Head) {
	at, _ := q.find(h.ID)
	*q = slices.Insert(*q, at, h)
}

// TestWindow: whatever comes, goes and comes back, each ready call is taken once, and of each kind the front is in memory, in order.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, stored, taken := newWindow(), queue{}, queue{}
		next := 0
		kinds := rapid.IntRange(1, backlog.MaxKinds).Draw(t, "kinds")
		head := func(n int) backlog.Head {
			return backlog.Head{ID: call.ID(fmt.Sprintf("%06d", n)), Kind: backlog.Kind(rapid.IntRange(0, kinds-1).Draw(t, "kind"))}
		}
		t.Repeat(map[string]func(*rapid.T){
			"calls arrive": func(t *rapid.T) {
				for range rapid.IntRange(1, 50).Draw(t, "calls") {
					next += 2
					h := head(next)
					stored.store(h)
					w.arrived(h.Kind, h.ID)
				}
			},
			"a call arrives late": func(t *rapid.T) {
				h := head(2*rapid.IntRange(0, max(0, next/2)).Draw(t, "id") + 1)
				_, there := stored.find(h.ID)
				if there || slices.ContainsFunc(taken, func(x backlog.Head) bool { return x.ID == h.ID }) {
					t.Skip("there is one")
				}
				stored.store(h)
				w.arrived(h.Kind, h.ID)
			},
			"a call is taken": func(t *rapid.T) {
				if len(w.heads) == 0 {
					t.Skip("nothing to take")
				}
				h := w.take(w.heads[rapid.IntRange(0, len(w.heads)-1).Draw(t, "which")].ID)
				at, found := stored.find(h.ID)
				if !found {
					t.Fatalf("%s is taken and not ready", h.ID)
				}
				stored = slices.Delete(stored, at, at+1)
				taken = append(taken, h)
			},
			"a call comes back": func(t *rapid.T) {
				if len(taken) == 0 {
					t.Skip("nothing was taken")
				}
				i := rapid.IntRange(0, len(taken)-1).Draw(t, "which")
				stored.store(taken[i])
				w.ready(taken[i])
				taken = slices.Delete(taken, i, i+1)
			},
			"all is read anew": func(*rapid.T) {
				w.forget()
				for _, h := range stored {
					w.know([]backlog.Kind{h.Kind})
				}
			},
			"": func(t *rapid.T) {
				for kind, after, n, some := w.wants(); some; kind, after, n, some = w.wants() {
					w.extend(kind, stored.behind(kind, after, n), n)
				}
				checkWindow(t, &w, stored)
			},
		})
	})
}

func checkWindow(t *rapid.T, w *window, stored queue) {
	if len(w.heads) > maxHeads {
		t.Fatalf("%d heads are in memory", len(w.heads))
	}
	got, want := map[backlog.Kind][]call.ID{}, map[backlog.Kind][]call.ID{}
	for _, h := range w.heads {
		got[h.Kind] = append(got[h.Kind], h.ID)
	}
	for _, h := range stored {
		want[h.Kind] = append(want[h.Kind], h.ID)
	}
	for kind, ids := range want {
		if n := len(got[kind]); n < min(len(ids), maxHeads/len(want)/2) || n == 0 || !slices.Equal(got[kind], ids[:min(n, len(ids))]) {
			t.Fatalf("of kind %d in memory is %v, the queue begins %v", kind, got[kind], ids[:min(len(ids), maxHeads)])
		}
	}
	if !slices.IsSortedFunc(w.heads, func(a, b queued) int { return strings.Compare(string(a.ID), string(b.ID)) }) {
		t.Fatalf("the heads are not in order: %v", w.heads)
	}
}
