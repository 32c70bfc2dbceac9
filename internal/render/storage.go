// SPDX-License-Identifier: Apache-2.0

package render

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// Claim is the dispatcher's volume claim. It is not a template of the StatefulSet, which could not be changed later, and it has no owner unless the CRM says
// Discard: the ledger and the backlog on it outlive the CRM object.
//
// applied is what the operator applied to an existing claim, nil for a new one: what a claim cannot change stays as it is. size is what to request.
func Claim(in Input, applied *corev1ac.PersistentVolumeClaimApplyConfiguration, size resource.Quantity) *corev1ac.PersistentVolumeClaimApplyConfiguration {
	spec := corev1ac.PersistentVolumeClaimSpec().WithAccessModes(corev1.ReadWriteOnce)
	if class := in.CRM.Spec.Storage.StorageClassName; class != "" {
		spec.WithStorageClassName(class)
	}
	if applied != nil && applied.Spec != nil {
		spec.AccessModes, spec.StorageClassName = applied.Spec.AccessModes, applied.Spec.StorageClassName
	}
	spec.WithResources(corev1ac.VolumeResourceRequirements().WithRequests(corev1.ResourceList{corev1.ResourceStorage: size}))

	claim := corev1ac.PersistentVolumeClaim(in.ClaimName, in.CRM.Namespace).
		WithLabels(Labels(in.CRM.Name)).
		WithLabels(map[string]string{v1alpha1.LabelLicence: in.Licence}).
		WithSpec(spec)
	if in.CRM.Spec.Deletion.Policy == v1alpha1.DeletionPolicyDiscard {
		claim.WithOwnerReferences(owner(in.CRM))
	}
	return claim
}
