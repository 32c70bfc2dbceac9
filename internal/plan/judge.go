// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider"
)

// judgeEntry finds what is wrong with an entry whatever else is in the plan. OK means that it may be admitted.
func judgeEntry(entry *contract.Integration, head *contract.Plan) Decision {
	for _, check := range []func(*contract.Integration, *contract.Plan) Decision{judgeOperations, judgeLimits, judgeClients} {
		if d := check(entry, head); !d.OK() {
			return d
		}
	}
	return accepted
}

var accepted = Decision{v1alpha1.ReasonAccepted, "The spec is in the dispatch plan."}

func judgeOperations(entry *contract.Integration, head *contract.Plan) Decision {
	adapter, known := provider.ByName(head.CRM.Provider)
	for n, o := range entry.Operations {
		if o.Operation == "" {
			continue
		}
		field := fmt.Sprintf("overflow.operations[%d].operation", n)
		if !known {
			return Decision{v1alpha1.ReasonUnknownOperation, fmt.Sprintf("%s: provider %s knows no operations; use match", field, head.CRM.Provider)}
		}
		operation, found := provider.Operation(adapter, o.Operation)
		if !found {
			return Decision{v1alpha1.ReasonUnknownOperation, fmt.Sprintf(
				"%s: provider %s knows no operation %s; it knows %s; otherwise use match", field, head.CRM.Provider, o.Operation, operationNames(adapter))}
		}
		if operation.Safe && o.Policy == contract.Queued {
			return Decision{v1alpha1.ReasonUnsafeQueue, fmt.Sprintf(
				"%s: %s only reads, and its caller needs the answer: use policy Wait or Reject", field, o.Operation)}
		}
	}
	return accepted
}

func operationNames(p provider.Provider) string {
	var names []string
	for _, o := range p.Operations() {
		names = append(names, o.Name)
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}

func judgeLimits(entry *contract.Integration, head *contract.Plan) Decision {
	var known []string
	for _, l := range head.Limits {
		known = append(known, l.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(entry.Share.Guaranteed)) {
		if !slices.Contains(known, name) {
			return Decision{v1alpha1.ReasonUnknownLimit, fmt.Sprintf(
				"share.guaranteedCalls: CRM %s has no limit %q; it has %s", head.CRM.Name, name, strings.Join(known, ", "))}
		}
	}
	return accepted
}

func judgeClients(entry *contract.Integration, _ *contract.Plan) Decision {
	seen := make(map[string]string)
	for _, c := range entry.Clients {
		for _, id := range identities(c) {
			if first, twice := seen[id]; twice {
				return Decision{v1alpha1.ReasonDuplicateClient, fmt.Sprintf("clients: %s and %s are the same; remove one", first, c.Name)}
			}
			seen[id] = c.Name
		}
	}
	return accepted
}
