// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"context"
	"strconv"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// mountRetry is how long a dispatcher may go on with an older plan before the kubelet is asked once more: it may have refreshed the volume before it knew of
// the new ConfigMap.
const mountRetry = 2 * time.Second

// +kubebuilder:rbac:groups="",resources=pods,verbs=patch

// refreshMount annotates the pod with the plan's sequence: any change of the pod makes the kubelet refresh its volumes at once, not within 90 seconds.
func (r *Reconciler) refreshMount(ctx context.Context, f *facts, plan *contract.Plan) error {
	pod := &f.children.pod
	if !exists(pod) || !pod.DeletionTimestamp.IsZero() {
		return nil
	}
	late := f.behind(plan) && r.Now().Sub(lastWrite(f.children.plan.ManagedFields, "")) > mountRetry
	have := pod.Annotations[v1alpha1.AnnotationPlanSequence]
	want := mountAnnotation(have, plan.Sequence, late)
	if want == have {
		return nil
	}
	patched := pod.DeepCopy()
	if patched.Annotations == nil {
		patched.Annotations = make(map[string]string)
	}
	patched.Annotations[v1alpha1.AnnotationPlanSequence] = want
	return client.IgnoreNotFound(r.Client.Patch(ctx, patched, client.MergeFrom(pod)))
}

// mountAnnotation is the value that the pod's annotation must have: the sequence, and something else once when that did not help.
func mountAnnotation(have string, sequence int64, late bool) string {
	plain := strconv.FormatInt(sequence, 10)
	again := plain + "-again"
	switch {
	case have == plain && late:
		return again
	case have == again:
		return again
	default:
		return plain
	}
}

// behind says whether the dispatcher reports an older plan and has not refused the one that is written.
func (f *facts) behind(plan *contract.Plan) bool {
	report := f.observation.Report
	if plan == nil || report == nil || !f.podReachable() {
		return false
	}
	refused := report.Rejected != nil && report.Rejected.Sequence >= plan.Sequence
	return report.Sequence < plan.Sequence && !refused
}
