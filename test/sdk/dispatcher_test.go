// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/test/built"
	"github.com/crmquota/crm-quota-operator/test/ports"
)

const clientKey = "client-key-0123456789abcdef"

// dispatcher is a running one.
type dispatcher struct {
	url, report string
	// roots is a file with the CA of the dispatcher, and that of the CRM: a client that were led there could speak to it.
	roots string
}

// front starts a dispatcher before the CRM and waits until it is ready.
func front(t *testing.T, c crm, endpoint *httptest.Server) *dispatcher {
	t.Helper()
	dir := t.TempDir()
	intake, report, health := ports.Free(t), ports.Free(t), ports.Free(t)
	d := &dispatcher{url: "https://" + intake, report: "https://" + report + contract.ReportPath, roots: filepath.Join(dir, "roots.pem")}
	crmRoot := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: endpoint.Certificate().Raw})
	hash := sha256.Sum256([]byte(clientKey))
	plan, err := json.Marshal(contract.Plan{
		Schema: contract.PlanSchema, Sequence: 1, Enforce: true, Endpoint: endpoint.URL, Network: contract.NetworkPrivate, Credentials: c.credentials,
		CRM:    contract.CRMIdentity{Namespace: "contact-centre", Name: "crm", UID: "u", Generation: 1, Provider: c.provider, Account: "acme"},
		Intake: contract.Intake{URL: d.url, Hosts: []string{"127.0.0.1"}},
		Limits: []contract.Limit{
			{Name: "minute", Calls: 400, WindowSeconds: 60},
			{Name: "scarce", Calls: 1, WindowSeconds: 3600, Match: &c.scarce},
		},
		Integrations: []contract.Integration{{
			Namespace: "contact-centre", Name: "app", UID: "i", Generation: 1, Enforce: true, Priority: contract.PriorityStandard, Default: contract.Wait, WaitSeconds: 1,
			Share: contract.Share{Part: contract.Part{MaxPercent: 100}, Weight: 1, LendPercent: 50}, Queue: contract.Queue{MaxCalls: 100, MaxAgeSeconds: 3600},
			Clients: []contract.Client{{Name: "app", APIKeySHA256: []string{hex.EncodeToString(hash[:])}}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"plan/plan.json": plan, "credentials/username": []byte(crmUser + "/token"), "credentials/secret": []byte(crmSecret), "crm.pem": crmRoot, "data/.keep": nil,
	}
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), built.Dispatcher, "--plan-file", filepath.Join(dir, "plan", "plan.json"), "--data-dir", filepath.Join(dir, "data"),
		"--credentials-dir", filepath.Join(dir, "credentials"), "--tls-dir", filepath.Join(dir, "tls"), "--shutdown-delay", "0s", "--log-level", "WARN",
		"--intake-address", intake, "--report-address", report, "--health-address", health)
	command.Env = append(os.Environ(), "SSL_CERT_FILE="+filepath.Join(dir, "crm.pem"))
	command.Stderr = t.Output()
	// The end of the test's context would kill it: it is to stop as it does for Kubernetes.
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 30 * time.Second
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := command.Wait(); err != nil && command.ProcessState.ExitCode() != 0 {
			t.Errorf("the dispatcher ended with %v", err)
		}
	})
	awaitReady(t, "http://"+health+"/readyz")
	ca := d.ask(t).Certificate.CAPEM
	if err := os.WriteFile(d.roots, append(crmRoot, ca...), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

func awaitReady(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		response, err := http.Get(url)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the dispatcher is not ready after 30 s")
		}
	}
}

// ask reads the dispatcher's report, as the manager does.
func (d *dispatcher) ask(t *testing.T) contract.Report {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the CA is in the answer
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: 30 * time.Second}).Get(d.report)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var report contract.Report
	if err := json.NewDecoder(response.Body).Decode(&report); err != nil {
		t.Fatal(err)
	}
	return report
}
