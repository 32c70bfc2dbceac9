// SPDX-License-Identifier: Apache-2.0

// Package integration publishes the status of Integrations. It makes no objects: an Integration is part of its CRM's plan, which the CRM's controller writes.
package integration

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/controllers/compiled"
	"github.com/crmquota/crm-quota-operator/controllers/statuswriter"
	"github.com/crmquota/crm-quota-operator/controllers/usage"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
	"github.com/crmquota/crm-quota-operator/internal/status"
)

// Reconciler publishes one Integration's status.
type Reconciler struct {
	// Client reads from the cache.
	Client client.Client
	Usage  *usage.Collector
	Board  *compiled.Board
	Status *statuswriter.Writer
	Now    func() time.Time
}

// Reconcile is one pass. Before the CRM's controller has looked at this state of the Integration there is nothing to say; it wakes this one when it has.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	integration := &v1alpha1.Integration{}
	err := r.Client.Get(ctx, request.NamespacedName, integration)
	switch {
	case apierrors.IsNotFound(err):
		r.Status.Forget(request.NamespacedName)
		return ctrl.Result{}, nil
	case err != nil || !integration.DeletionTimestamp.IsZero():
		return ctrl.Result{}, err
	}
	facts, known, err := r.gather(ctx, integration)
	if err != nil || !known {
		return ctrl.Result{}, err
	}
	result := status.ForIntegration(facts, integration.Status, r.Now())
	recheck, err := r.Status.Integration(ctx, integration, result)
	return ctrl.Result{RequeueAfter: recheck}, err
}

// gather collects the facts; known is false while the CRM's controller has not decided.
func (r *Reconciler) gather(ctx context.Context, integration *v1alpha1.Integration) (facts status.IntegrationFacts, known bool, err error) {
	key := types.NamespacedName{Namespace: integration.Namespace, Name: integration.Spec.CRMRef.Name}
	facts = status.IntegrationFacts{Integration: integration, NumbersAt: r.Status.NumbersAt(integration), Evidence: r.Status.Evidence(integration)}
	crm := &v1alpha1.CRM{}
	err = r.Client.Get(ctx, key, crm)
	if apierrors.IsNotFound(err) {
		facts.Decision = plan.MissingCRM(integration)
		return facts, true, nil
	}
	if err != nil {
		return facts, false, err
	}
	entry := r.Board.Get(key)
	if entry == nil || !entry.Covers(integration) {
		return facts, false, nil
	}
	observation := r.Usage.Latest(key)
	facts.Decision = entry.Output.Integrations[client.ObjectKeyFromObject(integration)]
	facts.Plan = entry.Output.Plan
	facts.PodReady = entry.PodReady
	facts.CAConfigMap = entry.CAConfigMap
	facts.Reported = observation.Reported()
	facts.PendingSince = r.Status.PendingSince(integration, confirmed(observation.Report, integration))
	return facts, true, nil
}

// confirmed says whether the dispatcher enforces this generation of the Integration.
func confirmed(report *contract.Report, integration *v1alpha1.Integration) bool {
	if report == nil {
		return false
	}
	for _, entry := range report.Integrations {
		if entry.UID == string(integration.UID) {
			return entry.Generation == integration.Generation
		}
	}
	return false
}
