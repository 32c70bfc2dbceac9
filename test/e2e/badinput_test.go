// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// TestBadInput breaks what only a running dispatcher can notice: each mistake has its reason, and goes when it is mended. The mistakes that the manager finds
// by itself are tested beside the controllers.
func TestBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "bad-input", smallSimLimits, smallLimits)
	t.Run("a missing Secret", func(t *testing.T) {
		w.t = t
		kubectl(t, "delete", "secret", "zendesk-credentials", "-n", w.namespace)
		w.apply("")
		w.condition(60*time.Second, v1alpha1.ConditionCredentialsResolved, "False", v1alpha1.ReasonSecretNotFound)
		w.kubectlApply(w.simulator())
		// The kubelet looks for a missing optional Secret every minute or so.
		w.condition(3*time.Minute, v1alpha1.ConditionCredentialsResolved, "True", v1alpha1.ReasonResolved)
		w.waitReady(30 * time.Second)
	})
	t.Run("an endpoint that does not resolve", func(t *testing.T) {
		w.t = t
		kubectl(t, "patch", "crm", "zendesk", "-n", w.namespace, "--type=merge", "-p", `{"spec":{"endpoint":"http://no-such-host.invalid:8080"}}`)
		w.condition(60*time.Second, v1alpha1.ConditionEndpointResolved, "False", v1alpha1.ReasonEndpointUnresolvable)
		w.fill(w.client(), 5)
		w.apply("")
		w.condition(60*time.Second, v1alpha1.ConditionEndpointResolved, "True", v1alpha1.ReasonResolved)
		w.drained(5, 3*time.Minute)
		w.judge(5)
	})
}

// condition waits for a condition of the CRM.
func (w *world) condition(timeout time.Duration, conditionType, status, reason string) {
	w.t.Helper()
	eventually(w.t, conditionType+"="+status, timeout, func() string {
		var crm v1alpha1.CRM
		if err := cluster.Get(w.t.Context(), w.key("zendesk"), &crm); err != nil {
			return err.Error()
		}
		c := meta.FindStatusCondition(crm.Status.Conditions, conditionType)
		if c == nil {
			return "not there"
		}
		if string(c.Status) != status || c.Reason != reason {
			return fmt.Sprintf("%s, %s: %s", c.Status, c.Reason, c.Message)
		}
		return ""
	})
}
