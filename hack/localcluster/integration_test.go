package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/host"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/image"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
)

// testSlot is the last one, so that the test can run beside clusters that people use.
const testSlot = layout.Slots - 1

// TestALifeOfACluster starts a real cluster, uses it, lets its node die, starts it again and ends it.
func TestALifeOfACluster(t *testing.T) {
	c := newTestCluster(t)
	t.Cleanup(func() {
		// (the test's own context has ended by now)
		if out, err := c.command(context.Background(), "down").CombinedOutput(); err != nil {
			t.Errorf("down: %v\n%s", err, out)
		}
		c.checkNothingIsLeft(t)
	})
	c.run(t, "up", "-slot", fmt.Sprint(testSlot))

	t.Run("up again leaves it alone", func(t *testing.T) {
		if out := c.run(t, "up", "-slot", fmt.Sprint(testSlot)); !strings.Contains(out, "up already") {
			t.Errorf("it says %q", out)
		}
	})
	t.Run("its traces are found on the machine", c.testTracesAreFound)
	t.Run("another cluster in the slot is refused", c.testSlotIsTaken)
	t.Run("a pod runs and is reached from the machine", c.testPod)
	t.Run("names are resolved", c.testDNS)
	t.Run("a pod without root writes to its volume", func(t *testing.T) {
		c.kubectl(t, "exec", "probe", "--", "/probe", "write", "/data/file")
	})
	t.Run("a pod cannot open connections to the machine", c.testGuard)
	t.Run("the audit log holds writes and no reads", c.testAudit)
	t.Run("a component that ends is started again", c.testRestart)
	t.Run("exec passes the command's status on", func(t *testing.T) {
		var failed *exec.ExitError
		err := c.command(t.Context(), "exec", "sh", "-c", "exit 7").Run()
		if !errors.As(err, &failed) || failed.ExitCode() != 7 {
			t.Errorf("got %v, want status 7", err)
		}
	})
	t.Run("when the node dies nothing else answers at its address", c.testDeath)
	t.Run("it starts again after that", func(t *testing.T) {
		c.run(t, "up", "-slot", fmt.Sprint(testSlot))
		c.kubectl(t, "wait", "--for=condition=Ready", "node/"+layout.NodeName)
	})
}

func (c *testCluster) testSlotIsTaken(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), c.program, "up", "-slot", fmt.Sprint(testSlot), "-state", t.TempDir()).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "in use by the cluster in "+c.state.Dir) {
		t.Errorf("got %v:\n%s", err, out)
	}
	c.kubectl(t, "get", "--raw", "/readyz") // the refused one has not harmed it
}

func (c *testCluster) testPod(t *testing.T) {
	dir := t.TempDir()
	compile(t, filepath.Join(dir, "probe"), "./testdata/probe")
	archive := filepath.Join(dir, "probe.tar")
	config := image.Config{Tag: "localhost/probe:test", User: "65532:65532"}
	if _, err := image.Write(archive, config, []image.File{{Source: filepath.Join(dir, "probe"), Path: "/probe"}}); err != nil {
		t.Fatal(err)
	}
	c.run(t, "load", archive)
	c.kubectl(t, "apply", "--server-side", "-f", "testdata/probe.yaml")
	c.kubectl(t, "wait", "--for=condition=Ready", "pod/probe", "--timeout=60s")
	for name, address := range map[string]string{
		"the pod's address":     c.kubectl(t, "get", "pod", "probe", "-o", "jsonpath={.status.podIP}") + ":8080",
		"the Service's address": c.kubectl(t, "get", "service", "probe", "-o", "jsonpath={.spec.clusterIP}") + ":80",
	} {
		eventually(t, name, func(ctx context.Context) error { return get(ctx, "http://"+address, "hello from the pod") })
	}
}

func (c *testCluster) testDNS(t *testing.T) {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(c.networks.DNS.String(), "53"))
	}}
	eventually(t, "the API server's name", func(ctx context.Context) error {
		found, err := resolver.LookupNetIP(ctx, "ip4", "kubernetes.default.svc.cluster.local.")
		if err != nil {
			return err
		}
		if len(found) != 1 || found[0] != c.networks.API {
			return fmt.Errorf("resolved to %v, want %v", found, c.networks.API)
		}
		return nil
	})
	if found, err := resolver.LookupHost(t.Context(), "example.com."); err == nil {
		t.Errorf("a name outside the cluster was resolved to %v", found)
	}
}

func (c *testCluster) testGuard(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", netip.AddrPortFrom(c.networks.Host, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	dial := func(address string) error {
		return c.command(t.Context(), "exec", "kubectl", "exec", "probe", "--", "/probe", "dial", address).Run()
	}
	if err := dial(netip.AddrPortFrom(c.networks.API, 443).String()); err != nil {
		t.Fatalf("the pod does not even reach the API server: %v", err)
	}
	if conn, err := net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatalf("nobody listens: %v", err)
	} else if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := dial(listener.Addr().String()); err == nil {
		t.Error("the pod opened a connection to the machine")
	}
}

func (c *testCluster) testAudit(t *testing.T) {
	content, err := os.ReadFile(c.state.AuditLog())
	if err != nil {
		t.Fatal(err)
	}
	log := string(content)
	if !strings.Contains(log, `"resource":"persistentvolumeclaims","namespace":"default","name":"probe"`) || !strings.Contains(log, `"username":"localcluster-admin"`) {
		t.Error("the administrator's write of the claim is missing")
	}
	for _, verb := range []string{"get", "list", "watch"} {
		if strings.Contains(log, fmt.Sprintf(`"verb":%q`, verb)) {
			t.Errorf("it holds the verb %s", verb)
		}
	}
}

func (c *testCluster) testRestart(t *testing.T) {
	before := c.scheduler(t)
	process, err := before.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer process.Close()
	if err := process.Kill(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another scheduler", func(context.Context) error {
		if after := c.scheduler(t); after.PID == 0 || after == before {
			return fmt.Errorf("%+v before, %+v now", before, after)
		}
		return nil
	})
}

// scheduler returns the scheduler's process, or the zero Identity while there is none.
func (c *testCluster) scheduler(t *testing.T) host.Identity {
	t.Helper()
	for pid, line := range c.processes(t) {
		if !strings.HasPrefix(line, "kube-scheduler ") {
			continue
		}
		if identity, err := host.Identify(pid); err == nil {
			return identity
		}
	}
	return host.Identity{}
}

func (c *testCluster) testDeath(t *testing.T) {
	record, err := host.LoadRecord(c.state.Record())
	if err != nil {
		t.Fatal(err)
	}
	node, err := record.Node.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	if err := node.Kill(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	api := netip.AddrPortFrom(c.networks.NodeIP, layout.APIPort).String()
	// The kernel takes the cable away a moment later; until then nobody answers through it.
	eventually(t, "the fence", func(ctx context.Context) error {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", api)
		if err == nil {
			return errors.Join(errors.New("somebody answered"), conn.Close())
		}
		if !errors.Is(err, syscall.EHOSTUNREACH) {
			return err
		}
		return nil
	})
	if out, err := c.command(t.Context(), "kubeconfig").CombinedOutput(); err == nil || !strings.Contains(string(out), "no cluster is up") {
		t.Errorf("kubeconfig says %q (%v)", out, err)
	}
}
