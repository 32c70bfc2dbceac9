// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// now is when everything is compiled; objects were created before it.
var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// crm makes a CRM as the API server would store it, and edits it.
func crm(edits ...func(*v1alpha1.CRM)) *v1alpha1.CRM {
	c := &v1alpha1.CRM{
		ObjectMeta: metav1.ObjectMeta{Namespace: "cc", Name: "zendesk", UID: "crm-1", Generation: 1, CreationTimestamp: metav1.NewTime(now.Add(-time.Hour))},
		Spec: v1alpha1.CRMSpec{
			Provider: v1alpha1.ProviderZendesk,
			Endpoint: "https://acme.zendesk.com",
			Credentials: v1alpha1.Credentials{Basic: &v1alpha1.BasicCredentials{
				SecretRef: v1alpha1.LocalReference{Name: "api"}, UsernameKey: "username", PasswordKey: "password",
			}},
			Licence: v1alpha1.Licence{Limits: []v1alpha1.Limit{
				{Name: "minute", Calls: 400, WindowSeconds: 60, OnExhaustion: v1alpha1.OnExhaustionStop},
				{Name: "day", Calls: 2500, Calendar: &v1alpha1.CalendarWindow{Unit: v1alpha1.CalendarUnitDay, TimeZone: "Europe/Berlin"}, OnExhaustion: v1alpha1.OnExhaustionAlert},
				{Name: "inflight", Concurrent: 20, OnExhaustion: v1alpha1.OnExhaustionStop},
			}},
			Enforcement: v1alpha1.EnforcementEnforce,
			Dispatch:    v1alpha1.DispatchRun,
			Intake:      v1alpha1.Intake{Scheme: v1alpha1.IntakeSchemeHTTPS},
		},
	}
	for _, edit := range edits {
		edit(c)
	}
	return c
}

// integration makes an Integration as the API server would store it, with a service account of its own name, and edits it.
func integration(name string, edits ...func(*v1alpha1.Integration)) v1alpha1.Integration {
	i := v1alpha1.Integration{
		ObjectMeta: metav1.ObjectMeta{Namespace: "cc", Name: name, UID: types.UID("uid-" + name), Generation: 1, CreationTimestamp: metav1.NewTime(now.Add(-time.Minute))},
		Spec: v1alpha1.IntegrationSpec{
			CRMRef: v1alpha1.LocalReference{Name: "zendesk"},
			Share:  v1alpha1.Share{Weight: 1, MaxPercent: 100},
			Overflow: v1alpha1.Overflow{
				Policy: v1alpha1.OverflowWait, WaitSeconds: 8, Queue: v1alpha1.Queue{MaxCalls: 1000, MaxAgeSeconds: 86400},
			},
			Clients:     []v1alpha1.Client{{Name: "main", ServiceAccount: &v1alpha1.LocalReference{Name: name}}},
			Enforcement: v1alpha1.EnforcementEnforce,
		},
	}
	for _, edit := range edits {
		edit(&i)
	}
	return i
}

func percent(p int32) func(*v1alpha1.Integration) {
	return func(i *v1alpha1.Integration) { i.Spec.Share.GuaranteedPercent, i.Spec.Share.GuaranteedCalls = &p, nil }
}

func calls(limit string, n int64) func(*v1alpha1.Integration) {
	return func(i *v1alpha1.Integration) {
		i.Spec.Share.GuaranteedPercent = nil
		i.Spec.Share.GuaranteedCalls = append(i.Spec.Share.GuaranteedCalls, v1alpha1.GuaranteedCalls{Limit: v1alpha1.LimitName(limit), Calls: n})
	}
}

func age(d time.Duration) func(*v1alpha1.Integration) {
	return func(i *v1alpha1.Integration) { i.CreationTimestamp = metav1.NewTime(now.Add(-d)) }
}

func generation(n int64) func(*v1alpha1.Integration) {
	return func(i *v1alpha1.Integration) { i.Generation = n }
}

func key(digit string) func(*v1alpha1.Integration) {
	return func(i *v1alpha1.Integration) {
		i.Spec.Clients = append(i.Spec.Clients, v1alpha1.Client{Name: "key-" + digit, APIKeyHashes: []string{"sha256:" + strings.Repeat(digit, 64)}})
	}
}

func operation(o v1alpha1.OperationOverflow) func(*v1alpha1.Integration) {
	return func(i *v1alpha1.Integration) { i.Spec.Overflow.Operations = append(i.Spec.Overflow.Operations, o) }
}

// compile makes a plan of a CRM and its integrations on top of a previous one.
func compile(c *v1alpha1.CRM, previous *contract.Plan, integrations ...v1alpha1.Integration) plan.Output {
	return plan.Compile(plan.Input{CRM: c, Integrations: integrations, Previous: previous, Now: now})
}

// throughJSON is a plan as it comes back from its ConfigMap.
func throughJSON(t interface {
	Helper()
	Fatalf(string, ...any)
}, p *contract.Plan) *contract.Plan {
	t.Helper()
	if p == nil {
		return nil
	}
	encoded, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatalf("encoding the plan: %v", err)
	}
	var out contract.Plan
	if err := json.Unmarshal(encoded, &out); err != nil {
		t.Fatalf("decoding the plan: %v", err)
	}
	return &out
}

// entry of an integration in a plan.
func entry(t *testing.T, p *contract.Plan, name string) contract.Integration {
	t.Helper()
	for _, e := range p.Integrations {
		if e.Name == name {
			return e
		}
	}
	t.Fatalf("%s is not in the plan", name)
	return contract.Integration{}
}

func decision(out plan.Output, name string) plan.Decision {
	return out.Integrations[types.NamespacedName{Namespace: "cc", Name: name}]
}
