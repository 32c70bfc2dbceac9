// SPDX-License-Identifier: Apache-2.0

package crm

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/controllers/index"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// Setup registers the controller: what wakes it, and for which CRM.
func (r *Reconciler) Setup(mgr ctrl.Manager) error {
	if err := r.setupUninstall(mgr); err != nil {
		return err
	}
	declared := builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))
	byLabel := handler.EnqueueRequestsFromMapFunc(ownerByLabel)
	return ctrl.NewControllerManagedBy(mgr).
		Named("crm").
		For(&v1alpha1.CRM{}, declared).
		Watches(&v1alpha1.CRM{}, handler.EnqueueRequestsFromMapFunc(r.sameLicence)).
		Watches(&v1alpha1.Integration{}, handler.EnqueueRequestsFromMapFunc(crmOfIntegration), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.ServiceAccount{}, byLabel).
		Watches(&corev1.ConfigMap{}, byLabel).
		Watches(&corev1.PersistentVolumeClaim{}, byLabel).
		Watches(&corev1.Service{}, byLabel).
		Watches(&networkingv1.NetworkPolicy{}, byLabel).
		Watches(&appsv1.StatefulSet{}, byLabel).
		Watches(&corev1.Pod{}, byLabel).
		WatchesRawSource(source.Channel(r.Usage.Changes(), &handler.EnqueueRequestForObject{})).
		WatchesRawSource(source.Channel(r.Issuer.Changes(), handler.EnqueueRequestsFromMapFunc(r.all))).
		Complete(r)
}

// ownerByLabel finds the CRM of an object by its label, because not every object has an owner reference.
func ownerByLabel(_ context.Context, o client.Object) []reconcile.Request {
	name := o.GetLabels()[v1alpha1.LabelCRM]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: name}}}
}

func crmOfIntegration(_ context.Context, o client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{
		Namespace: o.GetNamespace(), Name: o.(*v1alpha1.Integration).Spec.CRMRef.Name,
	}}}
}

// sameLicence finds the other CRMs of a licence: one of them may get it when this one goes or changes.
func (r *Reconciler) sameLicence(ctx context.Context, o client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, licence := range plan.Licences(o.(*v1alpha1.CRM)) {
		for _, request := range r.list(ctx, client.MatchingFields{index.CRMLicence: licence}) {
			if request.NamespacedName != client.ObjectKeyFromObject(o) {
				requests = append(requests, request)
			}
		}
	}
	return requests
}

func (r *Reconciler) all(ctx context.Context, _ client.Object) []reconcile.Request {
	return r.list(ctx)
}

func (r *Reconciler) list(ctx context.Context, options ...client.ListOption) []reconcile.Request {
	var crms v1alpha1.CRMList
	if err := r.Client.List(ctx, &crms, options...); err != nil {
		log.FromContext(ctx).Error(err, "CRMs not listed") // the cache answers from memory
		return nil
	}
	requests := make([]reconcile.Request, 0, len(crms.Items))
	for i := range crms.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&crms.Items[i])})
	}
	return requests
}
