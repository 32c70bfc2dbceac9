// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/controllers/crm"
	"github.com/crmquota/crm-quota-operator/internal/render"
)

// CacheOptions restrict the cache to the project's own kinds, to objects that the operator made, and to the one CRD whose end it must notice. Nothing else can
// be read through it, by mistake neither.
func CacheOptions() cache.Options {
	made := labels.SelectorFromSet(labels.Set{render.LabelManagedBy: render.ManagedBy})
	byObject := map[client.Object]cache.ByObject{
		&corev1.Pod{}:        {Label: made},
		&v1alpha1.CRM{}:      {Transform: keepOwnFields}, // they tell when the status was last written
		crm.NewCRDMetadata(): {Field: fields.OneTermEqualSelector(metav1.ObjectNameField, crm.CRDName)},
	}
	for _, applied := range []client.Object{
		&corev1.ServiceAccount{}, &corev1.ConfigMap{}, &corev1.PersistentVolumeClaim{}, &corev1.Service{}, &networkingv1.NetworkPolicy{}, &appsv1.StatefulSet{},
	} {
		byObject[applied] = cache.ByObject{Label: made, Transform: keepOwnFields}
	}
	return cache.Options{
		ByObject:                    byObject,
		DefaultTransform:            cache.TransformStripManagedFields(),
		ReaderFailOnMissingInformer: true,
	}
}

// ClientOptions make every read see the writes before it, so that no pass repeats what the one before has done.
func ClientOptions() client.Options {
	return client.Options{
		FieldOwner: crm.FieldOwner,
		Cache:      &client.CacheOptions{EnableReadYourWritesConsistency: new(true)},
	}
}

// keepOwnFields drops the other owners' part of managedFields: what the operator itself applied is compared with what it wants, the rest is only memory.
func keepOwnFields(object any) (any, error) {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return object, nil //nolint:nilerr // a tombstone has no metadata of its own
	}
	accessor.SetManagedFields(slices.DeleteFunc(accessor.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool { return e.Manager != crm.FieldOwner }))
	return object, nil
}
