// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

func TestNothingIsWrittenWhenNothingChanged(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(nil)
	app := w.integration("app", nil)
	w.kubelet()
	w.ready(crm)
	w.ready(app)

	acts := map[string]func(){
		"another pass": func() {
			w.update(crm, func() { crm.Annotations = map[string]string{"example.com/touched": time.Now().String()} })
		},
		"a restart of the manager": func() {
			w.restartManager(func() {})
			time.Sleep(time.Second) // the new one's passes; quiet waits on
		},
	}
	for name, act := range acts {
		if made := w.writesDuring(act); len(made) != 0 {
			t.Errorf("%s wrote: %v", name, made)
		}
	}
}

// TestOneEditIsOneStatusWrite: an edit of one of fifty Integrations is at most one status write of its own and one of the CRM, and no other's.
func TestOneEditIsOneStatusWrite(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(nil)
	var integrations []*v1alpha1.Integration
	for n := range 50 {
		integrations = append(integrations, w.integration(fmt.Sprintf("app-%02d", n), nil))
	}
	w.kubelet()
	w.ready(crm)
	for _, integration := range integrations {
		w.ready(integration)
	}
	edited := integrations[17]
	made := w.writesDuring(func() {
		w.update(edited, func() { edited.Spec.Share.Weight = 7 })
		w.ready(edited)
	})
	want := []string{"PATCH configmaps/" + childName, "PATCH integrations/app-17/status", "PATCH pods/" + childName + "-0"}
	got := slices.DeleteFunc(slices.Sorted(slices.Values(made)), func(s string) bool { return s == "PATCH crms/zendesk/status" })
	if !slices.Equal(got, want) || len(made) > len(want)+1 {
		t.Errorf("the edit wrote %v\nwant %v and at most one status of the CRM", made, want)
	}
}

// TestFiguresOfAReportReachTheStatus sees use and backlog rise in both kinds, once each.
func TestFiguresOfAReportReachTheStatus(t *testing.T) {
	w := newWorld(t)
	crm := w.crm(nil)
	app := w.integration("app", nil)
	fake := w.kubelet()
	w.ready(crm)
	w.ready(app)
	fake.Edit(func(r *contract.Report) {
		r.Windows[0].Used = 300
		r.Backlog.Queued = 1234
		r.Integrations[0].Backlog.Queued = 1234
	})
	w.eventually("use and backlog are published", func() error {
		if err := w.get(crmName, crm); err != nil {
			return err
		}
		if err := w.get("app", app); err != nil {
			return err
		}
		if !strings.HasPrefix(crm.Status.Summary.Used, "minute 300/400") || crm.Status.Backlog.Calls == nil || app.Status.Backlog.Calls == nil {
			return fmt.Errorf("CRM %+v %+v, Integration %+v", crm.Status.Summary, crm.Status.Backlog, app.Status.Backlog)
		}
		return nil
	})
	if *crm.Status.Backlog.Calls != 1200 || *app.Status.Backlog.Calls != 1200 {
		t.Errorf("backlog is %d and %d, want 1234 rounded to two digits", *crm.Status.Backlog.Calls, *app.Status.Backlog.Calls)
	}
}
