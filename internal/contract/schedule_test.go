// SPDX-License-Identifier: Apache-2.0

package contract_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestTheFirstOverrideThatHoldsDecides(t *testing.T) {
	office := &contract.Weekly{Days: []string{"Monday", "Friday"}, Start: "08:00", End: "18:00", TimeZone: "Europe/Berlin"}
	night := &contract.Weekly{Days: []string{"Saturday"}, Start: "22:00", End: "06:00", TimeZone: "Europe/Berlin"}
	late := &contract.Weekly{Days: []string{"Sunday"}, Start: "02:30", End: "03:00", TimeZone: "Europe/Berlin"}
	allDay := &contract.Weekly{Days: []string{"Wednesday"}, Start: "00:00", End: "24:00", TimeZone: "America/New_York"}
	from, until := at(t, "2026-11-27T00:00:00Z"), at(t, "2026-11-28T00:00:00Z")
	overrides := []contract.Override{
		{Name: "black-friday", From: &from, Until: &until},
		{Name: "office", Weekly: office}, {Name: "night", Weekly: night}, {Name: "all-day", Weekly: allDay}, {Name: "late", Weekly: late},
	}
	schedule, err := contract.NewSchedule(overrides, time.LoadLocation)
	if err != nil {
		t.Fatal(err)
	}
	const none, blackFriday, inOffice, atNight, wednesday, atHalfPastTwo = -1, 0, 1, 2, 3, 4
	for when, want := range map[string]int{
		"2026-11-26T23:59:59Z": none, "2026-11-27T00:00:00Z": blackFriday, "2026-11-27T10:00:00Z": blackFriday, "2026-11-27T23:59:59Z": blackFriday,
		"2026-11-28T00:00:00Z": none,
		"2026-11-20T06:59:59Z": none, "2026-11-20T07:00:00Z": inOffice, "2026-11-20T16:59:59Z": inOffice, "2026-11-20T17:00:00Z": none,
		"2026-07-03T06:00:00Z": inOffice, "2026-07-03T16:00:00Z": none, // summer
		"2026-11-21T20:59:59Z": none, "2026-11-21T21:00:00Z": atNight, "2026-11-22T04:59:59Z": atNight, "2026-11-22T05:00:00Z": none,
		"2026-11-25T04:59:59Z": none, "2026-11-25T05:00:00Z": wednesday, "2026-11-26T04:59:59Z": wednesday, "2026-11-26T05:00:00Z": none,
		// Clocks that go from 03:00 back to 02:00 show 02:30 twice, and in spring they never do. The night before has ended at neither.
		"2026-11-15T01:30:00Z": atNight, "2026-10-25T00:30:00Z": atNight, "2026-10-25T01:30:00Z": atNight, "2026-03-29T01:00:00Z": atNight,
	} {
		if got := schedule.At(at(t, when)); got != want {
			t.Errorf("at %s override %d holds, want %d", when, got, want)
		}
	}

	without, err := contract.NewSchedule(overrides[4:], time.LoadLocation)
	if err != nil {
		t.Fatal(err)
	}
	for when, want := range map[string]int{
		"2026-10-25T00:30:00Z": 0, "2026-10-25T00:59:59Z": 0, "2026-10-25T01:00:00Z": none, "2026-10-25T01:30:00Z": 0, "2026-10-25T02:00:00Z": none,
		"2026-03-29T00:59:59Z": none, "2026-03-29T01:00:00Z": none, "2026-03-29T01:30:00Z": none,
	} {
		if got := without.At(at(t, when)); got != want {
			t.Errorf("at %s, on a night when clocks change, override %d holds, want %d", when, got, want)
		}
	}
}

func TestShareAt(t *testing.T) {
	from, until := at(t, "2026-11-27T00:00:00Z"), at(t, "2026-11-28T00:00:00Z")
	i := contract.Integration{Share: contract.Share{Weight: 1}, Overrides: []contract.Override{{From: &from, Until: &until, Share: contract.Share{Weight: 2}}}}
	schedule, err := contract.NewSchedule(i.Overrides, time.LoadLocation)
	if err != nil {
		t.Fatal(err)
	}
	if before, within := i.ShareAt(schedule, from.Add(-1)).Weight, i.ShareAt(schedule, from).Weight; before != 1 || within != 2 {
		t.Errorf("weights %d and %d, want 1 before and 2 within", before, within)
	}
}

func TestNewScheduleNamesWhatIsWrong(t *testing.T) {
	from, until := at(t, "2026-11-27T00:00:00Z"), at(t, "2026-11-28T00:00:00Z")
	good := contract.Weekly{Days: []string{"Monday"}, Start: "08:00", End: "18:00", TimeZone: "UTC"}
	weekly := func(edit func(*contract.Weekly)) contract.Override {
		w := good
		edit(&w)
		return contract.Override{Name: "x", Weekly: &w}
	}
	for want, o := range map[string]contract.Override{
		"either from and until, or weekly must be set":         {Name: "x"},
		"override x: either from and until, or weekly must be": {Name: "x", From: &from},
		"override x: either from and until":                    {Name: "x", From: &from, Until: &until, Weekly: &good},
		"from must be before until":                            {Name: "x", From: &until, Until: &from},
		"override x: from must be before until":                {Name: "x", From: &from, Until: &from},
		`weekly.days: "Caturday" is no day of the week`:        weekly(func(w *contract.Weekly) { w.Days = append(w.Days, "Caturday") }),
		"weekly.days: there is none":                           weekly(func(w *contract.Weekly) { w.Days = nil }),
		`weekly.start: "24:00" is no time of day`:              weekly(func(w *contract.Weekly) { w.Start = "24:00" }),
		`weekly.start: "8:00" is no time of day`:               weekly(func(w *contract.Weekly) { w.Start = "8:00" }),
		`weekly.start: "-1:00" is no time of day`:              weekly(func(w *contract.Weekly) { w.Start = "-1:00" }),
		`weekly.end: "24:01" is no time of day`:                weekly(func(w *contract.Weekly) { w.End = "24:01" }),
		`weekly.end: "18:60" is no time of day`:                weekly(func(w *contract.Weekly) { w.End = "18:60" }),
		`weekly.end: "" is no time of day`:                     weekly(func(w *contract.Weekly) { w.End = "" }),
		"weekly.timeZone: unknown time zone Mars/Olympus":      weekly(func(w *contract.Weekly) { w.TimeZone = "Mars/Olympus" }),
	} {
		if _, err := contract.NewSchedule([]contract.Override{o}, time.LoadLocation); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
