package config

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/golden"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/pki"
)

func testCluster(t *testing.T) Cluster {
	t.Helper()
	networks, err := layout.NetworksOf(1)
	if err != nil {
		t.Fatal(err)
	}
	return Cluster{Networks: networks, State: layout.State{Dir: "/repo/bin/cluster"}, Binaries: "/repo/bin/k8s"}
}

func TestFilesAreAsReviewed(t *testing.T) {
	rendered, err := Files(testCluster(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range rendered {
		golden.Check(t, name, string(content))
	}
}

func TestStructuredFilesParse(t *testing.T) {
	rendered, err := Files(testCluster(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range rendered {
		var parsed map[string]any
		switch filepath.Ext(name) {
		case ".yaml":
			err = yaml.UnmarshalStrict(content, &parsed)
		case ".conflist":
			err = json.Unmarshal(content, &parsed)
		default:
			continue
		}
		if err != nil || len(parsed) == 0 {
			t.Errorf("%s does not parse: %v", name, err)
		}
	}
}

func TestCommandLinesAreAsReviewed(t *testing.T) {
	var text strings.Builder
	c := testCluster(t)
	for _, p := range append(Base(c), Controllers(c)...) {
		text.WriteString(p.Name + ": " + p.Path + "\n")
		for _, arg := range p.Args {
			text.WriteString("  " + arg + "\n")
		}
	}
	golden.Check(t, "commands.txt", text.String())
}

func TestWriteFillsTheStateFolder(t *testing.T) {
	c := testCluster(t)
	c.State.Dir = filepath.Join(t.TempDir(), "state")
	if err := Write(c, time.Now()); err != nil {
		t.Fatal(err)
	}
	loaded, err := clientcmd.LoadFromFile(c.State.AdminKubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := loaded.Clusters["localcluster"].Server, "https://198.18.1.2:6443"; got != want {
		t.Errorf("the kubeconfig points to %s, want %s", got, want)
	}
	if loaded.CurrentContext != "localcluster" || loaded.Contexts["localcluster"].AuthInfo != pki.Admin {
		t.Errorf("the kubeconfig's context is not the administrator's: %+v", loaded.Contexts)
	}
	for _, want := range []string{c.State.Key(pki.CA), c.State.Kubeconfig(pki.Kubelet), c.State.Config("kubelet.yaml"), c.State.Logs(), filepath.Join(c.State.Var(), "lib/kubelet")} {
		if _, err := os.Stat(want); err != nil {
			t.Error(err)
		}
	}
}

func TestOnlyTheOwnerReadsKeysAndKubeconfigs(t *testing.T) {
	c := testCluster(t)
	c.State.Dir = t.TempDir()
	if err := Write(c, time.Now()); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(c.State.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWriteRefusesAUsedFolder(t *testing.T) {
	c := testCluster(t)
	c.State.Dir = t.TempDir()
	if err := Write(c, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := Write(c, time.Now()); err == nil {
		t.Error("a second cluster was written over the first")
	}
}
