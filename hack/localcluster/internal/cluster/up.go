package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/addons"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/config"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/debian"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/host"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/kube"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/node"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/progress"
)

// upPatience is how long the cluster may take to become usable on a slow machine.
const upPatience = 3 * time.Minute

// Up starts the cluster and returns when pods can be created and names are resolved. A cluster that is up already is
// left alone. When it fails, nothing of the cluster is left but its logs.
func (c *Cluster) Up(ctx context.Context) error {
	unlock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if kubeconfig, err := c.Kubeconfig(); err == nil {
		c.Printer.Note("the cluster is up already")
		if err := c.await(ctx); err != nil { // the Up that started it may have been killed halfway
			return err
		}
		c.Printer.Note("export KUBECONFIG=%s", kubeconfig)
		return nil
	}
	started := time.Now()
	if err := c.check(ctx); err != nil {
		return err
	}
	// A cluster that died without Down left its state, the one before it its logs.
	if err := errors.Join(c.clear(), os.RemoveAll(c.State.Logs())); err != nil {
		return err
	}
	if err := host.CheckFree(c.Networks); err != nil {
		return err
	}
	if err := c.boot(ctx); err != nil {
		if clearErr := c.clear(); clearErr != nil {
			return errors.Join(err, fmt.Errorf("and could not clean up: %w", clearErr))
		}
		return err
	}
	c.Printer.Note("the cluster is up after %s\nexport KUBECONFIG=%s", progress.Elapsed(time.Since(started)), c.State.AdminKubeconfig())
	return nil
}

// check makes sure that a node can be started in this slot; it may install packages.
func (c *Cluster) check(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("a node needs root: namespaces, mounts and control groups; run it as root, or use kind with CLUSTER=kind")
	}
	if err := debian.Ensure(ctx, debian.NodeTools(), c.Printer.Note); err != nil {
		return err
	}
	user, err := host.InUse(c.Networks)
	if err != nil {
		return err
	}
	if user != "" && user != c.State.Dir {
		return fmt.Errorf("slot %d of this machine is in use by the cluster in %s: end that one, or use another slot (-slot)", c.Networks.Slot, user)
	}
	return nil
}

// boot takes the steps in their order: nothing starts before the fence stands.
func (c *Cluster) boot(ctx context.Context) error {
	steps := []struct {
		name string
		do   func() error
	}{
		{"fence the networks off", func() error { return host.Fence(c.Networks) }},
		{"keys and configuration", func() error { return config.Write(c.Cluster, time.Now()) }},
		{"control groups", func() error { return host.MakeCgroup(host.CgroupRoot, c.Networks.Cgroup()) }},
	}
	for _, step := range steps {
		if err := c.Printer.Run(step.name, func(*progress.Task) error { return step.do() }); err != nil {
			return err
		}
	}
	var launched *host.Node
	err := c.Printer.Run("node in its namespaces", func(*progress.Task) (err error) {
		launched, err = c.launch(ctx)
		return err
	})
	if err != nil {
		return err
	}
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	go func() { // nobody else may answer at the node's addresses, but waiting for a dead node is pointless
		select {
		case err := <-launched.Ended:
			abort(fmt.Errorf("the node has ended: %w", err))
		case <-ctx.Done():
		}
	}()
	if err := c.await(ctx); err != nil {
		return fmt.Errorf("%w\nlast lines of %s:\n%s", err, c.State.Log("node"), tail(c.State.Log("node")))
	}
	return nil
}

// launch starts the node, remembers it, connects it and lets it boot.
func (c *Cluster) launch(ctx context.Context) (*host.Node, error) {
	args := []string{"node", "-slot", strconv.Itoa(c.Networks.Slot), "-state", c.State.Dir, "-binaries", c.Binaries}
	launched, err := host.Launch(ctx, c.State.Log("node"), node.Environment(c.Binaries), args...)
	if err != nil {
		return nil, err
	}
	record := host.Record{Node: launched.Identity, Slot: c.Networks.Slot}
	if err := record.Save(c.State.Record()); err != nil {
		return nil, err
	}
	if err := host.PlugIn(c.Networks, launched.Identity.PID, c.State.Dir); err != nil {
		return nil, err
	}
	return launched, launched.Release()
}

// await waits for the cluster, step by step, and installs the add-ons on the way.
func (c *Cluster) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, upPatience, fmt.Errorf("not usable after %s", upPatience))
	defer cancel()
	restConfig, err := kube.Config(c.State.AdminKubeconfig())
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(restConfig)
	if err != nil {
		return err
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"API server ready", func() error { return kube.WaitReady(ctx, client) }},
		{"add-ons applied", func() error { return addons.Apply(ctx, restConfig, c.Networks) }},
		{"node Ready", func() error { return kube.WaitNode(ctx, client, layout.NodeName) }},
		{"default ServiceAccount", func() error { return kube.WaitServiceAccount(ctx, client) }},
		{"DNS available", func() error { return kube.WaitDeployment(ctx, client, addons.Namespace, addons.DNS) }},
	}
	for _, step := range steps {
		if err := c.Printer.Run(step.name, func(*progress.Task) error { return step.do() }); err != nil {
			return err
		}
	}
	return nil
}

// tail returns the last lines of a file, as far as it can be read.
func tail(file string) []byte {
	const wanted = 20
	content, err := os.ReadFile(file)
	if err != nil {
		return []byte(err.Error())
	}
	lines := bytes.SplitAfter(content, []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-wanted):], nil)
}
