package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/filelock"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/host"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/progress"
)

// downPatience bounds each wait for the kernel: for the node's processes to end, for its control groups to be free.
const downPatience = 15 * time.Second

// Down ends the cluster and removes all of it but the logs, volumes included. It is no error if it is down already;
// what a dead cluster left is removed then.
func (c *Cluster) Down(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("ending a node needs root")
	}
	unlock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return c.Printer.Run("cluster down", func(*progress.Task) error { return c.clear() })
}

// clear removes whatever of the cluster exists. The order matters: nothing may try to reach the cluster's addresses
// once the fence is gone, so processes and kubeconfigs go first.
func (c *Cluster) clear() error {
	networks, err := c.kill()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(c.State.AdminKubeconfig()); err != nil {
		return err
	}
	user, err := host.InUse(networks)
	if err != nil {
		return err
	}
	if user != "" && user != c.State.Dir { // another checkout's cluster runs in the slot
		return c.removeState()
	}
	if err := host.Unplug(networks); err != nil {
		return err
	}
	if err := host.RemoveCgroup(host.CgroupRoot, networks.Cgroup(), downPatience); err != nil {
		return err
	}
	if err := host.Unfence(networks); err != nil {
		return err
	}
	return c.removeState()
}

// kill ends the node if it runs, and returns the networks it has or had.
func (c *Cluster) kill() (layout.Networks, error) {
	record, err := host.LoadRecord(c.State.Record())
	if errors.Is(err, os.ErrNotExist) {
		return c.Networks, nil
	}
	if err != nil {
		return layout.Networks{}, err
	}
	networks, err := layout.NetworksOf(record.Slot)
	if err != nil {
		return layout.Networks{}, err
	}
	node, err := record.Node.Open()
	if errors.Is(err, host.ErrGone) {
		return networks, nil
	}
	if err != nil {
		return layout.Networks{}, err
	}
	defer node.Close()
	return networks, node.Kill(downPatience)
}

// removeState empties the state folder except for its lock and the logs of the cluster that was.
func (c *Cluster) removeState() error {
	entries, err := os.ReadDir(c.State.Dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(c.State.Dir, entry.Name())
		if path == c.State.Logs() || path == c.State.Lock() {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove the cluster's state: %w", err)
		}
	}
	return nil
}

// lock makes the state folder ours and takes its lock. A folder that holds anything else is refused: Down would remove
// that.
func (c *Cluster) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(c.State.Dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(c.State.Dir)
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 && !isFile(c.State.Lock()) {
		return nil, fmt.Errorf("%s holds files that are not a cluster's: give an empty folder with -state", c.State.Dir)
	}
	return filelock.Lock(ctx, c.State.Lock())
}
