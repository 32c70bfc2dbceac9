// Package kind runs the cluster with kind and docker instead, for machines that have them (CLUSTER=kind). It only calls
// the two programs. No test covers it: where this project is built there is no Docker engine.
package kind

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Cluster is a kind cluster.
type Cluster struct {
	// Name is the cluster's name in kind.
	Name string
	// KubeconfigFile is written by Up and removed by Down.
	KubeconfigFile string
}

// Up creates the cluster.
func (c Cluster) Up(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(c.KubeconfigFile), 0o700); err != nil {
		return err
	}
	if err := run(ctx, "create", "cluster", "--name", c.Name, "--kubeconfig", c.KubeconfigFile, "--wait", "2m"); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "export KUBECONFIG=%s\n", c.KubeconfigFile)
	return nil
}

// Down deletes the cluster.
func (c Cluster) Down(ctx context.Context) error {
	if err := run(ctx, "delete", "cluster", "--name", c.Name, "--kubeconfig", c.KubeconfigFile); err != nil {
		return err
	}
	return os.RemoveAll(c.KubeconfigFile)
}

// Load imports image files, in the format of "docker save".
func (c Cluster) Load(ctx context.Context, files []string) error {
	for _, file := range files {
		if err := run(ctx, "load", "image-archive", file, "--name", c.Name); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context, args ...string) error {
	for _, program := range []string{"kind", "docker"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("CLUSTER=kind needs %s in PATH: install it, or leave CLUSTER empty to run the built node", program)
		}
	}
	cmd := exec.CommandContext(ctx, "kind", args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kind %s: %w", args[0], err)
	}
	return nil
}
