package main

import (
	"context"
	"flag"
	"os"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/config"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/node"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/provisioner"
)

// The commands below run inside a node and are started by the tool itself.

// supervisorCommand is the command of the node's second process.
const supervisorCommand = "supervisor"

// parseNode reads the flags that describe the cluster a process in the node belongs to.
func parseNode(command string, args []string) (config.Cluster, error) {
	var c config.Cluster
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	slot := flags.Int("slot", 0, "`number` of the cluster on this machine")
	flags.StringVar(&c.State.Dir, "state", "", "`folder` of the cluster's state")
	flags.StringVar(&c.Binaries, "binaries", "", "`folder` of the built programs")
	if err := flags.Parse(args); err != nil {
		return config.Cluster{}, err
	}
	var err error
	c.Networks, err = layout.NetworksOf(*slot)
	return c, err
}

func runNode(ctx context.Context, args []string) error {
	c, err := parseNode("node", args)
	if err != nil {
		return err
	}
	return node.Init(ctx, c, os.Stdin, append([]string{supervisorCommand}, args...))
}

func runSupervisor(ctx context.Context, args []string) error {
	c, err := parseNode(supervisorCommand, args)
	if err != nil {
		return err
	}
	return node.Supervise(ctx, c)
}

func runProvisioner(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("provisioner", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "`file` of the provisioner's user")
	var folders provisioner.Folders
	flags.StringVar(&folders.Dir, "dir", "", "`folder` of the volumes")
	flags.StringVar(&folders.Node, "node", "", "`name` of the node that has the folder")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return provisioner.Run(ctx, *kubeconfig, folders)
}
