// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// learnt are two limits of an operation and an endpoint, of which so many refusals have told.
func learnt(refusals int64) func(*contract.Report) {
	return func(r *contract.Report) {
		r.Learnt = []contract.LearntLimit{
			{Match: contract.Match{Operations: []string{"UpdateUser"}}, Calls: 60, WindowSeconds: 60, Since: start, Expires: start.Add(24*time.Hour + time.Minute), Refusals: refusals},
			{Match: contract.Match{Methods: []string{"GET"}, Path: "/api/v2/views/*/execute"}, Calls: 5, WindowSeconds: 10, Since: start, Expires: start.Add(24 * time.Hour), Refusals: 9},
		}
	}
}

func TestHiddenLimitsAreAdvice(t *testing.T) {
	const unknown, hidden = "Unknown/NotKnown", "False/HiddenLimit"
	w := follow(t, v1alpha1.ConditionLimitsMatch, nil, []step{{0, learnt(20), unknown}, {2 * time.Minute, same, hidden}})
	const want = "add to licence.limits: {name: hidden-1, calls: 60, windowSeconds: 60, match: {operations: [UpdateUser]}}, " +
		`{name: hidden-2, calls: 5, windowSeconds: 10, match: {methods: [GET], path: "/api/v2/views/*/execute"}}.`
	if got := message(w, v1alpha1.ConditionLimitsMatch); !strings.HasSuffix(got, want) {
		t.Errorf("message %q, want it to end with %q", got, want)
	}
	w.tell(time.Minute, reported(200))
	if got := say(w.current.Conditions, v1alpha1.ConditionLimitsMatch); got != "False/LimitsDiffer" {
		t.Errorf("with another size reported it is %s", got)
	}
}

// TestLearntLimitsInStatus: they are published at once, and refusals that follow cost no write until a second digit changes.
func TestLearntLimitsInStatus(t *testing.T) {
	w := newWatch(t)
	w.tell(0, same)
	w.tell(time.Minute, learnt(200))
	hour := func(n int) *metav1.Time { return new(metav1.NewTime(start.Add(time.Duration(n) * time.Hour))) }
	want := []v1alpha1.LearntLimitStatus{
		{Counts: "UpdateUser", Calls: 60, WindowSeconds: 60, SinceTime: hour(0), ExpiryTime: hour(25), Refusals: 200},
		{Counts: "GET /api/v2/views/*/execute", Calls: 5, WindowSeconds: 10, SinceTime: hour(0), ExpiryTime: hour(24), Refusals: 9},
	}
	if diff := cmp.Diff(want, w.current.LearntLimits); diff != "" {
		t.Error(diff)
	}
	w.tell(2*time.Minute, same) // the condition turns
	writes := w.writes
	w.tell(time.Hour, learnt(209))
	if w.writes != writes {
		t.Errorf("9 refusals more cost %d writes", w.writes-writes)
	}
	w.tell(time.Hour, learnt(210))
	if got := w.current.LearntLimits[0].Refusals; got != 210 {
		t.Errorf("%d refusals are published, want 210", got)
	}
	w.tell(time.Hour, func(r *contract.Report) { r.Learnt = nil })
	if len(w.current.LearntLimits) > 0 {
		t.Errorf("%+v are still published", w.current.LearntLimits)
	}
}
