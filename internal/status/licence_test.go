// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
	"github.com/crmquota/crm-quota-operator/internal/status"
)

// ends declares when the licence ends.
func ends(at time.Time) func(*status.CRMFacts) {
	return func(f *status.CRMFacts) { f.CRM.Spec.Licence.ValidUntil = new(metav1.NewTime(at)) }
}

// TestLicenceValid needs no report, and comes again when time alone changes it.
func TestLicenceValid(t *testing.T) {
	const day = 24 * time.Hour
	follows := func(at time.Time) func(*status.CRMFacts) {
		return func(f *status.CRMFacts) {
			f.CRM.Spec.Licence.Next = &v1alpha1.NextLicence{Tier: "SuiteTeam", From: new(metav1.NewTime(at))}
		}
	}
	silent := func(f *status.CRMFacts) { f.Reported = status.Reported{} }
	for name, row := range map[string]struct {
		edits   []func(*status.CRMFacts)
		want    string
		message string
		recheck time.Duration
	}{
		"no end":  {[]func(*status.CRMFacts){silent}, "True/Valid", "No end of the licence is declared.", 0},
		"far":     {[]func(*status.CRMFacts){silent, ends(start.Add(31 * day))}, "True/Valid", "The licence ends at 2026-12-24 09:00 UTC.", day},
		"near":    {[]func(*status.CRMFacts){silent, ends(start.Add(30 * day))}, "False/LicenceEnding", "The licence ends at 2026-12-23 09:00 UTC, and licence.next does not say which one follows.", 30 * day},
		"over":    {[]func(*status.CRMFacts){silent, ends(start)}, "False/LicenceEnded", "The licence ended at 2026-11-23 09:00 UTC; its limits stay in force. Set licence.validUntil or licence.next once it is renewed.", 0},
		"follows": {[]func(*status.CRMFacts){silent, ends(start.Add(day)), follows(start.Add(day))}, "True/Valid", "Tier SuiteTeam follows at 2026-11-24 09:00 UTC.", day},
		"renewed": {[]func(*status.CRMFacts){silent, ends(start), follows(start)}, "True/Valid", "Tier SuiteTeam is in force since 2026-11-23 09:00 UTC.", 0},
	} {
		result := forCRM(t, crmFacts(row.edits...), v1alpha1.CRMStatus{}, start)
		if got := say(result.Status.Conditions, v1alpha1.ConditionLicenceValid); got != row.want || result.RecheckAfter != row.recheck {
			t.Errorf("%s: %s, look again after %s; want %s and %s", name, got, result.RecheckAfter, row.want, row.recheck)
		}
		if got := meta.FindStatusCondition(result.Status.Conditions, v1alpha1.ConditionLicenceValid).Message; got != row.message {
			t.Errorf("%s: message %q, want %q", name, got, row.message)
		}
		if ready := say(result.Status.Conditions, v1alpha1.ConditionReady); ready != "Unknown/NotKnown" {
			t.Errorf("%s: it moves Ready to %s", name, ready)
		}
	}
}

// writtenOut is a licence with limits of all kinds.
func writtenOut() *plan.WrittenLicence {
	catalogue := func(l v1alpha1.Limit) plan.WrittenLimit {
		return plan.WrittenLimit{Limit: l, Origin: v1alpha1.LimitOriginCatalogue, Source: "https://a.test/limits", Confidence: "Vendor"}
	}
	return &plan.WrittenLicence{
		Tier: "SuiteGrowth",
		Next: &plan.NextWritten{Tier: "SuiteTeam", From: start.Add(time.Hour)},
		Limits: []plan.WrittenLimit{
			catalogue(v1alpha1.Limit{Name: "minute", Calls: 400, WindowSeconds: 60}),
			catalogue(v1alpha1.Limit{Name: "per-ticket", Calls: 30, WindowSeconds: 600, Scope: v1alpha1.LimitScopeRecord, Match: v1alpha1.CallMatch{
				Methods: []v1alpha1.HTTPMethod{"PUT"}, Path: "/api/v2/tickets/*",
			}}),
			catalogue(v1alpha1.Limit{Name: "jobs", Concurrent: 30, Until: v1alpha1.SlotUntilJobEnds, Match: v1alpha1.CallMatch{
				Operations: []v1alpha1.OperationName{"CreateTickets", "UpdateTickets"},
			}}),
			catalogue(v1alpha1.Limit{Name: "execution", ExecutionSeconds: 1200, WindowSeconds: 300, Scope: v1alpha1.LimitScopeCredential}),
			catalogue(v1alpha1.Limit{Name: "tokens", Calls: 30000, Calendar: &v1alpha1.CalendarWindow{Unit: v1alpha1.CalendarUnitDay}, Costs: []v1alpha1.CallCost{{Cost: 2}}}),
			{Limit: v1alpha1.Limit{
				Name: "day", Calls: 2500, Calendar: &v1alpha1.CalendarWindow{Unit: v1alpha1.CalendarUnitDay, TimeZone: "Europe/Berlin"},
			}, Origin: v1alpha1.LimitOriginDeclared},
		},
	}
}

