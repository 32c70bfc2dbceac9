// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/status"
)

func TestEffects(t *testing.T) {
	queued := func(names ...string) (all []contract.OperationOverflow) {
		for _, name := range names {
			all = append(all, contract.OperationOverflow{Operation: name, Policy: contract.Queued})
		}
		return all
	}
	effect := func(operation string, class v1alpha1.EffectClass) v1alpha1.OperationEffect {
		return v1alpha1.OperationEffect{Operation: v1alpha1.OperationName(operation), Effect: class}
	}
	cases := map[string]struct {
		provider string
		entry    contract.Integration
		want     []v1alpha1.OperationEffect
	}{
		"nothing is queued by name": {provider: "Zendesk"},
		"Zendesk": {
			provider: "Zendesk", entry: contract.Integration{Operations: queued("UpdateTicket", "CreateTickets", "CreateTicket")},
			want: []v1alpha1.OperationEffect{
				effect("CreateTicket", v1alpha1.EffectOnce), effect("CreateTickets", v1alpha1.EffectAtMostOnce), effect("UpdateTicket", v1alpha1.EffectAtLeastOnce),
			},
		},
		"Salesforce, which knows its external IDs": {
			provider: "Salesforce", entry: contract.Integration{Operations: queued("CreateCase", "UpdateCase", "UpsertCase")},
			want: []v1alpha1.OperationEffect{
				effect("CreateCase", v1alpha1.EffectAtMostOnce), effect("UpdateCase", v1alpha1.EffectAtLeastOnce), effect("UpsertCase", v1alpha1.EffectAtLeastOnce),
			},
		},
		"what is merged by name, once": {
			provider: "HubSpot",
			entry:    contract.Integration{Operations: queued("CreateDeal"), Batching: &contract.Batching{Operations: []string{"UpdateDeal", "CreateDeal"}}},
			want:     []v1alpha1.OperationEffect{effect("CreateDeal", v1alpha1.EffectAtMostOnce), effect("UpdateDeal", v1alpha1.EffectAtLeastOnce)},
		},
		"what is not queued is not said": {
			provider: "Zendesk",
			entry: contract.Integration{Operations: []contract.OperationOverflow{
				{Operation: "Search", Policy: contract.Wait}, {Path: "/api/v2/**", Methods: []string{"POST"}, Policy: contract.Queued},
			}},
		},
		"an operation that this version does not know": {provider: "Zendesk", entry: contract.Integration{Operations: queued("Fly")}},
		"a provider that this version does not know":   {provider: "Unheard", entry: contract.Integration{Operations: queued("CreateTicket")}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := integrationFacts(func(f *status.IntegrationFacts) {
				f.Plan.CRM.Provider = c.provider
				f.Plan.Integrations[0].Operations, f.Plan.Integrations[0].Batching = c.entry.Operations, c.entry.Batching
			})
			first := forIntegration(t, f, v1alpha1.IntegrationStatus{}, start)
			if diff := cmp.Diff(c.want, first.Status.Effects); diff != "" {
				t.Errorf("effects (-want +got):\n%s", diff)
			}
			if forIntegration(t, f, first.Status, start).Changed {
				t.Error("the same facts are written again")
			}
		})
	}
}

// TestEffectsAreOfTheOperation: the call by which an adapter is asked is one of the operation's.
func TestEffectsAreOfTheOperation(t *testing.T) {
	for _, p := range provider.All() {
		for _, o := range p.Operations() {
			if class := p.Classify(o.Method, o.Path, nil); class.Operation != o.Name {
				t.Errorf("%s: %s %s is %q and not %s", p.Name(), o.Method, o.Path, class.Operation, o.Name)
			}
		}
	}
}
