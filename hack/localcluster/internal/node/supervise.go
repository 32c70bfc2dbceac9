package node

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/config"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/kube"
	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/layout"
)

const (
	// bootPatience is how long one step of the boot may take on a slow machine.
	bootPatience = 2 * time.Minute
	// restartDelay keeps a program that cannot run from using up the processor.
	restartDelay = time.Second
)

// Supervise boots the components in the order of their needs and keeps them running until ctx ends. Only a failed boot
// ends it with an error.
func Supervise(ctx context.Context, c config.Cluster) error {
	running, ctx := errgroup.WithContext(ctx)
	start := func(processes []config.Process) {
		for _, p := range processes {
			running.Go(func() error { return keep(ctx, p, c.State.Log(p.Name)) })
		}
	}
	start(config.Base(c))
	if err := importImages(ctx, c); err != nil {
		return err
	}
	client, err := kube.Connect(c.State.AdminKubeconfig())
	if err != nil {
		return err
	}
	bootContext, cancel := context.WithTimeout(ctx, bootPatience)
	defer cancel()
	if err := kube.WaitReady(bootContext, client); err != nil {
		return err
	}
	start(config.Controllers(c))
	return running.Wait()
}

// keep runs a program, and again whenever it ends, as an init system would.
func keep(ctx context.Context, p config.Process, logFile string) error {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	for {
		cmd := exec.CommandContext(ctx, p.Path, p.Args...)
		cmd.Args[0] = p.Name
		cmd.Dir = "/"
		cmd.Stdout, cmd.Stderr = log, log
		err := cmd.Run()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintf(os.Stderr, "%s %s ended (%v) and is started again\n", time.Now().Format(time.TimeOnly), p.Name, err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(restartDelay):
		}
	}
}

// importImages waits for the container runtime and hands it the cluster's own images.
func importImages(ctx context.Context, c config.Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, bootPatience)
	defer cancel()
	err := kube.Poll(ctx, func(ctx context.Context) error {
		return exec.CommandContext(ctx, filepath.Join(c.Binaries, "ctr"), "version").Run()
	})
	if err != nil {
		return fmt.Errorf("the container runtime does not answer: %w", err)
	}
	for _, image := range c.Images() {
		if out, err := exec.CommandContext(ctx, filepath.Join(c.Binaries, "ctr"), ImportArgs(image)...).CombinedOutput(); err != nil {
			return fmt.Errorf("import %s: %w: %s", image, err, out)
		}
	}
	return nil
}

// ImportArgs are ctr's arguments to import an image file; "-" stands for its standard input.
func ImportArgs(file string) []string {
	return []string{"--address", layout.ContainerdSocket, "--namespace", "k8s.io", "images", "import", "--local", file}
}
