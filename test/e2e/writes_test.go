// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/test/loadgen"
)

// TestWrites counts what the manager writes: nothing while nothing happens, and one status write per object when one thing does.
func TestWrites(t *testing.T) {
	t.Parallel()
	log := newAudit(t, "e2e-writes")
	w := newWorld(t, "writes", []string{"minute=1200/60s:rolling"}, `[{name: minute, calls: 120, windowSeconds: 60}]`)

	t.Run("a second apply and a restart of the manager write nothing, nor do five idle minutes", func(t *testing.T) {
		w.t = t
		fleet := w.fleet(10, 3)
		w.kubectlApply(fleet)
		w.waitReady(3 * time.Minute)
		w.quiet()

		log.mark(t)
		w.kubectlApply(fleet)
		none(t, log, "second apply")

		log.mark(t)
		kubectl(t, "rollout", "restart", "-n", operatorNamespace, "deployment/crm-quota-manager")
		kubectl(t, "rollout", "status", "-n", operatorNamespace, "deployment/crm-quota-manager", "--timeout=60s")
		time.Sleep(45 * time.Second)
		none(t, log, "restart of the manager")

		log.mark(t)
		time.Sleep(5 * time.Minute)
		none(t, log, "five idle minutes")
	})

	t.Run("steady load writes at most once per object and minute", func(t *testing.T) {
		w.t = t
		const minutes = 3
		ctx, stop := context.WithTimeout(t.Context(), (minutes+2)*time.Minute)
		defer stop()
		var load sync.WaitGroup
		defer load.Wait()
		for n := range 10 {
			load.Go(func() { w.steady(ctx, n) })
		}
		time.Sleep(90 * time.Second) // until the minute window is as full as it gets
		log.mark(t)
		time.Sleep(minutes * time.Minute)
		total := 0
		for object, count := range perObject(log.writes(t)) {
			total += count
			if count > minutes {
				t.Errorf("%d writes in %d minutes: %v", count, minutes, object)
			}
		}
		t.Logf("%d writes in %d minutes to 10 CRMs and 30 Integrations", total, minutes)
		stop()
	})

	t.Run("one of 50 Integrations changed writes at most one status of each kind", func(t *testing.T) {
		w.t = t
		kubectl(t, "delete", "crms,crmint", "--all", "-n", w.namespace, "--timeout=90s")
		w.kubectlApply(w.fleet(1, 50))
		w.waitReady(2 * time.Minute)
		w.quiet()
		log.mark(t)
		kubectl(t, "patch", "crmint", "app-0-7", "-n", w.namespace, "--type=merge", "-p", `{"spec":{"share":{"weight":9}}}`)
		eventually(t, "the edit is programmed", 10*time.Second, func() string {
			var integration v1alpha1.Integration
			if err := cluster.Get(t.Context(), w.key("app-0-7"), &integration); err != nil {
				return err.Error()
			}
			if integration.Status.ObservedGeneration == integration.Generation {
				return ""
			}
			return "status speaks of an older generation"
		})
		time.Sleep(15 * time.Second)
		statuses := map[string]int{}
		for _, write := range log.writes(t) {
			t.Log(write)
			if strings.HasSuffix(write.Resource, "/status") {
				statuses[write.Resource]++
			}
		}
		if statuses["crms/status"] > 1 || statuses["integrations/status"] != 1 {
			t.Errorf("status writes: %v, want at most one of a CRM and one of an Integration", statuses)
		}
	})
}

// fleet is a number of CRMs, each of its own licence, with a number of Integrations each. One simulated CRM stands for all of them; its headers tell of all
// licences together, and as Generic they are not read.
func (w *world) fleet(crms, integrations int) string {
	var yaml strings.Builder
	for n := range crms {
		fmt.Fprintf(&yaml, `
apiVersion: crmquota.dev/v1alpha1
kind: CRM
metadata: {name: crm-%[1]d}
spec:
  provider: Generic
  endpoint: http://crmsim.%[2]s.svc:8080
  network: Private
  credentials: {basic: {secretRef: {name: zendesk-credentials}}}
  licence: {account: account-%[1]d, limits: %[3]s}
---`, n, w.namespace, w.crmLimits)
		for i := range integrations {
			fmt.Fprintf(&yaml, `
apiVersion: v1
kind: ServiceAccount
metadata: {name: app-%[1]d-%[2]d}
---
apiVersion: crmquota.dev/v1alpha1
kind: Integration
metadata: {name: app-%[1]d-%[2]d}
spec:
  crmRef: {name: crm-%[1]d}
  share: {guaranteedPercent: 2}
  clients: [{name: app, serviceAccount: {name: app-%[1]d-%[2]d}}]
---`, n, i)
		}
	}
	return yaml.String()
}

// steady looks up contacts through one CRM's dispatcher, as each of its three Integrations: a call a second in all, half of its limit.
func (w *world) steady(ctx context.Context, crm int) {
	labels := fmt.Sprintf("%s,%s=crm-%d", dispatcherLabels, v1alpha1.LabelCRM, crm)
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range 3 {
		token, err := cluster.Token(ctx, w.namespace, fmt.Sprintf("app-%d-%d", crm, i), contract.ClientAudience(w.namespace, fmt.Sprintf("crm-%d", crm)))
		if err != nil {
			w.t.Error(err)
			return
		}
		client := &loadgen.Client{
			BaseURL: "https://crm", HTTP: cluster.HTTPClient(w.namespace, labels, contract.IntakePort, insecureTransport()),
			Token: func() (string, error) { return token, nil },
		}
		wg.Go(func() { loadgen.Steady(ctx, client, loadgen.NewTally("searches"), 1.0/3, loadgen.SearchUsers) })
	}
}

// quiet waits until the last numbers have settled in status.
func (w *world) quiet() { time.Sleep(75 * time.Second) }

func none(t *testing.T, log *audit, what string) {
	t.Helper()
	for _, write := range log.writes(t) {
		t.Errorf("%s: the manager wrote %v", what, write)
	}
}
