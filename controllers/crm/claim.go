// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// licenceInName is how much of a licence's hash tells two claims apart that would have the same name.
const licenceInName = 10

// chooseClaim finds the volume claim that holds the licence's ledger and backlog among those the operator made in the namespace: the one that the StatefulSet
// uses, else the one with the CRM's name, else the oldest. A claim of a CRM that had another name is adopted. When there is none it returns the name for a new
// one, which is the CRM's unless a kept claim of another licence has it.
func chooseClaim(crm *v1alpha1.CRM, set *appsv1.StatefulSet, claims []corev1.PersistentVolumeClaim) (corev1.PersistentVolumeClaim, string) {
	licence, name := plan.Licence(crm), plan.ChildName(crm)
	inUse := claimInUse(set)
	var candidates []corev1.PersistentVolumeClaim
	taken := false
	for _, claim := range claims {
		switch {
		case claim.Labels[v1alpha1.LabelLicence] == licence:
			candidates = append(candidates, claim)
		case claim.Name == name:
			taken = true
		}
	}
	if len(candidates) == 0 {
		if taken {
			name += "-" + licence[:licenceInName]
		}
		return corev1.PersistentVolumeClaim{}, name
	}
	best := slices.MinFunc(candidates, func(a, b corev1.PersistentVolumeClaim) int {
		return cmp.Or(
			first(a.Name == inUse, b.Name == inUse),
			first(a.Name == name, b.Name == name),
			a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
			cmp.Compare(a.Name, b.Name),
		)
	})
	return best, best.Name
}

// first orders true before false.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

func claimInUse(set *appsv1.StatefulSet) string {
	for _, volume := range set.Spec.Template.Spec.Volumes {
		if volume.PersistentVolumeClaim != nil {
			return volume.PersistentVolumeClaim.ClaimName
		}
	}
	return ""
}
