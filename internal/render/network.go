// SPDX-License-Identifier: Apache-2.0

package render

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// Names of the container's ports.
const (
	portIntake = "intake"
	portReport = "report"
	portHealth = "health"
)

// Service is where integrations reach the dispatcher: port 443, or 80 in clear text.
func Service(in Input) *corev1ac.ServiceApplyConfiguration {
	port := corev1ac.ServicePort().WithName("https").WithPort(443).WithAppProtocol("https")
	if in.Plan.Intake.PlainHTTP {
		port = corev1ac.ServicePort().WithName("http").WithPort(80).WithAppProtocol("http")
	}
	port.WithProtocol(corev1.ProtocolTCP).WithTargetPort(intstr.FromString(portIntake))
	return corev1ac.Service(plan.ChildName(in.CRM), in.CRM.Namespace).
		WithLabels(Labels(in.CRM.Name)).
		WithOwnerReferences(owners(in.CRM)...).
		WithSpec(corev1ac.ServiceSpec().WithType(corev1.ServiceTypeClusterIP).WithSelector(selector(in.CRM.Name)).WithPorts(port))
}

// NetworkPolicy lets the CRM's namespace call, the manager read the report, and anyone probe and scrape; out go name look-ups, calls to the endpoint's port and, where there is
// one, requests to the token endpoints', to the traces' collector and to receivers of callbacks.
func NetworkPolicy(in Input) *networkingv1ac.NetworkPolicyApplyConfiguration {
	spec := networkingv1ac.NetworkPolicySpec().
		WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(selector(in.CRM.Name))).
		WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress).
		WithIngress(
			ingress(contract.IntakePort).WithFrom(networkingv1ac.NetworkPolicyPeer().WithPodSelector(metav1ac.LabelSelector())),
			reportIngress(in.ManagerNamespace),
			ingress(contract.HealthPort).WithFrom(anyPod()),
		).
		WithEgress(
			networkingv1ac.NetworkPolicyEgressRule().WithPorts(
				policyPort(corev1.ProtocolUDP, 53), policyPort(corev1.ProtocolTCP, 53),
				policyPort(corev1.ProtocolUDP, 5353), policyPort(corev1.ProtocolTCP, 5353)), // OpenShift's DNS pods listen on 5353
			endpointEgress(in.Plan.Endpoint),
		)
	var others []string
	for _, c := range in.Plan.AllCredentials() {
		others = append(others, c.TokenURL())
	}
	for i := range in.Plan.Integrations {
		if c := in.Plan.Integrations[i].Callbacks; c != nil {
			for _, e := range c.Endpoints {
				others = append(others, e.URL)
			}
		}
	}
	if in.Plan.Tracing != nil {
		others = append(others, in.Plan.Tracing.Endpoint)
	}
	open := []string{in.Plan.Endpoint}
	for _, to := range others {
		if to != "" && !slices.ContainsFunc(open, func(by string) bool { return sameEgress(to, by) }) {
			open = append(open, to)
			spec.WithEgress(endpointEgress(to))
		}
	}
	return networkingv1ac.NetworkPolicy(plan.ChildName(in.CRM), in.CRM.Namespace).
		WithLabels(Labels(in.CRM.Name)).
		WithOwnerReferences(owners(in.CRM)...).
		WithSpec(spec)
}

func reportIngress(managerNamespace string) *networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration {
	rule := ingress(contract.ReportPort)
	if managerNamespace == "" {
		return rule
	}
	return rule.WithFrom(networkingv1ac.NetworkPolicyPeer().WithNamespaceSelector(
		metav1ac.LabelSelector().WithMatchLabels(map[string]string{corev1.LabelMetadataName: managerNamespace})))
}

// endpointEgress opens the endpoint's port to any address, because a policy cannot name hosts. Policies see a Service's traffic with the pod's port, which
// nobody knows here, so an endpoint inside the cluster opens every port of pods instead.
func endpointEgress(endpoint string) *networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration {
	host, port := hostPort(endpoint)
	if isClusterHost(host) {
		return networkingv1ac.NetworkPolicyEgressRule().WithTo(anyPod())
	}
	return networkingv1ac.NetworkPolicyEgressRule().WithPorts(policyPort(corev1.ProtocolTCP, port))
}

// sameEgress says whether a rule for one URL opens the way to the other, too.
func sameEgress(a, b string) bool {
	hostA, portA := hostPort(a)
	hostB, portB := hostPort(b)
	if isClusterHost(hostA) || isClusterHost(hostB) {
		return isClusterHost(hostA) && isClusterHost(hostB)
	}
	return portA == portB
}

func hostPort(endpoint string) (host string, port int) {
	const http, https = 80, 443
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", https // the API server has checked the pattern
	}
	port, err = strconv.Atoi(u.Port())
	switch {
	case err == nil:
		return u.Hostname(), port
	case u.Scheme == "http":
		return u.Hostname(), http
	default:
		return u.Hostname(), https
	}
}

// isClusterHost says whether the name is one of the cluster's own: crmsim, crmsim.contact-centre.svc, crmsim.contact-centre.svc.cluster.local.
func isClusterHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	return !strings.Contains(host, ".") || strings.HasSuffix(host, ".svc") || strings.Contains(host, ".svc.")
}

func ingress(port int) *networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration {
	return networkingv1ac.NetworkPolicyIngressRule().WithPorts(policyPort(corev1.ProtocolTCP, port))
}

func policyPort(protocol corev1.Protocol, port int) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
	return networkingv1ac.NetworkPolicyPort().WithProtocol(protocol).WithPort(intstr.FromInt32(int32(port)))
}

func anyPod() *networkingv1ac.NetworkPolicyPeerApplyConfiguration {
	return networkingv1ac.NetworkPolicyPeer().WithNamespaceSelector(metav1ac.LabelSelector())
}
