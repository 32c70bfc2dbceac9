// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/testenv"
)

func withPolicy(policy v1alpha1.DeletionPolicy, timeout int32) func(*v1alpha1.CRM) {
	return func(c *v1alpha1.CRM) {
		c.Spec.Deletion = v1alpha1.Deletion{Policy: policy, DrainTimeoutSeconds: timeout}
	}
}

// TestWhatGoesWithTheCRM: the garbage collector, which does not run here, follows the owner references; so these say what a deletion takes away.
func TestWhatGoesWithTheCRM(t *testing.T) {
	tests := map[v1alpha1.DeletionPolicy]struct {
		dispatcher, claim, finalizer bool
	}{
		v1alpha1.DeletionPolicyRetain:  {dispatcher: true},
		v1alpha1.DeletionPolicyDiscard: {dispatcher: true, claim: true},
		v1alpha1.DeletionPolicyDrain:   {finalizer: true},
	}
	w := newWorld(t)
	crm := w.crm(nil)
	for policy, want := range tests {
		w.update(crm, func() { crm.Spec.Deletion.Policy = policy })
		w.eventually(fmt.Sprintf("owner references and finalizer of policy %s", policy), func() error {
			if err := w.get(crmName, crm); err != nil {
				return err
			}
			if got := slices.Contains(crm.Finalizers, v1alpha1.FinalizerDrain); got != want.finalizer {
				return fmt.Errorf("finalizer %v, want %v", got, want.finalizer)
			}
			for o, owned := range map[client.Object]bool{
				statefulSet(): want.dispatcher, &corev1.Service{}: want.dispatcher, &corev1.ConfigMap{}: want.dispatcher,
				&corev1.ServiceAccount{}: want.dispatcher, &networkingv1.NetworkPolicy{}: want.dispatcher, &corev1.PersistentVolumeClaim{}: want.claim,
			} {
				if err := w.get(childName, o); err != nil {
					return err
				}
				if got := metav1.IsControlledBy(o, crm); got != owned {
					return fmt.Errorf("%T goes with the CRM: %v, want %v", o, got, owned)
				}
			}
			return nil
		})
	}
}

func TestDrainEndsWhenNothingWaits(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(withPolicy(v1alpha1.DeletionPolicyDrain, 3600))
	fake := w.kubelet()
	w.ready(crm)
	fake.Edit(func(r *contract.Report) { r.Backlog.Queued = 20 })
	w.delete(crm)
	w.condition(crm, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonDraining)
	if !w.plan().Drain {
		t.Error("the plan does not say Drain")
	}
	if err := w.get(childName, statefulSet()); err != nil {
		t.Errorf("the dispatcher is gone before it drained: %v", err)
	}
	fake.Edit(func(r *contract.Report) { r.Backlog.Queued = 0 })
	w.released(crm, "Drained")
}

func TestDrainEndsAtItsTimeout(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(withPolicy(v1alpha1.DeletionPolicyDrain, 1))
	fake := w.kubelet()
	w.ready(crm)
	fake.Edit(func(r *contract.Report) { r.Backlog.Queued = 20 })
	w.delete(crm)
	w.released(crm, "DrainTimedOut")
}

func TestDrainEndsAtOnceWithItsNamespace(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(withPolicy(v1alpha1.DeletionPolicyDrain, 3600))
	fake := w.kubelet()
	w.ready(crm)
	fake.Edit(func(r *contract.Report) { r.Backlog.Queued = 20 })
	if err := w.client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}); err != nil {
		t.Fatal(err)
	}
	w.delete(crm) // what the namespace controller does
	w.gone(crmName, &v1alpha1.CRM{})
	w.gone(childName, statefulSet())
}

func TestDrainOfACRMWithoutDispatcherEndsAtOnce(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(func(c *v1alpha1.CRM) {
		withPolicy(v1alpha1.DeletionPolicyDrain, 3600)(c)
		c.Spec.Licence.Limits = []v1alpha1.Limit{{Name: "day", Calls: 1, Calendar: &v1alpha1.CalendarWindow{Unit: v1alpha1.CalendarUnitDay, TimeZone: "Mars/Olympus"}}}
	})
	w.condition(crm, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonUnknownTimeZone)
	w.delete(crm)
	w.gone(crmName, &v1alpha1.CRM{})
}