func TestTheLicenceIsShownWithItsSources(t *testing.T) {
	limit := func(name v1alpha1.LimitName, allows string) v1alpha1.LicenceLimitStatus {
		return v1alpha1.LicenceLimitStatus{Name: name, Allows: allows, Origin: v1alpha1.LimitOriginCatalogue, Source: "https://a.test/limits", Confidence: "Vendor"}
	}
	want := v1alpha1.LicenceStatus{
		Tier: "SuiteGrowth", NextTier: "SuiteTeam", NextTime: new(metav1.NewTime(start.Add(time.Hour))),
		Limits: []v1alpha1.LicenceLimitStatus{
			limit("minute", "400 calls in 60 s"),
			limit("per-ticket", "30 calls in 600 s for each record: PUT /api/v2/tickets/*"),
			limit("jobs", "30 at a time, until their jobs end: CreateTickets, UpdateTickets"),
			limit("execution", "1200 s of execution in 300 s for each credential"),
			limit("tokens", "30000 units a day (in no known time zone)"),
			{Name: "day", Allows: "2500 calls a day (Europe/Berlin)", Origin: v1alpha1.LimitOriginDeclared},
		},
	}
	accepted := forCRM(t, crmFacts(func(f *status.CRMFacts) { f.Compiled.Licence = writtenOut() }), v1alpha1.CRMStatus{}, start).Status
	if diff := cmp.Diff(want, accepted.Licence); diff != "" {
		t.Errorf("licence (-want +got):\n%s", diff)
	}
	// While an edit is refused the licence in force stays to be seen.
	refused := forCRM(t, crmFacts(func(f *status.CRMFacts) { f.Compiled.CRM.Reason = v1alpha1.ReasonUnknownTier }), accepted, start.Add(time.Minute)).Status
	if diff := cmp.Diff(want, refused.Licence); diff != "" {
		t.Errorf("licence after a refused edit (-want +got):\n%s", diff)
	}
	if got := sayAll(refused.Conditions, "Accepted", "Stalled"); got[0] != "False/UnknownTier" || got[1] != "True/UnknownTier" {
		t.Errorf("conditions %v", got)
	}
}

// TestASmallerTierThatWouldDo is named; one that is larger somewhere, or as large everywhere, is not.
func TestASmallerTierThatWouldDo(t *testing.T) {
	const large = "The licence is large enough for what is asked of it"
	for tier, want := range map[string]string{
		"SuiteTeam": large + "; the smaller limits of tier SuiteTeam would do as well.", "SuiteGrowth": large + ".", "SuiteOdd": large + ".", "": large + ".",
	} {
		got := forCRM(t, crmFacts(func(f *status.CRMFacts) {
			f.Compiled.Plan.Tiers = []contract.Tier{
				{Name: "SuiteTeam", Limits: map[string]int64{"minute": 200}}, {Name: "SuiteGrowth", Limits: map[string]int64{"minute": 400}},
				{Name: "SuiteOdd", Limits: map[string]int64{"minute": 300, "day": 5000}},
			}
			f.Reported.Latest.Advice = &contract.LicenceAdvice{Adequate: true, Tier: tier}
		}), v1alpha1.CRMStatus{}, start)
		if message := meta.FindStatusCondition(got.Status.Conditions, v1alpha1.ConditionLicenceAdequate).Message; message != want {
			t.Errorf("tier %q: %q, want %q", tier, message, want)
		}
	}
}
