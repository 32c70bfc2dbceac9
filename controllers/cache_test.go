// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/controllers/crm"
)

func TestCacheKeepsOnlyOwnManagedFields(t *testing.T) {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{
		{Manager: "kubectl"}, {Manager: crm.FieldOwner, Operation: metav1.ManagedFieldsOperationApply}, {Manager: "kube-controller-manager"},
	}}}
	if _, err := keepOwnFields(service); err != nil {
		t.Fatal(err)
	}
	if got := service.ManagedFields; len(got) != 1 || got[0].Manager != crm.FieldOwner {
		t.Errorf("kept %v, want only those of %s", got, crm.FieldOwner)
	}
}
