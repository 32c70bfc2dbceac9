// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package bench

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/test/kube"
)

// BenchmarkEdit reports, on the cluster of $KUBECONFIG after make demo, how long an edit of an Integration takes until its status says that the dispatcher
// enforces it, and the manager's resident memory.
func BenchmarkEdit(b *testing.B) {
	kubeconfig := os.Getenv("KUBECONFIG")
	if kubeconfig == "" {
		b.Skip("set KUBECONFIG to that of a cluster on which make demo has run")
	}
	root, err := kube.Root()
	if err != nil {
		b.Fatal(err)
	}
	cluster, err := kube.Connect(root, kubeconfig)
	if err != nil {
		b.Fatal(err)
	}
	var integration v1alpha1.Integration
	key := client.ObjectKey{Namespace: "contact-centre", Name: "etl"}
	var times []time.Duration
	for b.Loop() {
		time.Sleep(2 * time.Second) // people do not edit faster, and the kubelet takes one change of a pod a second
		if err := cluster.Get(b.Context(), key, &integration); err != nil {
			b.Fatal(err)
		}
		weight := integration.Spec.Share.Weight%100 + 1
		began := time.Now()
		patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"spec":{"share":{"weight":%d}}}`, weight))
		if err := cluster.Patch(b.Context(), &integration, patch); err != nil {
			b.Fatal(err)
		}
		for generation := integration.Generation; !enforced(&integration, generation); time.Sleep(5 * time.Millisecond) {
			if err := cluster.Get(b.Context(), key, &integration); err != nil {
				b.Fatal(err)
			}
		}
		times = append(times, time.Since(began))
	}
	reportMillis(b, "enforced", times)
	b.ReportMetric(managerMiB(b, cluster), "manager-resident-MiB")
}

func enforced(i *v1alpha1.Integration, generation int64) bool {
	c := meta.FindStatusCondition(i.Status.Conditions, v1alpha1.ConditionProgrammed)
	return c != nil && c.Status == "True" && c.ObservedGeneration == generation
}

func managerMiB(b *testing.B, cluster *kube.Cluster) float64 {
	b.Helper()
	const namespace = "crm-quota-system"
	pod, err := cluster.ReadyPod(b.Context(), namespace, "app.kubernetes.io/name=crm-quota-manager")
	if err != nil {
		b.Fatal(err)
	}
	metrics, err := cluster.Kubectl(b.Context(), "get", "--raw", "/api/v1/namespaces/"+namespace+"/pods/"+pod+":8080/proxy/metrics")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(metrics) {
		var bytes float64
		if _, err := fmt.Sscanf(line, "process_resident_memory_bytes %g", &bytes); err == nil {
			return bytes / (1 << 20)
		}
	}
	b.Fatal("the manager has no metric process_resident_memory_bytes")
	return 0
}