// TestDrainEndsWhenTheOperatorIsUninstalled: a CRD that is deleted takes its objects with it, which must not wait for anybody.
func TestDrainEndsWhenTheOperatorIsUninstalled(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(withPolicy(v1alpha1.DeletionPolicyDrain, 3600))
	fake := w.kubelet()
	w.ready(crm)
	fake.Edit(func(r *contract.Report) { r.Backlog.Queued = 20 })
	w.delete(crm)
	w.condition(crm, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonDraining)
	t.Cleanup(func() {
		if _, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{Paths: []string{testenv.CRDDir()}}); err != nil {
			t.Fatal("the CRDs are not back:", err)
		}
	})
	crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "crms.crmquota.dev"}}
	crds, err := client.New(config, client.Options{Scheme: crdScheme()})
	if err != nil {
		t.Fatal(err)
	}
	if err := crds.Delete(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
	w.gone(childName, statefulSet())
	w.eventually("the CRD is gone", func() error {
		if err := crds.Get(t.Context(), client.ObjectKeyFromObject(crd), crd); client.IgnoreNotFound(err) != nil || err == nil {
			return errors.Join(errors.New("it is still there"), err)
		}
		return nil
	})
}

// TestKeptVolumeIsAdopted: the ledger and the backlog belong to the licence, whatever the CRM object is called.
func TestKeptVolumeIsAdopted(t *testing.T) {
	tests := map[string]struct {
		expandable bool
		size       string
	}{
		"and grows where its storage class allows it": {true, "2Gi"},
		"and stays as it is where it does not":        {false, "1Gi"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}, Provisioner: "example.com/none", AllowVolumeExpansion: &test.expandable}
			w.create(class)
			crm := w.crm(func(c *v1alpha1.CRM) { c.Spec.Storage.StorageClassName = class.Name })
			w.kubelet()
			w.ready(crm)
			w.delete(crm)
			w.gone(crmName, &v1alpha1.CRM{})
			var kept corev1.PersistentVolumeClaim
			if err := w.get(childName, &kept); err != nil {
				t.Fatal(err)
			}
			renamed := w.crm(func(c *v1alpha1.CRM) { c.Name, c.Spec.Storage.Size = "support", resource.MustParse("2Gi") })
			w.eventually("the new dispatcher mounts the kept claim", func() error { return w.adopted(&kept, renamed, test.size) })
		})
	}
}

func (w *world) adopted(kept *corev1.PersistentVolumeClaim, crm *v1alpha1.CRM, size string) error {
	set := statefulSet()
	if err := w.get(crm.Name+"-crm-dispatcher", set); err != nil {
		return err
	}
	for _, volume := range set.Spec.Template.Spec.Volumes {
		if source := volume.PersistentVolumeClaim; source != nil && source.ClaimName != kept.Name {
			return fmt.Errorf("it mounts %s", source.ClaimName)
		}
	}
	var claim corev1.PersistentVolumeClaim
	if err := w.get(kept.Name, &claim); err != nil {
		return err
	}
	request := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	if claim.UID != kept.UID || claim.Labels[v1alpha1.LabelCRM] != crm.Name || request.String() != size {
		return fmt.Errorf("claim %s of CRM %s requests %s", claim.UID, claim.Labels[v1alpha1.LabelCRM], request.String())
	}
	return nil
}

// delete deletes the CRM as kubectl does by default, in the background.
func (w *world) delete(crm *v1alpha1.CRM) {
	w.t.Helper()
	if err := w.client.Delete(w.t.Context(), crm, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		w.t.Fatal(err)
	}
}

// released waits until the CRM and its dispatcher are gone, and checks that the claim is kept and an event says why.
func (w *world) released(crm *v1alpha1.CRM, reason string) {
	w.t.Helper()
	w.gone(crmName, &v1alpha1.CRM{})
	for _, o := range []client.Object{statefulSet(), &corev1.Service{}, &corev1.ConfigMap{}, &corev1.ServiceAccount{}, &networkingv1.NetworkPolicy{}} {
		w.gone(childName, o)
	}
	if err := w.get(childName, &corev1.PersistentVolumeClaim{}); err != nil {
		w.t.Errorf("the claim is not kept: %v", err)
	}
	w.eventually("an event with reason "+reason, func() error {
		var events eventsv1.EventList
		if err := w.client.List(w.t.Context(), &events, client.InNamespace(w.namespace)); err != nil {
			return err
		}
		for _, event := range events.Items {
			if event.Reason == reason && event.Regarding.UID == crm.UID {
				return nil
			}
		}
		return fmt.Errorf("none among %d", len(events.Items))
	})
}

func crdScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(apiextensionsv1.AddToScheme(scheme))
	return scheme
}
