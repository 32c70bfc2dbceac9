// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// ChildName is the name of every object that is made for a CRM, the CA's ConfigMap excepted.
func ChildName(crm *v1alpha1.CRM) string { return crm.Name + "-crm-dispatcher" }

// CAConfigMapName is the name of the ConfigMap that publishes the CA of a dispatcher's own certificate.
func CAConfigMapName(crm *v1alpha1.CRM) string { return ChildName(crm) + "-ca" }

// IntakeHost is the DNS name of the intake from any namespace of the cluster.
func IntakeHost(crm *v1alpha1.CRM) string { return ChildName(crm) + "." + crm.Namespace + ".svc" }

// IntakeURL is the base URL that integrations use in place of the CRM's.
func IntakeURL(crm *v1alpha1.CRM) string {
	return strings.ToLower(string(crm.Spec.Intake.Scheme)) + "://" + IntakeHost(crm)
}

// intakeHosts are what a certificate of the dispatcher's own must cover: the Service's names in all usual forms, and the loopback address of a port-forward.
func intakeHosts(crm *v1alpha1.CRM) []string {
	child := ChildName(crm)
	return []string{IntakeHost(crm), child, child + "." + crm.Namespace, IntakeHost(crm) + ".cluster.local", "localhost", "127.0.0.1"}
}

// older orders objects by age, then namespace and name.
func older(a, b metav1.Object) int {
	if c := a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time); c != 0 {
		return c
	}
	if c := strings.Compare(a.GetNamespace(), b.GetNamespace()); c != 0 {
		return c
	}
	return strings.Compare(a.GetName(), b.GetName())
}
