// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/catalogue"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/planfile"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// tier declares a licence by tier, with limits of its own.
func tier(name v1alpha1.TierName, own ...v1alpha1.Limit) func(*v1alpha1.CRM) {
	return func(c *v1alpha1.CRM) {
		c.Spec.Licence.Tier, c.Spec.Licence.Limits = name, own
		c.Spec.Licence.MaxServerDelaySeconds = 0
	}
}

// follows declares the licence that follows.
func follows(name v1alpha1.TierName, from time.Time) func(*v1alpha1.CRM) {
	return func(c *v1alpha1.CRM) {
		c.Spec.Licence.Next = &v1alpha1.NextLicence{Tier: name, From: new(metav1.NewTime(from))}
	}
}

// provider makes it a CRM of another kind, with what that one requires.
func provider(p v1alpha1.Provider) func(*v1alpha1.CRM) {
	return func(c *v1alpha1.CRM) { c.Spec.Provider, c.Spec.Licence.Account = p, "acme" }
}

var (
	ownDay = v1alpha1.Limit{Name: "day", Calls: 2500, Calendar: &v1alpha1.CalendarWindow{Unit: v1alpha1.CalendarUnitDay, TimeZone: "Europe/Berlin"}}
	// afternoon is later than now.
	afternoon = now.Add(5 * time.Hour)
)

// sizesOf are the limits of a plan in short.
func sizesOf(limits []contract.Limit) string {
	var out []string
	for _, l := range limits {
		out = append(out, fmt.Sprintf("%s:%d", l.Name, l.Size()))
	}
	return strings.Join(out, " ")
}

const growth = "ticket-updates:100 per-ticket:30 jobs:30 incremental-exports:10 search-exports:100 per-user:5 per-organization:5 per-view:5"

func TestATierIsWrittenOut(t *testing.T) {
	for name, row := range map[string]struct {
		edits []func(*v1alpha1.CRM)
		want  string
	}{
		"the catalogue's limits":        {[]func(*v1alpha1.CRM){tier("SuiteGrowth")}, "minute:400 " + growth},
		"a declared limit comes on top": {[]func(*v1alpha1.CRM){tier("SuiteGrowth", ownDay)}, "minute:400 " + growth + " day:2500"},
		"or takes the place of one of its name": {
			[]func(*v1alpha1.CRM){tier("SuiteGrowth", v1alpha1.Limit{Name: "minute", Calls: 350, WindowSeconds: 60})}, "minute:350 " + growth,
		},
		"an add-on raises some": {
			[]func(*v1alpha1.CRM){tier("SuiteGrowth"), func(c *v1alpha1.CRM) {
				c.Spec.Licence.AddOns = []v1alpha1.AddOn{{Name: "HighVolumeAPI", Count: 1}}
			}},
			strings.Replace("minute:2500 "+strings.Replace(growth, "updates:100", "updates:300", 1), "exports:10 ", "exports:30 ", 1),
		},
		"seats are counted": {
			[]func(*v1alpha1.CRM){tier("Enterprise"), provider("Salesforce"), func(c *v1alpha1.CRM) { c.Spec.Licence.Seats = 15 }}, "day:115000 long-calls:25",
		},
		"the kind of credentials counts": {
			[]func(*v1alpha1.CRM){tier("Lite"), provider("Pipedrive"), func(c *v1alpha1.CRM) {
				c.Spec.Licence.Seats = 2
				c.Spec.Credentials = v1alpha1.Credentials{OAuthRefresh: &v1alpha1.OAuthRefreshCredentials{TokenURL: "https://a.test/token"}}
			}},
			"tokens:60000 two-seconds:80 searches:10",
		},
		"a licence that has followed is in force": {[]func(*v1alpha1.CRM){tier("SuiteGrowth"), follows("SuiteTeam", now)}, "minute:200 " + growth},
	} {
		out := compile(crm(row.edits...), nil)
		if !out.CRM.OK() {
			t.Errorf("%s: %+v", name, out.CRM)
			continue
		}
		if got := sizesOf(out.Plan.Limits); got != row.want || out.Plan.Next != nil {
			t.Errorf("%s: limits %s, next %+v; want %s and none", name, got, out.Plan.Next, row.want)
		}
	}
}

