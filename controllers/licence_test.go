// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// TestALicenceByTier is written out in plan and status, and followed when its time has come.
func TestALicenceByTier(t *testing.T) {
	w := newWorld(t)
	day := v1alpha1.Limit{Name: "day", Calls: 2500, Calendar: &v1alpha1.CalendarWindow{Unit: v1alpha1.CalendarUnitDay, TimeZone: "Europe/Berlin"}}
	from := metav1.NewTime(time.Now().Add(8 * time.Second).Truncate(time.Second))
	crm := w.crm(func(c *v1alpha1.CRM) {
		c.Spec.Licence.Tier, c.Spec.Licence.Limits = "SuiteGrowth", []v1alpha1.Limit{day}
		c.Spec.Licence.Next = &v1alpha1.NextLicence{Tier: "SuiteTeam", From: &from}
	})
	w.kubelet()
	w.ready(crm)
	w.condition(crm, v1alpha1.ConditionLicenceValid, metav1.ConditionTrue, v1alpha1.ReasonValid)
	if p := w.plan(); p.Limits[0].Calls != 400 || p.Next == nil || p.Next.Limits[0].Calls != 200 || !p.Next.From.Equal(from.Time) {
		t.Errorf("the plan has limits %+v and then %+v", p.Limits, p.Next)
	}
	shown := crm.Status.Licence
	first, last := shown.Limits[0], shown.Limits[len(shown.Limits)-1]
	got := fmt.Sprint(shown.Tier, shown.NextTier, shown.NextTime.Equal(&from), first.Origin, first.Source != "", last.Name, last.Origin, last.Source != "")
	if want := fmt.Sprint("SuiteGrowth", "SuiteTeam", true, "Catalogue", true, "day", "Declared", false); got != want {
		t.Errorf("status shows %s, want %s: %+v", got, want, shown)
	}
	w.eventually("the licence that follows is in force", func() error {
		if err := w.get(crm.Name, crm); err != nil {
			return err
		}
		if p := w.plan(); p.Limits[0].Calls != 200 || p.Next != nil || crm.Status.Licence.Tier != "SuiteTeam" || crm.Status.Licence.NextTier != "" {
			return fmt.Errorf("the plan has %+v and then %+v, status %+v", p.Limits[0], p.Next, crm.Status.Licence)
		}
		if time.Now().Before(from.Time) {
			t.Error("it is in force before its time")
		}
		return nil
	})
}

// TestALicenceThatIsRefusedOrEnds leaves the limits in force, and says so.
func TestALicenceThatIsRefusedOrEnds(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(func(c *v1alpha1.CRM) { c.Spec.Licence.Tier, c.Spec.Licence.Limits = "SuiteTeam", nil })
	w.kubelet()
	w.ready(crm)
	w.update(crm, func() { crm.Spec.Licence.Tier = "Growth" })
	w.condition(crm, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnknownTier)
	if p := w.plan(); p.Limits[0].Calls != 200 {
		t.Errorf("a refused edit leaves %+v in force", p.Limits[0])
	}
	w.update(crm, func() {
		crm.Spec.Licence.Tier, crm.Spec.Licence.ValidUntil = "SuiteTeam", new(metav1.NewTime(time.Now().Add(-time.Hour)))
	})
	w.ready(crm)
	w.condition(crm, v1alpha1.ConditionLicenceValid, metav1.ConditionFalse, v1alpha1.ReasonLicenceEnded)
	w.eventually("an event tells that the licence has ended", func() error {
		var events eventsv1.EventList
		if err := w.client.List(t.Context(), &events, client.InNamespace(w.namespace)); err != nil {
			return err
		}
		if !slices.ContainsFunc(events.Items, func(e eventsv1.Event) bool { return e.Reason == v1alpha1.ReasonLicenceEnded }) {
			return fmt.Errorf("none among %d", len(events.Items))
		}
		return nil
	})
}
