// SPDX-License-Identifier: Apache-2.0

package status

import (
	"slices"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider"
)

// effectsOf says how often queued calls of the operations take effect that an entry of the plan queues or merges by name, in order of name. In bulk calls it is the
// same: where the CRM knows a call by itself by a key, it finds those of a bulk call by a mark.
func effectsOf(p *contract.Plan, entry *contract.Integration) (effects []v1alpha1.OperationEffect) {
	adapter, known := provider.Of(p)
	if !known || entry == nil {
		return nil
	}
	var names []string
	for _, o := range entry.Operations {
		if o.Policy == contract.Queued && o.Operation != "" {
			names = append(names, o.Operation)
		}
	}
	if entry.Batching != nil {
		names = append(names, entry.Batching.Operations...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		o, known := provider.Operation(adapter, name)
		if !known {
			continue
		}
		effect := v1alpha1.EffectAtMostOnce
		switch class := adapter.Classify(o.Method, o.Path, nil); {
		case class.Key != nil:
			effect = v1alpha1.EffectOnce
		case class.Idempotent:
			effect = v1alpha1.EffectAtLeastOnce
		}
		effects = append(effects, v1alpha1.OperationEffect{Operation: v1alpha1.OperationName(name), Effect: effect})
	}
	return effects
}