// TestEveryTierMakesAPlanThatDispatchersTake: bounds, operations and patterns of the catalogue are what both planes can do.
func TestEveryTierMakesAPlanThatDispatchersTake(t *testing.T) {
	for _, known := range catalogue.All() {
		for _, name := range known.TierNames() {
			out := compile(crm(tier(v1alpha1.TierName(name)), provider(known.Provider), follows(v1alpha1.TierName(name), afternoon), func(c *v1alpha1.CRM) {
				c.Spec.Licence.Seats, c.Spec.Licence.Next.Seats = 50, 100
			}), nil, integration("ccai", percent(60)))
			if !out.CRM.OK() || !decision(out, "ccai").OK() {
				t.Errorf("%s %s: %+v %+v", known.Provider, name, out.CRM, decision(out, "ccai"))
				continue
			}
			encoded, err := json.Marshal(out.Plan)
			if err != nil {
				t.Fatal(err)
			}
			if _, rejected := planfile.Parse(encoded); rejected != nil {
				t.Errorf("%s %s: %s", known.Provider, name, rejected.Reason)
			}
		}
	}
}

func TestTheTimeZoneOfTheAccount(t *testing.T) {
	hubspot := func(zone v1alpha1.TimeZone) plan.Output {
		return compile(crm(tier("Professional"), provider("HubSpot"), func(c *v1alpha1.CRM) { c.Spec.Licence.TimeZone = zone }), nil)
	}
	for zone, want := range map[v1alpha1.TimeZone]string{"": "", "Europe/Berlin": "Europe/Berlin"} {
		if got := hubspot(zone).Plan.Limits[1].Calendar.TimeZone; got != want {
			t.Errorf("the day begins in time zone %q, want %q", got, want)
		}
	}
	if got := hubspot("Mars/Olympus").CRM; got.Reason != v1alpha1.ReasonUnknownTimeZone || !strings.HasPrefix(got.Message, "licence.timeZone: ") {
		t.Errorf("decision %+v", got)
	}
}

func TestTheServerDelayIsTheCatalogues(t *testing.T) {
	for want, edits := range map[int64][]func(*v1alpha1.CRM){
		60:  {tier("SuiteGrowth")},
		600: {tier("Developer"), provider("Salesforce")},
		90:  {tier("Developer"), provider("Salesforce"), func(c *v1alpha1.CRM) { c.Spec.Licence.MaxServerDelaySeconds = 90 }},
	} {
		if got := compile(crm(edits...), nil).Plan.MaxServerDelaySeconds; got != want {
			t.Errorf("the server delay is %d s, want %d", got, want)
		}
	}
}

