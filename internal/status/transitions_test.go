// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/internal/status"
)

func TestTransitions(t *testing.T) {
	condition := func(conditionType string, s metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: conditionType, Status: s, Reason: reason}
	}
	before := []metav1.Condition{
		condition("Same", metav1.ConditionTrue, "Yes"), condition("Turned", metav1.ConditionTrue, "Yes"),
		condition("Reasoned", metav1.ConditionFalse, "One"), condition("Gone", metav1.ConditionTrue, "Yes"),
	}
	reworded := condition("Same", metav1.ConditionTrue, "Yes")
	reworded.Message, reworded.ObservedGeneration = "other words", 9
	after := []metav1.Condition{
		reworded, condition("New", metav1.ConditionUnknown, "NotKnown"), condition("Turned", metav1.ConditionFalse, "No"), condition("Reasoned", metav1.ConditionFalse, "Two"),
	}
	want := []status.Transition{
		{New: after[1]}, {Old: before[1], New: after[2]}, {Old: before[2], New: after[3]}, {Old: before[3]},
	}
	got := status.Transitions(before, after)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("transitions (-want +got):\n%s", diff)
	}
	var types []string
	for _, transition := range got {
		types = append(types, transition.Type())
	}
	if diff := cmp.Diff([]string{"New", "Turned", "Reasoned", "Gone"}, types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
}
