// SPDX-License-Identifier: Apache-2.0

package backlog

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Bulk is a request in which several queued calls go together. Its members are sent from its intent on until it is known what became of each.
type Bulk struct {
	// ID is that of its charge, Integration is who was charged.
	ID          uint64 `json:"id"`
	Integration string `json:"integration"`
	// Operation of its members; "*" if they are of different ones.
	Operation string `json:"operation"`
	// Mark is our name for it in the CRM.
	Mark string `json:"mark"`
	// Members by their places. An empty one has left: it is known what became of it.
	Members []call.ID `json:"members"`
	// Owners are the integrations of the members, by their places; absent if all are calls of Integration.
	Owners []string `json:"owners,omitempty"`
	// SentAt is when its intent was written.
	SentAt time.Time `json:"sentAt"`
	// Job is the CRM's name for what works it off, once that is known, Items the place of the member that each item of the request is.
	Job   string `json:"job,omitempty"`
	Items []int  `json:"items,omitempty"`
	// Folded are, for each of Items, the places of members whose updates became one with that; absent if there are none.
	Folded [][]int `json:"folded,omitempty"`
	// Whole: all members became one call as they are, so no job works it off.
	Whole bool `json:"whole,omitempty"`
	// Doubt is set when the answer, or what became of the job, was lost.
	Doubt *Doubt `json:"doubt,omitempty"`
}

// Empty reports whether all members have left.
func (b *Bulk) Empty() bool {
	return !slices.ContainsFunc(b.Members, func(id call.ID) bool { return id != "" })
}

// Ref names the member at a place, which must not have left.
func (b *Bulk) Ref(place int) Ref { return Ref{Integration: b.Owner(place), ID: b.Members[place]} }

// Owner is the integration of the member at a place.
func (b *Bulk) Owner(place int) string {
	if len(b.Owners) == 0 {
		return b.Integration
	}
	return b.Owners[place]
}

// Doubt is how far it is known what became of a bulk call without an answer.
type Doubt struct {
	// Since is when it came up, Until when the CRM may have done something about the call last.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Absent counts the times that some were not found after the CRM must have been able to find them.
	Absent int `json:"absent,omitempty"`
}

// SentBulk is a bulk call with members, as it was when the store was left.
type SentBulk struct {
	Bulk
	// Heads of the members, by place; zero for those that have left.
	Heads []Head
}
