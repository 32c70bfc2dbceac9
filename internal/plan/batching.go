// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// defaultLingerSeconds is what batching.maxLingerSeconds is when batching is absent.
const defaultLingerSeconds = 10

// batchingOf translates how queued calls are merged; nil if they are not, because nobody asks for it or the CRM has no bulk calls.
func batchingOf(spec *v1alpha1.IntegrationSpec, head *contract.Plan) *contract.Batching {
	b := &spec.Batching
	mode := cmp.Or(b.Mode, v1alpha1.BatchingWhenWaiting)
	folds := b.Updates == v1alpha1.UpdatesFolded
	across := b.Sharing == v1alpha1.SharingAcrossIntegrations
	asks := mode == v1alpha1.BatchingAlways || len(b.Operations) > 0 || folds || across
	if mode == v1alpha1.BatchingOff || spec.Route == v1alpha1.RouteExternal || !asks && len(merged(head, false)) == 0 {
		return nil
	}
	to := &contract.Batching{
		Mode: contract.BatchingMode(mode), MaxItems: int64(b.MaxItems), MaxLingerSeconds: int64(cmp.Or(b.MaxLingerSeconds, defaultLingerSeconds)),
		FoldUpdates: folds, AcrossIntegrations: across,
	}
	for _, o := range b.Operations {
		to.Operations = append(to.Operations, string(o))
	}
	return to
}

// merged are the operations that the CRM has bulk calls for; unconfirmed says whether to count those that are only merged where they are named.
func merged(head *contract.Plan, unconfirmed bool) []string {
	adapter, known := provider.Of(head)
	if !known {
		return nil
	}
	var names []string
	for _, o := range adapter.Operations() {
		if provider.Merges(adapter, o, unconfirmed) {
			names = append(names, o.Name)
		}
	}
	return names
}

// folds says whether updates of an operation can become one.
func folds(head *contract.Plan, operation string) bool {
	_, can := batchOf(head, operation).(dialect.RecordBatch)
	return can
}

// shares says whether calls of an operation can go together with those of other integrations.
func shares(head *contract.Plan, operation string) bool {
	_, can := batchOf(head, operation).(dialect.SeparateBatch)
	return can
}

// batchOf is how an operation is merged; nil if it is not.
func batchOf(head *contract.Plan, operation string) dialect.Batch {
	adapter, known := provider.Of(head)
	if !known {
		return nil
	}
	batch, _ := adapter.Batch(operation)
	return batch
}

// judgeBatching: what is to be merged can be.
func judgeBatching(entry *contract.Integration, head *contract.Plan) Decision {
	if entry.Batching == nil {
		return accepted
	}
	names := merged(head, true)
	can := cmp.Or(strings.Join(names, ", "), "none")
	if entry.Batching.Mode == contract.BatchAlways && len(names) == 0 {
		return Decision{v1alpha1.ReasonNotBatchable, fmt.Sprintf("batching.mode: Always needs bulk calls, and provider %s has none: remove batching", head.CRM.Provider)}
	}
	if entry.Batching.Mode == contract.BatchAlways && len(entry.Batching.Operations) == 0 && len(merged(head, false)) == 0 {
		return Decision{v1alpha1.ReasonNotBatchable, fmt.Sprintf(
			"batching.mode: the bulk calls of provider %s are unconfirmed, so Always needs their names in batching.operations: %s", head.CRM.Provider, can)}
	}
	for n, o := range entry.Batching.Operations {
		if !slices.Contains(names, o) {
			return Decision{v1alpha1.ReasonNotBatchable, fmt.Sprintf(
				"batching.operations[%d]: provider %s has no bulk call for %s; it has some for %s", n, head.CRM.Provider, o, can)}
		}
	}
	if len(entry.Batching.Operations) > 0 {
		names = entry.Batching.Operations
	}
	if entry.Batching.FoldUpdates && !slices.ContainsFunc(names, func(o string) bool { return folds(head, o) }) {
		return Decision{v1alpha1.ReasonNotBatchable,
			"batching.updates: none of the operations that are merged updates records that are there: name one in batching.operations, or set Separate"}
	}
	if entry.Batching.AcrossIntegrations && !slices.ContainsFunc(names, func(o string) bool { return shares(head, o) }) {
		return Decision{v1alpha1.ReasonNotBatchable,
			"batching.sharing: none of the operations that are merged has a bulk call whose items take effect one by one, and what one integration asks for must not undo what " +
				"another does: set SameIntegration"}
	}
	return accepted
}
