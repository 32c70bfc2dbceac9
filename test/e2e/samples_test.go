// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// TestSamples applies the samples as the README says; they become Ready, and usage and backlog are seen moving.
func TestSamples(t *testing.T) {
	w := &world{t: t, namespace: "contact-centre"}
	t.Cleanup(func() {
		if t.Failed() {
			w.dump()
		}
		_, _ = cluster.Kubectl(context.Background(), "delete", "-k", "config/samples", "--ignore-not-found", "--timeout=90s")
	})
	kubectl(t, "apply", "-k", "config/samples")
	kubectl(t, "wait", "-n", w.namespace, "--for=condition=Ready", "crm,crmint", "--all", "--timeout=60s")
	t.Log("\n" + kubectl(t, "get", "crms,integrations.crmquota.dev", "-n", w.namespace))
	var pods corev1.PodList
	if err := cluster.List(t.Context(), &pods, client.InNamespace(w.namespace)); err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) != 1 || pods.Items[0].Status.Phase != corev1.PodRunning {
		t.Errorf("want one running dispatcher pod, have %d pods", len(pods.Items))
	}
}

// TestStatusMoves sees usage and backlog in the status of both kinds rise and fall.
func TestStatusMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "status", smallSimLimits, smallLimits)
	w.apply("")
	w.waitReady(60 * time.Second)
	const tickets = 200
	w.fill(w.client(), tickets)
	look := func(used, waiting func(int64) bool) func() string {
		return func() string {
			var crm v1alpha1.CRM
			var integration v1alpha1.Integration
			if err := cluster.Get(t.Context(), w.key("zendesk"), &crm); err != nil {
				return err.Error()
			}
			if err := cluster.Get(t.Context(), w.key("app"), &integration); err != nil {
				return err.Error()
			}
			if !used(usedOf(crm)) || !waiting(value(crm.Status.Backlog.Calls)) || !waiting(value(integration.Status.Backlog.Calls)) {
				return kubectl(t, "get", "crms,integrations.crmquota.dev", "-n", w.namespace)
			}
			return ""
		}
	}
	positive := func(v int64) bool { return v > 0 }
	zero := func(v int64) bool { return v == 0 }
	eventually(t, "usage and backlog rise in status", 45*time.Second, look(positive, positive))
	w.drained(tickets, 2*time.Minute)
	eventually(t, "usage and backlog fall in status", 2*time.Minute, look(zero, zero))
}

func usedOf(crm v1alpha1.CRM) int64 {
	for _, window := range crm.Status.Windows {
		if window.Name == "burst" {
			return value(window.Used)
		}
	}
	return -1
}

func value(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}
