// SPDX-License-Identifier: Apache-2.0

package status

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Transition is a condition whose status or reason changed. Old is zero for a condition that was not there, New for one that is gone.
type Transition struct {
	Old, New metav1.Condition
}

// Type of the condition.
func (t Transition) Type() string {
	if t.New.Type != "" {
		return t.New.Type
	}
	return t.Old.Type
}

// Transitions lists the conditions whose status or reason differs, those that came or stayed in the order of after, then those that went. They are what is
// worth an event.
func Transitions(before, after []metav1.Condition) []Transition {
	var out []Transition
	for _, c := range after {
		old := meta.FindStatusCondition(before, c.Type)
		switch {
		case old == nil:
			out = append(out, Transition{New: c})
		case old.Status != c.Status || old.Reason != c.Reason:
			out = append(out, Transition{Old: *old, New: c})
		}
	}
	for _, c := range before {
		if meta.FindStatusCondition(after, c.Type) == nil {
			out = append(out, Transition{Old: c})
		}
	}
	return out
}
