// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/test/loadgen"
)

// world is a namespace of its own with a simulated CRM, one CRM object "zendesk" and one Integration "app" that queues tickets.
type world struct {
	t         *testing.T
	namespace string
	// limits by crmsim's syntax, and as the CRM object declares them.
	simLimits []string
	crmLimits string
}

// newWorld makes the namespace and the simulated CRM; apply makes the CRM and the Integration.
func newWorld(t *testing.T, name string, simLimits []string, crmLimits string) *world {
	t.Helper()
	w := &world{t: t, namespace: "e2e-" + name, simLimits: simLimits, crmLimits: crmLimits}
	kubectl(t, "delete", "namespace", w.namespace, "--ignore-not-found", "--timeout=90s")
	kubectl(t, "create", "namespace", w.namespace)
	t.Cleanup(func() {
		if t.Failed() {
			w.dump()
		}
		_, _ = cluster.Kubectl(context.Background(), "delete", "namespace", w.namespace, "--ignore-not-found", "--timeout=90s")
	})
	w.kubectlApply(w.simulator())
	kubectl(t, "wait", "-n", w.namespace, "--for=condition=Available", "deployment/crmsim", "--timeout=60s")
	return w
}

func (w *world) kubectlApply(yaml string) {
	w.t.Helper()
	if _, err := cluster.KubectlInput(w.t.Context(), yaml, "apply", "-n", w.namespace, "-f", "-"); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) simulator() string {
	var args []string
	for _, limit := range w.simLimits {
		args = append(args, fmt.Sprintf("--limit=%s", limit))
	}
	list, _ := json.Marshal(append(args, "--latency=20ms", "--jitter=30ms", "--token=secret"))
	return fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {name: zendesk-credentials}
stringData: {username: e2e@acme.example/token, password: secret}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: app}
---
apiVersion: v1
kind: Service
metadata: {name: crmsim}
spec: {selector: {app: crmsim}, ports: [{port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: crmsim}
spec:
  selector: {matchLabels: {app: crmsim}}
  template:
    metadata: {labels: {app: crmsim}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: crmsim
        image: localhost/crmsim:dev
        imagePullPolicy: IfNotPresent
        args: %s
        readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
`, list)
}

// apply makes the CRM, with extra lines of its spec, and the Integration.
func (w *world) apply(crmSpec string) {
	w.t.Helper()
	w.kubectlApply(w.crm(crmSpec) + w.integration())
}

func (w *world) crm(crmSpec string) string {
	return fmt.Sprintf(`
apiVersion: crmquota.dev/v1alpha1
kind: CRM
metadata: {name: zendesk}
spec:
  provider: Zendesk
  endpoint: http://crmsim.%s.svc:8080
  network: Private
  credentials: {basic: {secretRef: {name: zendesk-credentials}}}
  licence: {account: %s, limits: %s}
%s
---`, w.namespace, w.namespace, w.crmLimits, crmSpec)
}

func (w *world) integration() string {
	return `
apiVersion: crmquota.dev/v1alpha1
kind: Integration
metadata: {name: app}
spec:
  crmRef: {name: zendesk}
  share: {guaranteedPercent: 60}
  overflow:
    operations: [{operation: CreateTicket, policy: Queue}]
    queue: {maxCalls: 5000}
  clients: [{name: app, serviceAccount: {name: app}}]
---`
}

// waitReady waits as a user would.
func (w *world) waitReady(timeout time.Duration) {
	w.t.Helper()
	kubectl(w.t, "wait", "-n", w.namespace, "--for=condition=Ready", "crms,crmint", "--all", "--timeout="+timeout.String())
}

const dispatcherLabels = "app.kubernetes.io/name=crm-dispatcher"

// client calls the dispatcher as the Integration's service account.
func (w *world) client() *loadgen.Client {
	w.t.Helper()
	var integration v1alpha1.Integration
	if err := cluster.Get(w.t.Context(), w.key("app"), &integration); err != nil {
		w.t.Fatal(err)
	}
	var ca corev1.ConfigMap
	if err := cluster.Get(w.t.Context(), w.key(integration.Status.Endpoint.CAConfigMap), &ca); err != nil {
		w.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(ca.Data["ca.crt"])) {
		w.t.Fatalf("ConfigMap %s has no certificate in ca.crt", ca.Name)
	}
	token, err := cluster.Token(w.t.Context(), w.namespace, "app", contract.ClientAudience(w.namespace, "zendesk"))
	if err != nil {
		w.t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	return &loadgen.Client{
		BaseURL: integration.Status.Endpoint.URL,
		HTTP:    cluster.HTTPClient(w.namespace, dispatcherLabels, contract.IntakePort, transport),
		Token:   func() (string, error) { return token, nil },
	}
}

// fill sends count tickets and returns the tally; every one of them must have been answered or accepted.
func (w *world) fill(client *loadgen.Client, count int) *loadgen.Tally {
	w.t.Helper()
	tally := loadgen.NewTally("tickets")
	loadgen.Burst(w.t.Context(), client, tally, count, 16, loadgen.CreateTickets(w.namespace))
	if got := tally.Result(); got.Answered+got.Accepted != count {
		w.t.Fatalf("of %d tickets only %d were answered and %d accepted; first error: %s", count, got.Answered, got.Accepted, got.FirstError)
	}
	return tally
}

// judge fails the test unless the simulated CRM has each of count tickets exactly once and no limit was overrun.
func (w *world) judge(count int) {
	w.t.Helper()
	control := cluster.HTTPClient(w.namespace, "app=crmsim", 8081, nil)
	var tickets map[string][]int64
	getJSON(w.t, control, "http://crmsim/_sim/tickets", &tickets)
	for n := range count {
		id := fmt.Sprintf("%s-%d", w.namespace, n)
		if got := len(tickets[id]); got != 1 {
			w.t.Errorf("ticket %s is %d times in the CRM, want once", id, got)
		}
	}
	var report crmsim.Report
	getJSON(w.t, control, "http://crmsim/_sim/report", &report)
	for _, problem := range report.Problems() {
		w.t.Error(problem)
	}
	w.t.Logf("judge: %d arrivals, %d tickets, %d refusals, problems %d", report.Arrivals, report.Tickets.Created, report.Refusals, len(report.Problems()))
}

// drained waits until the CRM has count tickets.
func (w *world) drained(count int, timeout time.Duration) {
	w.t.Helper()
	control := cluster.HTTPClient(w.namespace, "app=crmsim", 8081, nil)
	eventually(w.t, "the backlog is drained", timeout, func() string {
		var report crmsim.Report
		getJSON(w.t, control, "http://crmsim/_sim/report", &report)
		if report.Tickets.Created >= count {
			return ""
		}
		return fmt.Sprintf("%d of %d tickets are in the CRM", report.Tickets.Created, count)
	})
}

// insecureTransport is for load whose answers nobody looks at.
func insecureTransport() *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // see above
}

func getJSON(t *testing.T, client *http.Client, url string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func (w *world) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: w.namespace, Name: name}
}

// dump prints what a person would look at first.
func (w *world) dump() {
	for _, args := range [][]string{
		{"get", "crms,crmint,pods,pvc", "-n", w.namespace, "-o", "wide"},
		{"get", "events", "-n", w.namespace},
		{"logs", "-n", w.namespace, "-l", dispatcherLabels, "--tail=40"},
		{"logs", "-n", operatorNamespace, "deployment/crm-quota-manager", "--tail=40"},
	} {
		out, err := cluster.Kubectl(context.Background(), args...)
		w.t.Logf("kubectl %s\n%s%v", strings.Join(args, " "), out, err)
	}
}
