// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/testenv"
)

func TestIntegrationWaitsForItsCRM(t *testing.T) {
	w := newWorld(t)
	app := w.integration("app", nil)
	refused := w.condition(app, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonCRMNotFound)
	if !strings.Contains(refused.Message, crmName) {
		t.Errorf("the message does not name the CRM: %s", refused.Message)
	}
	crm := w.crm(nil)
	w.kubelet()
	w.ready(crm)
	w.ready(app)
	if err := w.client.Delete(t.Context(), crm); err != nil {
		t.Fatal(err)
	}
	w.condition(app, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonCRMNotFound)
}

func TestUnknownTimeZoneKeepsTheLimitsInForce(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(nil)
	w.kubelet()
	w.ready(crm)
	day := v1alpha1.Limit{Name: "day", Calls: 2500, Calendar: &v1alpha1.CalendarWindow{Unit: v1alpha1.CalendarUnitDay, TimeZone: "Europe/Atlantis"}}
	w.update(crm, func() { crm.Spec.Licence.Limits = append(crm.Spec.Licence.Limits, day) })
	w.condition(crm, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonUnknownTimeZone)
	w.condition(crm, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnknownTimeZone)
	if got := w.plan(); len(got.Limits) != 1 || got.CRM.Generation == crm.Generation {
		t.Errorf("the plan took over what was refused: %+v", got.Limits)
	}
	w.update(crm, func() { crm.Spec.Licence.Limits[1].Calendar.TimeZone = "Europe/Berlin" })
	w.ready(crm)
	if got := w.plan(); len(got.Limits) != 2 {
		t.Errorf("the plan lacks the mended limit: %+v", got.Limits)
	}
}

func TestGuaranteesOfMoreThanTheLicence(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(nil)
	w.kubelet()
	w.ready(crm)
	first := w.integration("first", guarantee(70))
	w.ready(first)
	second := w.integration("second", guarantee(40))
	w.condition(second, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonGuaranteeExceedsLicence)
	w.ready(first)
	w.update(first, func() { first.Spec.Share.GuaranteedPercent = new(int32(60)) })
	w.ready(first)
	w.ready(second)
}

func guarantee(percent int32) func(*v1alpha1.Integration) {
	return func(i *v1alpha1.Integration) { i.Spec.Share.GuaranteedPercent = &percent }
}

func TestClientThatAnotherIntegrationHas(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(nil)
	w.kubelet()
	w.ready(crm)
	first := w.integration("first", nil)
	w.ready(first)
	second := w.integration("second", func(i *v1alpha1.Integration) { i.Spec.Clients[0].ServiceAccount.Name = "first" })
	w.condition(second, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonDuplicateClient)
	w.update(second, func() { second.Spec.Clients[0].ServiceAccount.Name = "second" })
	w.ready(second)
	w.ready(first)
}

// TestNameTaken: an object of a child's name that the operator did not make is left as it is, and nothing is made beside it.
func TestNameTaken(t *testing.T) {
	w := newWorld(t)
	foreign := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: childName, Namespace: w.namespace},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 1234}}},
	}
	w.create(foreign)
	crm := w.crm(nil)
	taken := w.condition(crm, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonNameTaken)
	if !strings.Contains(taken.Message, "Service "+childName) {
		t.Errorf("the message does not name the object: %s", taken.Message)
	}
	was := foreign.ResourceVersion
	if err := w.get(childName, foreign); err != nil || foreign.ResourceVersion != was {
		t.Errorf("the foreign Service was touched (%v)", err)
	}
	if err := w.get(childName, statefulSet()); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("a StatefulSet was made beside the foreign Service (%v)", err)
	}
	if err := w.client.Delete(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	w.kubelet()
	w.ready(crm)
}

// TestWhatOnlyTheDispatcherKnows: the manager cannot read Secrets or look up hosts, it passes on what the dispatcher says.
func TestWhatOnlyTheDispatcherKnows(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(nil)
	fake := w.kubelet()
	w.ready(crm)

	fake.Edit(func(r *contract.Report) {
		r.Credentials = contract.CredentialsReport{Message: `Secret zendesk-credentials: key "password" is missing`}
	})
	w.condition(crm, v1alpha1.ConditionCredentialsResolved, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	w.condition(crm, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound)
	fake.Edit(func(r *contract.Report) { r.Credentials = contract.CredentialsReport{Resolved: true} })
	w.ready(crm)

	fake.Edit(func(r *contract.Report) { r.Endpoint = contract.EndpointReport{Message: "no such host"} })
	w.condition(crm, v1alpha1.ConditionEndpointResolved, metav1.ConditionFalse, v1alpha1.ReasonEndpointUnresolvable)
	w.ready(crm)
}

// TestOneLicenceInTwoNamespaces: the older CRM spends it, the other waits without a dispatcher, and takes over when the first is gone.
func TestOneLicenceInTwoNamespaces(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(nil)
	w.kubelet()
	w.ready(crm)
	other := &world{t: t, client: w.client, namespace: testenv.Namespace(t, w.client), manager: w.manager}
	copied := other.crm(func(c *v1alpha1.CRM) { c.Spec.Licence.Account = crm.Spec.Licence.Account })
	refused := other.condition(copied, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonLicenceInUse)
	if !strings.Contains(refused.Message, w.namespace+"/"+crmName) {
		t.Errorf("the message does not name the holder: %s", refused.Message)
	}
	if made := w.manager.requests.writesIn(other.namespace); len(made) == 0 || strings.Contains(strings.Join(made, " "), "statefulsets") {
		t.Errorf("writes for the refused CRM: %v", made)
	}
	w.ready(crm)
	if err := w.client.Delete(t.Context(), crm); err != nil {
		t.Fatal(err)
	}
	other.kubelet()
	other.ready(copied)
	if err := w.client.Delete(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
}
