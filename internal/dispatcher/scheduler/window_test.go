// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// queue is a store's queue of one integration, for TestWindow.
type queue []call.ID

func (q queue) behind(after call.ID, n int) []backlog.Head {
	var heads []backlog.Head
	for _, id := range q {
		if id > after && len(heads) < n {
			heads = append(heads, backlog.Head{ID: id})
		}
	}
	return heads
}

// TestWindow: whatever comes, goes and comes back, each queued call is taken once, and the front is in order while nothing is delayed on its way.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, stored, taken := &window{more: true}, queue{}, []call.ID{}
		next := 0
		store := func(id call.ID) {
			at, _ := slices.BinarySearch(stored, id)
			stored = slices.Insert(stored, at, id)
		}
		t.Repeat(map[string]func(*rapid.T){
			"a call arrives": func(*rapid.T) {
				next += 2
				id := call.ID(fmt.Sprintf("%06d", next))
				store(id)
				w.arrived(id)
			},
			"a call arrives late": func(t *rapid.T) {
				id := call.ID(fmt.Sprintf("%06d", 2*rapid.IntRange(0, max(0, next/2)).Draw(t, "id")+1))
				if slices.Contains(stored, id) || slices.Contains(taken, id) {
					t.Skip("there is one")
				}
				store(id)
				w.arrived(id)
			},
			"a call is taken": func(t *rapid.T) {
				if len(w.heads) == 0 {
					t.Skip("nothing to take")
				}
				h := w.take(w.heads[rapid.IntRange(0, min(3, len(w.heads)-1)).Draw(t, "which")].ID)
				at, found := slices.BinarySearch(stored, h.ID)
				if !found {
					t.Fatalf("%s is taken and not queued", h.ID)
				}
				stored = slices.Delete(stored, at, at+1)
				taken = append(taken, h.ID)
			},
			"a call comes back": func(t *rapid.T) {
				if len(taken) == 0 {
					t.Skip("nothing was taken")
				}
				i := rapid.IntRange(0, len(taken)-1).Draw(t, "which")
				store(taken[i])
				w.returned(backlog.Head{ID: taken[i]})
				taken = slices.Delete(taken, i, i+1)
			},
			"": func(t *rapid.T) {
				for w.wants() {
					w.extend(stored.behind(w.end, maxHeads), maxHeads)
				}
				if len(w.heads) > 2*maxHeads {
					t.Fatalf("%d heads are in memory", len(w.heads))
				}
				var got []call.ID
				for _, h := range w.heads {
					got = append(got, h.ID)
				}
				if want := []call.ID(stored[:min(len(stored), len(got))]); len(got) < min(len(stored), maxHeads/2) || !slices.Equal(got, want) {
					t.Fatalf("in memory is %v, the queue begins %v", got, want)
				}
			},
		})
	})
}
