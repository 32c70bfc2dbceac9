// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// admitted is what came of an Integration: its guarantee in force ("-" when it is not in the plan) and the reason of its decision.
type admitted struct{ share, reason string }

// outcome of every declared integration by name.
func outcome(out plan.Output) map[string]admitted {
	got := make(map[string]admitted)
	for name, d := range out.Integrations {
		got[name.Name] = admitted{"-", d.Reason}
	}
	for _, e := range out.Plan.Integrations {
		words := []string{guarantee(e.Share)}
		for _, o := range e.Overrides {
			words = append(words, guarantee(o.Share))
		}
		got[e.Name] = admitted{strings.Join(words, ", "), got[e.Name].reason}
	}
	return got
}

// guarantee of a share as "60%", or as "[minute:160 day:5%]" where there is one for single limits only.
func guarantee(s contract.Share) string {
	var parts []string
	for _, limit := range slices.Sorted(maps.Keys(s.PerLimit)) {
		if p := s.PerLimit[limit]; p.GuaranteedCalls != nil {
			parts = append(parts, fmt.Sprintf("%s:%d", limit, *p.GuaranteedCalls))
		} else {
			parts = append(parts, fmt.Sprintf("%s:%d%%", limit, p.GuaranteedPercent))
		}
	}
	if len(parts) > 0 && s.GuaranteedPercent == 0 {
		return fmt.Sprint(parts)
	}
	return strings.TrimSuffix(fmt.Sprintf("%d%% %s", s.GuaranteedPercent, strings.Join(parts, " ")), " ")
}

const (
	ok      = v1alpha1.ReasonAccepted
	exceeds = v1alpha1.ReasonGuaranteeExceedsLicence
	twice   = v1alpha1.ReasonDuplicateClient
)

