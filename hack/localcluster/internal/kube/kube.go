// Package kube talks to the cluster's API server.
package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// pollEvery is short: every wait of the tool is one that a person sits through.
const pollEvery = 50 * time.Millisecond

// Config reads a kubeconfig. Proxy settings of the environment are ignored: the cluster is on this machine.
func Config(kubeconfig string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	config.QPS = -1 // no limit of its own
	return config, nil
}

// Connect returns a client for the user of a kubeconfig. It does not yet open a connection.
func Connect(kubeconfig string) (*kubernetes.Clientset, error) {
	config, err := Config(kubeconfig)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

// Poll calls attempt until it succeeds or ctx ends. The error is then the last one of attempt, and ctx's cause.
func Poll(ctx context.Context, attempt func(context.Context) error) error {
	const patience = 2 * time.Second // of one attempt
	// Attempts are expected to fail; the client would log some failures by itself.
	ctx = klog.NewContext(ctx, logr.Discard())
	for {
		once, cancel := context.WithTimeout(ctx, patience)
		err := attempt(once)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(pollEvery):
		}
	}
}

// WaitReady waits until the API server has started completely, built-in roles included.
func WaitReady(ctx context.Context, client kubernetes.Interface) error {
	err := Poll(ctx, func(ctx context.Context) error {
		body, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		if failed := failedChecks(body); err != nil && len(failed) > 0 {
			return fmt.Errorf("failed checks: %s", strings.Join(failed, ", "))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("the API server is not ready: %w", err)
	}
	return nil
}

// failedChecks finds the failed ones among the checks that an API server lists, passed ones included.
func failedChecks(readyz []byte) []string {
	var failed []string
	for line := range strings.Lines(string(readyz)) {
		if check, found := strings.CutPrefix(line, "[-]"); found {
			failed = append(failed, strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(check), "failed: reason withheld")))
		}
	}
	return failed
}

// WaitNode waits until the named node is Ready.
func WaitNode(ctx context.Context, client kubernetes.Interface, name string) error {
	return Poll(ctx, func(ctx context.Context) error {
		node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type != corev1.NodeReady {
				continue
			}
			if condition.Status == corev1.ConditionTrue {
				return nil
			}
			return fmt.Errorf("node %s is not Ready: %s", name, condition.Message)
		}
		return fmt.Errorf("node %s has not reported yet", name)
	})
}

// WaitServiceAccount waits for the default ServiceAccount: pods are refused before it exists.
func WaitServiceAccount(ctx context.Context, client kubernetes.Interface) error {
	return Poll(ctx, func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// WaitDeployment waits until a Deployment has all its replicas available.
func WaitDeployment(ctx context.Context, client kubernetes.Interface, namespace, name string) error {
	return Poll(ctx, func(ctx context.Context) error {
		deployment, err := client.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		wanted, available := *deployment.Spec.Replicas, deployment.Status.AvailableReplicas
		if available < wanted {
			return fmt.Errorf("deployment %s has %d of %d replicas available", name, available, wanted)
		}
		return nil
	})
}
