// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Reclaim says how a guarantee that was lent comes back.
// +kubebuilder:validation:Enum=Immediate;WithinWindow
type Reclaim string

const (
	// ReclaimImmediate keeps free what the integration is expected to ask for: its calls do not wait for what it lent.
	ReclaimImmediate Reclaim = "Immediate"
	// ReclaimWithinWindow lends all of it: what was lent comes back as its window passes.
	ReclaimWithinWindow Reclaim = "WithinWindow"
)

// Weekday is a day of the week.
// +kubebuilder:validation:Enum=Monday;Tuesday;Wednesday;Thursday;Friday;Saturday;Sunday
type Weekday string

// Share is one integration's part of a licence.
// +kubebuilder:validation:XValidation:rule="!has(self.guaranteedPercent) || self.guaranteedPercent <= self.maxPercent",message="guaranteedPercent must be less than or equal to maxPercent"
// +kubebuilder:validation:XValidation:rule="!has(self.perLimit) || self.perLimit.all(p, has(p.guaranteedCalls) || has(p.maxCalls) || (has(p.guaranteedPercent) ? p.guaranteedPercent : (has(self.guaranteedPercent) ? self.guaranteedPercent : 0)) <= (has(p.maxPercent) ? p.maxPercent : self.maxPercent))",message="in perLimit, guaranteedPercent must be less than or equal to maxPercent; what is not set there is taken from the share"
// +kubebuilder:validation:MinProperties=1
type Share struct {
	// guaranteedPercent of every limit is kept for this integration, rounded down. At no time may the guarantees of all integrations of a CRM and its
	// licence.externalPercent together exceed 100. Absent means no guarantee.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	GuaranteedPercent *int32 `json:"guaranteedPercent,omitempty"`

	// weight is this integration's part of what nobody has reserved, relative to the weights of the others that want it.
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Weight int32 `json:"weight,omitempty"`

	// maxPercent is the most that this integration may use of any limit, what it borrows included. What is guaranteed can always be used.
	// +optional
	// +default=100
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxPercent int32 `json:"maxPercent,omitempty"`

	// lendPercent of a guarantee is lent to others while it is neither used nor expected to be; the rest is kept free at any time, and calls within it are sent
	// at once. 0 lends nothing. With route External nothing is ever lent.
	// +optional
	// +default=50
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	LendPercent *int32 `json:"lendPercent,omitempty"`

	// reclaim is Immediate, which keeps free what the integration is expected to ask for, or WithinWindow to lend all of the guarantee: more of the licence is
	// used, and calls may wait until what was lent has left its window, a day for a limit per day.
	// +optional
	// +default="Immediate"
	Reclaim Reclaim `json:"reclaim,omitempty"`

	// perLimit are other figures for single limits. What is not set there is taken from this share.
	// +optional
	// +listType=map
	// +listMapKey=limit
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	PerLimit []LimitShare `json:"perLimit,omitempty"`
}

// LimitShare is an integration's part of one limit, in percent or in the limit's own units: calls, what they cost, slots, or seconds of execution.
// +kubebuilder:validation:XValidation:rule="!(has(self.guaranteedPercent) && has(self.guaranteedCalls))",message="at most one of guaranteedPercent, guaranteedCalls may be set"
// +kubebuilder:validation:XValidation:rule="!(has(self.maxPercent) && has(self.maxCalls))",message="at most one of maxPercent, maxCalls may be set"
// +kubebuilder:validation:XValidation:rule="!has(self.guaranteedCalls) || !has(self.maxCalls) || self.guaranteedCalls <= self.maxCalls",message="guaranteedCalls must be less than or equal to maxCalls"
// +kubebuilder:validation:XValidation:rule="has(self.guaranteedPercent) || has(self.guaranteedCalls) || has(self.maxPercent) || has(self.maxCalls)",message="one of guaranteedPercent, guaranteedCalls, maxPercent, maxCalls must be set"
type LimitShare struct {
	// limit names a limit of the CRM's licence, of scope Account or Credential.
	// +required
	Limit LimitName `json:"limit,omitempty"`

	// guaranteedPercent of this limit is kept for the integration, rounded down.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	GuaranteedPercent *int32 `json:"guaranteedPercent,omitempty"`

	// guaranteedCalls of this limit are kept for the integration.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000000
	GuaranteedCalls *int64 `json:"guaranteedCalls,omitempty"`

	// maxPercent is the most that the integration may use of this limit, what it borrows included.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxPercent int32 `json:"maxPercent,omitempty"`

	// maxCalls is the most that the integration may use of this limit, what it borrows included.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000000
	MaxCalls int64 `json:"maxCalls,omitempty"`
}

// ShareOverride is another share for some time: once, or every week.
// +kubebuilder:validation:XValidation:rule="has(self.from) == has(self.until) && has(self.from) != has(self.weekly)",message="either from and until, or weekly must be set"
// +kubebuilder:validation:XValidation:rule="!has(self.from) || !has(self.until) || self.from < self.until",message="from must be before until"
type ShareOverride struct {
	// name of the override, as it appears in messages.
	// +required
	Name LimitName `json:"name,omitempty"`

	// from is when the override begins to hold, once.
	// +optional
	From *metav1.Time `json:"from,omitempty"`

	// until is when it no longer holds.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`

	// weekly makes it hold every week, for instance in business hours.
	// +optional
	Weekly *WeeklyTime `json:"weekly,omitzero"`

	// share is what holds then. It is complete in itself: what is not set has its default, not the value of spec.share.
	// +required
	Share Share `json:"share,omitzero"`
}

// WeeklyTime is from one time of day to another on some days of the week, as clocks in the time zone show it.
type WeeklyTime struct {
	// days are those on which it begins.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=7
	Days []Weekday `json:"days,omitempty"`

	// start is the time of day at which it begins, for example 08:00.
	// +required
	// +kubebuilder:validation:MinLength=5
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:Pattern=`^([01][0-9]|2[0-3]):[0-5][0-9]$`
	Start string `json:"start,omitempty"`

	// end is the time of day at which it ends, for example 18:00, or 24:00 for midnight. One that is not after start is on the next day.
	// +required
	// +kubebuilder:validation:MinLength=5
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:Pattern=`^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$`
	End string `json:"end,omitempty"`

	// timeZone is an IANA time zone such as Europe/Berlin.
	// +required
	TimeZone TimeZone `json:"timeZone,omitempty"`
}
