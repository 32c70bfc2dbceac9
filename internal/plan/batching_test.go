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
	for name, row := range map[string]struct {
		crm  func(*v1alpha1.CRM)
		edit func(*v1alpha1.IntegrationSpec)
		want *contract.Batching
	}{
		"absent":                       {want: &contract.Batching{Mode: contract.BatchWhenWaiting, MaxLingerSeconds: 10}},
		"absent, and nothing to merge": {crm: generic},
		"off": {edit: func(s *v1alpha1.IntegrationSpec) {
			s.Batching = v1alpha1.Batching{Mode: v1alpha1.BatchingOff, MaxLingerSeconds: 10}
		}},
		"updates are folded": {
			edit: func(s *v1alpha1.IntegrationSpec) { s.Batching = v1alpha1.Batching{Updates: v1alpha1.UpdatesFolded} },
			want: &contract.Batching{Mode: contract.BatchWhenWaiting, MaxLingerSeconds: 10, FoldUpdates: true},
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
