// SPDX-License-Identifier: Apache-2.0

// Package crm runs one dispatcher for every CRM: it gathers what there is, compiles the plan, applies the objects that differ, and publishes the status.
package crm

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/controllers/compiled"
	"github.com/crmquota/crm-quota-operator/controllers/issuer"
	"github.com/crmquota/crm-quota-operator/controllers/statuswriter"
	"github.com/crmquota/crm-quota-operator/controllers/usage"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// FieldOwner owns, by server-side apply, every field that the operator sets.
const FieldOwner = "crm-quota-operator"

// nameTakenPeriod is how often a foreign object that is in the way is looked for again: the manager's caches do not hold it.
const nameTakenPeriod = 10 * time.Second

// Settings are the same for all dispatchers.
type Settings struct {
	// Image of the dispatcher.
	Image string
	// ReportReader is the subject of the manager's token, empty outside a cluster.
	ReportReader string
	// ManagerNamespace is where the manager's pods run, empty outside a cluster.
	ManagerNamespace string
}

// Reconciler brings one CRM's dispatcher in line with its declaration.
type Reconciler struct {
	Settings Settings
	// Client reads from the cache and sets FieldOwner; Live reads from the API server.
	Client client.Client
	Live   client.Reader
	Usage  *usage.Collector
	Issuer *issuer.Keys
	Board  *compiled.Board
	Status *statuswriter.Writer
	Events statuswriter.Recorder
	Now    func() time.Time

	refused refusals
}

// +kubebuilder:rbac:groups=crmquota.dev,resources=crms,verbs=list;watch;patch
// +kubebuilder:rbac:groups=crmquota.dev,resources=integrations,verbs=list;watch

// Reconcile is one pass: gather, compile, apply, publish. Nothing is written when nothing differs.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	crm := &v1alpha1.CRM{}
	err := r.Client.Get(ctx, request.NamespacedName, crm)
	switch {
	case apierrors.IsNotFound(err):
		r.forget(ctx, request.NamespacedName)
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, err
	}
	deleting := !crm.DeletionTimestamp.IsZero()
	if deleting && !controllerutil.ContainsFinalizer(crm, v1alpha1.FinalizerDrain) {
		// The garbage collector takes the objects away; making them anew would be in its way.
		r.forget(ctx, request.NamespacedName)
		return ctrl.Result{}, nil
	}
	if !deleting {
		if err := r.syncFinalizer(ctx, crm); err != nil {
			return ctrl.Result{}, err
		}
	}
	facts, err := r.gather(ctx, crm)
	if err != nil {
		return ctrl.Result{}, err
	}
	output := plan.Compile(facts.input(r.Settings, r.Now()))
	if deleting {
		end, err := r.drainEnd(ctx, facts, output)
		if err != nil {
			return ctrl.Result{}, err
		}
		if end != nil {
			return ctrl.Result{}, r.release(ctx, facts, end)
		}
	}
	applyErr := r.apply(ctx, facts, output)
	r.follow(ctx, facts, output)
	recheck, statusErr := r.publish(ctx, facts, output)
	if err := errors.Join(applyErr, statusErr); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: recheck}, nil
}

// forget drops what is kept in memory for a CRM that is gone.
func (r *Reconciler) forget(ctx context.Context, crm client.ObjectKey) {
	r.Usage.Forget(crm)
	r.Status.Forget(crm)
	r.Board.Forget(ctx, crm)
}
