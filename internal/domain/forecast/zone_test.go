// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestHalfHoursAreThoseOfLocalClocks asks a zone for slots in any order and compares with what the time package says of the weekday and the clock. One of the
// zones once changed its clocks within a half hour, others are east of UTC by parts of an hour or change by half an hour.
func TestHalfHoursAreThoseOfLocalClocks(t *testing.T) {
	for _, name := range []string{
		"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Monrovia", "Pacific/Kiritimati",
	} {
		t.Run(name, func(t *testing.T) {
			location, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			r, z := rand.New(rand.NewPCG(1, 1)), newZone(location)
			check := func(slot int64) {
				at := time.Unix(slot*1800, 0).In(location)
				want := (int(at.Weekday())+3)%7*48 + at.Hour()*2 + at.Minute()/30 // weeks begin on Thursday, as 1970 did
				if got := z.local(slot); got != want {
					t.Fatalf("slot %d, %s, is half hour %d of the week, want %d", slot, at, got, want)
				}
			}
			for slot := range int64(300) { // a week from the second day of 1970 on, and all clock changes of some years
				check(48 + slot)
			}
			for _, year := range []int{1972, 2025, 2026} {
				first := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / 1800
				for slot := range int64(365 * 48) {
					check(first + slot)
				}
				for range 1000 {
					check(first + r.Int64N(365*48))
				}
			}
		})
	}
}

// newZone returns one that has not been asked yet, as in a new History.
func newZone(location *time.Location) *zone { return &NewHistory(location).zone }

// TestAZoneIsLookedUpOnlyWhenItMayHaveChanged, which is twice a year.
func TestAZoneIsLookedUpOnlyWhenItMayHaveChanged(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	slotAt := func(month time.Month, day, hour int) int64 {
		return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC).Unix() / 1800
	}
	z := newZone(berlin)
	z.local(slotAt(time.July, 1, 0))
	if from, until := slotAt(time.March, 29, 1), slotAt(time.October, 25, 1); z.from != from || z.until != until {
		t.Errorf("summer time holds for slots %d to %d, want %d to %d", z.from, z.until, from, until)
	}
	utc := newZone(time.UTC)
	utc.local(1)
	if utc.from > 0 || utc.until < slotAt(time.July, 1, 0) {
		t.Errorf("UTC holds for slots %d to %d", utc.from, utc.until)
	}
}

// TestTheFirstSlotIsOfTheYearBefore where clocks are behind: a number that is not negative all the same.
func TestTheFirstSlotIsOfTheYearBefore(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	if got := newZone(newYork).local(0); got != slotsPerWeek-10 {
		t.Errorf("the first slot of 1970 is half hour %d in New York, want %d: Wednesday, 19:00", got, slotsPerWeek-10)
	}
}

func TestSlotOf(t *testing.T) {
	for name, tc := range map[string]struct {
		at     time.Time
		slot   int64
		passed float64
	}{
		"the begin of 1970":         {time.Unix(0, 0), 0, 0},
		"before it":                 {time.Unix(-7, 0), 0, 0},
		"half of the first slot":    {time.Unix(900, 0), 0, 0.5},
		"the begin of the second":   {time.Unix(1800, 0), 1, 0},
		"a nanosecond before that":  {time.Unix(1799, 999_999_999), 0, 1 - 1/1.8e12},
		"a quarter into the second": {time.Unix(2250, 0), 1, 0.25},
		"half a second counts":      {time.Unix(0, 500_000_000), 0, 0.5 / 1800},
	} {
		if slot, passed := slotOf(tc.at); slot != tc.slot || passed != tc.passed {
			t.Errorf("%s: slot %d, %v of it, want %d, %v", name, slot, passed, tc.slot, tc.passed)
		}
	}
}
