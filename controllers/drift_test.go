// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestDriftIsRepairedAndForeignFieldsSurvive(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(nil)
	w.kubelet()
	w.ready(crm)

	set := statefulSet()
	if err := w.get(childName, set); err != nil {
		t.Fatal(err)
	}
	w.update(set, func() {
		set.Labels["team"] = "crm"
		set.Spec.Template.Spec.Containers[0].Image = "registry.example/other:1"
	})
	w.eventually("the image is ours again and the foreign label stays", func() error {
		if err := w.get(childName, set); err != nil {
			return err
		}
		if got := set.Spec.Template.Spec.Containers[0].Image; got != image || set.Labels["team"] != "crm" {
			return fmt.Errorf("image %s, labels %v", got, set.Labels)
		}
		return nil
	})

	policy := &networkingv1.NetworkPolicy{}
	if err := w.get(childName, policy); err != nil {
		t.Fatal(err)
	}
	rules := len(policy.Spec.Ingress)
	w.update(policy, func() { policy.Spec.Ingress = append(policy.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{}) })
	w.eventually("a rule that lets everybody in is taken out again", func() error {
		if err := w.get(childName, policy); err != nil {
			return err
		}
		if got := len(policy.Spec.Ingress); got != rules {
			return fmt.Errorf("%d rules, want %d", got, rules)
		}
		return nil
	})

	service := &corev1.Service{}
	if err := w.get(childName, service); err != nil {
		t.Fatal(err)
	}
	was := service.UID
	if err := w.client.Delete(t.Context(), service); err != nil {
		t.Fatal(err)
	}
	w.isMadeAnew(service, was)
}

func TestDeletedPlanIsWrittenAnewAboveTheOneInForce(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(nil)
	w.kubelet()
	w.ready(crm)
	before := w.plan().Sequence
	var mounted corev1.ConfigMap
	if err := w.get(childName, &mounted); err != nil {
		t.Fatal(err)
	}
	if err := w.client.Delete(t.Context(), &mounted); err != nil {
		t.Fatal(err)
	}
	w.isMadeAnew(&mounted, mounted.UID)
	if after := w.plan().Sequence; after <= before {
		t.Errorf("sequence %d after %d: the dispatcher would refuse it", after, before)
	}
	w.ready(crm)
}

// isMadeAnew waits for an object of the child's name with another UID.
func (w *world) isMadeAnew(o client.Object, was types.UID) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("the deleted %T is made anew", o), func() error {
		if err := w.get(childName, o); err != nil {
			return err
		}
		if o.GetUID() == was {
			return errors.New("it is the same")
		}
		return nil
	})
}