func TestLicencesThatAreNotAccepted(t *testing.T) {
	for name, row := range map[string]struct {
		edits []func(*v1alpha1.CRM)
		want  plan.Decision
	}{
		"a tier that nobody knows": {[]func(*v1alpha1.CRM){tier("Growth")}, plan.Decision{Reason: "UnknownTier", Message: "licence.tier: Zendesk has no tier Growth; it has " +
			"SuiteTeam, SuiteGrowth, SuiteProfessional, SuiteEnterprise, SuiteEnterprisePlus, SupportEssential, SupportTeam, SupportProfessional, SupportEnterprise"}},
		"one that follows": {[]func(*v1alpha1.CRM){tier("Trial"), provider("Freshdesk"), follows("Gold", afternoon)}, plan.Decision{
			Reason: "UnknownTier", Message: "licence.next.tier: Freshdesk has no tier Gold; it has Trial, Growth, Pro, Enterprise",
		}},
		"seats that are not declared": {[]func(*v1alpha1.CRM){tier("Lite"), provider("Pipedrive")}, plan.Decision{
			Reason: "UnknownTier", Message: "licence.seats: limit tokens of tier Lite depends on the number of seats: set it",
		}},
		"a CRM without tiers": {[]func(*v1alpha1.CRM){tier("Any"), provider("Generic")}, plan.Decision{
			Reason: "UnknownTier", Message: "licence.tier: no tiers of Generic are known: declare licence.limits",
		}},
		"a limit that is almost one": {[]func(*v1alpha1.CRM){tier("SuiteGrowth", v1alpha1.Limit{Name: "minutes", Calls: 350, WindowSeconds: 60})}, plan.Decision{
			Reason:  "UnclearLimit",
			Message: "licence.limits[0].name: minutes is almost minute, which tier SuiteGrowth implies: use that name to take its place, or one that differs more to come on top",
		}},
	} {
		if got := compile(crm(row.edits...), nil).CRM; got != row.want {
			t.Errorf("%s: %+v, want %+v", name, got, row.want)
		}
	}
	var many []v1alpha1.Limit
	for n := range 8 {
		many = append(many, v1alpha1.Limit{Name: v1alpha1.LimitName(fmt.Sprintf("own-budget-%d", n)), Calls: 100, WindowSeconds: 60})
	}
	if got := compile(crm(tier("SuiteGrowth", many...)), nil).CRM; got.Reason != v1alpha1.ReasonTooManyLimits || !strings.Contains(got.Message, "there are 17, more than 16") {
		t.Errorf("17 limits: %+v", got)
	}
	if got := compile(crm(tier("SuiteGrowth", many[:7]...)), nil).CRM; !got.OK() {
		t.Errorf("16 limits: %+v", got)
	}
}

// TestALicenceThatFollows is in the plan beside the one in force, and takes its place in the plan once it has begun.
func TestALicenceThatFollows(t *testing.T) {
	c := crm(tier("SuiteEnterprise", ownDay), follows("SuiteTeam", afternoon))
	before := compile(c, nil)
	if got := sizesOf(before.Plan.Limits); got != "minute:700 "+growth+" day:2500" {
		t.Errorf("limits %s", got)
	}
	if before.Plan.Next == nil || !before.Plan.Next.From.Equal(afternoon) || sizesOf(before.Plan.Next.Limits) != "minute:200 "+growth+" day:2500" {
		t.Errorf("next are %+v", before.Plan.Next)
	}
	if before.RecheckAfter != 5*time.Hour || before.Licence.Tier != "SuiteEnterprise" || before.Licence.Next.Tier != "SuiteTeam" {
		t.Errorf("look again after %s, licence %+v", before.RecheckAfter, before.Licence)
	}
	after := plan.Compile(plan.Input{CRM: c, Previous: throughJSON(t, before.Plan), Now: afternoon})
	if after.Plan.Next != nil || sizesOf(after.Plan.Limits) != "minute:200 "+growth+" day:2500" || after.Plan.Sequence != before.Plan.Sequence+1 || after.RecheckAfter != 0 {
		t.Errorf("afterwards the plan is %+v", after.Plan)
	}
	if after.Licence.Tier != "SuiteTeam" || after.Licence.Next != nil {
		t.Errorf("afterwards the licence is %+v", after.Licence)
	}
}

// TestARefusedEditKeepsWhatFollows, as it keeps all of the previous plan.
func TestARefusedEditKeepsWhatFollows(t *testing.T) {
	c := crm(tier("SuiteEnterprise"), follows("SuiteTeam", afternoon))
	before := throughJSON(t, compile(c, nil).Plan)
	c.Spec.Licence.Tier = "Growth"
	for at, want := range map[time.Time]string{now: "minute:700 " + growth, afternoon: "minute:200 " + growth} {
		refused := plan.Compile(plan.Input{CRM: c, Previous: before, Now: at})
		if refused.CRM.OK() || sizesOf(refused.Plan.Limits) != want || (refused.Plan.Next == nil) != at.Equal(afternoon) {
			t.Errorf("at %s a refused edit leaves limits %s, next %+v; want %s", at, sizesOf(refused.Plan.Limits), refused.Plan.Next, want)
		}
	}
}

