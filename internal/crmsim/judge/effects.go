// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"slices"
)

// Effects compares what a sender wanted with what the CRM holds. All lists are sorted.
type Effects struct {
	// Lost are wanted ids without a ticket.
	Lost []string `json:"lost,omitempty"`
	// Doubled are ids with more than one ticket.
	Doubled []string `json:"doubled,omitempty"`
	// Unwanted are ids with a ticket that nobody wanted.
	Unwanted []string `json:"unwanted,omitempty"`
}

// CompareEffects compares the external ids that were to be created, each once, with the tickets by external id.
func CompareEffects(wanted []string, tickets map[string][]int64) Effects {
	var e Effects
	asked := make(map[string]bool, len(wanted))
	for _, id := range wanted {
		if !asked[id] && len(tickets[id]) == 0 {
			e.Lost = append(e.Lost, id)
		}
		asked[id] = true
	}
	for id, created := range tickets {
		if len(created) > 1 {
			e.Doubled = append(e.Doubled, id)
		}
		if !asked[id] {
			e.Unwanted = append(e.Unwanted, id)
		}
	}
	slices.Sort(e.Lost)
	slices.Sort(e.Doubled)
	slices.Sort(e.Unwanted)
	return e
}
