// SPDX-License-Identifier: Apache-2.0

package statustest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/status/statustest"
)

// good is an Integration whose status holds everything.
func good() *v1alpha1.Integration {
	i := &v1alpha1.Integration{}
	i.Generation, i.Status.ObservedGeneration = 2, 2
	for _, conditionType := range []string{"Ready", "Accepted", "Programmed", "CredentialsResolved", "QuotaEnforced", "GuaranteeMet", "BacklogHealthy"} {
		i.Status.Conditions = append(i.Status.Conditions, metav1.Condition{
			Type: conditionType, Status: metav1.ConditionTrue, Reason: "Fine", Message: "All is well.", ObservedGeneration: 2,
			LastTransitionTime: metav1.NewTime(time.Unix(1, 0)),
		})
	}
	return i
}

func TestCheckFindsEveryBreach(t *testing.T) {
	if err := statustest.Check(good()); err != nil {
		t.Fatalf("a good status: %v", err)
	}
	const ready, programmed = 0, 2
	fail := func(c *metav1.Condition, reason string) { c.Status, c.Reason = metav1.ConditionFalse, reason }
	for want, breach := range map[string]func(*v1alpha1.Integration, []metav1.Condition){
		"observedGeneration is 0": func(i *v1alpha1.Integration, _ []metav1.Condition) { i.Status.ObservedGeneration = 0 },
		"observedGeneration is 3": func(i *v1alpha1.Integration, _ []metav1.Condition) { i.Status.ObservedGeneration = 3 },
		"Programmed is missing": func(i *v1alpha1.Integration, c []metav1.Condition) {
			i.Status.Conditions = slices.Delete(c, programmed, programmed+1)
		},
		"Ready is there twice":                func(i *v1alpha1.Integration, c []metav1.Condition) { i.Status.Conditions = append(c, c[ready]) },
		`has reason ""`:                       func(_ *v1alpha1.Integration, c []metav1.Condition) { c[programmed].Reason = "" },
		"has no message":                      func(_ *v1alpha1.Integration, c []metav1.Condition) { c[programmed].Message = "" },
		`cannot be stable, because of "10.0`:  func(_ *v1alpha1.Integration, c []metav1.Condition) { c[programmed].Message = "dial 10.0.0.1" },
		`cannot be stable, because of ":8443`: func(_ *v1alpha1.Integration, c []metav1.Condition) { c[programmed].Message = "dial host:8443: refused" },
		`cannot be stable, because of "12:`:   func(_ *v1alpha1.Integration, c []metav1.Condition) { c[programmed].Message = "since 12:30:01" },
		"speaks of generation 1":              func(_ *v1alpha1.Integration, c []metav1.Condition) { c[programmed].ObservedGeneration = 1 },
		"no time of its last transition":      func(_ *v1alpha1.Integration, c []metav1.Condition) { c[programmed].LastTransitionTime = metav1.Time{} },
		"Ready is True, but":                  func(_ *v1alpha1.Integration, c []metav1.Condition) { fail(&c[programmed], "Pending") },
		"Ready is False, but":                 func(_ *v1alpha1.Integration, c []metav1.Condition) { fail(&c[ready], "Pending") },
		"Ready is False/Other, which no health condition says": func(_ *v1alpha1.Integration, c []metav1.Condition) {
			fail(&c[programmed], "Pending")
			fail(&c[ready], "Other")
		},
		"Stalled is present as True": func(i *v1alpha1.Integration, c []metav1.Condition) {
			stalled := c[ready]
			stalled.Type = "Stalled"
			i.Status.Conditions = append(c, stalled)
		},
	} {
		t.Run(want, func(t *testing.T) {
			i := good()
			breach(i, i.Status.Conditions)
			if err := statustest.Check(i); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Check = %v, want it to say %q", err, want)
			}
		})
	}
	if err := statustest.Check(&v1alpha1.CRM{}); err == nil || !strings.Contains(err.Error(), "EndpointResolved is missing") {
		t.Errorf("a CRM that was never visited: %v, want its conditions to be missed", err)
	}
	if err := statustest.Check("nothing"); err == nil {
		t.Error("something without a status passes")
	}
}
