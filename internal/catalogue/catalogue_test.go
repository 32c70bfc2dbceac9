// SPDX-License-Identifier: Apache-2.0

package catalogue_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/catalogue"
)

func TestEveryProviderButGenericIsThere(t *testing.T) {
	var got []string
	for _, c := range catalogue.All() {
		got = append(got, string(c.Provider))
	}
	want := []string{"Dynamics365", "Freshdesk", "HubSpot", "Intercom", "Kustomer", "Pipedrive", "Salesforce", "ServiceNow", "Zendesk", "ZohoCRM"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("providers (-want +got):\n%s", diff)
	}
	if catalogue.Of(v1alpha1.ProviderGeneric) != nil {
		t.Error("something is known of Generic")
	}
}

// licence with enough of everything that formulas ask for.
func licence(tier string) catalogue.Licence {
	return catalogue.Licence{Tier: tier, Seats: 50, SignIn: catalogue.APIKey}
}

func sizeOf(w catalogue.Written) int64 { return max(w.Calls, w.ExecutionSeconds, int64(w.Concurrent)) }

func sizes(t *testing.T, provider v1alpha1.Provider, l catalogue.Licence) map[string]int64 {
	t.Helper()
	limits, err := catalogue.Of(provider).Expand(l)
	if err != nil {
		t.Fatalf("%s %+v: %v", provider, l, err)
	}
	out := make(map[string]int64)
	for _, w := range limits {
		out[string(w.Name)] = sizeOf(w)
	}
	return out
}

// TestFigures holds the figures that the formulas give against those of the documents, read off by hand.
func TestFigures(t *testing.T) {
	type licence = catalogue.Licence
	for _, row := range []struct {
		provider v1alpha1.Provider
		licence  licence
		limit    string
		want     int64
	}{
		{"Zendesk", licence{Tier: "SuiteGrowth"}, "minute", 400},
		{"Zendesk", licence{Tier: "SuiteGrowth"}, "ticket-updates", 100},
		{"Zendesk", licence{Tier: "SuiteGrowth"}, "per-ticket", 30},
		{"Zendesk", licence{Tier: "SuiteGrowth"}, "jobs", 30},
		{"Zendesk", licence{Tier: "SuiteGrowth", AddOns: map[string]int64{"HighVolumeAPI": 1}}, "minute", 2500},
		{"Zendesk", licence{Tier: "SuiteGrowth", AddOns: map[string]int64{"HighVolumeAPI": 1}}, "ticket-updates", 300},
		{"Zendesk", licence{Tier: "SupportEssential"}, "minute", 10},
		{"Salesforce", licence{Tier: "Enterprise", Seats: 15}, "day", 115_000},
		{"Salesforce", licence{Tier: "Unlimited", Seats: 15}, "day", 175_000},
		{"Salesforce", licence{Tier: "Enterprise", Seats: 15, AddOns: map[string]int64{"APICalls": 10_000, "OneAppLicences": 3}}, "day", 125_600},
		{"Salesforce", licence{Tier: "Unlimited", Seats: 1, AddOns: map[string]int64{"PlatformLicences": 2}}, "day", 115_000},
		{"Salesforce", licence{Tier: "Unlimited", Seats: 1_000_000}, "day", 1_000_000_000},
		{"Salesforce", licence{Tier: "Developer"}, "day", 15_000},
		{"Salesforce", licence{Tier: "Developer"}, "long-calls", 5},
		{"HubSpot", licence{Tier: "Professional"}, "day", 625_000},
		{"HubSpot", licence{Tier: "Professional", AddOns: map[string]int64{"APILimitIncrease": 2}}, "day", 2_625_000},
		{"HubSpot", licence{Tier: "Professional", AddOns: map[string]int64{"APILimitIncrease": 2}}, "ten-seconds", 250},
		{"Dynamics365", licence{Tier: "Dynamics365", Seats: 100}, "day", 1_000_000},
		{"Dynamics365", licence{Tier: "Dynamics365", Seats: 5000}, "day", 10_000_000},
		{"Dynamics365", licence{Tier: "Dynamics365", Seats: 5000, AddOns: map[string]int64{"Capacity": 2}}, "day", 10_100_000},
		{"Dynamics365", licence{Tier: "PowerPlatform"}, "execution", 1200},
		{"Freshdesk", licence{Tier: "Pro"}, "ticket-creates", 160},
		{"ZohoCRM", licence{Tier: "Standard", Seats: 10}, "credits", 52_500},
		{"ZohoCRM", licence{Tier: "Standard", Seats: 1000}, "credits", 100_000},
		{"ZohoCRM", licence{Tier: "Enterprise", Seats: 10, AddOns: map[string]int64{"APICredits": 7}}, "credits", 60_007},
		{"ZohoCRM", licence{Tier: "Ultimate", Seats: 1000}, "credits", 2_050_000},
		{"Pipedrive", licence{Tier: "Premium", Seats: 4, SignIn: catalogue.APIKey}, "tokens", 600_000},
		{"Pipedrive", licence{Tier: "Premium", Seats: 4, SignIn: catalogue.APIKey}, "two-seconds", 100},
		{"Pipedrive", licence{Tier: "Premium", Seats: 4, SignIn: catalogue.OAuth}, "two-seconds", 400},
		{"Intercom", licence{Tier: "Workspace"}, "ten-seconds", 1666},
		{"Kustomer", licence{Tier: "Ultimate"}, "minute", 2000},
		{"ServiceNow", licence{Tier: "Instance"}, "semaphores", 4},
	} {
		if got := sizes(t, row.provider, row.licence)[row.limit]; got != row.want {
			t.Errorf("%s %+v: limit %s is %d, want %d", row.provider, row.licence, row.limit, got, row.want)
		}
	}
	if got := sizes(t, "Freshdesk", licence{Tier: "Trial"}); len(got) != 1 {
		t.Errorf("a trial of Freshdesk has %v, want the minute alone: no others are published", got)
	}
	if got := sizes(t, "HubSpot", licence{Tier: "PublicApp"}); got["day"] != 0 {
		t.Errorf("an app of HubSpot's marketplace has %v, want no day", got)
	}
}

