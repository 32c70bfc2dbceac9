// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// namespaceFile is mounted into every pod.
const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// newLease is what leaders are elected by. Unlike controller-runtime's own it makes no event at each change of leader: a restart writes nothing.
func newLease(config *rest.Config, namespace string) (resourcelock.Interface, error) {
	if namespace == "" {
		own, err := os.ReadFile(namespaceFile)
		if err != nil {
			return nil, fmt.Errorf("find the namespace of the lease: %w; outside a cluster set --leader-election-namespace or --leader-elect=false", err)
		}
		namespace = strings.TrimSpace(string(own))
	}
	clientset, err := kubernetes.NewForConfig(rest.AddUserAgent(config, "leader-election"))
	if err != nil {
		return nil, err
	}
	hostname, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	identity := resourcelock.ResourceLockConfig{Identity: hostname + "_" + string(uuid.NewUUID())}
	return resourcelock.New(resourcelock.LeasesResourceLock, namespace, leaseName, clientset.CoreV1(), clientset.CoordinationV1(), identity)
}
