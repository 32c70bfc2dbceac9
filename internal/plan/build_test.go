// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"encoding/json"
	"fmt"
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
				{Name: "minute", Calls: 400, WindowSeconds: 60, Scope: v1alpha1.LimitScopeAccount, OnExhaustion: v1alpha1.OnExhaustionStop},
				{
					Name: "day", Calls: 2500, Calendar: &v1alpha1.CalendarWindow{Unit: v1alpha1.CalendarUnitDay, TimeZone: "Europe/Berlin"},
					Scope: v1alpha1.LimitScopeAccount, OnExhaustion: v1alpha1.OnExhaustionAlert,
				},
				{Name: "inflight", Concurrent: 20, Scope: v1alpha1.LimitScopeAccount, OnExhaustion: v1alpha1.OnExhaustionStop},
			}, ExternalPercent: new(int32(0)), MaxServerDelaySeconds: 60, AfterLedgerLoss: v1alpha1.AfterLedgerLossBounded},
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
			CRMRef:   v1alpha1.LocalReference{Name: "zendesk"},
			Route:    v1alpha1.RouteDispatched,
			Share:    share(0),
			Priority: v1alpha1.PriorityStandard,
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

// share of a percentage as the API server would store it.
func share(percent int32) v1alpha1.Share {
	s := v1alpha1.Share{Weight: 1, MaxPercent: 100, LendPercent: new(int32(50)), Reclaim: v1alpha1.ReclaimImmediate}
	if percent > 0 {
		s.GuaranteedPercent = &percent
	}
	return s
}

func percent(p int32) func(*v1alpha1.Integration) {
	return func(i *v1alpha1.Integration) { i.Spec.Share.GuaranteedPercent = &p }
}

func calls(limit string, n int64) func(*v1alpha1.Integration) {
	return func(i *v1alpha1.Integration) {
		i.Spec.Share.PerLimit = append(i.Spec.Share.PerLimit, v1alpha1.LimitShare{Limit: v1alpha1.LimitName(limit), GuaranteedCalls: &n})
	}
}

// weekly adds an override that holds every week, once one that holds once.
func weekly(zone, start, end string, share v1alpha1.Share, days ...v1alpha1.Weekday) func(*v1alpha1.Integration) {
	return func(i *v1alpha1.Integration) {
		i.Spec.Overrides = append(i.Spec.Overrides, v1alpha1.ShareOverride{
			Name:   v1alpha1.LimitName(fmt.Sprintf("o%d", len(i.Spec.Overrides))),
			Weekly: &v1alpha1.WeeklyTime{Days: days, Start: start, End: end, TimeZone: v1alpha1.TimeZone(zone)}, Share: share,
		})
	}
}

func once(from, until time.Time, share v1alpha1.Share) func(*v1alpha1.Integration) {
	return func(i *v1alpha1.Integration) {
		i.Spec.Overrides = append(i.Spec.Overrides, v1alpha1.ShareOverride{
			Name: v1alpha1.LimitName(fmt.Sprintf("o%d", len(i.Spec.Overrides))),
			From: new(metav1.NewTime(from)), Until: new(metav1.NewTime(until)), Share: share,
		})
	}
}

func external(i *v1alpha1.Integration) {
	i.Spec.Route, i.Spec.Clients, i.Spec.Overflow = v1alpha1.RouteExternal, nil, v1alpha1.Overflow{}
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
