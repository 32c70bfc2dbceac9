// SPDX-License-Identifier: Apache-2.0

// Command demo does the project's main job on this machine: it brings up a cluster, installs the operator, applies the samples with a simulated Zendesk in the
// CRM's place, lets three integrations ask for more than the licence allows, shows what happens, and sums up. It exits 1 when a call was lost or doubled or a
// limit overrun.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	start := time.Now()
	d := &demo{}
	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"a cluster with the images", d.cluster},
		{"the operator (kubectl apply --server-side -k config/default)", d.operator},
		{"a CRM and three integrations (kubectl apply -k config/demo)", d.samples},
		{"the load", d.load},
	}
	for _, step := range steps {
		fmt.Printf("\n== %s\n", step.name)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Printf("   %.1f s since the start\n", time.Since(start).Seconds())
	}
	if err := d.watch(ctx); err != nil {
		return err
	}
	return d.summary(ctx)
}
