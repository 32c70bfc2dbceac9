// SPDX-License-Identifier: Apache-2.0

// Package render builds the objects of one dispatcher from its CRM and its plan. It is pure: the same input gives the same objects, which are meant to be
// written by server-side apply.
package render

import (
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

const (
	// LabelManagedBy marks everything the operator makes; the manager's caches hold nothing else.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedBy is the value of LabelManagedBy.
	ManagedBy = "crm-quota-operator"

	// AnnotationClaimUID on the CA's ConfigMap binds the CA to the volume claim that it was first seen on: a new volume makes a new CA.
	AnnotationClaimUID = "crmquota.dev/claim-uid"

	// PlanKey is the plan's key in its ConfigMap.
	PlanKey = "plan.json"
	// CAKey is the key of the CA in its ConfigMap.
	CAKey = "ca.crt"

	labelName      = "app.kubernetes.io/name"
	labelInstance  = "app.kubernetes.io/instance"
	labelComponent = "app.kubernetes.io/component"
	labelPartOf    = "app.kubernetes.io/part-of"
	appName        = "crm-dispatcher"
)

// Input is what the objects of one dispatcher are made from.
type Input struct {
	CRM  *v1alpha1.CRM
	Plan *contract.Plan
	// Image of the dispatcher.
	Image string
	// ManagerNamespace is where the manager's pods run, the only ones that may read the report; empty when it runs outside the cluster, from anywhere then.
	ManagerNamespace string
	// ClaimName is the volume claim in use.
	ClaimName string
	// Licence is the value of v1alpha1.LabelLicence.
	Licence string
}

// Labels of every object made for a CRM.
func Labels(crm string) map[string]string {
	return map[string]string{
		labelName:         appName,
		labelInstance:     crm,
		labelComponent:    "dispatcher",
		labelPartOf:       ManagedBy,
		LabelManagedBy:    ManagedBy,
		v1alpha1.LabelCRM: crm,
	}
}

// selector picks a dispatcher's pods. A StatefulSet's selector cannot be changed, so nothing may be added here.
func selector(crm string) map[string]string {
	return map[string]string{labelName: appName, labelInstance: crm}
}

// owners of the objects that go with the CRM. Under Drain there are none: a foreground deletion would take the dispatcher away before it has drained.
func owners(crm *v1alpha1.CRM) []*metav1ac.OwnerReferenceApplyConfiguration {
	if crm.Spec.Deletion.Policy == v1alpha1.DeletionPolicyDrain {
		return nil
	}
	return []*metav1ac.OwnerReferenceApplyConfiguration{owner(crm)}
}

func owner(crm *v1alpha1.CRM) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().
		WithAPIVersion(v1alpha1.SchemeGroupVersion.String()).WithKind("CRM").WithName(crm.Name).WithUID(crm.UID).WithController(true)
}
