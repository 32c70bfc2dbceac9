// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// met tells what calls have met since so long.
func met(trouble contract.CRMTrouble, ago time.Duration) func(*contract.Report) {
	return func(r *contract.Report) {
		r.Answering = contract.AnsweringReport{Known: true, Trouble: trouble}
		if trouble != "" {
			r.Answering.Since = start.Add(-ago)
		}
	}
}

// TestCRMAnswering turns when calls have fared badly for two minutes, and back at once when that is known first, else after two minutes again. A dispatcher that was
// started anew leaves it as it is.
func TestCRMAnswering(t *testing.T) {
	const unknown, well = "Unknown/NotKnown", "True/Answering"
	silent := func(r *contract.Report) { r.Answering = contract.AnsweringReport{} }
	for name, steps := range map[string][]step{
		"before the first call nothing is known": {{0, same, unknown}, {time.Hour, met("", 0), well}},
		"a short outage is no news":              {{0, met("", 0), well}, {time.Minute, met(contract.CRMFailing, 0), well}, {time.Minute - time.Second, met("", 0), well}},
		"a longer one is":                        {{0, met("", 0), well}, {time.Second, met(contract.CRMUnreachable, 0), well}, {2 * time.Minute, same, "False/Unreachable"}},
		"one that the dispatcher has seen for long": {
			{0, met("", 0), well}, {time.Second, met(contract.CRMRefusing, time.Hour), "False/Refusing"},
		},
		"its reason changes at once": {
			{0, met("", 0), well}, {time.Second, met(contract.CRMFailing, time.Hour), "False/Failing"}, {time.Second, met(contract.CRMUnauthorised, time.Hour), "False/CredentialsRefused"},
		},
		"it ends after two minutes without": {
			{0, met("", 0), well}, {time.Second, met(contract.CRMFailing, time.Hour), "False/Failing"}, {time.Second, met("", 0), "False/Failing"}, {2 * time.Minute, same, well},
		},
		"a dispatcher that has just begun says nothing": {{0, met("", 0), well}, {time.Second, silent, well}},
	} {
		t.Run(name, func(t *testing.T) { follow(t, v1alpha1.ConditionCRMAnswering, nil, steps) })
	}
}

// TestUsageThatTheCRMDoesNotTell is said with the call that was made.
func TestUsageThatTheCRMDoesNotTell(t *testing.T) {
	for want, usage := range map[string]*contract.UsageReport{
		"have not told yet what others use.":                                                                 nil,
		"have not told yet what others use. It was asked by GET /l and gave no answer.":                      {Call: "GET /l"},
		"It was asked by GET /l and answered 403: give the credentials the permission that this call needs.": {Call: "GET /l", Status: 403},
		"It was asked by GET /l and answered 500.":                                                           {Call: "GET /l", Status: 500},
	} {
		w := follow(t, v1alpha1.ConditionUsageAccounted, nil, []step{{0, func(r *contract.Report) { r.Usage = usage }, "Unknown/NotKnown"}})
		if got := message(w, v1alpha1.ConditionUsageAccounted); !strings.HasSuffix(got, want) {
			t.Errorf("message %q, want %q", got, want)
		}
	}
}

// TestApps are shown in order of name, and change when they are a twentieth of the limit off.
func TestApps(t *testing.T) {
	w := newWatch(t)
	shown := func() map[string]int64 {
		all := map[string]int64{}
		last := ""
		for _, a := range w.current.Windows[1].Apps {
			if a.Name <= last {
				t.Errorf("%s comes after %s", a.Name, last)
			}
			all[a.Name], last = *a.Used, a.Name
		}
		return all
	}
	for n, s := range []struct {
		after time.Duration
		apps  []contract.AppUse
		want  map[string]int64
	}{
		{0, []contract.AppUse{{Name: "etl", Used: 1260}, {Name: "cti", Used: 20}}, map[string]int64{"etl": 1250, "cti": 0}},
		{time.Hour, []contract.AppUse{{Name: "etl", Used: 1370}, {Name: "cti", Used: 20}}, map[string]int64{"etl": 1250, "cti": 0}},
		{time.Hour, []contract.AppUse{{Name: "etl", Used: 1380}, {Name: "cti", Used: 20}}, map[string]int64{"etl": 1375, "cti": 0}},
		{time.Hour, []contract.AppUse{{Name: "web", Used: 1380}, {Name: "cti", Used: 20}}, map[string]int64{"web": 1375, "cti": 0}},
		{time.Hour, nil, map[string]int64{}},
	} {
		w.tell(s.after, func(r *contract.Report) { r.Windows[1].Apps = s.apps })
		if diff := cmp.Diff(s.want, shown()); diff != "" {
			t.Errorf("step %d: %s", n, diff)
		}
	}
}

// TestAppsOfADay are shown with their day, also one in which they have used the same.
func TestAppsOfADay(t *testing.T) {
	w := newWatch(t)
	day := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	for n, s := range []struct {
		day  *time.Time
		want string
	}{{nil, ""}, {&day, "2026-11-29"}, {new(day.AddDate(0, 0, 1)), "2026-11-30"}, {nil, ""}} {
		w.tell(time.Minute, func(r *contract.Report) {
			r.Windows[1].Apps, r.Windows[1].AppsDay = []contract.AppUse{{Name: "etl", Used: 1260}}, s.day
		})
		if got := w.current.Windows[1].AppsDate; got != s.want {
			t.Errorf("step %d: the day is %q, want %q", n, got, s.want)
		}
	}
}
