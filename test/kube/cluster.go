// SPDX-License-Identifier: Apache-2.0

// Package kube is what the demo and the end-to-end tests need of a cluster: kubectl for what users do, a typed client to look, and connections to pods that
// go through the API server, so that any KUBECONFIG will do.
package kube

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// Cluster is a cluster to test against.
type Cluster struct {
	// Client reads and writes typed objects, uncached.
	client.Client
	// Clientset is for what Client cannot: logs, tokens, scale.
	Clientset kubernetes.Interface

	root       string
	kubeconfig string
	config     *rest.Config
}

// Connect returns the cluster of a kubeconfig file. Root is the repository's folder.
func Connect(root, kubeconfig string) (*Cluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 200, 400
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, err
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	typed, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Cluster{Client: typed, Clientset: clientset, root: root, kubeconfig: kubeconfig, config: config}, nil
}

// Root finds the repository's folder above the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "PROJECT")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no PROJECT file above the working directory")
		}
	}
}

// Kubeconfig returns the file to use: $KUBECONFIG if it is set, else that of a fresh local cluster with the images loaded.
func Kubeconfig(ctx context.Context, root string, progress io.Writer, images ...string) (string, error) {
	if path := os.Getenv("KUBECONFIG"); path != "" {
		return path, nil
	}
	tool := filepath.Join(root, "bin/localcluster")
	for _, args := range [][]string{{"down"}, {"up"}, append([]string{"load"}, images...)} {
		if err := run(ctx, root, progress, tool, args...); err != nil {
			return "", err
		}
	}
	out, err := exec.CommandContext(ctx, tool, "kubeconfig").Output()
	return strings.TrimSpace(string(out)), err
}

func run(ctx context.Context, dir string, out io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", filepath.Base(name), strings.Join(args, " "), err)
	}
	return nil
}

// Kubectl runs kubectl in the repository's folder and returns what it printed.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) (string, error) {
	return c.KubectlInput(ctx, "", args...)
}

// KubectlInput runs kubectl with a standard input.
func (c *Cluster) KubectlInput(ctx context.Context, input string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(c.root, "bin/k8s/kubectl"), append([]string{"--kubeconfig", c.kubeconfig}, args...)...)
	cmd.Dir, cmd.Stdin = c.root, strings.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// Token returns a token of a service account.
func (c *Cluster) Token(ctx context.Context, namespace, serviceAccount, audience string) (string, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences: []string{audience}, ExpirationSeconds: new(int64(3600)),
	}}
	token, err := c.Clientset.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, serviceAccount, request, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return token.Status.Token, nil
}

// HTTPClient reaches a port of whatever pod matches the labels when a connection is made; the URL's host only serves as server name.
func (c *Cluster) HTTPClient(namespace, labels string, port int, transport *http.Transport) *http.Client {
	if transport == nil {
		transport = &http.Transport{}
	}
	transport.MaxIdleConnsPerHost = 64
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		pod, err := c.ReadyPod(ctx, namespace, labels)
		if err != nil {
			return nil, err
		}
		return c.dialPod(namespace, pod, port)
	}
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// ReadyPod returns the name of a ready pod.
func (c *Cluster) ReadyPod(ctx context.Context, namespace, labels string) (string, error) {
	pods, err := c.Clientset.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: labels})
	if err != nil {
		return "", err
	}
	for _, pod := range pods.Items {
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil {
				return pod.Name, nil
			}
		}
	}
	return "", fmt.Errorf("no pod with labels %s is ready in namespace %s", labels, namespace)
}
