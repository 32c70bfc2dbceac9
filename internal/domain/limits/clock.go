// SPDX-License-Identifier: Apache-2.0

package limits

import (
	"fmt"
	"time"
)

// Offset is what is known of the CRM's clock: at any instant t of ours it shows between t+Min and t+Max. Periods of a calendar are the CRM's, so both ends of a
// period are guarded by the width of this interval.
type Offset struct {
	Min, Max time.Duration
}

// UnknownOffset holds while the CRM has not told its time: both clocks are then taken to be set right within five minutes.
func UnknownOffset() Offset { return Offset{Min: -5 * time.Minute, Max: 5 * time.Minute} }

// Period is the length of a calendar window.
type Period uint8

const (
	// Hour runs from one full hour of the local clock to the next.
	Hour Period = iota + 1
	// Day runs from one local midnight to the next.
	Day
	// Month runs from midnight of one month's first day to that of the next.
	Month
)

// String returns the name that manifests use.
func (p Period) String() string {
	switch p {
	case Hour:
		return "Hour"
	case Day:
		return "Day"
	case Month:
		return "Month"
	default:
		return fmt.Sprintf("period %d", uint8(p))
	}
}

// Longest is how long the period can be in any time zone: an hour comes twice, a day has 25 hours, a month 31 days and an hour.
func (p Period) Longest() time.Duration {
	switch p {
	case Hour:
		return 2 * time.Hour
	case Month:
		return 31*24*time.Hour + time.Hour
	default:
		return 25 * time.Hour
	}
}

// Containing returns the period in loc that contains t: [start, end) runs from the first instant at which local clocks show its name to the first at which they
// show that of the next. Days of 23 or 25 hours are as long as they are; an hour that clocks show twice is one of two hours.
func (p Period) Containing(t time.Time, loc *time.Location) (start, end time.Time) {
	l := label{t.In(loc).Year(), t.In(loc).Month(), 1, 0}
	if p != Month {
		l.day = t.In(loc).Day()
	}
	if p == Hour {
		l.hour = t.In(loc).Hour()
	}
	start, next := l.begin(loc), l.next(p)
	end = next.begin(loc)
	// Where clocks are set back a label is left for an hour and comes again: its period began the first time.
	for !t.Before(end) {
		start, next = end, next.next(p)
		end = next.begin(loc)
	}
	return start, end
}

// label is what a local clock shows, down to the hour. Values outside their range are normalised as time.Date does.
type label struct {
	year  int
	month time.Month
	day   int
	hour  int
}

func (l label) next(p Period) label {
	switch p {
	case Hour:
		l.hour++
	case Month:
		l.month++
	default:
		l.day++
	}
	return l
}

// begin is the first instant at which clocks in loc show the label, or, where they skip it, the instant at which they do.
func (l label) begin(loc *time.Location) time.Time {
	halfDayBefore := time.Date(l.year, l.month, l.day, l.hour-12, 0, 0, 0, loc)
	shown := time.Date(l.year, l.month, l.day, l.hour, 0, 0, 0, time.UTC)
	_, before := halfDayBefore.Zone()
	start := shown.Add(-time.Duration(before) * time.Second)
	_, change := halfDayBefore.ZoneBounds()
	if change.IsZero() || change.After(start) {
		return start.In(loc)
	}
	_, after := change.Zone()
	start = shown.Add(-time.Duration(after) * time.Second)
	if start.Before(change) { // clocks were set forward over it
		start = change
	}
	return start.In(loc)
}
