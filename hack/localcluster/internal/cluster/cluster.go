// Package cluster starts and ends a cluster on this machine, and works with a running one.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/config"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/host"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/node"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/progress"
)

// ErrDown says that no cluster runs from the state folder.
var ErrDown = errors.New("no cluster is up here; start one with: localcluster up")

// Cluster is a cluster that may run on this machine.
type Cluster struct {
	config.Cluster
	// Printer shows the progress of Up and Down.
	Printer *progress.Printer
}

// New returns the cluster of a slot and a state folder.
func New(slot int, stateDir, binaries string, printer *progress.Printer) (*Cluster, error) {
	networks, err := layout.NetworksOf(slot)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(stateDir)
	if err != nil {
		return nil, err
	}
	c := config.Cluster{Networks: networks, State: layout.State{Dir: dir}, Binaries: binaries}
	return &Cluster{Cluster: c, Printer: printer}, nil
}

// open returns a handle on the running node, or ErrDown.
func (c *Cluster) open() (*host.Process, error) {
	record, err := host.LoadRecord(c.State.Record())
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrDown
	}
	if err != nil {
		return nil, err
	}
	process, err := record.Node.Open()
	if errors.Is(err, host.ErrGone) {
		return nil, ErrDown
	}
	return process, err
}

// Load imports image files, in the format of "docker save", into the node.
func (c *Cluster) Load(ctx context.Context, files []string) error {
	for _, file := range files {
		err := c.Printer.Run("load "+filepath.Base(file), func(*progress.Task) error { return c.load(ctx, file) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) load(ctx context.Context, file string) error {
	// The node may not see the file's folder: it is passed as an open file.
	image, err := os.Open(file)
	if err != nil {
		return err
	}
	defer image.Close() //nolint:errcheck // only read
	var out strings.Builder
	err = c.run(ctx, func(cmd *exec.Cmd) {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = image, &out, &out
	}, "ctr", node.ImportArgs("-")...)
	if err != nil {
		return fmt.Errorf("%w: %s", err, out.String())
	}
	return nil
}

// Exec runs a command in the node with this program's input and output. A command that fails gives an *exec.ExitError.
func (c *Cluster) Exec(ctx context.Context, name string, args ...string) error {
	return c.run(ctx, func(cmd *exec.Cmd) {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	}, name, args...)
}

func (c *Cluster) run(ctx context.Context, prepare func(*exec.Cmd), name string, args ...string) error {
	process, err := c.open()
	if err != nil {
		return err
	}
	defer process.Close()
	if built := filepath.Join(c.Binaries, name); !strings.ContainsRune(name, '/') && isFile(built) {
		name = built
	}
	return process.Run(ctx, func(cmd *exec.Cmd) {
		cmd.Env = append(node.Environment(c.Binaries), "KUBECONFIG="+c.State.AdminKubeconfig(), "TERM="+os.Getenv("TERM"))
		prepare(cmd)
	}, name, args...)
}

// Kubeconfig returns the file that people and tests use, or ErrDown.
func (c *Cluster) Kubeconfig() (string, error) {
	process, err := c.open()
	if err != nil {
		return "", err
	}
	process.Close()
	return c.State.AdminKubeconfig(), nil
}

// Status prints what runs.
func (c *Cluster) Status(ctx context.Context) error {
	kubeconfig, err := c.Kubeconfig()
	if err != nil {
		return err
	}
	record, err := host.LoadRecord(c.State.Record())
	if err != nil {
		return err
	}
	networks, err := layout.NetworksOf(record.Slot)
	if err != nil {
		return err
	}
	fmt.Printf("node       process %d in namespaces of its own, slot %d\n", record.Node.PID, networks.Slot)
	fmt.Printf("networks   node %s, services %s, pods %s\n", networks.NodeIP, networks.Services, networks.Pods)
	fmt.Printf("logs       %s\naudit log  %s\nKUBECONFIG=%s\n\n", c.State.Logs(), c.State.AuditLog(), kubeconfig)
	kubectl := exec.CommandContext(ctx, filepath.Join(c.Binaries, "kubectl"), "get", "nodes,pods", "--all-namespaces", "--output=wide")
	// A proxy of the environment is of no use for an address on this machine.
	kubectl.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "NO_PROXY="+networks.Node.String())
	kubectl.Stdout, kubectl.Stderr = os.Stdout, os.Stderr
	return kubectl.Run()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
