// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// TestObserve: a CRM without Integrations is ready, enforces nothing, and shows what others use, by application where the CRM tells. That it does not answer is a
// condition of its own, which leaves Ready alone.
func TestObserve(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(func(c *v1alpha1.CRM) {
		c.Spec.Enforcement = v1alpha1.EnforcementObserve
		c.Spec.Usage.IntervalSeconds = new(int32(600))
	})
	fake := w.kubelet()
	w.condition(crm, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonObserving)
	w.condition(crm, v1alpha1.ConditionQuotaEnforced, metav1.ConditionFalse, v1alpha1.ReasonObserving)
	if p := w.plan(); !p.Observe || p.Enforce || p.UsageSeconds != 600 {
		t.Errorf("the plan says observe %t, enforce %t, every %d s", p.Observe, p.Enforce, p.UsageSeconds)
	}
	fake.Edit(func(r *contract.Report) {
		r.Answering = contract.AnsweringReport{Known: true}
		r.Windows[0].Used, r.Windows[0].External = 300, new(int64(298))
		r.Windows[0].Apps = []contract.AppUse{{Name: "ETL job", Used: 204}, {Name: "CTI", Used: 60}}
		r.Windows[0].AppsDay = new(time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC))
	})
	w.condition(crm, v1alpha1.ConditionCRMAnswering, metav1.ConditionTrue, v1alpha1.ReasonAnswering)
	w.eventually("the use is shown", func() error {
		if err := w.get(crmName, crm); err != nil {
			return err
		}
		var got []string
		for _, s := range crm.Status.Windows {
			for _, a := range s.Apps {
				got = append(got, fmt.Sprint(s.Name, " ", a.Name, " ", *a.Used, " of ", *s.Used, " ", *s.External, " ", s.AppsDate))
			}
		}
		if want := "[minute CTI 60 of 300 300 2026-11-29 minute ETL job 200 of 300 300 2026-11-29]"; fmt.Sprint(got) != want {
			return fmt.Errorf("got %v, want %s", got, want)
		}
		return nil
	})
	fake.Edit(func(r *contract.Report) {
		r.Answering = contract.AnsweringReport{Known: true, Trouble: contract.CRMUnreachable, Since: time.Now().Add(-time.Hour)}
	})
	w.condition(crm, v1alpha1.ConditionCRMAnswering, metav1.ConditionFalse, v1alpha1.ReasonUnreachable)
	w.condition(crm, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonObserving)

	w.update(crm, func() { crm.Spec.Enforcement = v1alpha1.EnforcementEnforce })
	w.condition(crm, v1alpha1.ConditionQuotaEnforced, metav1.ConditionTrue, v1alpha1.ReasonEnforced)
	w.condition(crm, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
}
