// SPDX-License-Identifier: Apache-2.0

// Package crash kills and stops the built dispatcher, as a process of its own, under load: what it has acknowledged must reach the simulated CRM, once.
package crash

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/test/built"
	"github.com/crmquota/crm-quota-operator/test/ports"
)

const (
	clientKey   = "client-key-0123456789abcdef"
	crmToken    = "crm-api-token"
	integration = "shop/app"
	patience    = 30 * time.Second
)

func TestMain(m *testing.M) { built.Main(m) }

// volume is what all lives of a dispatcher have in common.
type volume struct {
	dir, planFile string
}

func newVolume(t *testing.T, p contract.Plan) *volume {
	t.Helper()
	v := &volume{dir: t.TempDir()}
	v.planFile = filepath.Join(v.dir, "plan", "plan.json")
	for _, sub := range []string{"plan", "data", "credentials"} {
		if err := os.Mkdir(filepath.Join(v.dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	encoded, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{v.planFile: encoded, filepath.Join(v.dir, "credentials", "token"): []byte(crmToken)} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// newPlan has one integration, and one limit of calls a second.
func newPlan(endpoint string, calls int64) contract.Plan {
	hash := sha256.Sum256([]byte(clientKey))
	return contract.Plan{
		Schema: contract.PlanSchema, Sequence: 1, Enforce: true, Endpoint: endpoint, Network: contract.NetworkPrivate, MaxServerDelaySeconds: 1,
		CRM:         contract.CRMIdentity{Namespace: "shop", Name: "crm", UID: "u", Generation: 1, Provider: "Zendesk", Account: "acme"},
		Credentials: contract.Credentials{Bearer: &contract.BearerKeys{Token: "token"}},
		Intake:      contract.Intake{URL: "http://127.0.0.1", Hosts: []string{"127.0.0.1"}, PlainHTTP: true},
		Limits:      []contract.Limit{{Name: "second", Calls: calls, WindowSeconds: 1}},
		Integrations: []contract.Integration{{
			Namespace: "shop", Name: "app", UID: "i", Generation: 1, Enforce: true, Priority: contract.PriorityStandard, Default: contract.Wait, WaitSeconds: 60,
			Share: contract.Share{Part: contract.Part{MaxPercent: 100}, Weight: 1}, Queue: contract.Queue{MaxCalls: 100_000, MaxAgeSeconds: 24 * 3600},
			Clients: []contract.Client{{Name: "app", APIKeySHA256: []string{hex.EncodeToString(hash[:])}}},
		}},
	}
}

// process is one life of a dispatcher.
type process struct {
	intake, health string
	command        *exec.Cmd
	said           *lines
	ended          chan struct{}
}

// lines is what a process says.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all of it.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start starts a dispatcher on the volume and does not wait for it.
func (v *volume) start(t *testing.T) *process {
	t.Helper()
	p := &process{intake: ports.Free(t), health: ports.Free(t), said: &lines{}, ended: make(chan struct{})}
	p.command = exec.CommandContext(t.Context(), built.Dispatcher, "--plan-file", v.planFile, "--data-dir", filepath.Join(v.dir, "data"),
		"--credentials-dir", filepath.Join(v.dir, "credentials"), "--tls-dir", filepath.Join(v.dir, "tls"), "--shutdown-delay", "0s", "--log-level", "WARN",
		"--intake-address", p.intake, "--report-address", ports.Free(t), "--health-address", p.health)
	p.command.Stdout, p.command.Stderr = p.said, p.said
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.command.Wait() // it is killed, or its end is looked at
	}()
	return p
}

// kill ends the process at once.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
}

func (p *process) isReady(t *testing.T) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.health+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// awaitReady waits until the process takes calls.
func (p *process) awaitReady(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); !p.isReady(t); time.Sleep(5 * time.Millisecond) {
		select {
		case <-p.ended:
			t.Fatalf("the dispatcher ended:\n%s", p.said)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("the dispatcher is not ready after %s:\n%s", patience, p.said)
		}
	}
}
