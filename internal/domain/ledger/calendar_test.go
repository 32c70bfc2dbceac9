// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// halfHour is the tick of calendar worlds: Lord Howe shifts its clocks by that much.
const halfHour = 30 * time.Minute

// day is a history of calls around a midnight.
type day struct {
	limit  limits.Limit
	start  time.Time
	delays []int // in ticks
	// late is how many ticks after its answer a call can be counted.
	late int
	// believed is what the ledger knows of the CRM's clock.
	believed limits.Offset
}

type span struct{ sent, end time.Time }

// run sends calls as soon as the ledger lets them.
func (d day) run(t *testing.T) []span {
	t.Helper()
	l, err := ledger.New(d.start, []limits.Limit{d.limit}, limits.Guards{CountingDelay: time.Duration(d.late) * halfHour, History: 25 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	l.SetOffset(d.believed)
	var calls []span
	settled := 0
	for now := d.start; settled < len(d.delays); now = now.Add(halfHour) {
		if now.Sub(d.start) > 2000*time.Hour {
			t.Fatalf("only %d of %d calls were sent in 2000 hours", len(calls), len(d.delays))
		}
		l.Advance(now)
		for len(calls) < len(d.delays) && l.Used(0) < d.limit.Max {
			if err := l.Charge(now, ledger.ID(len(calls)), l.Owner("a"), ledger.Cost{1}, ledger.NoRecord); err != nil {
				t.Fatal(err)
			}
			calls = append(calls, span{now, now.Add(time.Duration(d.delays[len(calls)]) * halfHour)})
		}
		for n, c := range calls {
			if c.end.Equal(now) {
				if err := l.Settle(ledger.ID(n), now); err != nil {
					t.Fatal(err)
				}
				settled++
			}
		}
	}
	return calls
}

// dates counts, for a CRM whose clock is off by so much, the calls that it can have counted on each local date.
func (d day) dates(calls []span, off time.Duration) map[string]int64 {
	counts := map[string]int64{}
	for _, c := range calls {
		seen := ""
		for at := c.sent; !at.After(c.end.Add(time.Duration(d.late) * halfHour)); at = at.Add(halfHour) {
			if date := at.Add(off).In(d.limit.Location).Format(time.DateOnly); date != seen {
				seen = date
				counts[date]++
			}
		}
	}
	return counts
}

func (d day) overruns(calls []span, off time.Duration) bool {
	for _, n := range d.dates(calls, off) {
		if n > d.limit.Max {
			return true
		}
	}
	return false
}

// midnights are changes of the date next to changes of the clock, and one that is not.
var midnights = map[string]struct{ zone, at string }{
	"an ordinary midnight":            {"Europe/Berlin", "2026-06-30T22:00:00Z"},
	"before Berlin's short day":       {"Europe/Berlin", "2026-03-28T23:00:00Z"},
	"after Berlin's long day":         {"Europe/Berlin", "2026-10-25T23:00:00Z"},
	"the midnight Santiago skips":     {"America/Santiago", "2026-09-06T04:00:00Z"},
	"the midnight Santiago puts off":  {"America/Santiago", "2026-04-05T03:00:00Z"},
	"after Santiago's long day":       {"America/Santiago", "2026-04-05T04:00:00Z"},
	"before Lord Howe's short day":    {"Australia/Lord_Howe", "2026-10-03T13:30:00Z"},
	"after Lord Howe's 24.5 hour day": {"Australia/Lord_Howe", "2026-04-05T13:30:00Z"},
}

// days is every history of four calls around a midnight.
func days(t *testing.T, zone, at string, each func(day)) {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	midnight, err := time.Parse(time.RFC3339, at)
	if err != nil {
		t.Fatal(err)
	}
	for phase := -6; phase <= 3; phase++ {
		for most := range int64(2) {
			for n := range 81 {
				d := day{
					limit: limits.Limit{Name: "day", Kind: limits.Calendar, Period: limits.Day, Max: most + 1, Location: loc},
					start: midnight.Add(time.Duration(phase) * halfHour),
				}
				for range 4 {
					d.delays = append(d.delays, n%3)
					n /= 3
				}
				each(d)
			}
		}
	}
}

// TestCalendarWorlds lets a CRM whose clock is known to an hour count calls wherever it hurts, on every kind of day.
func TestCalendarWorlds(t *testing.T) {
	for name, tc := range midnights {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			days(t, tc.zone, tc.at, func(d day) {
				d.late, d.believed = 1, limits.Offset{Min: -2 * halfHour, Max: 2 * halfHour}
				calls := d.run(t)
				for off := d.believed.Min; off <= d.believed.Max; off += halfHour {
					if d.overruns(calls, off) {
						t.Fatalf("overrun by a clock that is off by %s in %+v: %v, dates %v", off, d, calls, d.dates(calls, off))
					}
				}
				for n, c := range calls {
					// A call close to midnight counts on two days; besides, each day lets Max through.
					if latest := time.Duration(n/int(d.limit.Max)+1)*25*time.Hour + d.believed.Max; c.sent.Sub(d.start) > latest {
						t.Fatalf("call %d was held back until %s in %+v", n, c.sent, d)
					}
				}
			})
		})
	}
}

