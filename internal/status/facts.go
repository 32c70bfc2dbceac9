// SPDX-License-Identifier: Apache-2.0

// Package status turns what is known of a CRM or an Integration into its status. It is pure: facts, current status and time in; the status to write and the
// time to look again out.
package status

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

// ReportPeriod is how often a dispatcher is asked for its report.
const ReportPeriod = 15 * time.Second

// StaleAfter is how long a dispatcher may be silent before what it said last is doubted.
const StaleAfter = 3 * ReportPeriod

// ConfirmWithin is how long a dispatcher may take to confirm an edit before that shows: within it the status goes on speaking of the generation before.
const ConfirmWithin = 2 * time.Second

// Reported is what a dispatcher said of itself.
type Reported struct {
	// Latest report, nil if this manager has not got one yet.
	Latest *contract.Report
	// At is when Latest came.
	At time.Time
	// Failure says why the last attempt to read a report failed, in stable words; empty if it did not.
	Failure string
	// Since is when this manager first wanted a report of this CRM, whether there was a pod to ask or not: until StaleAfter later a missing report is still to
	// come. Zero: nobody asks yet.
	Since time.Time
}

// hearing is how far a dispatcher's word can be relied on.
type hearing int

const (
	// expected: the first report since the manager's start is still to come. What depends on it keeps its value, so that a restart writes nothing.
	expected hearing = iota
	heard
	silent
)

// hearing at a time, and how long it stays that way if no report comes; 0 for ever.
func (r Reported) hearing(now time.Time) (hearing, time.Duration) {
	state, from := heard, r.At
	if r.Latest == nil {
		state, from = expected, r.Since
		if r.Since.IsZero() {
			return expected, 0
		}
	}
	if left := StaleAfter - now.Sub(from); left > 0 {
		return state, left
	}
	return silent, 0
}

// CRMFacts is everything that the status of a CRM depends on.
type CRMFacts struct {
	CRM      *v1alpha1.CRM
	Compiled plan.Output
	// PodReady: the dispatcher's pod exists and is ready.
	PodReady bool
	// Claim is the phase of the volume claim; empty if there is none.
	Claim    corev1.PersistentVolumeClaimPhase
	Reported Reported
	// PendingSince is when the current generation was first seen and not yet confirmed by a report; zero if it is.
	PendingSince time.Time
	// CAConfigMap is the name of the ConfigMap with the intake's CA; empty if there is none.
	CAConfigMap string
	// NumbersAt is when numbers were last written by this process; zero for never.
	NumbersAt time.Time
	// Evidence is that of the last Result for this object; nil if this process has none.
	Evidence Evidence
}

// IntegrationFacts is everything that the status of an Integration depends on.
type IntegrationFacts struct {
	Integration *v1alpha1.Integration
	// Decision of plan.Compile, or plan.MissingCRM.
	Decision plan.Decision
	// Plan as compiled; nil if nothing runs for the CRM.
	Plan *contract.Plan
	// PodReady: the dispatcher's pod exists and is ready.
	PodReady     bool
	Reported     Reported
	PendingSince time.Time
	CAConfigMap  string
	NumbersAt    time.Time
	Evidence     Evidence
}

// Result is a status and what to do with it.
type Result[S any] struct {
	Status S
	// Changed: Status differs from the current one and must be written.
	Changed bool
	// Numbers: the figures in it differ, or words that change as slowly; once written, NumbersAt is now.
	Numbers bool
	// Evidence to be kept for the next time, whether Status is written or not.
	Evidence Evidence
	// RecheckAfter is when time alone changes the outcome; 0 for never.
	RecheckAfter time.Duration
}
