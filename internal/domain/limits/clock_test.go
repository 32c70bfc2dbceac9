// SPDX-License-Identifier: Apache-2.0

package limits_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

func TestDay(t *testing.T) {
	for name, tc := range map[string]struct {
		zone, at, start string
		hours           float64
	}{
		"an ordinary day":                                         {"Europe/Berlin", "2026-07-01T10:00:00Z", "2026-06-30T22:00:00Z", 24},
		"the first instant belongs to the day":                    {"Europe/Berlin", "2026-06-30T22:00:00Z", "2026-06-30T22:00:00Z", 24},
		"the last instant belongs to the day before":              {"Europe/Berlin", "2026-06-30T21:59:59.999999999Z", "2026-06-29T22:00:00Z", 24},
		"Berlin loses an hour in spring":                          {"Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", 23},
		"Berlin gains an hour in autumn":                          {"Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", 25},
		"Santiago skips midnight in spring":                       {"America/Santiago", "2026-09-06T12:00:00Z", "2026-09-06T04:00:00Z", 23},
		"the day before Santiago skips midnight":                  {"America/Santiago", "2026-09-05T12:00:00Z", "2026-09-05T04:00:00Z", 24},
		"Santiago repeats the hour before midnight in autumn":     {"America/Santiago", "2026-04-04T12:00:00Z", "2026-04-04T03:00:00Z", 25},
		"the repeated hour in Santiago belongs to the old day":    {"America/Santiago", "2026-04-05T03:30:00Z", "2026-04-04T03:00:00Z", 25},
		"the day after Santiago's long one":                       {"America/Santiago", "2026-04-05T04:00:00Z", "2026-04-05T04:00:00Z", 24},
		"Lord Howe loses half an hour in spring":                  {"Australia/Lord_Howe", "2026-10-04T01:00:00Z", "2026-10-03T13:30:00Z", 23.5},
		"Lord Howe gains half an hour in autumn":                  {"Australia/Lord_Howe", "2026-04-05T01:00:00Z", "2026-04-04T13:00:00Z", 24.5},
		"Havana repeats the hour after midnight in autumn":        {"America/Havana", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", 25},
		"Samoa skipped a whole date":                              {"Pacific/Apia", "2011-12-30T09:00:00Z", "2011-12-29T10:00:00Z", 24},
		"the date after the one Samoa skipped":                    {"Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", 24},
		"St John's set clocks back across midnight":               {"America/St_Johns", "2010-11-07T12:00:00Z", "2010-11-07T02:30:00Z", 25},
		"the date that came again in St John's had begun already": {"America/St_Johns", "2010-11-07T03:00:00Z", "2010-11-07T02:30:00Z", 25},
	} {
		t.Run(name, func(t *testing.T) {
			at, want := instant(t, tc.at), instant(t, tc.start)
			start, end := limits.Day.Containing(at, location(t, tc.zone))
			if !start.Equal(want) || end.Sub(start).Hours() != tc.hours {
				t.Errorf("Day(%s) = %s for %s, want %s for %vh", tc.at, start.UTC().Format(time.RFC3339), end.Sub(start), tc.start, tc.hours)
			}
		})
	}
}

// TestDaysFollowEachOther walks through years of instants: each is in its day, and days leave no gap and do not overlap.
func TestDaysFollowEachOther(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo", "Asia/Beirut", "Pacific/Apia"} {
		t.Run(zone, func(t *testing.T) {
			loc := location(t, zone)
			at := instant(t, "2009-01-01T00:00:00Z")
			_, end := limits.Day.Containing(at, loc)
			for ; at.Year() < 2013; at = at.Add(29 * time.Minute) {
				s, e := limits.Day.Containing(at, loc)
				if at.Before(s) || !at.Before(e) {
					t.Fatalf("%s is outside its day, %s to %s", at, s, e)
				}
				if e.Equal(end) {
					continue
				}
				if !s.Equal(end) {
					t.Fatalf("the day before %s ended at %s, not when it began", s, end)
				}
				end = e
			}
		})
	}
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestHoursAndMonths(t *testing.T) {
	for name, tc := range map[string]struct {
		period   limits.Period
		zone, at string
		start    string
		want     time.Duration
	}{
		"an hour":                                 {limits.Hour, "Europe/Berlin", "2026-07-01T10:59:59Z", "2026-07-01T10:00:00Z", time.Hour},
		"a half hour's zone":                      {limits.Hour, "Asia/Kolkata", "2026-07-01T10:29:59Z", "2026-07-01T09:30:00Z", time.Hour},
		"the hour that comes twice, first":        {limits.Hour, "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", 2 * time.Hour},
		"the hour that comes twice, then":         {limits.Hour, "Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T00:00:00Z", 2 * time.Hour},
		"the hour after it":                       {limits.Hour, "Europe/Berlin", "2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z", time.Hour},
		"the hour before one that is skipped":     {limits.Hour, "Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29T00:00:00Z", time.Hour},
		"the hour after one that is skipped":      {limits.Hour, "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", time.Hour},
		"an hour of which half comes twice":       {limits.Hour, "Australia/Lord_Howe", "2026-04-04T15:10:00Z", "2026-04-04T14:00:00Z", 90 * time.Minute},
		"a month":                                 {limits.Month, "UTC", "2026-02-28T23:59:59Z", "2026-02-01T00:00:00Z", 28 * 24 * time.Hour},
		"a month that clocks make longer":         {limits.Month, "Europe/Berlin", "2026-10-31T12:00:00Z", "2026-09-30T22:00:00Z", 745 * time.Hour},
		"a month that clocks make shorter":        {limits.Month, "Europe/Berlin", "2026-03-01T00:00:00Z", "2026-02-28T23:00:00Z", 743 * time.Hour},
		"the last moment of a year is December's": {limits.Month, "America/New_York", "2027-01-01T04:59:59Z", "2026-12-01T05:00:00Z", 31 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			loc, err := time.LoadLocation(tc.zone)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(time.RFC3339, tc.at)
			if err != nil {
				t.Fatal(err)
			}
			start, end := tc.period.Containing(at, loc)
			if got := start.UTC().Format(time.RFC3339); got != tc.start || end.Sub(start) != tc.want {
				t.Errorf("%s of %s begins at %s and takes %s, want %s and %s", tc.period, tc.at, got, end.Sub(start), tc.start, tc.want)
			}
		})
	}
}
