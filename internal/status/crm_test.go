// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
	"github.com/crmquota/crm-quota-operator/internal/status"
)

// report edits what the dispatcher says.
func report(edit func(*contract.Report)) func(*status.CRMFacts) {
	return func(f *status.CRMFacts) { edit(f.Reported.Latest) }
}

// token reports a trouble with the access token.
func token(trouble contract.TokenTrouble) func(*status.CRMFacts) {
	return report(func(r *contract.Report) { r.Credentials = contract.CredentialsReport{Token: trouble, Message: "why"} })
}

// noReportYet is right after a manager's start.
func noReportYet(f *status.CRMFacts) { f.Reported = status.Reported{Since: start} }

func refused(reason string) plan.Decision { return plan.Decision{Reason: reason, Message: "because"} }

func TestCRMConditions(t *testing.T) {
	const unknown, silent = "Unknown/NotKnown", "Unknown/NotReporting"
	well := []string{"True/Ready", "True/Accepted", "True/Resolved", "True/Available", "True/Programmed", "True/Resolved", "True/Enforced", "absent"}
	// but is well with other words at some places.
	but := func(changes map[int]string) []string {
		out := append([]string(nil), well...)
		for i, c := range changes {
			out[i] = c
		}
		return out
	}
	const ready, acc, cred, avail, prog, endpoint, quota, stalled = 0, 1, 2, 3, 4, 5, 6, 7
	shadow := func(f *status.CRMFacts) { f.Compiled.Plan.Enforce = false }
	quiet := func(f *status.CRMFacts) { f.Reported.At = start.Add(-status.StaleAfter) }
	podDown := func(f *status.CRMFacts) { f.PodReady = false }
	refuse := func(reason string) func(*status.CRMFacts) {
		return func(f *status.CRMFacts) { f.Compiled.CRM = refused(reason) }
	}
	noPlan := func(f *status.CRMFacts) { f.Compiled.Plan = nil }
	oldGeneration := report(func(r *contract.Report) { r.Generation = 1 })
	for name, row := range map[string]struct {
		edits []func(*status.CRMFacts)
		want  []string
	}{
		"a CRM that is well": {nil, well},
		"on Hold it is ready and says so": {
			[]func(*status.CRMFacts){func(f *status.CRMFacts) { f.Compiled.Plan.Hold = true }}, but(map[int]string{ready: "True/Held"}),
		},
		"draining it is ready and says so": {
			[]func(*status.CRMFacts){func(f *status.CRMFacts) { f.Compiled.Plan.Drain = true }}, but(map[int]string{ready: "True/Draining"}),
		},
		"under Shadow it is ready and enforces nothing": {
			[]func(*status.CRMFacts){shadow, report(func(r *contract.Report) { r.Enforcing = false })}, but(map[int]string{quota: "False/Shadow"}),
		},
		"under Observe it is ready and enforces nothing": {
			[]func(*status.CRMFacts){
				func(f *status.CRMFacts) { f.Compiled.Plan.Observe, f.Compiled.Plan.Enforce = true, false }, report(func(r *contract.Report) { r.Enforcing = false }),
			}, but(map[int]string{ready: "True/Observing", quota: "False/Observing"}),
		},
		"under a bypass it is ready and enforces nothing": {
			[]func(*status.CRMFacts){
				func(f *status.CRMFacts) { f.Compiled.Plan.BypassUntil = new(start.Add(time.Hour)) },
				report(func(r *contract.Report) { r.Enforcing = false }),
			}, but(map[int]string{quota: "False/Bypassed"}),
		},
		"an endpoint that cannot be looked up is advice": {
			[]func(*status.CRMFacts){report(func(r *contract.Report) { r.Endpoint = contract.EndpointReport{Message: "there is no such name"} })},
			but(map[int]string{endpoint: "False/EndpointUnresolvable"}),
		},
		"an endpoint at an address that is not called is advice": {
			[]func(*status.CRMFacts){report(func(r *contract.Report) { r.Endpoint = contract.EndpointReport{NotAllowed: true, Message: "at home"} })},
			but(map[int]string{endpoint: "False/AddressNotAllowed"}),
		},
		"an endpoint that was not tried yet is not known": {
			[]func(*status.CRMFacts){report(func(r *contract.Report) { r.Endpoint = contract.EndpointReport{} })}, but(map[int]string{endpoint: unknown}),
		},
		"a missing Secret": {
			[]func(*status.CRMFacts){report(func(r *contract.Report) { r.Credentials = contract.CredentialsReport{Message: "no key"} })},
			but(map[int]string{ready: "False/SecretNotFound", cred: "False/SecretNotFound"}),
		},
		"a Secret for other hosts": {
			[]func(*status.CRMFacts){report(func(r *contract.Report) {
				r.Credentials = contract.CredentialsReport{HostNotAllowed: true, Message: "not listed"}
			})},
			but(map[int]string{ready: "False/HostNotAllowed", cred: "False/HostNotAllowed"}),
		},
		"credentials that the CRM does not take": {
			[]func(*status.CRMFacts){report(func(r *contract.Report) { r.Credentials = contract.CredentialsReport{Resolved: true, Refused: true} })},
			but(map[int]string{ready: "False/CredentialsRefused", cred: "False/CredentialsRefused"}),
		},
		"a token endpoint that does not answer": {
			[]func(*status.CRMFacts){token(contract.TokenUnavailable)}, but(map[int]string{ready: "False/TokenUnavailable", cred: "False/TokenUnavailable"}),
		},
		"a token endpoint that refuses": {
			[]func(*status.CRMFacts){token(contract.TokenRefused)}, but(map[int]string{ready: "False/TokenRefused", cred: "False/TokenRefused"}),
		},
		"a refresh token that is dead": {
			[]func(*status.CRMFacts){token(contract.TokenReauthorize)}, but(map[int]string{ready: "False/ReauthorizationNeeded", cred: "False/ReauthorizationNeeded"}),
		},
		"a token that has not come yet": {
			[]func(*status.CRMFacts){token(contract.TokenPending)}, but(map[int]string{ready: unknown, cred: unknown}),
		},
		"a missing encryption key": {
			[]func(*status.CRMFacts){report(func(r *contract.Report) { r.Credentials.EncryptionKeyMissing = "the encryption key is missing" })},
			but(map[int]string{ready: "False/EncryptionKeyMissing", cred: "False/EncryptionKeyMissing"}),
		},
		"a bad certificate": {
			[]func(*status.CRMFacts){report(func(r *contract.Report) { r.Certificate.Error = "no PEM" })},
			but(map[int]string{ready: "False/CertificateInvalid", cred: "False/CertificateInvalid"}),
		},
		"a pod that is not ready": {[]func(*status.CRMFacts){podDown}, but(map[int]string{ready: "False/Starting", avail: "False/Starting"})},
		"a pod whose volume is not bound": {
			[]func(*status.CRMFacts){podDown, func(f *status.CRMFacts) { f.Claim = corev1.ClaimPending }},
			but(map[int]string{ready: "False/VolumePending", avail: "False/VolumePending"}),
		},
		"a store that fails": {
			[]func(*status.CRMFacts){podDown, report(func(r *contract.Report) { r.Ready, r.NotReady = false, "the disk is full" })},
			but(map[int]string{ready: "False/StoreFailed", avail: "False/StoreFailed"}),
		},
		"a dispatcher without a plan": {
			[]func(*status.CRMFacts){report(func(r *contract.Report) {
				*r = contract.Report{NotReady: "no plan is in force yet", Endpoint: r.Endpoint, Enforcing: true}
			})},
			but(map[int]string{ready: "False/Starting", avail: "False/Starting", cred: unknown, prog: "False/Pending"}),
		},
		"a pod that is ready and silent": {
			[]func(*status.CRMFacts){quiet}, but(map[int]string{ready: silent, cred: silent, avail: silent, prog: silent, endpoint: silent, quota: silent}),
		},
		"a pod that is gone for long": {
			[]func(*status.CRMFacts){quiet, podDown},
			but(map[int]string{ready: "False/Starting", avail: "False/Starting", cred: unknown, prog: unknown, endpoint: unknown, quota: unknown}),
		},
		"an edit that is not confirmed": {
			[]func(*status.CRMFacts){oldGeneration}, but(map[int]string{ready: "False/Pending", prog: "False/Pending"}),
		},
		"an edit that the dispatcher refuses": {
			[]func(*status.CRMFacts){oldGeneration, report(func(r *contract.Report) { r.Rejected = &contract.RejectedPlan{Sequence: 5, Reason: "limits[0]"} })},
			but(map[int]string{ready: "False/PlanRejected", prog: "False/PlanRejected"}),
		},
		"a refusal of an older plan does not matter": {
			[]func(*status.CRMFacts){oldGeneration, report(func(r *contract.Report) { r.Rejected = &contract.RejectedPlan{Sequence: 4, Reason: "limits[0]"} })},
			but(map[int]string{ready: "False/Pending", prog: "False/Pending"}),
		},
		"a dispatcher that enforces another object's plan": {
			[]func(*status.CRMFacts){report(func(r *contract.Report) { r.CRMUID = "crm-0" })}, but(map[int]string{ready: "False/Pending", prog: "False/Pending"}),
		},
		"a spec that only an edit mends stalls": {
			[]func(*status.CRMFacts){refuse(v1alpha1.ReasonUnknownTimeZone), oldGeneration},
			but(map[int]string{ready: "False/UnknownTimeZone", acc: "False/UnknownTimeZone", prog: "False/Pending", stalled: "True/UnknownTimeZone"}),
		},
		"a licence that another CRM may give up does not stall": {
			[]func(*status.CRMFacts){refuse(v1alpha1.ReasonLicenceInUse), noPlan, podDown, noReportYet},
			but(map[int]string{ready: "False/LicenceInUse", acc: "False/LicenceInUse", cred: unknown, avail: unknown, prog: "False/Pending", endpoint: unknown, quota: unknown}),
		},
		"a CRM that was just created": {
			[]func(*status.CRMFacts){noReportYet, podDown, func(f *status.CRMFacts) { f.Claim = "" }},
			but(map[int]string{ready: "False/VolumePending", avail: "False/VolumePending", cred: unknown, prog: unknown, endpoint: unknown, quota: unknown}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := forCRM(t, crmFacts(row.edits...), v1alpha1.CRMStatus{}, start)
			got := sayAll(result.Status.Conditions, "Ready", "Accepted", "CredentialsResolved", "DispatcherAvailable", "Programmed", "EndpointResolved", "QuotaEnforced", "Stalled")
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
		})
	}
}

