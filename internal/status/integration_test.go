// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
	"github.com/crmquota/crm-quota-operator/internal/status"
)

// entry edits what the dispatcher says of the Integration.
func entry(edit func(*contract.IntegrationReport)) func(*status.IntegrationFacts) {
	return func(f *status.IntegrationFacts) { edit(&f.Reported.Latest.Integrations[0]) }
}

func TestIntegrationConditions(t *testing.T) {
	const unknown, silent = "Unknown/NotKnown", "Unknown/NotReporting"
	refuse := func(reason string) func(*status.IntegrationFacts) {
		return func(f *status.IntegrationFacts) { f.Decision = plan.Decision{Reason: reason, Message: "because"} }
	}
	old := entry(func(r *contract.IntegrationReport) { r.Generation = 1 })
	absent := func(f *status.IntegrationFacts) { f.Reported.Latest.Integrations = nil }
	noPlan := func(f *status.IntegrationFacts) { f.Plan = nil }
	quiet := func(f *status.IntegrationFacts) { f.Reported.At = start.Add(-status.StaleAfter) }
	lax := entry(func(r *contract.IntegrationReport) { r.Enforcing = false })
	for name, row := range map[string]struct {
		edits []func(*status.IntegrationFacts)
		want  []string
	}{
		"one that is well":              {nil, []string{"True/Ready", "True/Accepted", "True/Programmed", "True/Enforced", "absent"}},
		"an edit that is not confirmed": {[]func(*status.IntegrationFacts){old}, []string{"False/Pending", "True/Accepted", "False/Pending", "True/Enforced", "absent"}},
		"a CA that is not published": {
			[]func(*status.IntegrationFacts){func(f *status.IntegrationFacts) { f.CAConfigMap = "" }},
			[]string{"False/Pending", "True/Accepted", "False/Pending", "True/Enforced", "absent"},
		},
		"a certificate of the user's own": {
			[]func(*status.IntegrationFacts){func(f *status.IntegrationFacts) { f.CAConfigMap, f.Plan.Intake.CertificateFromSecret = "", true }},
			[]string{"True/Ready", "True/Accepted", "True/Programmed", "True/Enforced", "absent"},
		},
		"one that the dispatcher does not know yet": {
			[]func(*status.IntegrationFacts){absent}, []string{"False/Pending", "True/Accepted", "False/Pending", unknown, "absent"},
		},
		"its predecessor of the same name is another object": {
			[]func(*status.IntegrationFacts){entry(func(r *contract.IntegrationReport) { r.UID = "ccai-0" })},
			[]string{"False/Pending", "True/Accepted", "False/Pending", unknown, "absent"},
		},
		"a plan that the dispatcher refuses": {
			[]func(*status.IntegrationFacts){old, func(f *status.IntegrationFacts) { f.Reported.Latest.Rejected = &contract.RejectedPlan{Sequence: 5} }},
			[]string{"False/PlanRejected", "True/Accepted", "False/PlanRejected", "True/Enforced", "absent"},
		},
		"a refused plan with another's edit does not matter": {
			[]func(*status.IntegrationFacts){func(f *status.IntegrationFacts) { f.Reported.Latest.Rejected = &contract.RejectedPlan{Sequence: 5} }},
			[]string{"True/Ready", "True/Accepted", "True/Programmed", "True/Enforced", "absent"},
		},
		"an increase that does not fit does not stall": {
			[]func(*status.IntegrationFacts){refuse(v1alpha1.ReasonGuaranteeExceedsLicence), old},
			[]string{"False/GuaranteeExceedsLicence", "False/GuaranteeExceedsLicence", "False/Pending", "True/Enforced", "absent"},
		},
		"an unknown operation stalls": {
			[]func(*status.IntegrationFacts){refuse(v1alpha1.ReasonUnknownOperation), absent},
			[]string{"False/UnknownOperation", "False/UnknownOperation", "False/Pending", unknown, "True/UnknownOperation"},
		},
		"a queued search stalls": {
			[]func(*status.IntegrationFacts){refuse(v1alpha1.ReasonUnsafeQueue), absent},
			[]string{"False/UnsafeQueue", "False/UnsafeQueue", "False/Pending", unknown, "True/UnsafeQueue"},
		},
		"a missing CRM does not stall": {
			[]func(*status.IntegrationFacts){refuse(v1alpha1.ReasonCRMNotFound), noPlan, func(f *status.IntegrationFacts) { f.Reported = status.Reported{} }},
			[]string{"False/CRMNotFound", "False/CRMNotFound", "False/Pending", unknown, "absent"},
		},
		"a dispatcher that is ready and silent": {
			[]func(*status.IntegrationFacts){quiet}, []string{silent, "True/Accepted", silent, silent, "absent"},
		},
		"a dispatcher that is gone for long": {
			[]func(*status.IntegrationFacts){quiet, func(f *status.IntegrationFacts) { f.PodReady = false }},
			[]string{unknown, "True/Accepted", unknown, unknown, "absent"},
		},
		"its own Shadow": {
			[]func(*status.IntegrationFacts){lax, func(f *status.IntegrationFacts) { f.Plan.Integrations[0].Enforce = false }},
			[]string{"True/Ready", "True/Accepted", "True/Programmed", "False/Shadow", "absent"},
		},
		"one that does not go through the dispatcher": {
			[]func(*status.IntegrationFacts){func(f *status.IntegrationFacts) { f.Plan.Integrations[0].External = true }},
			[]string{"True/Ready", "True/Accepted", "True/Programmed", "False/External", "absent"},
		},
		"a bypass": {
			[]func(*status.IntegrationFacts){lax, func(f *status.IntegrationFacts) { f.Plan.BypassUntil = new(start.Add(time.Hour)) }},
			[]string{"True/Ready", "True/Accepted", "True/Programmed", "False/Bypassed", "absent"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := forIntegration(t, integrationFacts(row.edits...), v1alpha1.IntegrationStatus{}, start)
			got := sayAll(result.Status.Conditions, "Ready", "Accepted", "Programmed", "QuotaEnforced", "Stalled")
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIntegrationStatusBesidesConditions(t *testing.T) {
	f := integrationFacts(func(f *status.IntegrationFacts) { f.CAConfigMap = "ca" }, entry(func(r *contract.IntegrationReport) {
		r.Windows[0].Used, r.Windows[1].Used = 251, 600
		r.Windows[0].Borrowed, r.Windows[0].Demand, r.Windows[1].Lent = 21, 311, 450
		r.Backlog = contract.BacklogReport{Queued: 1234, QueuedBytes: 567_890, Sent: 2, Parked: 3, Dead: 4, OldestQueued: new(start.Add(-90 * time.Second)), DrainSeconds: new(int64(2 * 3600))}
	}))
	got := forIntegration(t, f, v1alpha1.IntegrationStatus{}, start).Status
	got.Conditions = nil
	minutes := func(n int) string { return start.Add(time.Duration(n) * time.Minute).Format(time.RFC3339) }
	want := v1alpha1.IntegrationStatus{
		ObservedGeneration: 2,
		Endpoint:           v1alpha1.IntakeStatus{URL: "https://zendesk-crm-dispatcher.cc.svc", CAConfigMap: "ca"},
		Windows: []v1alpha1.ShareStatus{
			{Name: "minute", Guaranteed: new(int64(240)), Used: new(int64(260)), Borrowed: new(int64(20)), Demand: new(int64(320))},
			{Name: "day", Guaranteed: new(int64(1500)), Used: new(int64(625)), Lent: new(int64(500))},
		},
		Backlog: v1alpha1.BacklogStatus{
			Calls: new(int64(1200)), QueuedBytes: new(int64(570_000)), Parked: new(int64(3)), Dead: new(int64(4)),
			OldestQueuedTime: metaTime(t, minutes(-1)), DrainETA: metaTime(t, minutes(120)),
		},
		Summary: v1alpha1.Summary{Used: "minute 260/400", UsedNext: "day 625/2500", ETA: "2h"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestAnExternalIntegrationHasNoEndpoint(t *testing.T) {
	f := integrationFacts(func(f *status.IntegrationFacts) { f.Plan.Integrations[0].External, f.CAConfigMap = true, "ca" })
	if got := forIntegration(t, f, v1alpha1.IntegrationStatus{}, start).Status.Endpoint; got != (v1alpha1.IntakeStatus{}) {
		t.Errorf("endpoint %+v, want none", got)
	}
}

func TestOneOfManyEditedWritesOnlyThatOne(t *testing.T) {
	edited, other := integrationFacts(), integrationFacts()
	currentEdited := forIntegration(t, edited, v1alpha1.IntegrationStatus{}, start).Status
	currentOther := forIntegration(t, other, v1alpha1.IntegrationStatus{}, start).Status

	// A new plan is written for the edit of one. Before it is confirmed nobody writes; confirmed, the edited one does, once.
	edited.Integration.Generation, edited.PendingSince = 3, start
	for _, f := range []*status.IntegrationFacts{&edited, &other} {
		f.Plan.Sequence = 6
	}
	writes := func(now time.Time) (n int) {
		for _, pass := range []struct {
			facts   status.IntegrationFacts
			current *v1alpha1.IntegrationStatus
		}{{edited, &currentEdited}, {other, &currentOther}} {
			if got := forIntegration(t, pass.facts, *pass.current, now); got.Changed {
				*pass.current = got.Status
				n++
			}
		}
		return n
	}
	if n := writes(start.Add(time.Second)); n != 0 {
		t.Errorf("%d writes before the confirmation, want 0", n)
	}
	edited.Reported.Latest.Integrations[0].Generation = 3
	if n := writes(start.Add(1500 * time.Millisecond)); n != 1 {
		t.Errorf("%d writes at the confirmation, want 1", n)
	}
	if n := writes(start.Add(3 * time.Second)); n != 0 {
		t.Errorf("%d writes afterwards, want 0", n)
	}
}

func TestAnIntegrationsRestartOfTheManagerWritesNothing(t *testing.T) {
	f := integrationFacts(entry(func(r *contract.IntegrationReport) { r.Windows[0].Used = 111 }))
	current := forIntegration(t, f, v1alpha1.IntegrationStatus{}, start).Status
	f.Reported = status.Reported{Since: start.Add(time.Minute)}
	if got := forIntegration(t, f, current, start.Add(time.Minute)); got.Changed {
		t.Errorf("before the first report:\n%s", cmp.Diff(current, got.Status))
	}
}

func TestCredentialsOfAnIntegrationsOwnAreTold(t *testing.T) {
	own := func(f *status.IntegrationFacts) {
		f.Plan.Integrations[0].Credentials = &contract.Credentials{Own: true}
	}
	says := func(r contract.CredentialsReport) []func(*status.IntegrationFacts) {
		return []func(*status.IntegrationFacts){own, entry(func(i *contract.IntegrationReport) { i.Credentials = &r })}
	}
	for name, row := range map[string]struct {
		edits []func(*status.IntegrationFacts)
		want  []string
	}{
		"it has none": {nil, []string{"True/Ready", "True/CRMCredentials"}},
		"it has none, and the CRM's are bad": {
			[]func(*status.IntegrationFacts){func(f *status.IntegrationFacts) { f.Reported.Latest.Credentials = contract.CredentialsReport{} }}, []string{"True/Ready", "True/CRMCredentials"},
		},
		"its calls go another way": {
			[]func(*status.IntegrationFacts){func(f *status.IntegrationFacts) { f.Plan.Integrations[0].External = true }}, []string{"True/Ready", "True/External"},
		},
		"its clients bring them": {
			[]func(*status.IntegrationFacts){func(f *status.IntegrationFacts) {
				f.Plan.Integrations[0].Clients = []contract.Client{{Name: "a", CRMCredentialSHA256: []string{"hash"}}}
			}}, []string{"True/Ready", "True/ClientCredentials"},
		},
		"they are there":       {says(contract.CredentialsReport{Resolved: true}), []string{"True/Ready", "True/Resolved"}},
		"a key is missing":     {says(contract.CredentialsReport{Message: "a key"}), []string{"False/SecretNotFound", "False/SecretNotFound"}},
		"another host":         {says(contract.CredentialsReport{HostNotAllowed: true, Message: "a host"}), []string{"False/HostNotAllowed", "False/HostNotAllowed"}},
		"the CRM says 401":     {says(contract.CredentialsReport{Resolved: true, Refused: true}), []string{"False/CredentialsRefused", "False/CredentialsRefused"}},
		"no token":             {says(contract.CredentialsReport{Token: contract.TokenRefused, Message: "refused"}), []string{"False/TokenRefused", "False/TokenRefused"}},
		"the first token":      {says(contract.CredentialsReport{Token: contract.TokenPending}), []string{"Unknown/NotKnown", "Unknown/NotKnown"}},
		"nothing is known yet": {[]func(*status.IntegrationFacts){own}, []string{"Unknown/NotKnown", "Unknown/NotKnown"}},
	} {
		t.Run(name, func(t *testing.T) {
			result := forIntegration(t, integrationFacts(row.edits...), v1alpha1.IntegrationStatus{}, start)
			if diff := cmp.Diff(row.want, sayAll(result.Status.Conditions, "Ready", "CredentialsResolved")); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
		})
	}
}
