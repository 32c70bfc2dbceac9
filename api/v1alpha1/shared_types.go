// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Enforcement says whether quota decisions are carried out.
// +kubebuilder:validation:Enum=Observe;Shadow;Enforce
type Enforcement string

const (
	// EnforcementObserve takes no calls, and only looks at what others use of the limits.
	EnforcementObserve Enforcement = "Observe"
	// EnforcementShadow forwards every call at once and only counts what Enforce would have held back.
	EnforcementShadow Enforcement = "Shadow"
	// EnforcementEnforce holds back, queues or refuses calls that do not fit.
	EnforcementEnforce Enforcement = "Enforce"
)

// LocalReference names an object in the same namespace.
type LocalReference struct {
	// name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// SecretKey is a key in the data of a Secret.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
type SecretKey string

// LimitName names one limit of a licence.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
type LimitName string

// TimeZone is an IANA time zone such as Europe/Berlin.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:Pattern=`^[A-Za-z][-+_/A-Za-z0-9]*$`
type TimeZone string

// OperationName is a provider's name for a call.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z0-9]*$`
type OperationName string

// PathPattern is a pattern of a whole path: "*" stands for one segment, "**" at the end for any number of them.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:Pattern=`^(/([-._~%A-Za-z0-9]+|\*))*(/\*\*|/)?$`
type PathPattern string

// BacklogStatus is what waits on the dispatcher's volume. Figures are rounded to two digits and refreshed at most every 15 seconds; the exact ones are in
// the dispatcher's metrics.
// +kubebuilder:validation:MinProperties=1
type BacklogStatus struct {
	// calls is the number of calls accepted for later that have not been answered by the CRM yet, rounded to two digits. It includes parked calls.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Calls *int64 `json:"calls,omitempty"`

	// queuedBytes is how many bytes the bodies of those have that are still to be sent, rounded to two digits; spec.overflow.queue.maxBytes bounds it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	QueuedBytes *int64 `json:"queuedBytes,omitempty"`

	// parked is the number of those whose outcome is unknown and that cannot be repeated safely. They are never sent again on their own and end as dead after
	// spec.overflow.queue.maxAgeSeconds.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Parked *int64 `json:"parked,omitempty"`

	// dead is the number of accepted calls that ended without an answer from the CRM and whose result is still kept.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Dead *int64 `json:"dead,omitempty"`

	// oldestQueuedTime is when the oldest waiting call was accepted, to the minute.
	// +optional
	OldestQueuedTime *metav1.Time `json:"oldestQueuedTime,omitempty"`

	// drainETA is when the backlog is expected to be empty, with even chances, if calls keep coming as they do, rounded. It is absent when nothing waits or when
	// no end can be foreseen.
	// +optional
	DrainETA *metav1.Time `json:"drainETA,omitempty"`

	// drainETALate is the time by which it is expected to be empty in 19 cases of 20.
	// +optional
	DrainETALate *metav1.Time `json:"drainETALate,omitempty"`
}
