// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// LearntLimitStatus is a limit of one operation or endpoint that is declared nowhere: it was learnt from the CRM's refusals, and calls are held to it.
type LearntLimitStatus struct {
	// counts says which calls count: the name of an operation, or a method and a pattern of the path, for example "GET /api/v2/views/*/execute".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=300
	Counts string `json:"counts,omitempty"`

	// calls are taken in any interval of windowSeconds.
	// +required
	// +kubebuilder:validation:Minimum=1
	Calls int64 `json:"calls,omitempty"`

	// windowSeconds is the length of the window.
	// +required
	// +kubebuilder:validation:Minimum=1
	WindowSeconds int64 `json:"windowSeconds,omitempty"`

	// sinceTime is when it was learnt.
	// +required
	SinceTime *metav1.Time `json:"sinceTime,omitempty"`

	// expiryTime is when it is forgotten unless another refusal tells of it before: a day after the last one, rounded up to a whole hour.
	// +required
	ExpiryTime *metav1.Time `json:"expiryTime,omitempty"`

	// refusals is how many calls the CRM refused that told of it, rounded to two digits.
	// +required
	// +kubebuilder:validation:Minimum=1
	Refusals int64 `json:"refusals,omitempty"`
}
