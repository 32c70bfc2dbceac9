// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
	"github.com/crmquota/crm-quota-operator/internal/status"
	"github.com/crmquota/crm-quota-operator/internal/status/statustest"
)

// start is when the facts are as they are; tests move on from it.
var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

var accepted = plan.Decision{Reason: v1alpha1.ReasonAccepted, Message: "The spec is in the dispatch plan."}

// thePlan of generation 2 of CRM and Integration.
func thePlan() *contract.Plan {
	return &contract.Plan{
		Schema: contract.PlanSchema, Sequence: 5, Enforce: true,
		CRM:          contract.CRMIdentity{Namespace: "cc", Name: "zendesk", UID: "crm-1", Generation: 2, Provider: "Zendesk", Account: "acme"},
		Endpoint:     "https://acme.zendesk.com",
		Intake:       contract.Intake{URL: "https://zendesk-crm-dispatcher.cc.svc"},
		Limits:       []contract.Limit{{Name: "minute", Calls: 400, WindowSeconds: 60}, {Name: "day", Calls: 2500, Calendar: &contract.Calendar{Unit: contract.CalendarDay, TimeZone: "UTC"}}},
		Integrations: []contract.Integration{{Namespace: "cc", Name: "ccai", UID: "ccai-1", Generation: 2, Enforce: true}},
	}
}

// theReport of a dispatcher that enforces thePlan and has nothing to do.
func theReport() *contract.Report {
	reset := start.Truncate(24 * time.Hour).Add(24 * time.Hour)
	return &contract.Report{
		Schema: contract.ReportSchema, Sequence: 5, Generation: 2, CRMUID: "crm-1", Ready: true, Enforcing: true,
		Credentials: contract.CredentialsReport{Resolved: true},
		Endpoint:    contract.EndpointReport{Resolved: true},
		Windows:     []contract.WindowReport{{Name: "minute", Limit: 400}, {Name: "day", Limit: 2500, Reset: &reset}},
		Integrations: []contract.IntegrationReport{{
			Namespace: "cc", Name: "ccai", UID: "ccai-1", Generation: 2, Enforcing: true,
			Windows: []contract.ShareReport{{Name: "minute", Guaranteed: 240}, {Name: "day", Guaranteed: 1500}},
		}},
	}
}

// crmFacts of a CRM at generation 2 that is well, edited.
func crmFacts(edits ...func(*status.CRMFacts)) status.CRMFacts {
	f := status.CRMFacts{
		CRM: &v1alpha1.CRM{ObjectMeta: metav1.ObjectMeta{Namespace: "cc", Name: "zendesk", UID: "crm-1", Generation: 2}},
		Compiled: plan.Output{CRM: accepted, Plan: thePlan(), Integrations: map[types.NamespacedName]plan.Decision{
			{Namespace: "cc", Name: "ccai"}: accepted,
			{Namespace: "cc", Name: "etl"}:  {Reason: v1alpha1.ReasonGuaranteeExceedsLicence},
		}},
		PodReady: true,
		Claim:    corev1.ClaimBound,
		Reported: status.Reported{Latest: theReport(), At: start, Since: start.Add(-time.Hour)},
	}
	for _, edit := range edits {
		edit(&f)
	}
	return f
}

// integrationFacts of an Integration at generation 2 that is well, edited.
func integrationFacts(edits ...func(*status.IntegrationFacts)) status.IntegrationFacts {
	f := status.IntegrationFacts{
		Integration: &v1alpha1.Integration{ObjectMeta: metav1.ObjectMeta{Namespace: "cc", Name: "ccai", UID: "ccai-1", Generation: 2}},
		Decision:    accepted,
		Plan:        thePlan(),
		PodReady:    true,
		CAConfigMap: "ca",
		Reported:    status.Reported{Latest: theReport(), At: start, Since: start.Add(-time.Hour)},
	}
	for _, edit := range edits {
		edit(&f)
	}
	return f
}

// say is a condition as "False/Starting".
func say(conditions []metav1.Condition, conditionType string) string {
	c := meta.FindStatusCondition(conditions, conditionType)
	if c == nil {
		return "absent"
	}
	return fmt.Sprintf("%s/%s", c.Status, c.Reason)
}

// sayAll says the conditions of these types.
func sayAll(conditions []metav1.Condition, types ...string) []string {
	var out []string
	for _, t := range types {
		out = append(out, say(conditions, t))
	}
	return out
}

// forCRM checks the contract of every status that comes out.
func forCRM(t *testing.T, f status.CRMFacts, current v1alpha1.CRMStatus, now time.Time) status.Result[v1alpha1.CRMStatus] {
	t.Helper()
	result := status.ForCRM(f, current, now)
	object := f.CRM.DeepCopy()
	object.Status = result.Status
	if err := statustest.Check(object); err != nil {
		t.Errorf("the status breaks the contract: %v", err)
	}
	return result
}

// forIntegration checks the contract of every status that comes out.
func forIntegration(t *testing.T, f status.IntegrationFacts, current v1alpha1.IntegrationStatus, now time.Time) status.Result[v1alpha1.IntegrationStatus] {
	t.Helper()
	result := status.ForIntegration(f, current, now)
	object := f.Integration.DeepCopy()
	object.Status = result.Status
	if err := statustest.Check(object); err != nil {
		t.Errorf("the status breaks the contract: %v", err)
	}
	return result
}
