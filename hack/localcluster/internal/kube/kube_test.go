package kube

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
)

func TestPollTriesUntilItSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		err := Poll(t.Context(), func(context.Context) error {
			if attempts++; attempts < 5 {
				return errors.New("not yet")
			}
			return nil
		})
		if err != nil || attempts != 5 {
			t.Errorf("after %d attempts: %v", attempts, err)
		}
	})
}

func TestPollEndsWithTheCauseAndTheLastError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("out of patience"))
		defer cancel()
		err := Poll(ctx, func(ctx context.Context) error {
			<-ctx.Done() // an attempt that hangs must not hold up the others
			return errors.New("no answer")
		})
		if err == nil || !strings.Contains(err.Error(), "out of patience") || !strings.Contains(err.Error(), "no answer") {
			t.Errorf("got %v", err)
		}
	})
}

func TestFailedChecksAreFoundAmongThePassed(t *testing.T) {
	readyz := "[+]ping ok\n[-]poststarthook/rbac/bootstrap-roles failed: reason withheld\n[+]shutdown ok\n[-]etcd failed: timed out\nreadyz check failed\n"
	want := []string{"poststarthook/rbac/bootstrap-roles", "etcd failed: timed out"}
	if diff := cmp.Diff(want, failedChecks([]byte(readyz))); diff != "" {
		t.Errorf("failed checks (-want +got):\n%s", diff)
	}
}

func TestWaitsSayWhatIsMissing(t *testing.T) {
	node := func(conditions ...corev1.NodeCondition) *corev1.Node {
		return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node1"}, Status: corev1.NodeStatus{Conditions: conditions}}
	}
	deployment := func(available int32) *appsv1.Deployment {
		return &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "coredns"},
			Spec:       appsv1.DeploymentSpec{Replicas: new(int32(2))},
			Status:     appsv1.DeploymentStatus{AvailableReplicas: available},
		}
	}
	for name, test := range map[string]struct {
		object runtime.Object
		wait   func(context.Context, *fake.Clientset) error
		want   string // part of the error; "" is success
	}{
		"a node that is Ready": {
			object: node(corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue}),
			wait:   func(ctx context.Context, c *fake.Clientset) error { return WaitNode(ctx, c, "node1") },
		},
		"a node whose network is missing": {
			object: node(corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Message: "no network"}),
			wait:   func(ctx context.Context, c *fake.Clientset) error { return WaitNode(ctx, c, "node1") },
			want:   "node node1 is not Ready: no network",
		},
		"a node without conditions": {
			object: node(),
			wait:   func(ctx context.Context, c *fake.Clientset) error { return WaitNode(ctx, c, "node1") },
			want:   "has not reported yet",
		},
		"a namespace without ServiceAccount": {
			object: node(),
			wait:   func(ctx context.Context, c *fake.Clientset) error { return WaitServiceAccount(ctx, c) },
			want:   `"default" not found`,
		},
		"a Deployment that is complete": {
			object: deployment(2),
			wait: func(ctx context.Context, c *fake.Clientset) error {
				return WaitDeployment(ctx, c, "kube-system", "coredns")
			},
		},
		"a Deployment with a replica missing": {
			object: deployment(1),
			wait: func(ctx context.Context, c *fake.Clientset) error {
				return WaitDeployment(ctx, c, "kube-system", "coredns")
			},
			want: "coredns has 1 of 2 replicas available",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				err := test.wait(ctx, fake.NewClientset(test.object))
				if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
					t.Errorf("got %v, want %q", err, test.want)
				}
			})
		})
	}
}