// TestCalendarNegativeControls: a ledger that trusts its own clock, or that does not wait for late counting, overruns.
func TestCalendarNegativeControls(t *testing.T) {
	for name, tc := range map[string]struct {
		off  time.Duration
		late int
	}{
		"the CRM's clock is behind": {-2 * halfHour, 0},
		"the CRM's clock is ahead":  {2 * halfHour, 0},
		"the CRM counts late":       {0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			found := 0
			days(t, "Europe/Berlin", "2026-06-30T22:00:00Z", func(d day) {
				calls := d.run(t)
				d.late = tc.late
				if d.overruns(calls, tc.off) {
					found++
				}
			})
			if found == 0 {
				t.Error("the judge saw no overrun")
			}
		})
	}
}

// TestALearntClockReleasesYesterday: what counted for two days while the clock was unknown is released once the CRM has told its time.
func TestALearntClockReleasesYesterday(t *testing.T) {
	midnight := time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC)
	day := limits.Limit{Name: "day", Kind: limits.Calendar, Period: limits.Day, Max: 9, Location: time.UTC}
	l, err := ledger.New(midnight.Add(-4*time.Minute), []limits.Limit{day}, limits.DefaultGuards())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Charge(midnight.Add(-4*time.Minute), 1, l.Owner("a"), ledger.Cost{1}, ledger.NoRecord); err != nil {
		t.Fatal(err)
	}
	if err := l.Settle(1, midnight.Add(-4*time.Minute)); err != nil {
		t.Fatal(err)
	}
	opens, _ := l.NextRelease()
	if want := midnight.Add(5 * time.Minute); !opens.Equal(want) {
		t.Errorf("the next period opens at %s, want %s: five minutes is what is known of the clock", opens, want)
	}
	l.Advance(midnight.Add(6 * time.Minute))
	if got := l.Used(0); got != 1 {
		t.Errorf("used %d with an unknown clock, want 1: the call can have counted after midnight", got)
	}
	l.SetOffset(limits.Offset{Min: -time.Second, Max: time.Second})
	l.Advance(midnight.Add(6 * time.Minute))
	if got := l.Used(0); got != 0 {
		t.Errorf("used %d with a known clock, want 0", got)
	}
}

// TestAClockTellsLessOfYesterday: an offset learnt now held for the hours before only as far as clocks do not drift.
func TestAClockTellsLessOfYesterday(t *testing.T) {
	midnight := time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC)
	day := limits.Limit{Name: "day", Kind: limits.Calendar, Period: limits.Day, Max: 9, Location: time.UTC}
	for before, want := range map[time.Duration]int64{10 * time.Second: 1, 30 * time.Second: 0} {
		l, err := ledger.New(midnight.Add(-time.Minute), []limits.Limit{day}, limits.Guards{DriftPPM: 500, History: 25 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		answered(t, l, midnight.Add(-before), 1, "a", 1)
		l.SetOffset(limits.Offset{})
		l.Advance(midnight.Add(10 * time.Hour)) // 18 s of drift
		if used := l.Used(0); used != want {
			t.Errorf("ten hours after midnight %d calls of %s before it count, want %d", used, before, want)
		}
	}
}

// TestAPeriodLeftIsNotEnteredAgain: neither instants nor an estimate that go back reopen yesterday, not even for a limit that is new.
func TestAPeriodLeftIsNotEnteredAgain(t *testing.T) {
	midnight := time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC)
	day := limits.Limit{Name: "day", Kind: limits.Calendar, Period: limits.Day, Max: 9, Location: time.UTC}
	l, err := ledger.New(midnight, []limits.Limit{day}, limits.DefaultGuards())
	if err != nil {
		t.Fatal(err)
	}
	l.SetOffset(limits.Offset{})
	l.Advance(midnight)
	l.SetOffset(limits.UnknownOffset())
	l.Advance(midnight.Add(-time.Hour))
	if err := l.SetLimits(midnight, []limits.Limit{day}); err != nil {
		t.Fatal(err)
	}
	if start, _, ok := l.Period(0); !ok || !start.Equal(midnight) {
		t.Errorf("the period starts at %s, want %s", start, midnight)
	}
}
