// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// licence replaces the limits of a CRM.
func licence(limits ...v1alpha1.Limit) func(*v1alpha1.CRM) {
	return func(c *v1alpha1.CRM) { c.Spec.Licence.Limits = limits }
}

func operations(names ...v1alpha1.OperationName) v1alpha1.CallMatch {
	return v1alpha1.CallMatch{Operations: names}
}

func TestLimitsReachThePlan(t *testing.T) {
	for name, row := range map[string]struct {
		declared v1alpha1.Limit
		want     contract.Limit
	}{
		"a window of some operations": {
			v1alpha1.Limit{Name: "l", Calls: 100, WindowSeconds: 60, Match: operations("UpdateTicket", "CreateTicket"), Scope: v1alpha1.LimitScopeAccount},
			contract.Limit{Name: "l", Calls: 100, WindowSeconds: 60, Match: &contract.Match{Operations: []string{"UpdateTicket", "CreateTicket"}}},
		},
		"one for each record": {
			v1alpha1.Limit{
				Name: "l", Calls: 30, WindowSeconds: 600, Scope: v1alpha1.LimitScopeRecord,
				Match: v1alpha1.CallMatch{Methods: []v1alpha1.HTTPMethod{"PUT"}, Path: "/api/v2/tickets/*"},
			},
			contract.Limit{Name: "l", Calls: 30, WindowSeconds: 600, PerRecord: true, Match: &contract.Match{Methods: []string{"PUT"}, Path: "/api/v2/tickets/*"}},
		},
		"one for each credential, of a token bucket": {
			v1alpha1.Limit{
				Name: "l", Calls: 100, WindowSeconds: 10, Scope: v1alpha1.LimitScopeCredential, CRMCounting: v1alpha1.CRMCountingTokenBucket, Burst: 20,
				CountingGuardSeconds: 2, OnExhaustion: v1alpha1.OnExhaustionStop,
			},
			contract.Limit{Name: "l", Calls: 100, WindowSeconds: 10, PerCredential: true, Counting: contract.CountingTokenBucket, Burst: 20, GuardSeconds: 2},
		},
		"tokens a day in an unknown zone": {
			v1alpha1.Limit{
				Name: "l", Calls: 30000, Calendar: &v1alpha1.CalendarWindow{Unit: v1alpha1.CalendarUnitDay}, OnExhaustion: v1alpha1.OnExhaustionAlert,
				Costs: []v1alpha1.CallCost{{Match: v1alpha1.CallMatch{Path: "/x/**"}, Cost: 20}, {Match: operations("Search"), Cost: 40}},
			},
			contract.Limit{
				Name: "l", Calls: 30000, Calendar: &contract.Calendar{Unit: contract.CalendarDay}, AlertOnly: true,
				Costs: []contract.Cost{{Match: contract.Match{Path: "/x/**"}, Cost: 20}, {Match: contract.Match{Operations: []string{"Search"}}, Cost: 40}},
			},
		},
		"credits by what is in a call": {
			v1alpha1.Limit{
				Name: "l", Calls: 50000, WindowSeconds: 86400, Costs: []v1alpha1.CallCost{
					{Match: v1alpha1.CallMatch{Path: "/x"}, Cost: 1, Per: v1alpha1.CostPer{BodyArray: "data", Items: 10, Most: 100}},
					{Match: v1alpha1.CallMatch{Path: "/y"}, Cost: 2, Per: v1alpha1.CostPer{QueryList: "include", Most: 3, Plus: 1}},
					{Match: v1alpha1.CallMatch{Path: "/z"}, Cost: 1, Per: v1alpha1.CostPer{QueryNumber: "limit", Items: 200, Most: 2000}},
				},
			},
			contract.Limit{
				Name: "l", Calls: 50000, WindowSeconds: 86400, Costs: []contract.Cost{
					{Match: contract.Match{Path: "/x"}, Cost: 1, Per: &contract.Per{BodyArray: "data", Items: 10, Most: 100}},
					{Match: contract.Match{Path: "/y"}, Cost: 2, Per: &contract.Per{QueryList: "include", Items: 1, Most: 3, Plus: 1}},
					{Match: contract.Match{Path: "/z"}, Cost: 1, Per: &contract.Per{QueryNumber: "limit", Items: 200, Most: 2000}},
				},
			},
		},
		"execution in an hour": {
			v1alpha1.Limit{Name: "l", ExecutionSeconds: 1200, Calendar: &v1alpha1.CalendarWindow{Unit: v1alpha1.CalendarUnitHour, TimeZone: "UTC"}},
			contract.Limit{Name: "l", ExecutionSeconds: 1200, Calendar: &contract.Calendar{Unit: contract.CalendarHour, TimeZone: "UTC"}},
		},
		"jobs": {
			v1alpha1.Limit{Name: "l", Concurrent: 30, Until: v1alpha1.SlotUntilJobEnds, Match: operations("CreateTickets")},
			contract.Limit{Name: "l", Concurrent: 30, UntilJobEnds: true, Match: &contract.Match{Operations: []string{"CreateTickets"}}},
		},
		"slots": {
			v1alpha1.Limit{Name: "l", Concurrent: 30, Until: v1alpha1.SlotUntilCallEnds, CRMCounting: ""}, contract.Limit{Name: "l", Concurrent: 30},
		},
	} {
		t.Run(name, func(t *testing.T) {
			out := compile(crm(licence(row.declared)), nil)
			if !out.CRM.OK() {
				t.Fatalf("decision %+v", out.CRM)
			}
			if diff := cmp.Diff([]contract.Limit{row.want}, out.Plan.Limits); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheRestOfTheLicenceReachesThePlan(t *testing.T) {
	out := compile(crm(func(c *v1alpha1.CRM) {
		l := &c.Spec.Licence
		l.ExternalPercent, l.MaxServerDelaySeconds, l.AfterLedgerLoss = new(int32(15)), 600, v1alpha1.AfterLedgerLossSpent
	}), nil)
	if p := out.Plan; p.ExternalPercent != 15 || p.MaxServerDelaySeconds != 600 || p.Ledger.AfterLoss != contract.LedgerSpent {
		t.Errorf("%d percent for others, a delay of %d s, %s after a loss; want 15, 600, Spent", p.ExternalPercent, p.MaxServerDelaySeconds, p.Ledger.AfterLoss)
	}
}

func TestOperationsOfLimitsMustBeKnown(t *testing.T) {
	const known = "it knows CreateOrganizations, CreateTicket, CreateTickets, CreateUsers, DestroyOrganizations, DestroyTickets, DestroyUsers, ImportTickets, MarkTicketsAsSpam, Search, SearchUsers, " +
		"UpdateOrganizations, UpdateTicket, UpdateTickets, UpdateUsers, UpsertUsers; otherwise use path"
	minute := v1alpha1.Limit{Name: "minute", Calls: 400, WindowSeconds: 60}
	matched, priced := minute, minute
	matched.Match = operations("Search", "Fly")
	priced.Costs = []v1alpha1.CallCost{{Match: operations("Search"), Cost: 2}, {Match: operations("Fly"), Cost: 2}}
	generic := func(c *v1alpha1.CRM) { c.Spec.Provider, c.Spec.Licence.Account = v1alpha1.ProviderGeneric, "acme" }
	for name, row := range map[string]struct {
		edits []func(*v1alpha1.CRM)
		want  string
	}{
		"in a match":              {[]func(*v1alpha1.CRM){licence(minute, matched)}, "licence.limits[1] (minute): operations: provider Zendesk knows no operation Fly; " + known},
		"in a cost":               {[]func(*v1alpha1.CRM){licence(priced)}, "licence.limits[0] (minute): operations: provider Zendesk knows no operation Fly; " + known},
		"of a provider with none": {[]func(*v1alpha1.CRM){generic, licence(matched)}, "provider Generic knows no operation Search; it knows none; otherwise use path"},
	} {
		t.Run(name, func(t *testing.T) {
			c := crm(row.edits...)
			out := compile(c, nil)
			if out.CRM.Reason != v1alpha1.ReasonUnknownOperation || !strings.Contains(out.CRM.Message, row.want) || out.Plan != nil {
				t.Errorf("decision %+v, plan %v; want %s: %s", out.CRM, out.Plan, v1alpha1.ReasonUnknownOperation, row.want)
			}
		})
	}
}

func TestALimitOfEachRecordIsNotSharedOut(t *testing.T) {
	record := v1alpha1.Limit{
		Name: "per-ticket", Calls: 30, WindowSeconds: 600, Scope: v1alpha1.LimitScopeRecord, Match: v1alpha1.CallMatch{Path: "/api/v2/tickets/*"},
	}
	c := crm(func(c *v1alpha1.CRM) { c.Spec.Licence.Limits = append(c.Spec.Licence.Limits, record) })
	override := integration("b", weekly("UTC", "08:00", "18:00", share(0), "Sunday"))
	override.Spec.Overrides[0].Share.PerLimit = []v1alpha1.LimitShare{{Limit: "per-ticket", MaxCalls: 3}}
	out := compile(c, nil, integration("a", calls("per-ticket", 3)), override, integration("full", percent(100)))
	for name, want := range map[string]string{
		"a": `share.perLimit: CRM zendesk has no limit "per-ticket" that is shared out; it has minute, day, inflight`,
		"b": `overrides[0] (o0).share.perLimit: CRM zendesk has no limit "per-ticket" that is shared out`,
	} {
		if d := decision(out, name); d.Reason != v1alpha1.ReasonUnknownLimit || !strings.Contains(d.Message, want) {
			t.Errorf("%s: %+v, want %s: %s", name, d, v1alpha1.ReasonUnknownLimit, want)
		}
	}
	if d := decision(out, "full"); !d.OK() {
		t.Errorf("a guarantee of all there is: %+v", d)
	}
}

func TestExecutionIsSharedInSeconds(t *testing.T) {
	execution := v1alpha1.Limit{Name: "execution", ExecutionSeconds: 1200, WindowSeconds: 300}
	c := crm(licence(execution))
	limited := integration("a", calls("execution", 700), age(time.Hour))
	limited.Spec.Share.PerLimit[0].MaxCalls = 900
	out := compile(c, nil, limited, integration("b", percent(50)), integration("c", calls("execution", 501)))
	want := contract.Part{GuaranteedCalls: new(int64(700_000)), MaxPercent: 100, MaxCalls: new(int64(900_000))}
	if diff := cmp.Diff(want, entry(t, out.Plan, "a").Share.Of("execution")); diff != "" {
		t.Errorf("part (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"b": "share: 600 seconds of limit execution are more than the 500 of 1200 that other integrations leave",
		"c": "share.perLimit[execution]: 501 seconds of limit execution are more than the 500 of 1200 that other integrations leave",
	} {
		if d := decision(out, name); d.Reason != exceeds || !strings.Contains(d.Message, want) {
			t.Errorf("%s: %+v, want %s", name, d, want)
		}
	}
}

func TestExternalIntegrations(t *testing.T) {
	app := integration("app", external, percent(30), age(time.Hour))
	c := crm(func(c *v1alpha1.CRM) { c.Spec.Licence.ExternalPercent = new(int32(10)) })
	out := compile(c, nil, app, integration("b", percent(61)))
	got := entry(t, out.Plan, "app")
	if !got.External || got.Share.LendPercent != 0 || len(got.Clients) > 0 {
		t.Errorf("entry %+v; want an external one without clients that lends nothing", got)
	}
	want := plan.Decision{Reason: exceeds, Message: "share.guaranteedPercent: 61 percent of limit minute are more than the 60 of 90 that other integrations leave: lower the guarantee, or lower theirs"}
	if diff := cmp.Diff(want, decision(out, "b")); diff != "" {
		t.Errorf("decision on b (-want +got):\n%s", diff)
	}
	if d := decision(compile(c, nil, app, integration("b", percent(60))), "b"); !d.OK() {
		t.Errorf("decision on 60 percent %+v; 30 percent of the app and 10 of others leave them", d)
	}
}

func TestAnAbsentOverflowIsWhatTheDefaultsOfItsFieldsSay(t *testing.T) {
	text, err := os.ReadFile("../../config/crd/bases/crmquota.dev_integrations.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type schema struct {
		Default    any
		Properties map[string]schema
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct{ OpenAPIV3Schema schema }
			}
		}
	}
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	overflow := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["overflow"].Properties
	i := integration("a", func(i *v1alpha1.Integration) { i.Spec.Overflow = v1alpha1.Overflow{} })
	got := entry(t, compile(crm(), nil, i).Plan, "a")
	for field, pair := range map[string][2]any{
		"policy":              {overflow["policy"].Default, string(got.Default)},
		"waitSeconds":         {overflow["waitSeconds"].Default, float64(got.WaitSeconds)},
		"queue.maxCalls":      {overflow["queue"].Properties["maxCalls"].Default, float64(got.Queue.MaxCalls)},
		"queue.maxBytes":      {overflow["queue"].Properties["maxBytes"].Default, resource.NewQuantity(got.Queue.MaxBytes, resource.BinarySI).String()},
		"queue.maxAgeSeconds": {overflow["queue"].Properties["maxAgeSeconds"].Default, float64(got.Queue.MaxAgeSeconds)},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: the default is %v, an absent overflow means %v", field, pair[0], pair[1])
		}
	}
}

func TestThePriorityHeaderInThePlan(t *testing.T) {
	for header, want := range map[v1alpha1.PriorityHeader][2]int8{
		"": {0, 0}, v1alpha1.PriorityHeaderIgnore: {0, 0}, v1alpha1.PriorityHeaderLower: {0, 4}, v1alpha1.PriorityHeaderFollow: {-3, 4},
	} {
		out := compile(crm(), nil, integration("a", func(i *v1alpha1.Integration) { i.Spec.PriorityHeader = header }))
		if got := entry(t, out.Plan, "a"); got.MostUrgent != want[0] || got.LeastUrgent != want[1] {
			t.Errorf("%q: from %d to %d, want %v", header, got.MostUrgent, got.LeastUrgent, want)
		}
	}
}

func TestPriorityReachesThePlan(t *testing.T) {
	out := compile(crm(), nil, integration("a", func(i *v1alpha1.Integration) { i.Spec.Priority = v1alpha1.PriorityBulk }))
	if got := entry(t, out.Plan, "a").Priority; got != contract.PriorityBulk {
		t.Errorf("priority %q, want Bulk", got)
	}
}
