// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// merged says whether a call is a member of a bulk call.
func (m *model) merged(ref backlog.Ref) bool {
	for _, b := range m.bulks {
		for place, member := range b.Members {
			if member != "" && b.Ref(place) == ref {
				return true
			}
		}
	}
	return false
}

// together sends all ready calls of an integration, or of all of them, in one bulk call.
func (r *run) together(t *rapid.T) {
	integration, shared := rapid.SampledFrom(integrations).Draw(t, "integration"), rapid.Bool().Draw(t, "shared")
	refs := slices.DeleteFunc(r.in(call.StateQueued), func(ref backlog.Ref) bool {
		return !shared && ref.Integration != integration || !r.now.ready(r.now.calls[ref])
	})
	if len(refs) == 0 {
		t.Skip("no call is ready")
	}
	b := r.batch()
	r.charges++
	bulk := backlog.Bulk{ID: r.charges, Integration: integration, Operation: "CreateTicket", Mark: "mark", SentAt: start}
	for _, ref := range refs {
		bulk.Members = append(bulk.Members, ref.ID)
		if shared {
			bulk.Owners = append(bulk.Owners, ref.Integration)
		}
		progress := backlog.Progress{Alone: rapid.Bool().Draw(t, "alone")}
		b.Transitions = append(b.Transitions, backlog.Transition{Ref: ref, From: call.StateQueued, To: call.StateSent, At: start.Add(r.clock), Progress: progress})
	}
	b.Bulks = []backlog.Bulk{bulk}
	b.Charges = []backlog.Charge{{ID: bulk.ID, Integration: integration, Amounts: amounts, Open: true}}
	r.commit(t, b, true)
}

// learn notes what has become known of a bulk call: its job or a doubt, or what became of a member, which leaves it then.
func (r *run) learn(t *rapid.T) {
	if len(r.now.bulks) == 0 {
		t.Skip("no bulk call is under way")
	}
	bulk := r.now.bulks[rapid.SampledFrom(slices.Sorted(maps.Keys(r.now.bulks))).Draw(t, "bulk call")]
	bulk.Members = slices.Clone(bulk.Members)
	b := r.batch()
	switch place := rapid.IntRange(-2, len(bulk.Members)-1).Draw(t, "place"); {
	case place == -2:
		bulk.Job, bulk.Items, bulk.Folded, bulk.Whole = "job", []int{0}, [][]int{{1, 2}}, true
	case place == -1:
		bulk.Doubt = &backlog.Doubt{Since: start, Until: start.Add(time.Hour), Absent: 1}
	case bulk.Members[place] == "":
		t.Skip("it has left")
	default:
		tr := backlog.Transition{Ref: bulk.Ref(place), From: call.StateSent, To: call.StateQueued, At: start.Add(r.clock)}
		if rapid.Bool().Draw(t, "succeeded") {
			tr.To, tr.KeepUntil = call.StateSucceeded, start.Add(24*time.Hour+r.clock)
			tr.Answer = answerTo(t, tr.ID)
			tr.Answer.Composed = true
		}
		bulk.Members[place], b.Transitions = "", []backlog.Transition{tr}
	}
	b.Bulks = []backlog.Bulk{bulk}
	r.commit(t, b, true)
}