// TestTiersGrow: advice takes the first tier that would do for the smallest.
func TestTiersGrow(t *testing.T) {
	for _, c := range catalogue.All() {
		largest := make(map[string]map[string]int64) // by family and limit
		for _, tier := range c.Tiers {
			if largest[tier.Family] == nil {
				largest[tier.Family] = make(map[string]int64)
			}
			for name, size := range sizes(t, c.Provider, licence(tier.Name)) {
				if size < largest[tier.Family][name] {
					t.Errorf("%s: limit %s of tier %s is %d, smaller than a tier's before it (%d)", c.Provider, name, tier.Name, size, largest[tier.Family][name])
				}
				largest[tier.Family][name] = size
			}
		}
	}
}

// TestWhatIsWrongIsNamed with everything that could be meant.
func TestWhatIsWrongIsNamed(t *testing.T) {
	type licence = catalogue.Licence
	for name, row := range map[string]struct {
		provider v1alpha1.Provider
		licence  licence
		want     *catalogue.Error
	}{
		"a tier of another CRM": {"Kustomer", licence{Tier: "SuiteGrowth"}, &catalogue.Error{
			Cause: catalogue.UnknownTier, Field: "tier", Message: "Kustomer has no tier SuiteGrowth; it has Professional, Business, Enterprise, Ultimate",
		}},
		"an add-on that nobody knows": {"Zendesk", licence{Tier: "SuiteGrowth", AddOns: map[string]int64{"MoreAPI": 1}}, &catalogue.Error{
			Cause: catalogue.UnknownAddOn, Field: "addOns[MoreAPI]", Message: "tier SuiteGrowth of Zendesk has no such add-on; it has HighVolumeAPI",
		}},
		"an add-on of other tiers": {"Zendesk", licence{Tier: "SuiteTeam", AddOns: map[string]int64{"HighVolumeAPI": 1}}, &catalogue.Error{
			Cause: catalogue.UnknownAddOn, Field: "addOns[HighVolumeAPI]", Message: "tier SuiteTeam of Zendesk has no such add-on; it has none",
		}},
		"too many of an add-on": {"HubSpot", licence{Tier: "Starter", AddOns: map[string]int64{"APILimitIncrease": 3}}, &catalogue.Error{
			Cause: catalogue.UnknownAddOn, Field: "addOns[APILimitIncrease].count", Message: "3 are more than the 2 that can be had",
		}},
		"no seats": {"Salesforce", licence{Tier: "Enterprise"}, &catalogue.Error{
			Cause: catalogue.SeatsMissing, Field: "seats", Message: "limit day of tier Enterprise depends on the number of seats: set it",
		}},
	} {
		_, err := catalogue.Of(row.provider).Expand(row.licence)
		if got, is := errors.AsType[*catalogue.Error](err); !is || *got != *row.want {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}
}

// TestFormulas: more seats and more of an add-on never make a limit smaller, and no figure leaves the bounds of a manifest.
func TestFormulas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(catalogue.All()).Draw(t, "crm")
		l := catalogue.Licence{
			Tier: rapid.SampledFrom(c.TierNames()).Draw(t, "tier"), Seats: rapid.Int64Range(1, 1_000_000).Draw(t, "seats"),
			SignIn: rapid.SampledFrom([]catalogue.SignIn{catalogue.APIKey, catalogue.OAuth}).Draw(t, "sign-in"), AddOns: map[string]int64{},
		}
		most := int64(1_000_000_000)
		for _, a := range c.AddOns {
			if len(a.Tiers) > 0 && !slices.Contains(a.Tiers, l.Tier) {
				continue
			}
			bound := most
			if a.Max > 0 {
				bound = a.Max
			}
			l.AddOns[a.Name] = rapid.Int64Range(0, bound).Draw(t, a.Name)
		}
		before, err := c.Expand(l)
		if err != nil {
			t.Fatalf("%s %+v: %v", c.Provider, l, err)
		}
		more := l
		more.Seats += rapid.Int64Range(0, 1000).Draw(t, "more seats")
		after, err := c.Expand(more)
		if err != nil || len(after) != len(before) {
			t.Fatalf("%s %+v: %d limits, %v; want %d", c.Provider, more, len(after), err, len(before))
		}
		for i := range before {
			if small, large := sizeOf(before[i]), sizeOf(after[i]); small < 1 || large < small || large > most {
				t.Fatalf("%s %+v: limit %s is %d, and %d with %d seats", c.Provider, l, before[i].Name, small, large, more.Seats)
			}
			if before[i].Document == "" || before[i].Confidence == "" {
				t.Fatalf("%s: limit %s has no source", c.Provider, before[i].Name)
			}
		}
	})
}

