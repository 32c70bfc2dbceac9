package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/catalogue"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/host"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
)

// testCluster is a cluster that is run by the built program.
type testCluster struct {
	program  string
	state    layout.State
	paths    layout.Paths
	networks layout.Networks
}

// newTestCluster builds the program, or skips the test where no cluster can run.
func newTestCluster(t *testing.T) *testCluster {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped in short mode: starts a cluster")
	}
	if os.Geteuid() != 0 {
		t.Skip("skipped: a node needs root")
	}
	paths, err := layout.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, component := range catalogue.All() {
		file := filepath.Join(paths.Binaries, component.Name)
		if component.Image != nil {
			file = layout.ImageFile(paths.Binaries, component.Name)
		}
		if _, err := os.Stat(file); err != nil {
			t.Skipf("skipped: %s is not built; run: make cluster-build", component.Name)
		}
	}
	networks, err := layout.NetworksOf(testSlot)
	if err != nil {
		t.Fatal(err)
	}
	if user, err := host.InUse(networks); err != nil || user != "" {
		t.Skipf("skipped: slot %d is in use by %s (%v)", testSlot, user, err)
	}
	// In /var on purpose: the node hides the machine's /var from its components, but must find its state there.
	t.Setenv("TMPDIR", "/var/tmp")
	c := &testCluster{filepath.Join(t.TempDir(), "localcluster"), layout.State{Dir: t.TempDir()}, paths, networks}
	compile(t, c.program, ".")
	return c
}

// command prepares a command of the program for this cluster.
func (c *testCluster) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, c.program, append([]string{name, "-state", c.state.Dir}, args...)...)
}

func (c *testCluster) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := c.command(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	t.Logf("%s:\n%s", name, out)
	return string(out)
}

func (c *testCluster) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(c.paths.Binaries, "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.state.AdminKubeconfig(), "NO_PROXY="+c.networks.Node.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func get(ctx context.Context, url, want string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := (&http.Client{Transport: &http.Transport{Proxy: nil}}).Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err == nil && string(body) != want {
		err = fmt.Errorf("%s answers %q", url, body)
	}
	return err
}

// eventually polls until check succeeds: network rules follow the API server's objects with a delay.
func eventually(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for {
		once, cancelOnce := context.WithTimeout(ctx, 2*time.Second)
		err := check(once)
		cancelOnce()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		case <-poll.C:
		}
	}
}

func compile(t *testing.T, out, pkg string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, text)
	}
}
