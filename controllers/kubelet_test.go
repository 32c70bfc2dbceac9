// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/controllers/fakedispatcher"
	"github.com/crmquota/crm-quota-operator/internal/render"
)

// kubelet runs the dispatcher's pod: it binds the claim, makes the pod ready at the fake's address, and gives it each plan that is written.
func (w *world) kubelet() *fakedispatcher.Dispatcher {
	w.t.Helper()
	w.fake = fakedispatcher.New(w.t, childName+"."+w.namespace+".svc")
	w.eventually("the StatefulSet", func() error { return w.get(childName, statefulSet()) })
	w.bindClaims()
	w.startPod()
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.mountPlans(ctx)
	}()
	w.t.Cleanup(func() { cancel(); <-done })
	return w.fake
}

func (w *world) mountPlans(ctx context.Context) {
	var enforced int64
	for ctx.Err() == nil {
		var mounted corev1.ConfigMap
		if err := w.client.Get(ctx, w.key(childName), &mounted); err == nil {
			if plan := render.ParsePlan(mounted.Data); plan != nil && plan.Sequence > enforced {
				w.fake.Enforce(plan)
				enforced = plan.Sequence
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (w *world) bindClaims() {
	w.t.Helper()
	var claims corev1.PersistentVolumeClaimList
	if err := w.client.List(w.t.Context(), &claims, client.InNamespace(w.namespace)); err != nil {
		w.t.Fatal(err)
	}
	for i := range claims.Items {
		claims.Items[i].Status.Phase = corev1.ClaimBound
		if err := w.client.Status().Update(w.t.Context(), &claims.Items[i]); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) startPod() {
	w.t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: childName + "-0", Namespace: w.namespace, Labels: render.Labels(crmName)},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "dispatcher", Image: image}}},
	}
	w.create(pod)
	w.eventually("the pod runs", func() error {
		if err := w.get(pod.Name, pod); err != nil {
			return err
		}
		pod.Status = corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: w.fake.Address, PodIPs: []corev1.PodIP{{IP: w.fake.Address}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		}
		return w.client.Status().Update(w.t.Context(), pod)
	})
}
