// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/test/loadgen"
)

// burst is how many call logs the contact centre writes at once: more than a minute of the whole licence.
const burst = 600

// caller is one integration's application.
type caller struct {
	integration, serviceAccount string
	// does says what it does, for people; args says it to test/load.
	does string
	args []string
}

var callers = []caller{
	{"contact-centre", "contact-centre-adapter", fmt.Sprintf("2 contact searches a second that agents wait for; after a minute %d call logs at once", burst),
		[]string{"--searches=2", fmt.Sprintf("--burst=%d", burst), "--burst-after=60s"}},
	{"marketing", "marketing-sync", "2 tickets a second that somebody waits for", []string{"--creates=2"}},
	{"etl", "etl-export", "an export on 8 connections that takes all it can get", []string{"--greedy=8"}},
}

func (d *demo) load(ctx context.Context) error {
	for _, c := range callers {
		var integration v1alpha1.Integration
		if err := d.Get(ctx, client.ObjectKey{Namespace: namespace, Name: c.integration}, &integration); err != nil {
			return err
		}
		if err := d.Create(ctx, pod(c, integration.Status.Endpoint)); err != nil {
			return err
		}
		fmt.Printf("   %-15s %s\n", c.integration, c.does)
	}
	return nil
}

func pod(c caller, endpoint v1alpha1.IntakeStatus) *corev1.Pod {
	token := corev1.VolumeProjection{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{
		Audience: contract.ClientAudience(namespace, "zendesk"), Path: "token",
	}}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: podName(c)},
		Spec: corev1.PodSpec{
			ServiceAccountName:           c.serviceAccount,
			AutomountServiceAccountToken: new(false),
			RestartPolicy:                corev1.RestartPolicyNever,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), RunAsUser: new(int64(65532)),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "load", Image: "localhost/load:dev", ImagePullPolicy: corev1.PullIfNotPresent,
				Args: append([]string{"--base-url=" + endpoint.URL, "--ca=/ca/ca.crt", "--prefix=" + c.integration, "--duration=2m30s"}, c.args...),
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
					Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
				VolumeMounts: []corev1.VolumeMount{
					{Name: "ca", MountPath: "/ca", ReadOnly: true},
					{Name: "token", MountPath: "/var/run/secrets/crmquota.dev/client", ReadOnly: true},
				},
			}},
			Volumes: []corev1.Volume{
				{Name: "ca", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
					LocalObjectReference: corev1.LocalObjectReference{Name: endpoint.CAConfigMap},
				}}},
				{Name: "token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{token}}}},
			},
		},
	}
}

func podName(c caller) string { return "load-" + c.integration }

// ended says whether every caller has ended, with an error if one failed.
func (d *demo) ended(ctx context.Context) (bool, error) {
	for _, c := range callers {
		pod, err := d.Clientset.CoreV1().Pods(namespace).Get(ctx, podName(c), metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		switch pod.Status.Phase {
		case corev1.PodSucceeded:
		case corev1.PodFailed:
			logs, err := d.logs(ctx, c)
			return false, fmt.Errorf("pod %s failed: %s %w", pod.Name, logs, err)
		default:
			return false, nil
		}
	}
	return true, nil
}

// counts reads what a caller met from the last line of its log.
func (d *demo) counts(ctx context.Context, c caller) ([]loadgen.Count, error) {
	logs, err := d.logs(ctx, c)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(logs), "\n")
	var counts []loadgen.Count
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &counts); err != nil {
		return nil, fmt.Errorf("log of %s: %w", podName(c), err)
	}
	return counts, nil
}

func (d *demo) logs(ctx context.Context, c caller) (string, error) {
	stream, err := d.Clientset.CoreV1().Pods(namespace).GetLogs(podName(c), &corev1.PodLogOptions{}).Stream(ctx)
	if err != nil {
		return "", err
	}
	defer stream.Close() //nolint:errcheck // only read
	logs, err := io.ReadAll(stream)
	return string(logs), err
}