// TestARestartedDispatcherMayAskForAToken without anybody taking its CRM for one that is not ready.
func TestARestartedDispatcherMayAskForAToken(t *testing.T) {
	well := forCRM(t, crmFacts(), v1alpha1.CRMStatus{}, start).Status
	if got := forCRM(t, crmFacts(token(contract.TokenPending)), well, start); got.Changed {
		t.Errorf("the status changes to %v", sayAll(got.Status.Conditions, "Ready", "CredentialsResolved"))
	}
}

func TestCRMStatusBesidesConditions(t *testing.T) {
	got := forCRM(t, crmFacts(func(f *status.CRMFacts) { f.CAConfigMap = "zendesk-crm-dispatcher-ca" }), v1alpha1.CRMStatus{}, start)
	got.Status.Conditions = nil
	want := v1alpha1.CRMStatus{
		ObservedGeneration: 2,
		Account:            "acme",
		Intake:             v1alpha1.IntakeStatus{URL: "https://zendesk-crm-dispatcher.cc.svc", CAConfigMap: "zendesk-crm-dispatcher-ca"},
		Integrations:       new(int32(1)),
		Windows: []v1alpha1.WindowStatus{
			{Name: "minute", Limit: new(int64(400)), Used: new(int64(0)), Assurance: v1alpha1.AssuranceExact},
			{
				Name: "day", Limit: new(int64(2500)), Used: new(int64(0)), ResetTime: new(metav1.NewTime(start.Add(15 * time.Hour))),
				Assurance: v1alpha1.AssuranceExact,
			},
		},
		Backlog: v1alpha1.BacklogStatus{Calls: new(int64(0)), QueuedBytes: new(int64(0)), Parked: new(int64(0)), Dead: new(int64(0))},
		Summary: v1alpha1.Summary{Used: "minute 0/400", UsedNext: "day 0/2500"},
	}
	if diff := cmp.Diff(want, got.Status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if !got.Changed || !got.Numbers || got.RecheckAfter != status.StaleAfter {
		t.Errorf("changed %t, numbers %t, recheck %s; want both, and a look when the report is stale", got.Changed, got.Numbers, got.RecheckAfter)
	}
}

func TestACRMForWhichNothingRunsShowsNoFigures(t *testing.T) {
	current := forCRM(t, crmFacts(), v1alpha1.CRMStatus{}, start).Status
	got := forCRM(t, crmFacts(func(f *status.CRMFacts) {
		f.Compiled = plan.Output{CRM: refused(v1alpha1.ReasonLicenceInUse)}
	}), current, start.Add(time.Second)).Status
	if got.Account != "" || got.Intake.URL != "" || got.Windows != nil || got.Backlog.Calls != nil || got.Summary.Used != "" {
		t.Errorf("status %+v; want nothing of the dispatcher that is gone", got)
	}
}

func TestARestartOfTheManagerWritesNothing(t *testing.T) {
	for name, edits := range map[string][]func(*status.CRMFacts){
		"of a CRM that is well":      nil,
		"of a CRM with a bad Secret": {report(func(r *contract.Report) { r.Credentials = contract.CredentialsReport{Message: "no key"} })},
		"of a CRM that is refused":   {func(f *status.CRMFacts) { f.Compiled.CRM = refused(v1alpha1.ReasonUnknownTimeZone) }, report(func(r *contract.Report) { r.Generation = 1 })},
		"of a CRM under load": {report(func(r *contract.Report) {
			r.Windows[0].Used, r.Backlog.Queued, r.Backlog.DrainSeconds = 211, 1234, new(int64(9000))
		})},
		"of a CRM with an ignored annotation": {func(f *status.CRMFacts) { f.Compiled.Warnings = []string{"annotation x is ignored"} }},
	} {
		t.Run(name, func(t *testing.T) {
			before := crmFacts(edits...)
			current := forCRM(t, before, v1alpha1.CRMStatus{}, start).Status
			restarted := before
			restarted.Reported = status.Reported{Since: start.Add(time.Minute)}
			if got := forCRM(t, restarted, current, start.Add(time.Minute)); got.Changed {
				t.Errorf("before the first report (-current +written):\n%s", cmp.Diff(current, got.Status))
			}
			reporting := before
			reporting.Reported.At = start.Add(61 * time.Second)
			if got := forCRM(t, reporting, current, start.Add(61*time.Second)); got.Changed {
				t.Errorf("with the first report (-current +written):\n%s", cmp.Diff(current, got.Status))
			}
		})
	}
}

func TestAMissingFirstReportEndsThePatience(t *testing.T) {
	current := forCRM(t, crmFacts(), v1alpha1.CRMStatus{}, start).Status
	f := crmFacts(noReportYet)
	patient := forCRM(t, f, current, start.Add(status.StaleAfter-time.Second))
	if patient.Changed || patient.RecheckAfter != time.Second {
		t.Errorf("changed %t, recheck %s a second early; want nothing yet and a look in 1s", patient.Changed, patient.RecheckAfter)
	}
	late := forCRM(t, f, current, start.Add(status.StaleAfter))
	if got := say(late.Status.Conditions, v1alpha1.ConditionDispatcherAvailable); got != "Unknown/NotReporting" {
		t.Errorf("DispatcherAvailable is %s, want Unknown/NotReporting", got)
	}
}

func TestOneEditOneWrite(t *testing.T) {
	current := forCRM(t, crmFacts(), v1alpha1.CRMStatus{}, start).Status
	edited := crmFacts(func(f *status.CRMFacts) {
		f.CRM.Generation, f.Compiled.Plan.CRM.Generation, f.Compiled.Plan.Sequence = 3, 3, 6
		f.PendingSince = start
	})
	first := forCRM(t, edited, current, start)
	if first.Changed || first.RecheckAfter != status.ConfirmWithin {
		t.Errorf("changed %t, recheck %s at the edit; want no write and a look in %s", first.Changed, first.RecheckAfter, status.ConfirmWithin)
	}
	t.Run("confirmed in time it is written once as True", func(t *testing.T) {
		confirmed := edited
		confirmed.Reported.Latest = theReport()
		confirmed.Reported.Latest.Generation, confirmed.Reported.Latest.Sequence = 3, 6
		got := forCRM(t, confirmed, current, start.Add(time.Second))
		c := meta.FindStatusCondition(got.Status.Conditions, v1alpha1.ConditionProgrammed)
		if !got.Changed || got.Status.ObservedGeneration != 3 || c.Status != metav1.ConditionTrue || !c.LastTransitionTime.Time.Equal(start) {
			t.Errorf("changed %t, generation %d, Programmed %+v; want generation 3, True since the start", got.Changed, got.Status.ObservedGeneration, c)
		}
		if again := forCRM(t, confirmed, got.Status, start.Add(2*time.Second)); again.Changed {
			t.Errorf("a second write:\n%s", cmp.Diff(got.Status, again.Status))
		}
	})
	t.Run("not confirmed in time it is said", func(t *testing.T) {
		got := forCRM(t, edited, current, start.Add(status.ConfirmWithin))
		if say(got.Status.Conditions, v1alpha1.ConditionProgrammed) != "False/Pending" || got.Status.ObservedGeneration != 3 {
			t.Errorf("status %+v; want generation 3, Programmed False/Pending", got.Status)
		}
	})
	t.Run("refused by the compiler it is said at once", func(t *testing.T) {
		bad := edited
		bad.Compiled.CRM = refused(v1alpha1.ReasonUnknownTimeZone)
		got := forCRM(t, bad, current, start)
		if say(got.Status.Conditions, v1alpha1.ConditionReady) != "False/UnknownTimeZone" || got.Status.ObservedGeneration != 3 {
			t.Errorf("status %+v; want generation 3, Ready False/UnknownTimeZone", got.Status)
		}
	})
	t.Run("refused by the dispatcher it is said at once", func(t *testing.T) {
		bad := edited
		bad.Reported.Latest = theReport()
		bad.Reported.Latest.Rejected = &contract.RejectedPlan{Sequence: 6, Reason: "limits"}
		if got := forCRM(t, bad, current, start); say(got.Status.Conditions, v1alpha1.ConditionProgrammed) != "False/PlanRejected" {
			t.Errorf("Programmed is %s, want False/PlanRejected", say(got.Status.Conditions, v1alpha1.ConditionProgrammed))
		}
	})
	t.Run("a pod that fails meanwhile is said at once, of the generation before", func(t *testing.T) {
		down := edited
		down.PodReady = false
		got := forCRM(t, down, current, start.Add(time.Second))
		if say(got.Status.Conditions, v1alpha1.ConditionReady) != "False/Starting" || got.Status.ObservedGeneration != 2 {
			t.Errorf("status %+v; want generation 2, Ready False/Starting", got.Status)
		}
	})
	t.Run("an edit during the manager's start waits for the first report", func(t *testing.T) {
		starting := edited
		noReportYet(&starting)
		if got := forCRM(t, starting, current, start.Add(10*time.Second)); got.Changed {
			t.Errorf("written before the first report:\n%s", cmp.Diff(current, got.Status))
		}
	})
}

func TestQuotaEnforcedSaysWhatWasIgnored(t *testing.T) {
	f := crmFacts(func(f *status.CRMFacts) { f.Compiled.Warnings = []string{"annotation x is ignored: y"} })
	got := forCRM(t, f, v1alpha1.CRMStatus{}, start)
	c := meta.FindStatusCondition(got.Status.Conditions, v1alpha1.ConditionQuotaEnforced)
	if c.Status != metav1.ConditionTrue || !strings.HasSuffix(c.Message, " But annotation x is ignored: y") {
		t.Errorf("QuotaEnforced %+v; want True and the warning", c)
	}
}

func TestABypassThatJustEndedKeepsItsReasonUntilTheDispatcherEnforces(t *testing.T) {
	bypassed := crmFacts(func(f *status.CRMFacts) { f.Compiled.Plan.BypassUntil = new(start.Add(time.Hour)) }, report(func(r *contract.Report) { r.Enforcing = false }))
	current := forCRM(t, bypassed, v1alpha1.CRMStatus{}, start).Status
	ended := bypassed
	ended.Compiled.Plan = thePlan()
	if got := forCRM(t, ended, current, start.Add(time.Second)); got.Changed {
		t.Errorf("written before the dispatcher enforces:\n%s", cmp.Diff(current, got.Status))
	}
}

func TestConditionsOfOthersStay(t *testing.T) {
	theirs := metav1.Condition{Type: "example.com/Audited", Status: metav1.ConditionTrue, Reason: "Yes", Message: "m", ObservedGeneration: 2, LastTransitionTime: metav1.NewTime(start)}
	current := forCRM(t, crmFacts(), v1alpha1.CRMStatus{}, start).Status
	current.Conditions = append(current.Conditions, theirs)
	if got := forCRM(t, crmFacts(), current, start.Add(time.Second)); got.Changed {
		t.Errorf("somebody else's condition is written over:\n%s", cmp.Diff(current, got.Status))
	}
}

func TestALongMessageIsCutBetweenLetters(t *testing.T) {
	f := crmFacts(report(func(r *contract.Report) { r.Certificate.Error = strings.Repeat("ü", 2000) }))
	got := forCRM(t, f, v1alpha1.CRMStatus{}, start)
	message := meta.FindStatusCondition(got.Status.Conditions, v1alpha1.ConditionReady).Message
	if len(message) > 1024 || strings.Trim(message, "ü") != "..." {
		t.Errorf("message of %d bytes ends with %q", len(message), message[len(message)-8:])
	}
}