// TestGuaranteesFitIntoTheLicenceThatFollows, as into every override.
func TestGuaranteesFitIntoTheLicenceThatFollows(t *testing.T) {
	c := crm(tier("SuiteEnterprise"), follows("SuiteTeam", afternoon))
	out := compile(c, nil, integration("a", calls("minute", 150), age(2*time.Minute)), integration("b", calls("minute", 51)))
	if d := decision(out, "a"); !d.OK() {
		t.Errorf("150 calls: %+v", d)
	}
	want := plan.Decision{Reason: exceeds, Message: "share.perLimit[minute]: 51 calls of limit minute are more than the 50 of 200 that other integrations leave: " +
		"lower the guarantee, or lower theirs; that is the limit from 2026-11-23 14:00 UTC on (licence.next)"}
	if d := decision(out, "b"); d != want {
		t.Errorf("51 calls more: %+v, want %+v", d, want)
	}
	if d := decision(compile(c, nil, integration("a", calls("minute", 150)), integration("b", percent(25))), "b"); !d.OK() {
		t.Errorf("a quarter of both licences besides 150 calls: %+v", d)
	}
	if d := decision(compile(c, nil, integration("a", calls("hour", 1))), "a"); d.Reason != v1alpha1.ReasonUnknownLimit || strings.Count(d.Message, "minute") != 1 {
		t.Errorf("a part of no limit: %+v, want each limit named once", d)
	}
	// What was granted is cut when a smaller licence is declared to follow, because nobody may be there to cut it then.
	granted := compile(crm(tier("SuiteEnterprise")), nil, integration("a", calls("minute", 600)))
	for name, edited := range map[string]*v1alpha1.CRM{"shrinks": c, "grows": crm(tier("SuiteTeam"), follows("SuiteEnterprise", afternoon))} {
		cut := compile(edited, throughJSON(t, granted.Plan), integration("a", calls("minute", 600)))
		if got := *entry(t, cut.Plan, "a").Share.PerLimit["minute"].GuaranteedCalls; got != 200 {
			t.Errorf("of 600 guaranteed calls %d stay when the licence %s, want the 200 of the smaller one", got, name)
		}
	}
}

// TestTiersForAdvice have what a change of the tier would change, and nothing that is declared.
func TestTiersForAdvice(t *testing.T) {
	short := func(tiers []contract.Tier) (out []string) {
		for _, t := range tiers {
			out = append(out, fmt.Sprintf("%s:%d/%d", t.Name, t.Limits["minute"], t.Limits["day"]))
		}
		return out
	}
	for name, row := range map[string]struct {
		edits []func(*v1alpha1.CRM)
		want  []string
	}{
		"of the family that one has":            {[]func(*v1alpha1.CRM){tier("SupportTeam", ownDay)}, []string{"SupportTeam:200/0", "SupportProfessional:400/0", "SupportEnterprise:700/0"}},
		"of all, where all limits are declared": {nil, []string{"SuiteTeam:200/0", "SuiteGrowth:400/0", "SuiteEnterprise:700/0", "SuiteEnterprisePlus:2500/0"}},
		"for the same seats": {
			[]func(*v1alpha1.CRM){tier("Enterprise"), provider("Salesforce"), func(c *v1alpha1.CRM) { c.Spec.Licence.Seats = 10 }},
			[]string{"Professional:0/110000", "Unlimited:0/150000"},
		},
		"without those that would need seats": {
			[]func(*v1alpha1.CRM){provider("Pipedrive"), func(c *v1alpha1.CRM) {
				c.Spec.Licence.Limits = []v1alpha1.Limit{{Name: "tokens", Calls: 30000, Calendar: &v1alpha1.CalendarWindow{Unit: v1alpha1.CalendarUnitDay}}}
			}},
			nil,
		},
		"without a limit that counts otherwise": {
			[]func(*v1alpha1.CRM){func(c *v1alpha1.CRM) {
				c.Spec.Licence.Limits = []v1alpha1.Limit{{Name: "minute", Calls: 400, WindowSeconds: 61}}
			}},
			nil,
		},
	} {
		if diff := cmp.Diff(row.want, short(compile(crm(row.edits...), nil).Plan.Tiers)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
