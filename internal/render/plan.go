// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// PlanConfigMap carries the plan to the dispatcher, which mounts it.
func PlanConfigMap(in Input) (*corev1ac.ConfigMapApplyConfiguration, error) {
	document, err := json.Marshal(in.Plan)
	if err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	return corev1ac.ConfigMap(plan.ChildName(in.CRM), in.CRM.Namespace).
		WithLabels(Labels(in.CRM.Name)).
		WithOwnerReferences(owners(in.CRM)...).
		WithData(map[string]string{PlanKey: string(document)}), nil
}

// ParsePlan reads back what PlanConfigMap wrote. It returns nil when there is none, or none that this binary understands.
func ParsePlan(data map[string]string) *contract.Plan {
	var parsed contract.Plan
	if json.Unmarshal([]byte(data[PlanKey]), &parsed) != nil || parsed.Schema != contract.PlanSchema {
		return nil
	}
	return &parsed
}

// CAConfigMap publishes the CA of a certificate that the dispatcher made itself, to clients and as the pin that the manager checks it by.
func CAConfigMap(crm *v1alpha1.CRM, pem string, claim types.UID) *corev1ac.ConfigMapApplyConfiguration {
	return corev1ac.ConfigMap(plan.CAConfigMapName(crm), crm.Namespace).
		WithLabels(Labels(crm.Name)).
		WithAnnotations(map[string]string{AnnotationClaimUID: string(claim)}).
		WithOwnerReferences(owners(crm)...).
		WithData(map[string]string{CAKey: pem})
}
