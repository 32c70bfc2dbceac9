// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

const (
	// maxLearnt is how many limits that were learnt are published, maxCounts how long the name of the calls of one may be.
	maxLearnt, maxCounts = 16, 300
	// maxNamed are written out in a message.
	maxNamed = 3
)

// learntStatus are the limits that were learnt, and how long their change has to wait.
func learntStatus(published []v1alpha1.LearntLimitStatus, learnt []contract.LearntLimit) ([]v1alpha1.LearntLimitStatus, time.Duration) {
	var next []v1alpha1.LearntLimitStatus
	for _, l := range learnt[:min(len(learnt), maxLearnt)] {
		counts := countsOf(l.Match)
		if len(counts) > maxCounts {
			continue
		}
		was := slices.IndexFunc(published, func(p v1alpha1.LearntLimitStatus) bool { return p.Counts == counts })
		var refusals *int64
		if was >= 0 {
			refusals = &published[was].Refusals
		}
		refusals, _ = twoDigits(refusals, l.Refusals)
		next = append(next, v1alpha1.LearntLimitStatus{
			Counts: counts, Calls: l.Calls, WindowSeconds: l.WindowSeconds, Refusals: *refusals,
			SinceTime: seconds(l.Since), ExpiryTime: seconds(l.Expires.Add(time.Hour - 1).Truncate(time.Hour)),
		})
	}
	switch {
	case equality.Semantic.DeepEqual(next, published):
		return next, 0
	case len(next) != len(published):
		return next, quickly
	default:
		return next, slowly
	}
}

// seconds is a time as status holds it.
func seconds(t time.Time) *metav1.Time { return new(metav1.NewTime(t).Rfc3339Copy()) }

func countsOf(m contract.Match) string {
	return cmp.Or(strings.Join(m.Operations, ", "), strings.Join(append(slices.Clone(m.Methods), m.Path), " "))
}

// hiddenLimits says which limits the CRM keeps that are not declared, and how they are declared.
func hiddenLimits(learnt []contract.LearntLimit) string {
	var declare []string
	for n, l := range learnt[:min(len(learnt), maxNamed)] {
		match := fmt.Sprintf("{operations: [%s]}", strings.Join(l.Match.Operations, ", "))
		if len(l.Match.Operations) == 0 {
			match = fmt.Sprintf("{methods: [%s], path: %q}", strings.Join(l.Match.Methods, ", "), l.Match.Path)
		}
		declare = append(declare, fmt.Sprintf("{name: hidden-%d, calls: %d, windowSeconds: %d, match: %s}", n+1, l.Calls, l.WindowSeconds, match))
	}
	return "The CRM refuses calls while all declared limits have room, as if there were another limit. Such limits were learnt, and calls are held to them; " +
		"to keep them, add to licence.limits: " + strings.Join(declare, ", ") + "."
}
