// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/render"
)

func statefulSet() *appsv1.StatefulSet { return &appsv1.StatefulSet{} }

func TestCRMBecomesReadyWhenItsDispatcherReports(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(nil)
	app := w.integration("app", nil)
	w.condition(crm, v1alpha1.ConditionDispatcherAvailable, metav1.ConditionFalse, v1alpha1.ReasonVolumePending)
	w.condition(app, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted)

	fake := w.kubelet()
	w.ready(crm)
	w.ready(app)

	for _, o := range []client.Object{
		&corev1.ServiceAccount{}, &corev1.ConfigMap{}, &corev1.PersistentVolumeClaim{}, &corev1.Service{}, &networkingv1.NetworkPolicy{}, statefulSet(),
	} {
		if err := w.get(childName, o); err != nil {
			t.Error(err)
		}
	}
	var ca corev1.ConfigMap
	if err := w.get(childName+"-ca", &ca); err != nil {
		t.Fatal(err)
	}
	if ca.Data[render.CAKey] != fake.CA {
		t.Error("the published CA is not the dispatcher's")
	}
	if crm.Status.Intake.URL != "https://"+childName+"."+w.namespace+".svc" || crm.Status.Intake.CAConfigMap != ca.Name {
		t.Errorf("status.intake is %+v", crm.Status.Intake)
	}
	if got := w.plan().Integrations; len(got) != 1 || got[0].UID != string(app.UID) {
		t.Errorf("the plan holds %+v", got)
	}
	w.eventually("the pod is annotated with the plan's sequence", func() error {
		var pod corev1.Pod
		if err := w.get(childName+"-0", &pod); err != nil {
			return err
		}
		if got, want := pod.Annotations[v1alpha1.AnnotationPlanSequence], fmt.Sprint(w.plan().Sequence); got != want {
			return fmt.Errorf("it is %q, want %q", got, want)
		}
		return nil
	})
}
