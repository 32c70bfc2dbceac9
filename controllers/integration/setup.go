// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/controllers/index"
)

// Setup registers the controller. Besides the Integration itself its CRM wakes it: when it comes or goes, when its controller has decided, and when its
// dispatcher reported something new.
func (r *Reconciler) Setup(mgr ctrl.Manager) error {
	ofCRM := handler.EnqueueRequestsFromMapFunc(r.ofCRM)
	comesOrGoes := predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
	return ctrl.NewControllerManagedBy(mgr).
		Named("integration").
		For(&v1alpha1.Integration{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.CRM{}, ofCRM, builder.WithPredicates(comesOrGoes)).
		WatchesRawSource(source.Channel(r.Board.Changes(), ofCRM)).
		WatchesRawSource(source.Channel(r.Usage.Changes(), ofCRM)).
		Complete(r)
}

// ofCRM finds the Integrations of a CRM.
func (r *Reconciler) ofCRM(ctx context.Context, crm client.Object) []reconcile.Request {
	var integrations v1alpha1.IntegrationList
	err := r.Client.List(ctx, &integrations, client.InNamespace(crm.GetNamespace()), client.MatchingFields{index.IntegrationCRM: crm.GetName()})
	if err != nil {
		log.FromContext(ctx).Error(err, "Integrations not listed") // the cache answers from memory
		return nil
	}
	requests := make([]reconcile.Request, 0, len(integrations.Items))
	for i := range integrations.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&integrations.Items[i])})
	}
	return requests
}
