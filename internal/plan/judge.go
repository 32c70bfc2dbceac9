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
	for _, check := range []func(*contract.Integration, *contract.Plan) Decision{judgeOperations, judgeReads, judgeBatching, judgeParts, judgeCredentials, judgeClients} {
		if d := check(entry, head); !d.OK() {
			return d
		}
	}
	return accepted
}

var accepted = Decision{v1alpha1.ReasonAccepted, "The spec is in the dispatch plan."}

func judgeOperations(entry *contract.Integration, head *contract.Plan) Decision {
	adapter, _ := provider.Of(head)
	for n, o := range entry.Operations {
		if o.Operation == "" {
			continue
		}
		field := fmt.Sprintf("overflow.operations[%d].operation", n)
		safe, d := lookUp(o.Operation, adapter, field, "match")
		if !d.OK() {
			return d
		}
		if safe && o.Policy == contract.Queued {
			return Decision{v1alpha1.ReasonUnsafeQueue, fmt.Sprintf(
				"%s: %s only reads, and its caller needs the answer: use policy Wait or Reject", field, o.Operation)}
		}
	}
	return accepted
}

// judgeReads: answers are kept of what only reads.
func judgeReads(entry *contract.Integration, head *contract.Plan) Decision {
	adapter, _ := provider.Of(head)
	for n, c := range entry.CachedReads {
		if c.Operation == "" {
			continue
		}
		field := fmt.Sprintf("reads.cache[%d].operation", n)
		safe, d := lookUp(c.Operation, adapter, field, "path")
		if !d.OK() {
			return d
		}
		if !safe {
			return Decision{v1alpha1.ReasonUnsafeCache, fmt.Sprintf("%s: %s changes something in the CRM, so no answer of it can be kept: remove it", field, c.Operation)}
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

// judgeParts: every part of a single limit must be of one that is shared out.
func judgeParts(entry *contract.Integration, head *contract.Plan) Decision {
	limits := shared(head)
	for number, s := range sharesOf(entry) {
		for _, name := range slices.Sorted(maps.Keys(s.PerLimit)) {
			if !slices.ContainsFunc(limits, func(l contract.Limit) bool { return l.Name == name }) {
				return Decision{v1alpha1.ReasonUnknownLimit, fmt.Sprintf(
					"%s.perLimit: CRM %s has no limit %q that is shared out; it has %s", shareField(entry, number), head.CRM.Name, name, limitNames(limits))}
			}
		}
	}
	return accepted
}

func limitNames(limits []contract.Limit) string {
	var names []string
	for _, l := range limits {
		if !slices.Contains(names, l.Name) {
			names = append(names, l.Name)
		}
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}

func judgeClients(entry *contract.Integration, _ *contract.Plan) Decision {
	seen := make(map[string]string)
	for id, name := range identities(entry) {
		if first, twice := seen[id]; twice {
			return Decision{v1alpha1.ReasonDuplicateClient, fmt.Sprintf("clients: %s and %s are the same; remove one", first, name)}
		}
		seen[id] = name
	}
	return accepted
}
