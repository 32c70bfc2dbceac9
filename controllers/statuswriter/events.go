// SPDX-License-Identifier: Apache-2.0

package statuswriter

import (
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/status"
)

// maxNote is the longest note that the API server takes, in bytes.
const maxNote = 1024

// actionObserve is the action of events that tell of a changed condition.
const actionObserve = "Observe"

// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Recorder writes events.
type Recorder struct {
	recorder events.EventRecorder
}

// NewRecorder wraps the manager's recorder.
func NewRecorder(recorder events.EventRecorder) Recorder { return Recorder{recorder: recorder} }

// Event records that something happened to object. kind is corev1.EventTypeNormal or corev1.EventTypeWarning.
func (r Recorder) Event(object runtime.Object, kind, reason, action, note string) {
	r.recorder.Eventf(object, nil, kind, reason, action, "%s", truncate(note, maxNote))
}

// transition tells of a condition that changed. What is Unknown on the first visit is no news, and Ready only sums up the others.
func (r Recorder) transition(object runtime.Object, t status.Transition) {
	gone := t.New.Type == ""
	first := t.Old.Type == "" && t.New.Status == metav1.ConditionUnknown
	summary := t.Type() == v1alpha1.ConditionReady && t.New.Status != metav1.ConditionTrue
	if gone || first || summary || t.Type() == v1alpha1.ConditionStalled {
		return
	}
	kind := corev1.EventTypeWarning
	if t.New.Status == metav1.ConditionTrue || onTheWay(t.New.Reason) {
		kind = corev1.EventTypeNormal
	}
	r.Event(object, kind, t.New.Reason, actionObserve, t.Type()+": "+t.New.Message)
}

// onTheWay are reasons that need nobody's attention.
func onTheWay(reason string) bool {
	switch reason {
	case v1alpha1.ReasonStarting, v1alpha1.ReasonPending, v1alpha1.ReasonVolumePending, v1alpha1.ReasonNotKnown, v1alpha1.ReasonShadow,
		v1alpha1.ReasonObserving:
		return true
	}
	return false
}

// truncate cuts s to at most limit bytes, never within a character.
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const ellipsis = "..."
	cut := limit - len(ellipsis)
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + ellipsis
}
