// SPDX-License-Identifier: Apache-2.0

// Package statustest checks what every published status must hold, whatever it says: the contract that kubectl wait, Argo CD and Flux rely on.
package statustest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// Check returns every breach of the contract in the status of a CRM or an Integration that its controller has visited, joined; nil if there is none.
func Check(object any) error {
	switch o := object.(type) {
	case *v1alpha1.CRM:
		health := []string{
			v1alpha1.ConditionAccepted, v1alpha1.ConditionCredentialsResolved, v1alpha1.ConditionDispatcherAvailable, v1alpha1.ConditionProgrammed,
		}
		return check(o.Status.Conditions, o.Status.ObservedGeneration, o.Generation, health,
			v1alpha1.ConditionEndpointResolved, v1alpha1.ConditionQuotaEnforced, v1alpha1.ConditionBudgetOnTrack, v1alpha1.ConditionLicenceAdequate,
			v1alpha1.ConditionBacklogHealthy, v1alpha1.ConditionLedgerTrusted, v1alpha1.ConditionLimitsMatch, v1alpha1.ConditionUsageAccounted)
	case *v1alpha1.Integration:
		health := []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionCredentialsResolved, v1alpha1.ConditionProgrammed}
		advice := []string{v1alpha1.ConditionQuotaEnforced, v1alpha1.ConditionGuaranteeMet, v1alpha1.ConditionBacklogHealthy}
		if len(o.Spec.Callbacks.Endpoints) > 0 {
			advice = append(advice, v1alpha1.ConditionCallbacksDelivered)
		}
		return check(o.Status.Conditions, o.Status.ObservedGeneration, o.Generation, health, advice...)
	default:
		return fmt.Errorf("statustest: %T has no status to check", object)
	}
}

func check(conditions []metav1.Condition, observed, generation int64, health []string, advice ...string) error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if observed < 1 || observed > generation {
		fail("observedGeneration is %d, generation %d", observed, generation)
	}
	for _, conditionType := range slices.Concat([]string{v1alpha1.ConditionReady}, health, advice) {
		if meta.FindStatusCondition(conditions, conditionType) == nil {
			fail("%s is missing: every condition is set on the first visit", conditionType)
		}
	}
	seen := make(map[string]bool)
	for _, c := range conditions {
		if seen[c.Type] {
			fail("%s is there twice", c.Type)
		}
		seen[c.Type] = true
		errs = append(errs, checkOne(c, observed)...)
	}
	return errors.Join(append(errs, checkReady(conditions, health), checkStalled(conditions))...)
}

var reason = regexp.MustCompile(`^[A-Z][A-Za-z]+$`)

// unstable matches what would make a message change without news: clock times, addresses, ports.
var unstable = regexp.MustCompile(`\d{2}:\d{2}:\d{2}|\d+\.\d+\.\d+\.\d+|:\d{4,5}\b`)

func checkOne(c metav1.Condition, observed int64) []error {
	var errs []error
	if !reason.MatchString(c.Reason) {
		errs = append(errs, fmt.Errorf("%s has reason %q", c.Type, c.Reason))
	}
	if c.Message == "" {
		errs = append(errs, fmt.Errorf("%s has no message", c.Type))
	}
	if found := unstable.FindString(c.Message); found != "" {
		errs = append(errs, fmt.Errorf("%s has a message that cannot be stable, because of %q: %s", c.Type, found, c.Message))
	}
	if c.ObservedGeneration != observed {
		errs = append(errs, fmt.Errorf("%s speaks of generation %d, the status of %d", c.Type, c.ObservedGeneration, observed))
	}
	if c.LastTransitionTime.IsZero() {
		errs = append(errs, fmt.Errorf("%s has no time of its last transition", c.Type))
	}
	return errs
}

// checkReady: Ready is True exactly when the health conditions are, and otherwise repeats one that is not.
func checkReady(conditions []metav1.Condition, health []string) error {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return nil // said already
	}
	healthy, repeated := true, false
	for _, conditionType := range health {
		c := meta.FindStatusCondition(conditions, conditionType)
		if c == nil || c.Status == metav1.ConditionTrue {
			continue
		}
		healthy = false
		repeated = repeated || c.Status == ready.Status && c.Reason == ready.Reason
	}
	switch {
	case healthy != (ready.Status == metav1.ConditionTrue):
		return fmt.Errorf("condition Ready is %s, but all health conditions True is %t", ready.Status, healthy)
	case !healthy && !repeated:
		return fmt.Errorf("condition Ready is %s/%s, which no health condition says", ready.Status, ready.Reason)
	default:
		return nil
	}
}

// checkStalled: present means True, and then Ready is False.
func checkStalled(conditions []metav1.Condition) error {
	stalled := meta.FindStatusCondition(conditions, v1alpha1.ConditionStalled)
	if stalled == nil {
		return nil
	}
	if stalled.Status != metav1.ConditionTrue || !meta.IsStatusConditionFalse(conditions, v1alpha1.ConditionReady) {
		return fmt.Errorf("condition Stalled is present as %s; it may only be True, while Ready is False", stalled.Status)
	}
	return nil
}
