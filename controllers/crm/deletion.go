// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// Reasons of the events that end a drain.
const (
	reasonDrained              = "Drained"
	reasonDrainTimedOut        = "DrainTimedOut"
	reasonNamespaceTerminating = "NamespaceTerminating"
	reasonUninstalling         = "Uninstalling"
	reasonNothingToDrain       = "NothingToDrain"

	actionDrain = "Drain"
)

// drainPeriod is how often a draining CRM is looked at when nothing else happens.
const drainPeriod = 5 * time.Second

// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get

// syncFinalizer holds the finalizer under Drain only, and not when the operator is being uninstalled.
func (r *Reconciler) syncFinalizer(ctx context.Context, crm *v1alpha1.CRM) error {
	before := crm.DeepCopy()
	if crm.Spec.Deletion.Policy != v1alpha1.DeletionPolicyDrain {
		if !controllerutil.RemoveFinalizer(crm, v1alpha1.FinalizerDrain) {
			return nil
		}
		return r.patchFinalizers(ctx, before, crm)
	}
	if terminating, err := r.crdTerminating(ctx); err != nil || terminating || !controllerutil.AddFinalizer(crm, v1alpha1.FinalizerDrain) {
		return err
	}
	return r.patchFinalizers(ctx, before, crm)
}

// patchFinalizers writes the list as a whole, so it must be the latest that is changed.
func (r *Reconciler) patchFinalizers(ctx context.Context, before, after *v1alpha1.CRM) error {
	return r.Client.Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// end says why a drain is over.
type end struct {
	reason, note string
}

// drainEnd decides whether the CRM that is being deleted may go; nil means not yet. An uninstallation ends drains on its own, see setupUninstall.
func (r *Reconciler) drainEnd(ctx context.Context, f *facts, output plan.Output) (*end, error) {
	terminating, err := r.namespaceTerminating(ctx, f.crm.Namespace)
	if err != nil {
		return nil, err
	}
	if terminating {
		return &end{reasonNamespaceTerminating, "The namespace is being deleted: not drained, the volume goes with it."}, nil
	}
	return drainResult(f, output, r.Now()), nil
}

// drainResult is the part of drainEnd that looks at the dispatcher.
func drainResult(f *facts, output plan.Output, now time.Time) *end {
	timeout := time.Duration(f.crm.Spec.Deletion.DrainTimeoutSeconds) * time.Second
	report := f.observation.Report
	switch {
	case f.crm.Spec.Deletion.Policy != v1alpha1.DeletionPolicyDrain:
		return &end{reasonNothingToDrain, "The deletion policy is not Drain any more."}
	case output.Plan == nil || !exists(&f.children.set):
		return &end{reasonNothingToDrain, "No dispatcher runs for this CRM."}
	case report != nil && report.Sequence >= output.Plan.Sequence && drainedBy(f, output):
		return &end{reasonDrained, "Every queued call was sent; the volume is kept."}
	case !now.Before(f.crm.DeletionTimestamp.Add(timeout)):
		return &end{reasonDrainTimedOut, fmt.Sprintf("Not drained within %d seconds; the volume is kept with what is left.", f.crm.Spec.Deletion.DrainTimeoutSeconds)}
	}
	return nil
}

// drainedBy: the written plan says Drain, so that nothing new comes, and nothing waits for an answer.
func drainedBy(f *facts, output plan.Output) bool {
	backlog := f.observation.Report.Backlog
	written := f.previous != nil && f.previous.Drain && f.previous.Sequence == output.Plan.Sequence
	return written && backlog.Queued == 0 && backlog.Sent == 0
}

// release removes the dispatcher, keeps the claim, and lets the CRM go.
func (r *Reconciler) release(ctx context.Context, f *facts, why *end) error {
	kind := corev1.EventTypeNormal
	if why.reason != reasonDrained && why.reason != reasonNothingToDrain {
		kind = corev1.EventTypeWarning
	}
	if err := r.remove(ctx, f); err != nil {
		return err
	}
	released := f.crm.DeepCopy()
	controllerutil.RemoveFinalizer(released, v1alpha1.FinalizerDrain)
	if err := r.patchFinalizers(ctx, f.crm, released); err != nil {
		return client.IgnoreNotFound(err)
	}
	r.Events.Event(f.crm, kind, why.reason, actionDrain, why.note)
	return nil
}

func (r *Reconciler) namespaceTerminating(ctx context.Context, name string) (bool, error) {
	gvk, err := apiutil.GVKForObject(&corev1.Namespace{}, r.Client.Scheme())
	if err != nil {
		return false, err
	}
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(gvk)
	if err := r.Live.Get(ctx, client.ObjectKey{Name: name}, namespace); err != nil {
		return false, err
	}
	return !namespace.DeletionTimestamp.IsZero(), nil
}
