// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

func TestBatchingInThePlan(t *testing.T) {
	generic := func(c *v1alpha1.CRM) { c.Spec.Provider, c.Spec.Licence.Account = v1alpha1.ProviderGeneric, "acme" }
	declared := func(c *v1alpha1.CRM) {
		generic(c)
		c.Spec.Generic = &v1alpha1.Generic{BulkCalls: []v1alpha1.BulkCall{
			{Operation: "CreateOrder", Path: "/orders", BulkPath: "/orders/bulk", MaxItems: 10, ID: "id", Effect: v1alpha1.BulkEffectAllOrNone},
		}}
		c.Spec.Licence.Limits[0].Match = v1alpha1.CallMatch{Operations: []v1alpha1.OperationName{"CreateOrder"}}
	}
	for name, row := range map[string]struct {
		crm  func(*v1alpha1.CRM)
		edit func(*v1alpha1.IntegrationSpec)
		want *contract.Batching
	}{
		"absent":                          {want: &contract.Batching{Mode: contract.BatchWhenWaiting, MaxLingerSeconds: 10}},
		"absent, and nothing to merge":    {crm: generic},
		"absent, and declared bulk calls": {crm: declared, want: &contract.Batching{Mode: contract.BatchWhenWaiting, MaxLingerSeconds: 10}},
		"declared operations": {
			crm: declared,
			edit: func(s *v1alpha1.IntegrationSpec) {
				s.Batching = v1alpha1.Batching{Mode: v1alpha1.BatchingAlways, MaxLingerSeconds: 30, Operations: []v1alpha1.OperationName{"CreateOrder"}}
				s.Overflow.Operations = []v1alpha1.OperationOverflow{{Operation: "CreateOrder", Policy: v1alpha1.OperationQueue}}
			},
			want: &contract.Batching{Mode: contract.BatchAlways, MaxLingerSeconds: 30, Operations: []string{"CreateOrder"}},
		},
		"off": {edit: func(s *v1alpha1.IntegrationSpec) {
			s.Batching = v1alpha1.Batching{Mode: v1alpha1.BatchingOff, MaxLingerSeconds: 10}
		}},
		"updates are folded": {
			edit: func(s *v1alpha1.IntegrationSpec) { s.Batching = v1alpha1.Batching{Updates: v1alpha1.UpdatesFolded} },
			want: &contract.Batching{Mode: contract.BatchWhenWaiting, MaxLingerSeconds: 10, FoldUpdates: true},
		},
		"an operation that goes with others": {
			crm: func(c *v1alpha1.CRM) { c.Spec.Provider, c.Spec.Licence.Account = v1alpha1.ProviderSalesforce, "acme" },
			edit: func(s *v1alpha1.IntegrationSpec) {
				s.Batching = v1alpha1.Batching{Operations: []v1alpha1.OperationName{"DeleteCase"}}
			},
			want: &contract.Batching{Mode: contract.BatchWhenWaiting, MaxLingerSeconds: 10, Operations: []string{"DeleteCase"}},
		},
		"bulk calls are shared": {
			edit: func(s *v1alpha1.IntegrationSpec) {
				s.Batching = v1alpha1.Batching{Sharing: v1alpha1.SharingAcrossIntegrations}
			},
			want: &contract.Batching{Mode: contract.BatchWhenWaiting, MaxLingerSeconds: 10, AcrossIntegrations: true},
		},
		"bulk calls are not shared": {
			edit: func(s *v1alpha1.IntegrationSpec) {
				s.Batching = v1alpha1.Batching{Sharing: v1alpha1.SharingSameIntegration}
			},
			want: &contract.Batching{Mode: contract.BatchWhenWaiting, MaxLingerSeconds: 10},
		},
		"external": {edit: func(s *v1alpha1.IntegrationSpec) { s.Route, s.Clients = v1alpha1.RouteExternal, nil }},
		"all of it": {
			edit: func(s *v1alpha1.IntegrationSpec) {
				s.Batching = v1alpha1.Batching{Mode: v1alpha1.BatchingAlways, MaxItems: 50, MaxLingerSeconds: 30, Operations: []v1alpha1.OperationName{"CreateTicket"}}
			},
			want: &contract.Batching{Mode: contract.BatchAlways, MaxItems: 50, MaxLingerSeconds: 30, Operations: []string{"CreateTicket"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, i := crm(), integration("a")
			if row.crm != nil {
				row.crm(c)
			}
			if row.edit != nil {
				row.edit(&i.Spec)
			}
			out := compile(c, nil, i).Plan
			if len(out.Integrations) != 1 {
				t.Fatalf("the plan has %d integrations", len(out.Integrations))
			}
			if diff := cmp.Diff(row.want, out.Integrations[0].Batching); diff != "" {
				t.Errorf("batching (-want +got):\n%s", diff)
			}
		})
	}
}
