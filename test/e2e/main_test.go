// SPDX-License-Identifier: Apache-2.0

//go:build e2e

// Package e2e tests the installed operator on a real kubelet: the cluster of $KUBECONFIG, or one that the tests start themselves (root). The images must be
// on the nodes; `make e2e` sees to it.
package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/test/kube"
)

const (
	operatorNamespace = "crm-quota-system"
	// managerUser is whose writes the audit log is searched for.
	managerUser = "system:serviceaccount:crm-quota-system:crm-quota-manager"
)

var (
	cluster *kube.Cluster
	root    string
)

func TestMain(m *testing.M) {
	if err := setup(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func setup(ctx context.Context) (err error) {
	if root, err = kube.Root(); err != nil {
		return err
	}
	kubeconfig, err := kube.Kubeconfig(ctx, root, os.Stderr, filepath.Join(root, "bin/operator.tar"), filepath.Join(root, "bin/crmsim.tar"))
	if err != nil {
		return err
	}
	if cluster, err = kube.Connect(root, kubeconfig); err != nil {
		return err
	}
	return installOperator(ctx)
}

func installOperator(ctx context.Context) error {
	if _, err := cluster.Kubectl(ctx, "apply", "--server-side", "-k", "config/default"); err != nil {
		return err
	}
	_, err := cluster.Kubectl(ctx, "wait", "-n", operatorNamespace, "--for=condition=Available", "deployment/crm-quota-manager", "--timeout=60s")
	return err
}

// kubectl runs kubectl and fails the test if it fails.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := cluster.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// eventually waits for check to return "" and fails with the last thing it said.
func eventually(t *testing.T, what string, timeout time.Duration, check func() string) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	for {
		missing := check()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after %v: %s", what, timeout, missing)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
