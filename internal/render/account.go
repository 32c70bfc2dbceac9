// SPDX-License-Identifier: Apache-2.0

package render

import (
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// ServiceAccount is the dispatcher's identity. It has no rights and its token is not mounted: the dispatcher never calls the API server.
func ServiceAccount(in Input) *corev1ac.ServiceAccountApplyConfiguration {
	return corev1ac.ServiceAccount(plan.ChildName(in.CRM), in.CRM.Namespace).
		WithLabels(Labels(in.CRM.Name)).
		WithOwnerReferences(owners(in.CRM)...).
		WithAutomountServiceAccountToken(false)
}
