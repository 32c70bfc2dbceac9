package cluster

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/host"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/progress"
)

func newCluster(t *testing.T) *Cluster {
	t.Helper()
	c, err := New(0, filepath.Join(t.TempDir(), "state"), "/absent", progress.NewLog(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAFolderWithOtherFilesIsNotTakenForState(t *testing.T) {
	c := newCluster(t)
	precious := filepath.Join(c.State.Dir, "thesis.txt")
	if err := errors.Join(os.MkdirAll(c.State.Dir, 0o755), os.WriteFile(precious, []byte("x"), 0o644)); err != nil {
		t.Fatal(err)
	}
	_, err := c.lock(t.Context())
	if err == nil || !strings.Contains(err.Error(), "not a cluster's") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestRemovingStateKeepsTheLogs(t *testing.T) {
	c := newCluster(t)
	unlock, err := c.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	for _, file := range []string{c.State.Log("kubelet"), c.State.Key("ca"), c.State.AdminKubeconfig(), c.State.Record()} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.removeState(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(c.State.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if diff := cmp.Diff([]string{".localcluster", "logs"}, left); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func TestWithoutANodeTheClusterIsDown(t *testing.T) {
	c := newCluster(t)
	if _, err := c.Kubeconfig(); !errors.Is(err, ErrDown) {
		t.Errorf("without a record: %v", err)
	}
	self, err := host.Identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	self.StartTicks-- // another process had our number before
	if err := os.MkdirAll(c.State.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := (host.Record{Node: self}).Save(c.State.Record()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Kubeconfig(); !errors.Is(err, ErrDown) {
		t.Errorf("with a stale record: %v", err)
	}
}

func TestTail(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte(strings.Repeat("old\n", 100)+strings.Repeat("new\n", 19)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := string(tail(file)), strings.Repeat("new\n", 19); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := string(tail(file + "x")); !strings.Contains(got, "no such file") {
		t.Errorf("of a missing file: %q", got)
	}
}
