// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/crmquota/crm-quota-operator/test/kube"
)

const (
	namespace    = "contact-centre"
	simNamespace = "crm-simulator"
	simControl   = "http://crmsim/_sim/"
)

type demo struct {
	*kube.Cluster
	kubeconfig string
	// control steers the simulated CRM and reads its judge.
	control *http.Client
}

func (d *demo) cluster(ctx context.Context) error {
	root, err := kube.Root()
	if err != nil {
		return err
	}
	var images []string
	for _, name := range []string{"operator", "crmsim", "load"} {
		images = append(images, filepath.Join(root, "bin", name+".tar"))
	}
	if d.kubeconfig, err = kube.Kubeconfig(ctx, root, os.Stdout, images...); err != nil {
		return err
	}
	if d.Cluster, err = kube.Connect(root, d.kubeconfig); err != nil {
		return err
	}
	// On a cluster of yours, what an earlier demo left would be counted again.
	_, err = d.Kubectl(ctx, "delete", "namespace", namespace, simNamespace, "--ignore-not-found", "--timeout=90s")
	return err
}

func (d *demo) operator(ctx context.Context) error {
	if _, err := d.Kubectl(ctx, "apply", "--server-side", "-k", "config/default"); err != nil {
		return err
	}
	return d.show(ctx, "wait", "-n", "crm-quota-system", "--for=condition=Available", "deployment", "--all", "--timeout=90s")
}

func (d *demo) samples(ctx context.Context) error {
	if _, err := d.Kubectl(ctx, "apply", "-k", "config/demo"); err != nil {
		return err
	}
	if err := d.show(ctx, "wait", "-n", simNamespace, "--for=condition=Available", "deployment", "--all", "--timeout=90s"); err != nil {
		return err
	}
	if err := d.show(ctx, "wait", "-n", namespace, "--for=condition=Ready", "crm,crmint", "--all", "--timeout=90s"); err != nil {
		return err
	}
	d.control = d.HTTPClient(simNamespace, "app=crmsim", 8081, nil)
	return d.show(ctx, "get", "pods", "-n", namespace)
}

// show runs kubectl and prints what it says.
func (d *demo) show(ctx context.Context, args ...string) error {
	out, err := d.Kubectl(ctx, args...)
	fmt.Print(out)
	return err
}
