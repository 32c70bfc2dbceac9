// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// verdict is what a condition says.
type verdict struct {
	status          metav1.ConditionStatus
	reason, message string
}

func yes(reason, message string) verdict { return verdict{metav1.ConditionTrue, reason, message} }
func no(reason, message string) verdict  { return verdict{metav1.ConditionFalse, reason, message} }
func unknown(reason, message string) verdict {
	return verdict{metav1.ConditionUnknown, reason, message}
}

// keep is a condition's present verdict, or Unknown when it has none.
func keep(current []metav1.Condition, conditionType string) verdict {
	if c := meta.FindStatusCondition(current, conditionType); c != nil {
		return verdict{c.Status, c.Reason, c.Message}
	}
	return notKnown
}

var (
	notKnown   = unknown(v1alpha1.ReasonNotKnown, "Nothing has been observed yet.")
	notRunning = unknown(v1alpha1.ReasonNotKnown, "The dispatcher is not running.")
)

// doubt is the verdict on everything that only a report can tell, when there is no usable one.
func doubt(h hearing, failure string, podReady bool, current []metav1.Condition, conditionType string) verdict {
	switch {
	case h == expected:
		return keep(current, conditionType)
	case podReady:
		return noReport(failure)
	default:
		return notRunning
	}
}

func noReport(failure string) verdict {
	message := "The dispatcher runs but has not reported for 45 seconds: see the logs of its pod and of the manager, and network policies on the report port."
	if failure != "" {
		message += " The last attempt: " + failure + "."
	}
	return unknown(v1alpha1.ReasonNotReporting, message)
}

// stalling are the reasons for which kstatus shall report a failure at once: nothing but an edit of this very object helps. Other refusals end when another
// object is edited or deleted.
var stalling = []string{
	v1alpha1.ReasonUnknownTimeZone, v1alpha1.ReasonLicenceChanged, v1alpha1.ReasonUnknownOperation, v1alpha1.ReasonUnsafeQueue, v1alpha1.ReasonUnsafeCache,
	v1alpha1.ReasonUnknownTier, v1alpha1.ReasonUnclearLimit, v1alpha1.ReasonTooManyLimits,
	v1alpha1.ReasonUnusableCredentials,
}

// conditions collects verdicts in the order in which they are published.
type conditions struct {
	types    []string
	verdicts map[string]verdict
	// kept are the present words of advice that only says the same in other words.
	kept map[string]string
}

func (c *conditions) set(conditionType string, v verdict) {
	if c.verdicts == nil {
		c.verdicts = make(map[string]verdict)
	}
	c.types = append(c.types, conditionType)
	c.verdicts[conditionType] = v
}

// ready sums up health conditions: the first that is False decides, then the first that is Unknown.
func (c *conditions) ready(good verdict, health ...string) verdict {
	for _, bad := range []metav1.ConditionStatus{metav1.ConditionFalse, metav1.ConditionUnknown} {
		for _, conditionType := range health {
			if v := c.verdicts[conditionType]; v.status == bad {
				return v
			}
		}
	}
	return good
}

// stalled adds Stalled when the verdict on Accepted asks for an edit of the spec.
func (c *conditions) stalled() {
	if v := c.verdicts[v1alpha1.ConditionAccepted]; slices.Contains(stalling, v.reason) {
		c.set(v1alpha1.ConditionStalled, yes(v.reason, v.message))
	}
}

// advise sets a verdict whose words may wait for the next write if they are all that changed.
func (c *conditions) advise(current []metav1.Condition, conditionType string, v verdict) {
	c.set(conditionType, v)
	old := meta.FindStatusCondition(current, conditionType)
	if old != nil && old.Status == v.status && old.Reason == v.reason && old.Message != truncate(v.message) {
		if c.kept == nil {
			c.kept = make(map[string]string)
		}
		c.kept[conditionType] = old.Message
	}
}

// wait is the shortest of the wait of figures and that of words, 0 if neither differs.
func (c *conditions) wait(figures time.Duration) time.Duration {
	if len(c.kept) > 0 {
		return soonest(figures, slowly)
	}
	return figures
}

// publish makes conditions of the verdicts, reworded or with the words that are kept. Those whose status stays keep the time of their last transition; types
// that are not ours are left as they are.
func (c *conditions) publish(current []metav1.Condition, generation int64, now time.Time, reworded bool) []metav1.Condition {
	out := make([]metav1.Condition, 0, len(c.types))
	for _, conditionType := range c.types {
		v := c.verdicts[conditionType]
		next := metav1.Condition{
			Type: conditionType, Status: v.status, Reason: v.reason, Message: truncate(v.message), ObservedGeneration: generation,
			LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)),
		}
		if words, kept := c.kept[conditionType]; kept && !reworded {
			next.Message = words
		}
		if old := meta.FindStatusCondition(current, conditionType); old != nil && old.Status == v.status {
			next.LastTransitionTime = old.LastTransitionTime
		}
		out = append(out, next)
	}
	for _, old := range current {
		if !slices.Contains(owned, old.Type) {
			out = append(out, old)
		}
	}
	return out
}

// owned are the types that this package writes and removes.
var owned = []string{
	v1alpha1.ConditionReady, v1alpha1.ConditionAccepted, v1alpha1.ConditionCredentialsResolved, v1alpha1.ConditionDispatcherAvailable,
	v1alpha1.ConditionProgrammed, v1alpha1.ConditionStalled, v1alpha1.ConditionEndpointResolved, v1alpha1.ConditionQuotaEnforced,
	v1alpha1.ConditionBudgetOnTrack, v1alpha1.ConditionLicenceAdequate, v1alpha1.ConditionGuaranteeMet, v1alpha1.ConditionBacklogHealthy,
	v1alpha1.ConditionLedgerTrusted, v1alpha1.ConditionLicenceValid, v1alpha1.ConditionLimitsMatch, v1alpha1.ConditionUsageAccounted, v1alpha1.ConditionCRMAnswering,
	v1alpha1.ConditionCallbacksDelivered,
}

// maxMessage keeps a dispatcher's words from filling the object; the API allows 32,768 bytes.
const maxMessage = 1024

func truncate(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage-len("...")], "") + "..."
}

// soonest is the shortest of the durations that are set.
func soonest(durations ...time.Duration) time.Duration {
	var least time.Duration
	for _, d := range durations {
		if d > 0 {
			least = min(cmp.Or(least, d), d)
		}
	}
	return least
}
