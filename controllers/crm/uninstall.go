// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"context"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// CRDName is the CRD of this controller's kind.
const CRDName = "crms.crmquota.dev"

// uninstallConcurrency is how many CRMs are let go at a time. An uninstallation takes the manager's rights and its pod away within half a second, so that every
// millisecond counts.
const uninstallConcurrency = 32

// NewCRDMetadata is an empty CRD of which only the metadata is watched.
func NewCRDMetadata() *metav1.PartialObjectMetadata {
	crd := &metav1.PartialObjectMetadata{}
	crd.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	return crd
}

// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,resourceNames=crms.crmquota.dev,verbs=list;watch

// setupUninstall registers a controller of this kind's own CRD: when that is deleted every CRM goes with it, and none may be held back by its finalizer.
func (r *Reconciler) setupUninstall(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("uninstall").
		For(NewCRDMetadata(), builder.OnlyMetadata).
		Complete(reconcile.Func(r.reconcileCRD))
}

func (r *Reconciler) reconcileCRD(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	terminating, err := r.crdTerminating(ctx)
	if err != nil || !terminating {
		return ctrl.Result{}, err
	}
	var crms v1alpha1.CRMList
	if err := r.Client.List(ctx, &crms); err != nil {
		return ctrl.Result{}, err
	}
	var held []*v1alpha1.CRM
	for i := range crms.Items {
		if controllerutil.ContainsFinalizer(&crms.Items[i], v1alpha1.FinalizerDrain) {
			held = append(held, &crms.Items[i])
		}
	}
	// First all finalizers, without which the uninstallation would never end; then what is in order.
	if err := forAll(ctx, held, r.letGo); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, forAll(ctx, held, r.leave)
}

// letGo takes the finalizer away, whatever else was written to the CRM in the meantime.
func (r *Reconciler) letGo(ctx context.Context, crm *v1alpha1.CRM) error {
	released := crm.DeepCopy()
	controllerutil.RemoveFinalizer(released, v1alpha1.FinalizerDrain)
	return client.IgnoreNotFound(r.Client.Patch(ctx, released, client.MergeFrom(crm)))
}

// leave removes the dispatcher of a CRM that was let go, and keeps its claim.
func (r *Reconciler) leave(ctx context.Context, crm *v1alpha1.CRM) error {
	f := &facts{crm: crm}
	if err := r.gatherChildren(ctx, f); err != nil {
		return err
	}
	if err := r.remove(ctx, f); err != nil {
		return err
	}
	r.Events.Event(crm, corev1.EventTypeWarning, reasonUninstalling, actionDrain, "The operator is being uninstalled: not drained, the volume is kept.")
	return nil
}

func forAll(ctx context.Context, crms []*v1alpha1.CRM, do func(context.Context, *v1alpha1.CRM) error) error {
	var group errgroup.Group
	group.SetLimit(uninstallConcurrency)
	for _, crm := range crms {
		group.Go(func() error { return do(ctx, crm) })
	}
	return group.Wait()
}

// crdTerminating says whether the operator's own CRD is being deleted, and every CRM with it.
func (r *Reconciler) crdTerminating(ctx context.Context) (bool, error) {
	crd := NewCRDMetadata()
	err := r.Client.Get(ctx, client.ObjectKey{Name: CRDName}, crd)
	return !crd.DeletionTimestamp.IsZero(), client.IgnoreNotFound(err)
}
