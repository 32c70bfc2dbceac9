// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
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
	deletions := map[string][]string{
		"in the background": {"crm", "zendesk", "--cascade=background"},
		"in the foreground": {"crm", "zendesk", "--cascade=foreground"},
		"of the operator":   {"-k", "config/default"},
	}
	for _, name := range []string{"in the background", "in the foreground", "of the operator"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "delete", smallSimLimits, smallLimits)
			w.apply(held)
			w.waitReady(60 * time.Second)
			const tickets = 40
			w.fill(w.client(), tickets)

			start := time.Now()
			args := append([]string{"delete", "--timeout=60s"}, deletions[name]...)
			if deletions[name][0] == "crm" {
				args = append(args, "-n", w.namespace)
			}
			kubectl(t, args...)
			w.gone(60*time.Second - time.Since(start))
			t.Logf("deletion took %v", time.Since(start).Round(100*time.Millisecond))
			var claim corev1.PersistentVolumeClaim
			if err := cluster.Get(t.Context(), w.key("zendesk-crm-dispatcher"), &claim); err != nil {
				t.Fatalf("the volume claim is not kept: %v", err)
			}

			if err := installOperator(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.apply(running)
			w.waitReady(90 * time.Second)
			w.drained(tickets, 3*time.Minute)
			w.judge(tickets)
		})
	}
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
	for _, policy := range []string{"Retain", "Drain"} {
		t.Run(policy, func(t *testing.T) {
			w := newWorld(t, "namespace", smallSimLimits, smallLimits)
			w.apply(held + "\n  deletion: {policy: " + policy + "}")
			w.waitReady(60 * time.Second)
			w.fill(w.client(), 20)
			start := time.Now()
			kubectl(t, "delete", "namespace", w.namespace, "--timeout=60s")
			t.Logf("namespace deletion took %v", time.Since(start).Round(100*time.Millisecond))
		})
	}
}
