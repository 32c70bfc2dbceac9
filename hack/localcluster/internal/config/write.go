package config

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/pki"
)

// Write fills an empty state folder: keys, kubeconfigs, configuration files, and the folders the node finds in /var.
func Write(c Cluster, now time.Time) error {
	pairs, err := pki.NewCluster(c.Networks, now)
	if err != nil {
		return err
	}
	if err := writePairs(c.State, pairs); err != nil {
		return err
	}
	if err := writeKubeconfigs(c, pairs); err != nil {
		return err
	}
	rendered, err := Files(c)
	if err != nil {
		return err
	}
	for name, content := range rendered {
		if err := write(c.State.Config(name), content); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(c.State.Logs(), 0o700); err != nil {
		return err
	}
	return makeVar(c.State.Var())
}

func writePairs(state layout.State, pairs map[string]pki.Pair) error {
	for name, pair := range pairs {
		if err := write(state.Certificate(name), pair.Certificate); err != nil {
			return err
		}
		if err := write(state.Key(name), pair.Key); err != nil {
			return err
		}
	}
	return nil
}

func writeKubeconfigs(c Cluster, pairs map[string]pki.Pair) error {
	server := netip.AddrPortFrom(c.Networks.NodeIP, layout.APIPort).String()
	for _, user := range pki.Users() {
		content, err := Kubeconfig(server, user, pairs[pki.CA].Certificate, pairs[user])
		if err != nil {
			return err
		}
		path := c.State.Kubeconfig(user)
		if user == pki.Admin {
			path = c.State.AdminKubeconfig()
		}
		if err := write(path, content); err != nil {
			return err
		}
	}
	return nil
}

// makeVar makes what programs expect in /var.
func makeVar(dir string) error {
	for _, sub := range []string{"lib/kubelet", "lib/containerd", "log/pods", "log/containers", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(filepath.Join(dir, "tmp"), 0o777|os.ModeSticky); err != nil {
		return err
	}
	if err := os.Symlink("/run", filepath.Join(dir, "run")); err != nil {
		return fmt.Errorf("the state folder is not empty: %w", err)
	}
	return nil
}

// write makes a file that only its owner may read.
func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}