func TestAdmission(t *testing.T) {
	old, older := age(time.Hour), age(2*time.Hour)
	lower := func(n int64) func(*v1alpha1.CRM) {
		return func(c *v1alpha1.CRM) { c.Spec.Licence.Limits[0].Calls = n }
	}
	for name, row := range map[string]struct {
		before []v1alpha1.Integration // compiled first; nil for no previous plan
		edit   func(*v1alpha1.CRM)
		after  []v1alpha1.Integration
		want   map[string]admitted
	}{
		"what fits is admitted": {
			after: []v1alpha1.Integration{integration("a", percent(60)), integration("b", percent(40)), integration("c")},
			want:  map[string]admitted{"a": {"60%", ok}, "b": {"40%", ok}, "c": {"0%", ok}},
		},
		"without a previous plan the oldest is admitted": {
			after: []v1alpha1.Integration{integration("a", percent(60)), integration("b", percent(60), old)},
			want:  map[string]admitted{"a": {"-", exceeds}, "b": {"60%", ok}},
		},
		"of one age the first by name is admitted": {
			after: []v1alpha1.Integration{integration("b", percent(60)), integration("a", percent(60))},
			want:  map[string]admitted{"a": {"60%", ok}, "b": {"-", exceeds}},
		},
		"an older newcomer takes nothing from who is in the plan": {
			before: []v1alpha1.Integration{integration("a", percent(60))},
			after:  []v1alpha1.Integration{integration("a", percent(60)), integration("b", percent(60), old)},
			want:   map[string]admitted{"a": {"60%", ok}, "b": {"-", exceeds}},
		},
		"an increase that does not fit keeps the share there was": {
			before: []v1alpha1.Integration{integration("a", percent(40), old), integration("b", percent(60))},
			after:  []v1alpha1.Integration{integration("a", percent(50), old), integration("b", percent(60))},
			want:   map[string]admitted{"a": {"40%", exceeds}, "b": {"60%", ok}},
		},
		"an increase fits when another lowers its share at the same time": {
			before: []v1alpha1.Integration{integration("a", percent(40), old), integration("b", percent(60))},
			after:  []v1alpha1.Integration{integration("a", percent(60), old), integration("b", percent(40))},
			want:   map[string]admitted{"a": {"60%", ok}, "b": {"40%", ok}},
		},
		"what is set free goes to the oldest who asks": {
			before: []v1alpha1.Integration{integration("a", percent(40)), integration("b", percent(60), older)},
			after:  []v1alpha1.Integration{integration("a", percent(60)), integration("b", percent(40), older), integration("c", percent(20), old)},
			want:   map[string]admitted{"a": {"40%", exceeds}, "b": {"40%", ok}, "c": {"20%", ok}},
		},
		"what the youngest sets free goes to the oldest before one in between takes what was free": {
			before: []v1alpha1.Integration{integration("a", percent(40), older), integration("b", percent(50))},
			after:  []v1alpha1.Integration{integration("a", percent(70), older), integration("b", percent(30)), integration("c", percent(10), old)},
			want:   map[string]admitted{"a": {"70%", ok}, "b": {"30%", ok}, "c": {"-", exceeds}},
		},
		"one that is gone sets its share free": {
			before: []v1alpha1.Integration{integration("a", percent(60)), integration("b", percent(40))},
			after:  []v1alpha1.Integration{integration("b", percent(90))},
			want:   map[string]admitted{"b": {"90%", ok}},
		},
		"one that is being deleted leaves the plan": {
			before: []v1alpha1.Integration{integration("a", percent(60)), integration("b", percent(40))},
			after: []v1alpha1.Integration{
				integration("a", percent(60), func(i *v1alpha1.Integration) { i.DeletionTimestamp = new(metav1.NewTime(now)) }), integration("b", percent(90)),
			},
			want: map[string]admitted{"b": {"90%", ok}},
		},
		"guarantees in calls fill a limit to the last call": {
			after: []v1alpha1.Integration{integration("a", percent(60)), integration("b", calls("minute", 160)), integration("c", calls("minute", 1))},
			want:  map[string]admitted{"a": {"60%", ok}, "b": {"[minute:160]", ok}, "c": {"-", exceeds}},
		},
		"guarantees in calls of other limits do not meet": {
			after: []v1alpha1.Integration{integration("a", calls("minute", 400)), integration("b", calls("day", 2500)), integration("c", calls("inflight", 20))},
			want:  map[string]admitted{"a": {"[minute:400]", ok}, "b": {"[day:2500]", ok}, "c": {"[inflight:20]", ok}},
		},
		"a lowered limit cuts guarantees in calls, the youngest first": {
			before: []v1alpha1.Integration{integration("a", calls("minute", 200), old), integration("b", calls("minute", 200), calls("day", 5))},
			edit:   lower(300),
			after:  []v1alpha1.Integration{integration("a", calls("minute", 200), old), integration("b", calls("minute", 200), calls("day", 5))},
			want:   map[string]admitted{"a": {"[minute:200]", ok}, "b": {"[day:5 minute:100]", exceeds}},
		},
		"a lowered limit shrinks percentages by themselves": {
			before: []v1alpha1.Integration{integration("a", percent(60)), integration("b", calls("minute", 160), old)},
			edit:   lower(200),
			after:  []v1alpha1.Integration{integration("a", percent(60)), integration("b", calls("minute", 160), old)},
			want:   map[string]admitted{"a": {"60%", ok}, "b": {"[minute:80]", exceeds}},
		},
		"a lowered limit cuts a percentage beside older calls": {
			before: []v1alpha1.Integration{integration("a", calls("minute", 160), old), integration("b", percent(60), calls("day", 5))},
			edit:   lower(300),
			after:  []v1alpha1.Integration{integration("a", calls("minute", 160), old), integration("b", percent(60), calls("day", 5))},
			want:   map[string]admitted{"a": {"[minute:160]", ok}, "b": {"46% day:5", exceeds}},
		},
		"what a younger one sets free in one limit while it asks for more in another goes to an older one": {
			before: []v1alpha1.Integration{integration("a", old), integration("b", calls("minute", 300))},
			after:  []v1alpha1.Integration{integration("a", calls("minute", 300), old), integration("b", calls("minute", 100), calls("day", 5))},
			want:   map[string]admitted{"a": {"[minute:300]", ok}, "b": {"[day:5 minute:100]", ok}},
		},
		"a limit that is gone takes its guarantees along": {
			before: []v1alpha1.Integration{integration("a", calls("minute", 10), calls("day", 5))},
			edit:   func(c *v1alpha1.CRM) { c.Spec.Licence.Limits = c.Spec.Licence.Limits[1:] },
			after:  []v1alpha1.Integration{integration("a", calls("minute", 10), calls("day", 5))},
			want:   map[string]admitted{"a": {"[day:5]", v1alpha1.ReasonUnknownLimit}},
		},
		"of two with one client the oldest is admitted": {
			after: []v1alpha1.Integration{integration("a", key("1")), integration("b", key("1"), old)},
			want:  map[string]admitted{"a": {"-", twice}, "b": {"0%", ok}},
		},
		"a client stays with who has it": {
			before: []v1alpha1.Integration{integration("a", key("1"))},
			after:  []v1alpha1.Integration{integration("a", key("1")), integration("b", key("1"), old)},
			want:   map[string]admitted{"a": {"0%", ok}, "b": {"-", twice}},
		},
		"a client moves when its owner lets it go at the same time": {
			before: []v1alpha1.Integration{integration("a", key("1"))},
			after:  []v1alpha1.Integration{integration("a"), integration("b", key("1"), old)},
			want:   map[string]admitted{"a": {"0%", ok}, "b": {"0%", ok}},
		},
		"a client stays with who lets it go in an edit that is refused": {
			before: []v1alpha1.Integration{integration("a", percent(50), key("1")), integration("b", percent(50))},
			after:  []v1alpha1.Integration{integration("a", percent(60)), integration("b", percent(50), key("1"))},
			want:   map[string]admitted{"a": {"50%", exceeds}, "b": {"50%", twice}},
		},
		"one client twice in one integration is refused": {
			after: []v1alpha1.Integration{integration("a", key("1"), func(i *v1alpha1.Integration) {
				i.Spec.Clients = append(i.Spec.Clients, v1alpha1.Client{Name: "again", APIKeyHashes: i.Spec.Clients[1].APIKeyHashes})
			})},
			want: map[string]admitted{"a": {"-", twice}},
		},
		"an integration of another CRM or namespace is left out": {
			after: []v1alpha1.Integration{
				integration("a"), integration("b", func(i *v1alpha1.Integration) { i.Namespace = "elsewhere" }),
				integration("c", func(i *v1alpha1.Integration) { i.Spec.CRMRef.Name = "salesforce" }),
			},
			want: map[string]admitted{"a": {"0%", ok}},
		},
		"a re-created integration keeps what was granted to its name": {
			before: []v1alpha1.Integration{integration("a", percent(60), old), integration("b", percent(40))},
			after: []v1alpha1.Integration{
				integration("a", percent(60), func(i *v1alpha1.Integration) { i.UID = "new" }), integration("b", percent(50)),
			},
			want: map[string]admitted{"a": {"60%", ok}, "b": {"40%", exceeds}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var previous *contract.Plan
			if row.before != nil {
				previous = compile(crm(), nil, row.before...).Plan
			}
			c := crm()
			if row.edit != nil {
				row.edit(c)
			}
			if diff := cmp.Diff(row.want, outcome(compile(c, previous, row.after...)), cmp.AllowUnexported(admitted{})); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnIntegrationsRefusalsNameFieldCauseAndRemedy(t *testing.T) {
	tiny := func(c *v1alpha1.CRM) { c.Spec.Licence.Limits = c.Spec.Licence.Limits[:1] }
	generic := func(c *v1alpha1.CRM) { c.Spec.Provider, c.Spec.Licence.Account = v1alpha1.ProviderGeneric, "acme" }
	for name, row := range map[string]struct {
		crm    func(*v1alpha1.CRM)
		beside []v1alpha1.Integration
		edit   func(*v1alpha1.Integration)
		want   plan.Decision
	}{
		"an operation that Zendesk does not have": {
			edit: operation(v1alpha1.OperationOverflow{Operation: "CreateTickte", Policy: v1alpha1.OperationQueue}),
			want: plan.Decision{Reason: v1alpha1.ReasonUnknownOperation, Message: "overflow.operations[0].operation: provider Zendesk knows no operation CreateTickte; it knows CreateOrganizations, CreateTicket, "},
		},
		"an operation of a provider without any": {
			crm:  generic,
			edit: operation(v1alpha1.OperationOverflow{Operation: "CreateTicket", Policy: v1alpha1.OperationQueue}),
			want: plan.Decision{Reason: v1alpha1.ReasonUnknownOperation, Message: "provider Generic knows no operation CreateTicket; it knows none; otherwise use match"},
		},
		"queueing a search": {
			edit: operation(v1alpha1.OperationOverflow{Operation: "SearchUsers", Policy: v1alpha1.OperationQueue}),
			want: plan.Decision{Reason: v1alpha1.ReasonUnsafeQueue, Message: "SearchUsers only reads, and its caller needs the answer: use policy Wait or Reject"},
		},
		"keeping answers of an unknown operation": {
			edit: func(i *v1alpha1.Integration) {
				i.Spec.Reads.Cache = []v1alpha1.CachedRead{{Path: "/x", Seconds: 1}, {Operation: "SaerchUsers", Seconds: 1}}
			},
			want: plan.Decision{Reason: v1alpha1.ReasonUnknownOperation, Message: "reads.cache[1].operation: provider Zendesk knows no operation SaerchUsers; it knows CreateOrganizations, CreateTicket, "},
		},
		"keeping answers of a write": {
			edit: func(i *v1alpha1.Integration) {
				i.Spec.Reads.Cache = []v1alpha1.CachedRead{{Operation: "CreateTicket", Seconds: 1}}
			},
			want: plan.Decision{Reason: v1alpha1.ReasonUnsafeCache, Message: "reads.cache[0].operation: CreateTicket changes something in the CRM, so no answer of it can be kept: remove it"},
		},
		"merging what has no bulk call": {
			edit: func(i *v1alpha1.Integration) {
				i.Spec.Batching.Operations = []v1alpha1.OperationName{"CreateTicket", "Search"}
			},
			want: plan.Decision{Reason: v1alpha1.ReasonNotBatchable, Message: "batching.operations[1]: provider Zendesk has no bulk call for Search; it has some for CreateTicket"},
		},
		"folding updates where none are merged": {
			edit: func(i *v1alpha1.Integration) {
				i.Spec.Batching.Updates, i.Spec.Batching.Operations = v1alpha1.UpdatesFolded, []v1alpha1.OperationName{"CreateTicket"}
			},
			want: plan.Decision{Reason: v1alpha1.ReasonNotBatchable, Message: "batching.updates: none of the operations that are merged updates records that are there: "},
		},
		"folding updates of a CRM of which nothing is known": {
			crm:  generic,
			edit: func(i *v1alpha1.Integration) { i.Spec.Batching.Updates = v1alpha1.UpdatesFolded },
			want: plan.Decision{Reason: v1alpha1.ReasonNotBatchable, Message: "batching.updates: none of the operations that are merged updates records that are there: "},
		},
		"sharing bulk calls of which all items are taken or none": {
			crm: func(c *v1alpha1.CRM) {
				generic(c)
				c.Spec.Generic = &v1alpha1.Generic{BulkCalls: []v1alpha1.BulkCall{
					{Operation: "CreateOrder", Path: "/orders", BulkPath: "/orders/bulk", MaxItems: 10, ID: "id", Effect: v1alpha1.BulkEffectAllOrNone},
				}}
			},
			edit: func(i *v1alpha1.Integration) { i.Spec.Batching.Sharing = v1alpha1.SharingAcrossIntegrations },
			want: plan.Decision{Reason: v1alpha1.ReasonNotBatchable, Message: "batching.sharing: none of the operations that are merged has a bulk call whose items take effect one by one, "},
		},
		"waiting for bulk calls that there are not": {
			crm:  generic,
			edit: func(i *v1alpha1.Integration) { i.Spec.Batching.Mode = v1alpha1.BatchingAlways },
			want: plan.Decision{Reason: v1alpha1.ReasonNotBatchable, Message: "batching.mode: Always needs bulk calls, and provider Generic has none: remove batching"},
		},
		"waiting for bulk calls that are unconfirmed": {
			crm:  func(c *v1alpha1.CRM) { c.Spec.Provider, c.Spec.Licence.Account = v1alpha1.ProviderKustomer, "acme" },
			edit: func(i *v1alpha1.Integration) { i.Spec.Batching.Mode = v1alpha1.BatchingAlways },
			want: plan.Decision{Reason: v1alpha1.ReasonNotBatchable, Message: "batching.mode: the bulk calls of provider Kustomer are unconfirmed, so Always needs their names in batching.operations: CreateCompany, CreateCustomer"},
		},
		"a limit that the CRM does not have": {
			crm: tiny, edit: calls("day", 5),
			want: plan.Decision{Reason: v1alpha1.ReasonUnknownLimit, Message: `share.perLimit: CRM zendesk has no limit "day" that is shared out; it has minute`},
		},
		"more percent than are left": {
			beside: []v1alpha1.Integration{integration("old", percent(70), age(time.Hour))}, edit: percent(40),
			want: plan.Decision{Reason: exceeds, Message: "share.guaranteedPercent: 40 percent of limit minute are more than the 30 of 100 that other integrations leave: lower"},
		},
		"more calls than are left": {
			beside: []v1alpha1.Integration{integration("old", percent(70), age(time.Hour))}, edit: calls("minute", 121),
			want: plan.Decision{Reason: exceeds, Message: "share.perLimit[minute]: 121 calls of limit minute are more than the 120 of 400 that other integrations leave: lower"},
		},
		"a client that another one has": {
			beside: []v1alpha1.Integration{integration("old", key("1"), age(time.Hour))}, edit: key("1"),
			want: plan.Decision{Reason: twice, Message: "clients: key-1 is already a client of integration cc/old"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := crm()
			if row.crm != nil {
				row.crm(c)
			}
			out := compile(c, nil, append(row.beside, integration("new", row.edit))...)
			if got := decision(out, "new"); got.Reason != row.want.Reason || !strings.Contains(got.Message, row.want.Message) {
				t.Errorf("decision without a previous entry %+v, want %+v", got, row.want)
			}
			previous := compile(c, nil, append(row.beside, integration("new"))...).Plan
			out = compile(c, previous, append(row.beside, integration("new", row.edit, generation(2)))...)
			if got := decision(out, "new"); got.Reason != row.want.Reason || !strings.HasSuffix(got.Message, "; meanwhile its previous version stays in force") {
				t.Errorf("decision with a previous entry %+v, want %s and a word on what stays", got, row.want.Reason)
			}
			if diff := cmp.Diff(previous, out.Plan); diff != "" {
				t.Errorf("the previous plan did not stay (-previous +got):\n%s", diff)
			}
		})
	}
}

func TestQueueingAWriteAndWaitingForASearchAreAccepted(t *testing.T) {
	out := compile(crm(), nil, integration("a",
		operation(v1alpha1.OperationOverflow{Operation: "CreateTicket", Policy: v1alpha1.OperationQueue}),
		operation(v1alpha1.OperationOverflow{Operation: "SearchUsers", Policy: v1alpha1.OperationWait}),
		operation(v1alpha1.OperationOverflow{Match: &v1alpha1.OperationMatch{Methods: []v1alpha1.HTTPMethod{"POST"}, Path: "/x/**"}, Policy: v1alpha1.OperationReject}),
	))
	want := []contract.OperationOverflow{
		{Operation: "CreateTicket", Policy: contract.Queued}, {Operation: "SearchUsers", Policy: contract.Wait},
		{Methods: []string{"POST"}, Path: "/x/**", Policy: contract.Reject},
	}
	if diff := cmp.Diff(want, entry(t, out.Plan, "a").Operations); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

func TestEnforcementIsTheLaxerOfCRMAndIntegration(t *testing.T) {
	shadow := func(i *v1alpha1.Integration) { i.Spec.Enforcement = v1alpha1.EnforcementShadow }
	crmShadow := func(c *v1alpha1.CRM) { c.Spec.Enforcement = v1alpha1.EnforcementShadow }
	declared := []v1alpha1.Integration{integration("a", shadow), integration("b", percent(100)), integration("refused", percent(1))}
	before := compile(crm(crmShadow), nil, append(declared[:2:2], integration("refused"))...).Plan
	for _, e := range before.Integrations {
		if e.Enforce {
			t.Errorf("%s is enforced under a CRM in Shadow", e.Name)
		}
	}
	after := compile(crm(), before, declared...)
	for name, want := range map[string]bool{"a": false, "b": true, "refused": true} {
		if got := entry(t, after.Plan, name).Enforce; got != want {
			t.Errorf("%s: enforce %t, want %t once the CRM enforces", name, got, want)
		}
	}
}

func TestNoMoreIntegrationsThanAPlanCanHold(t *testing.T) {
	many := make([]v1alpha1.Integration, 0, contract.MaxIntegrations+1)
	for n := range contract.MaxIntegrations {
		many = append(many, integration(fmt.Sprintf("i%04d", n)))
	}
	full := compile(crm(), nil, many...)
	if got := len(full.Plan.Integrations); got != contract.MaxIntegrations {
		t.Fatalf("the plan holds %d, want %d", got, contract.MaxIntegrations)
	}
	out := compile(crm(), full.Plan, append(many, integration("a-first", age(time.Hour)))...)
	if got := decision(out, "a-first"); got.Reason != v1alpha1.ReasonTooManyIntegrations || !strings.Contains(got.Message, "1000 integrations already") {
		t.Errorf("decision %+v, want %s", got, v1alpha1.ReasonTooManyIntegrations)
	}
	if diff := cmp.Diff(full.Plan, out.Plan); diff != "" {
		t.Errorf("one too many changed the plan:\n%s", diff)
	}
}

func TestThePlanFitsIntoAConfigMap(t *testing.T) {
	match := &v1alpha1.OperationMatch{Methods: []v1alpha1.HTTPMethod{"POST"}, Path: v1alpha1.PathPattern("/" + strings.Repeat("a", 255))}
	long := func(i *v1alpha1.Integration) {
		for range 32 {
			i.Spec.Overflow.Operations = append(i.Spec.Overflow.Operations, v1alpha1.OperationOverflow{Match: match, Policy: v1alpha1.OperationReject})
		}
	}
	var many []v1alpha1.Integration
	for n := range 120 {
		many = append(many, integration(fmt.Sprintf("i%03d", n), long))
	}
	out := compile(crm(), nil, many...)
	if d := decision(out, "i119"); d.Reason != v1alpha1.ReasonTooManyIntegrations || !strings.Contains(d.Message, "bytes") {
		t.Errorf("the last of 120 large integrations: %+v, want %s", d, v1alpha1.ReasonTooManyIntegrations)
	}
	if size := planSize(t, out.Plan); size > 1<<20*9/10 || size < 1<<20*8/10 {
		t.Errorf("the plan has %d bytes; want it filled up to nine tenths of 1 MiB", size)
	}

	// One that becomes shorter, though it asks for a share, makes room for an older one.
	declared := append([]v1alpha1.Integration{integration("older", long, age(time.Hour))}, many...)
	declared[1] = integration("i000", percent(1))
	if d := decision(compile(crm(), out.Plan, declared...), "older"); !d.OK() {
		t.Errorf("an older one that fits once another is shorter: %+v", d)
	}
}

func TestAPreviousPlanThatGrantsTooMuchIsCut(t *testing.T) {
	declared := []v1alpha1.Integration{integration("a", percent(60), age(time.Hour)), integration("b", percent(60))}
	edited := compile(crm(), nil, declared[0], integration("b")).Plan
	edited.Integrations[1].Share.GuaranteedPercent = 60 // as nobody but a hand in the ConfigMap can
	want := map[string]admitted{"a": {"60%", ok}, "b": {"40%", exceeds}}
	if diff := cmp.Diff(want, outcome(compile(crm(), edited, declared...)), cmp.AllowUnexported(admitted{})); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
}

func TestMissingCRM(t *testing.T) {
	i := integration("a")
	want := plan.Decision{
		Reason:  v1alpha1.ReasonCRMNotFound,
		Message: "crmRef: there is no CRM zendesk in namespace cc; create it, or recreate this Integration with another crmRef",
	}
	if diff := cmp.Diff(want, plan.MissingCRM(&i)); diff != "" {
		t.Errorf("decision (-want +got):\n%s", diff)
	}
}
