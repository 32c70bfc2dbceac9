// SPDX-License-Identifier: Apache-2.0

package limits

import "time"

// Offset is what is known of the CRM's clock: at any instant t of ours it shows between t+Min and t+Max. Periods of a calendar are the CRM's, so both ends of a
// period are guarded by the width of this interval.
type Offset struct {
	Min, Max time.Duration
}

// UnknownOffset holds while the CRM has not told its time: both clocks are then taken to be set right within five minutes.
func UnknownOffset() Offset { return Offset{Min: -5 * time.Minute, Max: 5 * time.Minute} }

// Day returns the calendar day in loc that contains t: [start, end) runs from one local midnight to the next, or from the first instant of the date where a
// change of the zone's offset skips midnight. Days of 23 or 25 hours are as long as they are.
func Day(t time.Time, loc *time.Location) (start, end time.Time) {
	y, m, d := t.In(loc).Date()
	start, end = startOfDate(y, m, d, loc), startOfDate(y, m, d+1, loc)
	// Where clocks are set back across midnight a date begins, is left for an hour and comes again: its day began the first time.
	for !t.Before(end) {
		d++
		start, end = end, startOfDate(y, m, d+1, loc)
	}
	return start, end
}

// startOfDate is the first instant at which clocks in loc show the date. Days outside a month's range are normalised as time.Date does.
func startOfDate(y int, m time.Month, d int, loc *time.Location) time.Time {
	noonBefore := time.Date(y, m, d-1, 12, 0, 0, 0, loc)
	midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	_, before := noonBefore.Zone()
	start := midnight.Add(-time.Duration(before) * time.Second)
	_, change := noonBefore.ZoneBounds()
	if change.IsZero() || change.After(start) {
		return start.In(loc)
	}
	_, after := change.Zone()
	start = midnight.Add(-time.Duration(after) * time.Second)
	if start.Before(change) { // clocks were set forward over midnight
		start = change
	}
	return start.In(loc)
}
