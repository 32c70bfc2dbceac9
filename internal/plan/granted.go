// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// grant is an entry of the previous plan.
type grant struct {
	entry    contract.Integration
	calendar calendar
}

// grantedBefore is what the previous plan grants to Integrations that are still declared, in the order in which it is cut where the licence has shrunk:
// percentages shrink by themselves and so go first, then calls by age.
func grantedBefore(declared []*v1alpha1.Integration, previous, head *contract.Plan, known zones) []grant {
	if previous == nil || previousLicence(previous) != previousLicence(head) {
		return nil
	}
	entries := make(map[string]contract.Integration, len(previous.Integrations))
	for _, e := range previous.Integrations {
		entries[e.Key()] = e
	}
	var out []grant
	for _, i := range declared {
		entry, found := entries[nameOf(i).String()]
		if !found {
			continue
		}
		entry.Enforce = enforces(i, head)
		if c, err := newCalendar(&entry, shared(head), known); err == nil {
			out = append(out, grant{entry, c})
		}
	}
	slices.SortStableFunc(out, func(x, y grant) int {
		a, b := inCalls(&x.entry), inCalls(&y.entry)
		switch {
		case a == b:
			return 0
		case b:
			return -1
		default:
			return 1
		}
	})
	return out
}
