package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/catalogue"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/cluster"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/kind"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/progress"
)

// target is the cluster that a command is about.
type target struct {
	paths   layout.Paths
	state   string
	slot    int
	args    []string // those after the flags
	printer *progress.Printer
}

// parseTarget reads the flags that all commands about a cluster share.
func parseTarget(command string, args []string) (target, error) {
	paths, err := layout.Find(".")
	if err != nil {
		return target{}, err
	}
	t := target{paths: paths, printer: progress.New(os.Stderr)}
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.StringVar(&t.state, "state", paths.State, "`folder` of the cluster's state")
	flags.IntVar(&t.slot, "slot", 0, "`number` of the cluster on this machine; each has networks of its own")
	if err := flags.Parse(args); err != nil {
		return target{}, err
	}
	t.args = flags.Args()
	t.state, err = filepath.Abs(t.state)
	return t, err
}

// node returns the cluster of the built node.
func (t target) node() (*cluster.Cluster, error) {
	return cluster.New(t.slot, t.state, t.paths.Binaries, t.printer)
}

// kind returns the cluster of CLUSTER=kind, and whether that was asked for.
func (t target) kind() (kind.Cluster, bool, error) {
	switch asked := os.Getenv("CLUSTER"); asked {
	case "":
		return kind.Cluster{}, false, nil
	case "kind":
		return kind.Cluster{Name: "crmquota", KubeconfigFile: filepath.Join(t.paths.Root, "bin", "kind", "kubeconfig")}, true, nil
	default:
		return kind.Cluster{}, false, fmt.Errorf("CLUSTER=%s is not known: leave it empty for the built node, or use kind", asked)
	}
}

// choose calls one of two functions, for the cluster that command is about.
func choose(command string, args []string, onNode func(target, *cluster.Cluster) error, onKind func(target, kind.Cluster) error) error {
	t, err := parseTarget(command, args)
	if err != nil {
		return err
	}
	kindCluster, isKind, err := t.kind()
	if err != nil {
		return err
	}
	if isKind {
		if onKind == nil {
			return fmt.Errorf("%s does not work with CLUSTER=kind: use kubectl or docker", command)
		}
		return onKind(t, kindCluster)
	}
	nodeCluster, err := t.node()
	if err != nil {
		return err
	}
	return onNode(t, nodeCluster)
}

func runUp(ctx context.Context, args []string) error {
	return choose("up", args, func(t target, c *cluster.Cluster) error {
		all, err := catalogue.Select(nil)
		if err != nil {
			return err
		}
		if err := ensureBuilt(ctx, t.paths, t.printer, all); err != nil {
			return err
		}
		return c.Up(ctx)
	}, func(_ target, c kind.Cluster) error { return c.Up(ctx) })
}

func runDown(ctx context.Context, args []string) error {
	return choose("down", args,
		func(_ target, c *cluster.Cluster) error { return c.Down(ctx) },
		func(_ target, c kind.Cluster) error { return c.Down(ctx) })
}

func runLoad(ctx context.Context, args []string) error {
	return choose("load", args,
		func(t target, c *cluster.Cluster) error { return c.Load(ctx, t.args) },
		func(t target, c kind.Cluster) error { return c.Load(ctx, t.args) })
}

func runStatus(ctx context.Context, args []string) error {
	return choose("status", args, func(_ target, c *cluster.Cluster) error { return c.Status(ctx) }, nil)
}

func runExec(ctx context.Context, args []string) error {
	return choose("exec", args, func(t target, c *cluster.Cluster) error {
		if len(t.args) == 0 {
			return errors.New("exec needs a command")
		}
		return c.Exec(ctx, t.args[0], t.args[1:]...)
	}, nil)
}

func runKubeconfig(_ context.Context, args []string) error {
	return choose("kubeconfig", args, func(_ target, c *cluster.Cluster) error {
		file, err := c.Kubeconfig()
		if err == nil {
			fmt.Println(file)
		}
		return err
	}, func(_ target, c kind.Cluster) error {
		fmt.Println(c.KubeconfigFile)
		return nil
	})
}