const small = `
provider: Zendesk
sources: {page: {document: "https://a.test", date: "2026-11"}}
tiers: [{name: Team, title: Team, family: Suite}]
limits:
- {name: minute, windowSeconds: 60, source: page, confidence: Vendor, sizes: [{base: 200, source: page, confidence: Vendor, tiers: [Team]}]}
`

func TestFilesAreReadStrictly(t *testing.T) {
	if _, err := catalogue.Parse([]byte(small)); err != nil {
		t.Fatalf("a file without a fault: %v", err)
	}
	for name, row := range map[string]struct{ old, new, want string }{
		"a field that nobody knows":      {"base: 200", "bass: 200", "bass"},
		"a figure without a source":      {"base: 200, source: page", "base: 200", `limits[minute].sizes[0].source: "" is not among the sources`},
		"a source that is not there":     {"base: 200, source: page", "base: 200, source: book", `"book" is not among the sources`},
		"no confidence":                  {"base: 200, source: page, confidence: Vendor", "base: 200, source: page", `limits[minute].sizes[0].confidence: "" is not known`},
		"a source without a date":        {`, date: "2026-11"`, "", "date as in 2026-11"},
		"a source that nobody refers to": {"sources: {", `sources: {other: {document: "https://b.test", date: "2026-11"}, `, "sources.other: nothing refers to it"},
		"a size of a tier unknown":       {"tiers: [Team]", "tiers: [Groth]", `"Groth" is no tier`},
		"a size in the shape":            {"windowSeconds: 60", "windowSeconds: 60, calls: 5", "come from sizes"},
		"a size of nothing":              {"base: 200", "base: 0", "base or perSeat is required"},
		"a figure out of bounds":         {"base: 200", "base: 2000000000", "is not between"},
		"a limit without a window":       {"windowSeconds: 60, ", "", "windowSeconds or calendar is required"},
		"a concurrent one with window":   {"windowSeconds: 60", "windowSeconds: 60, measure: Concurrent", "has no window"},
		"a measure that nobody knows":    {"windowSeconds: 60", "windowSeconds: 60, measure: Pounds", `"Pounds" is not known`},
		"two tiers of one name":          {"tiers: [", "tiers: [{name: Team, title: Team, family: Suite}, ", "differ"},
		"no tier":                        {"tiers: [{name: Team, title: Team, family: Suite}]", "tiers: []", "tiers: there is none"},
		"a tier without limits":          {"tiers: [", "tiers: [{name: Solo, title: Solo, family: Suite}, ", "tiers[Solo]: it has no limit"},
		"an add-on without an effect":    {"limits:\n", "addOns: [{name: More, title: More}]\nlimits:\n", "it must have an effect"},
		"an effect on no limit":          {"limits:\n", "addOns: [{name: More, title: More, effects: [{limit: hour, each: 1, source: page, confidence: Vendor}]}]\nlimits:\n", `"hour" is none of minute`},
		"an effect of both kinds":        {"limits:\n", "addOns: [{name: More, title: More, effects: [{limit: minute, each: 1, raisesTo: 2, source: page, confidence: Vendor}]}]\nlimits:\n", "exactly one of"},
		"a delay out of bounds":          {"limits:\n", "serverDelay: {seconds: 4000, source: page, confidence: Vendor}\nlimits:\n", "serverDelay.seconds"},
		"a cost of any number":           {"windowSeconds: 60", "windowSeconds: 60, costs: [{match: {path: /a}, cost: 2, per: {bodyArray: data}}]", "need its most"},
		"a cost that never fits":         {"windowSeconds: 60", "windowSeconds: 60, costs: [{match: {path: /a}, cost: 201}]", "could never be sent"},
	} {
		edited := strings.Replace(small, row.old, row.new, 1)
		if edited == small {
			t.Fatalf("%s: nothing to edit", name)
		}
		_, err := catalogue.Parse([]byte(edited))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q in it", name, err, row.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := catalogue.Parse(text)
		if err != nil {
			return
		}
		for _, tier := range c.TierNames() {
			limits, err := c.Expand(licence(tier))
			if err != nil {
				t.Fatalf("tier %s of a file without a fault: %v", tier, err)
			}
			for _, w := range limits {
				if sizeOf(w) < 1 || w.Document == "" {
					t.Fatalf("tier %s: %+v", tier, w)
				}
			}
		}
	})
}

func TestNear(t *testing.T) {
	known := []string{"minute", "day", "ticket-updates", "ten-seconds"}
	for name, want := range map[string]string{
		"minute": "", "minutes": "minute", "mintue": "minute", "days": "day", "dya": "day", "way": "day", "month": "", "inflight": "", "ticket-update": "ticket-updates",
		"tickets-updated": "ticket-updates", "two-seconds": "", "": "",
	} {
		if got := catalogue.Near(name, known); got != want {
			t.Errorf("Near(%q) = %q, want %q", name, got, want)
		}
	}
}

// TestTiersAreExplained where kubectl explain reads them.
func TestTiersAreExplained(t *testing.T) {
	crd, err := os.ReadFile("../../config/crd/bases/crmquota.dev_crms.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(crd)), " ")
	for _, c := range catalogue.All() {
		if want := fmt.Sprintf("%s: %s.", c.Provider, strings.Join(c.TierNames(), ", ")); !strings.Contains(text, want) {
			t.Errorf("the description of licence.tier does not say %q", want)
		}
	}
}
