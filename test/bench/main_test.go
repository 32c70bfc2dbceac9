// SPDX-License-Identifier: Apache-2.0

// Package bench measures the built dispatcher as a process of its own, against named peers and limits in the same run. Nothing here passes or fails by a time.
package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/test/built"
	"github.com/crmquota/crm-quota-operator/test/ports"
)

const clientKey = "bench-key-0123456789abcdef"

func TestMain(m *testing.M) {
	if address := os.Getenv(peerAddress); address != "" {
		fmt.Fprintln(os.Stderr, servePeer(address, os.Getenv(peerTarget), os.Getenv(peerJournal)))
		os.Exit(1)
	}
	built.Main(m)
}

// stub is a CRM that answers at once and says when a request arrived.
type stub struct {
	http.Server
	url     string
	arrived chan time.Time
	listen  atomic.Bool
}

func startStub(b *testing.B) *stub {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &stub{url: "http://" + listener.Addr().String(), arrived: make(chan time.Time, 1)}
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.listen.Load() {
			s.arrived <- time.Now()
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"users":[{"id":1,"name":"Ada"}],"next_page":null,"count":1}`)
	})
	go func() { _ = s.Serve(listener) }()
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// process is a running dispatcher.
type process struct {
	plan                   contract.Plan
	dir, planFile          string
	intake, report, health string
	command                *exec.Cmd
	// startedToReady is the time from exec to the first ready answer.
	startedToReady time.Duration
}

// start runs a dispatcher in front of the endpoint with one integration and these limits.
func start(b *testing.B, endpoint string, change func(*contract.Plan)) *process {
	b.Helper()
	p := prepare(b, endpoint, change)
	p.run(b)
	return p
}

// prepare makes what a dispatcher needs, with an empty volume.
func prepare(b *testing.B, endpoint string, change func(*contract.Plan)) *process {
	b.Helper()
	dir := b.TempDir()
	p := &process{dir: dir, planFile: filepath.Join(dir, "plan", "plan.json"), intake: ports.Free(b), report: ports.Free(b), health: ports.Free(b)}
	for _, sub := range []string{"plan", "data", "credentials"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "credentials", "token"), []byte("secret"), 0o600); err != nil {
		b.Fatal(err)
	}
	hash := sha256.Sum256([]byte(clientKey))
	p.plan = contract.Plan{
		Schema: contract.PlanSchema, Sequence: 1, Enforce: true, Endpoint: endpoint, Network: contract.NetworkPrivate,
		CRM:         contract.CRMIdentity{Namespace: "bench", Name: "crm", UID: "u", Generation: 1, Provider: "Zendesk", Account: "bench"},
		Credentials: contract.Credentials{Bearer: &contract.BearerKeys{Token: "token"}},
		Intake:      contract.Intake{URL: "http://" + p.intake, Hosts: []string{"127.0.0.1"}, PlainHTTP: true},
		Limits:      []contract.Limit{{Name: "minute", Calls: 1_000_000_000, WindowSeconds: 60}, {Name: "inflight", Concurrent: 1000}},
		Integrations: []contract.Integration{{
			Namespace: "bench", Name: "app", UID: "i", Generation: 1, Enforce: true, Priority: contract.PriorityStandard, Default: contract.Wait, WaitSeconds: 60,
			Share: contract.Share{Part: contract.Part{MaxPercent: 100, GuaranteedPercent: 50}, Weight: 1, LendPercent: 50}, Queue: contract.Queue{MaxCalls: 100_000, MaxAgeSeconds: 3600},
			Clients:    []contract.Client{{Name: "app", APIKeySHA256: []string{hex.EncodeToString(hash[:])}}},
			Operations: []contract.OperationOverflow{{Operation: "CreateTicket", Policy: contract.Queued}},
		}},
	}
	if change != nil {
		change(&p.plan)
	}
	p.writePlan(b)
	return p
}

func (p *process) dataDir() string { return filepath.Join(p.dir, "data") }

// run starts the process and waits until it is ready.
func (p *process) run(b *testing.B) {
	b.Helper()
	p.command = exec.CommandContext(b.Context(), built.Dispatcher, "--plan-file", p.planFile, "--data-dir", p.dataDir(),
		"--credentials-dir", filepath.Join(p.dir, "credentials"), "--tls-dir", filepath.Join(p.dir, "tls"), "--shutdown-delay", "0s", "--log-level", "WARN",
		"--intake-address", p.intake, "--report-address", p.report, "--health-address", p.health)
	p.command.Stderr = os.Stderr
	began := time.Now()
	if err := p.command.Start(); err != nil {
		b.Fatal(err)
	}
	command := p.command
	b.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	})
	for deadline := began.Add(30 * time.Second); !p.ready(b); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatal("the dispatcher is not ready after 30 s")
		}
	}
	p.startedToReady = time.Since(began)
}

// kill ends the process at once.
func (p *process) kill(b *testing.B) {
	b.Helper()
	if err := p.command.Process.Kill(); err != nil {
		b.Fatal(err)
	}
	_ = p.command.Wait() // it was killed
}

func (p *process) ready(b *testing.B) bool {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+p.health+"/readyz", nil)
	if err != nil {
		b.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func (p *process) writePlan(b *testing.B) {
	b.Helper()
	data, err := json.Marshal(p.plan)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(p.planFile+".new", data, 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.Rename(p.planFile+".new", p.planFile); err != nil {
		b.Fatal(err)
	}
}

// call sends a request as the client and fails the benchmark unless it is answered with the status.
func call(b *testing.B, client *http.Client, method, url string, body io.Reader, status int) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, url, body)
	if err != nil {
		b.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+clientKey)
	resp, err := client.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != status {
		b.Errorf("%s %s: %s", method, url, resp.Status)
	}
}

func newClient(b *testing.B) *http.Client {
	b.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	b.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 2 * time.Minute}
}

// reportMillis reports the median and the 99th percentile of times.
func reportMillis(b *testing.B, name string, times []time.Duration) {
	b.Helper()
	slices.Sort(times)
	millis := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(millis(times[len(times)/2]), name+"-p50-ms")
	b.ReportMetric(millis(times[len(times)*99/100]), name+"-p99-ms")
}
