// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

const (
	held    = "  dispatch: Hold"
	running = "  dispatch: Run"
)

// TestDeletion deletes a CRM with a backlog in each way there is: it ends within 60 seconds, the volume stays, and the backlog is drained when the CRM returns.
func TestDeletion(t *testing.T) {
	t.Parallel()
	for name, cascade := range map[string]string{"in the background": "background", "in the foreground": "foreground"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "delete-"+cascade, smallSimLimits, smallLimits)
			w.deleteAndReturn("delete", "crm", "zendesk", "-n", w.namespace, "--cascade="+cascade, "--timeout=60s")
		})
	}
}

// TestOperatorDeletion uninstalls the operator while a CRM has a backlog.
func TestOperatorDeletion(t *testing.T) {
	w := newWorld(t, "uninstall", smallSimLimits, smallLimits)
	t.Cleanup(func() {
		if err := installOperator(context.Background()); err != nil {
			t.Log("reinstalling the operator:", err)
		}
	})
	w.deleteAndReturn("delete", "-k", "config/default", "--timeout=60s")
}

// deleteAndReturn fills a backlog, deletes, and applies everything again.
func (w *world) deleteAndReturn(deletion ...string) {
	w.t.Helper()
	w.apply(held)
	w.waitReady(60 * time.Second)
	const tickets = 40
	w.fill(w.client(), tickets)

	w.collectorKnows()
	start := time.Now()
	kubectl(w.t, deletion...)
	w.gone(60*time.Second - time.Since(start))
	w.t.Logf("deletion took %v", time.Since(start).Round(100*time.Millisecond))
	var claim corev1.PersistentVolumeClaim
	if err := cluster.Get(w.t.Context(), w.key("zendesk-crm-dispatcher"), &claim); err != nil {
		w.t.Fatalf("the volume claim is not kept: %v", err)
	}

	if err := installOperator(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.apply(running)
	w.waitReady(90 * time.Second)
	w.drained(tickets, 3*time.Minute)
	w.judge(tickets)
}

// collectorKnows waits until Kubernetes' garbage collector knows the kind CRM: it looks for new kinds every 30 s, and cannot tell that an owner of a kind it has
// never seen is gone.
func (w *world) collectorKnows() {
	w.t.Helper()
	out := kubectl(w.t, "get", "crd", "crms.crmquota.dev", "-o", "jsonpath={.metadata.creationTimestamp}")
	created, err := time.Parse(time.RFC3339, out)
	if err != nil {
		w.t.Fatal(err)
	}
	time.Sleep(time.Until(created.Add(45 * time.Second)))
}

// gone waits until neither StatefulSet nor pod is left.
func (w *world) gone(timeout time.Duration) {
	w.t.Helper()
	eventually(w.t, "the dispatcher is gone", timeout, func() string {
		var set appsv1.StatefulSet
		if err := cluster.Get(w.t.Context(), w.key("zendesk-crm-dispatcher"), &set); !apierrors.IsNotFound(err) {
			return fmt.Sprintf("StatefulSet: %v", err)
		}
		var pod corev1.Pod
		if err := cluster.Get(w.t.Context(), w.key("zendesk-crm-dispatcher-0"), &pod); !apierrors.IsNotFound(err) {
			return fmt.Sprintf("Pod: %v", err)
		}
		return ""
	})
}

// TestDeletionDiscard deletes the volume too.
func TestDeletionDiscard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "discard", smallSimLimits, smallLimits)
	w.apply("  deletion: {policy: Discard}")
	w.waitReady(60 * time.Second)
	kubectl(t, "delete", "crm", "zendesk", "-n", w.namespace, "--timeout=60s")
	w.gone(60 * time.Second)
	eventually(t, "the claim is gone", 60*time.Second, func() string {
		var claim corev1.PersistentVolumeClaim
		if err := cluster.Get(t.Context(), w.key("zendesk-crm-dispatcher"), &claim); !apierrors.IsNotFound(err) {
			return fmt.Sprintf("claim: %v", err)
		}
		return ""
	})
}

// TestDeletionDrain sends what is queued before the CRM object goes.
func TestDeletionDrain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "drain", smallSimLimits, smallLimits)
	w.apply("  deletion: {policy: Drain, drainTimeoutSeconds: 120}")
	w.waitReady(60 * time.Second)
	const tickets = 150
	w.fill(w.client(), tickets)
	kubectl(t, "delete", "crm", "zendesk", "-n", w.namespace, "--cascade=foreground", "--timeout=180s")
	w.gone(60 * time.Second)
	w.judge(tickets)
}

// TestNamespaceDeletion ends within 60 seconds whatever the deletion policy; the claim goes with its namespace.
func TestNamespaceDeletion(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"Retain", "Drain"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "namespace-"+strings.ToLower(policy), smallSimLimits, smallLimits)
			w.apply(held + "\n  deletion: {policy: " + policy + "}")
			w.waitReady(60 * time.Second)
			w.fill(w.client(), 20)
			start := time.Now()
			kubectl(t, "delete", "namespace", w.namespace, "--timeout=60s")
			t.Logf("namespace deletion took %v", time.Since(start).Round(100*time.Millisecond))
		})
	}
}
