// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Assurance says how far the figures of a limit can be relied on.
// +kubebuilder:validation:Enum=Exact;Estimated
type Assurance string

const (
	// AssuranceExact means that every call is counted by what it takes, so the limit is never overrun.
	AssuranceExact Assurance = "Exact"
	// AssuranceEstimated means that what calls take is not known before they end, as with execution time.
	AssuranceEstimated Assurance = "Estimated"
)

// WindowStatus is the use of one limit, rounded to twentieths of it. All figures are in the limit's own units: calls, what they cost, slots, or seconds of
// execution.
type WindowStatus struct {
	// name of the limit.
	// +required
	Name LimitName `json:"name,omitempty"`

	// limit is the size in force.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Limit *int64 `json:"limit,omitempty"`

	// used is what is charged, rounded to twentieths of the limit. Calls count until the CRM can no longer count them.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Used *int64 `json:"used,omitempty"`

	// inDoubt is the part of used whose calls may or may not have reached the CRM, for instance after a crash.
	// +optional
	// +kubebuilder:validation:Minimum=0
	InDoubt *int64 `json:"inDoubt,omitempty"`

	// external is what callers that do not go through the dispatcher use of a window or period, by the CRM's own answers: the mean of late windows, rounded to
	// twentieths of the limit; of one longer than an hour what they have used of it. Absent where the CRM does not tell.
	// +optional
	// +kubebuilder:validation:Minimum=0
	External *int64 `json:"external,omitempty"`

	// apps are what single applications have used, by the CRM's names for them, in order of name and rounded to twentieths of the limit; only where the CRM tells:
	// Salesforce does, of connected apps that have a quota of their own as they are, and in its event logs of all of them, the largest 16, in a day that is over.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Apps []AppStatus `json:"apps,omitempty"`

	// appsDate is the day, of UTC, in which apps have used it; absent where they have used it of the window as it is.
	// +optional
	// +kubebuilder:validation:MinLength=10
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	AppsDate string `json:"appsDate,omitempty"`

	// keptFree is what externalPercent and Integrations with route External keep free for such callers.
	// +optional
	// +kubebuilder:validation:Minimum=0
	KeptFree *int64 `json:"keptFree,omitempty"`

	// reported is the size that the CRM itself says the limit has; absent where its answers do not tell.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Reported *int64 `json:"reported,omitempty"`

	// lent is how much of what is guaranteed and not used may be borrowed now.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Lent *int64 `json:"lent,omitempty"`

	// borrowed is how much of used is beyond the guarantees of those who use it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Borrowed *int64 `json:"borrowed,omitempty"`

	// resetTime is when a calendar period ends; absent for other limits.
	// +optional
	ResetTime *metav1.Time `json:"resetTime,omitempty"`

	// assurance is Exact, or Estimated where the figures cannot be exact.
	// +optional
	Assurance Assurance `json:"assurance,omitempty"`

	// guardMilliseconds is how long a call is charged beyond its window, for clocks that drift and a CRM that counts late.
	// +optional
	// +kubebuilder:validation:Minimum=0
	GuardMilliseconds *int64 `json:"guardMilliseconds,omitempty"`

	// exhaustion is when the limit is expected to be used up before it is renewed; absent when it is not.
	// +optional
	Exhaustion ExhaustionStatus `json:"exhaustion,omitzero"`
}

// AppStatus is what one application has used of a limit.
type AppStatus struct {
	// name of the application as the CRM knows it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Name string `json:"name,omitempty"`

	// used is what it has used, rounded to twentieths of the limit.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Used *int64 `json:"used,omitempty"`
}

// ExhaustionStatus is a forecast of when a limit is used up, to the minute or to 5 % of the time until then.
// +kubebuilder:validation:MinProperties=1
type ExhaustionStatus struct {
	// expectedTime is the instant before which it happens with even chances; absent when the limit is more likely to be renewed first.
	// +optional
	ExpectedTime *metav1.Time `json:"expectedTime,omitempty"`

	// earlyTime is the instant before which it happens in one case of twenty.
	// +optional
	EarlyTime *metav1.Time `json:"earlyTime,omitempty"`
}

// ShareStatus is an integration's part of one limit, in the limit's own units.
type ShareStatus struct {
	// name of the limit.
	// +required
	Name LimitName `json:"name,omitempty"`

	// guaranteed is what is kept for the integration now.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Guaranteed *int64 `json:"guaranteed,omitempty"`

	// used is what the integration's calls are charged, rounded to twentieths of the limit.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Used *int64 `json:"used,omitempty"`

	// lent is how much of the guarantee others may borrow now.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Lent *int64 `json:"lent,omitempty"`

	// borrowed is how much of used is beyond the guarantee.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Borrowed *int64 `json:"borrowed,omitempty"`

	// demand is what the integration is expected to have used when the limit is renewed, rounded to twentieths of the limit.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Demand *int64 `json:"demand,omitempty"`
}
