// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the API group crmquota.dev/v1alpha1: CRM declares a CRM connection with its licence limits, Integration declares one
// application's share of them.
//
// +kubebuilder:object:generate=true
// +groupName=crmquota.dev
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package=../../internal/applyconfiguration
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// SchemeGroupVersion is the group and version of the types in this package.
var SchemeGroupVersion = schema.GroupVersion{Group: "crmquota.dev", Version: "v1alpha1"}

var schemeBuilder = runtime.NewSchemeBuilder(func(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion, &CRM{}, &CRMList{}, &Integration{}, &IntegrationList{})
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
})

// AddToScheme registers CRM and Integration.
var AddToScheme = schemeBuilder.AddToScheme
