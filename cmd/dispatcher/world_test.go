// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/test/ports"
)

const (
	crmToken  = "crm-api-token"
	clientKey = "client-key-0123456789abcdef"
	patience  = 20 * time.Second
)

// simulatedCRM is a CRM on a port of its own.
type simulatedCRM struct {
	sim *crmsim.Server
	url string
}

func startCRM(t *testing.T, config crmsim.Config) simulatedCRM {
	t.Helper()
	sim := crmsim.New(config)
	server := httptest.NewServer(sim)
	t.Cleanup(func() {
		server.Close()
		sim.Close()
	})
	return simulatedCRM{sim, server.URL}
}

// world is what a dispatcher finds mounted: a plan, credentials, a volume.
type world struct {
	t       testing.TB
	plan    contract.Plan
	options options
	log     io.Writer
}

func newWorld(tb testing.TB, endpoint string) *world {
	tb.Helper()
	dir := tb.TempDir()
	w := &world{t: tb, log: io.Discard, options: options{
		planFile: filepath.Join(dir, "plan", "plan.json"), dataDir: filepath.Join(dir, "data"), credentialsDir: filepath.Join(dir, "credentials"), tlsDir: filepath.Join(dir, "tls"),
		encryptionDir: filepath.Join(dir, "encryption"),
		intakeAddress: ports.Free(tb), reportAddress: ports.Free(tb), healthAddress: ports.Free(tb),
	}}
	for _, sub := range []string{"plan", "data", "credentials", "encryption"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			tb.Fatal(err)
		}
	}
	for key, value := range map[string]string{"username": "agent@acme.com/token", "password": crmToken} {
		if err := os.WriteFile(filepath.Join(w.options.credentialsDir, key), []byte(value), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	hash := sha256.Sum256([]byte(clientKey))
	w.plan = contract.Plan{
		Schema: contract.PlanSchema, Sequence: 1, Enforce: true, Endpoint: endpoint, Network: contract.NetworkPrivate,
		CRM:         contract.CRMIdentity{Namespace: "contact-centre", Name: "zendesk", UID: "u", Generation: 1, Provider: "Zendesk", Account: "acme"},
		Credentials: contract.Credentials{Basic: &contract.BasicKeys{Username: "username", Password: "password"}},
		Intake:      contract.Intake{URL: "https://" + w.options.intakeAddress, Hosts: []string{"127.0.0.1"}},
		Limits:      []contract.Limit{{Name: "minute", Calls: 400, WindowSeconds: 60}},
		Integrations: []contract.Integration{{
			Namespace: "contact-centre", Name: "ccai", UID: "i", Generation: 1, Enforce: true, Priority: contract.PriorityStandard, Default: contract.Wait, WaitSeconds: 8,
			Share: contract.Share{Part: contract.Part{MaxPercent: 100}, Weight: 1, LendPercent: 50}, Queue: contract.Queue{MaxCalls: 100, MaxAgeSeconds: 3600},
			Clients: []contract.Client{{Name: "adapter", APIKeySHA256: []string{hex.EncodeToString(hash[:])}}},
			Operations: []contract.OperationOverflow{
				{Operation: "CreateTicket", Policy: contract.Queued}, {Methods: []string{"GET"}, Path: "/api/v2/exports/**", Policy: contract.Reject},
			},
		}},
	}
	return w
}

func (w *world) writePlan() {
	w.t.Helper()
	data, err := json.Marshal(w.plan)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.options.planFile+".new", data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(w.options.planFile+".new", w.options.planFile); err != nil {
		w.t.Fatal(err)
	}
}

// running is a dispatcher in this process.
type running struct {
	*world
	intake string
	client *http.Client
	cancel context.CancelFunc
	ended  chan error
}

// start writes the plan, runs a dispatcher until stop or the test's end, and waits until it is ready.
func (w *world) start() *running {
	w.t.Helper()
	w.writePlan()
	ctx, cancel := context.WithCancel(context.Background())
	d := &running{world: w, intake: "https://" + w.options.intakeAddress, cancel: cancel, ended: make(chan error, 1)}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true} //nolint:gosec // the CA is another test's affair
	d.client = &http.Client{Transport: transport, Timeout: 2 * patience}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() { d.ended <- run(ctx, w.options, log); close(d.ended) }()
	w.t.Cleanup(func() {
		transport.CloseIdleConnections()
		d.stop()
	})
	eventually(w.t, func() bool { status, _ := d.health("/readyz"); return status == http.StatusOK })
	return d
}

func (d *running) stop() {
	d.t.Helper()
	d.cancel()
	if err := <-d.ended; err != nil {
		d.t.Error(err)
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

// call is one of the client's. header are names and values in turn.
func (d *running) call(method, path, body string, header ...string) answer {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.intake+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.SetBasicAuth("anybody", clientKey)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return d.do(r)
}

func (d *running) do(r *http.Request) answer {
	d.t.Helper()
	response, err := d.client.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

func (d *running) report(after, wait int) contract.Report {
	d.t.Helper()
	url := fmt.Sprintf("https://%s%s?after=%d&wait=%d", d.options.reportAddress, contract.ReportPath, after, wait)
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	var report contract.Report
	if got := d.do(r); json.Unmarshal([]byte(got.body), &report) != nil {
		d.t.Fatalf("%d %s", got.status, got.body)
	}
	return report
}

func (d *running) health(path string) (status int, body string) {
	response, err := http.Get("http://" + d.options.healthAddress + path)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

func (d *running) metrics() string {
	_, text := d.health("/metrics")
	return text
}

// eventually waits for a condition.
func eventually(tb testing.TB, condition func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatal("it did not come to pass")
		}
	}
}
