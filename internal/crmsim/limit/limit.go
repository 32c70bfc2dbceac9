// SPDX-License-Identifier: Apache-2.0

// Package limit says how a simulated CRM limits its callers, and counts calls the way such a CRM does.
//
// A Limit is data: the enforcing counters of this package and the judge read the same Limit, but share no code that counts.
package limit

import (
	"time"
)

// Kind is how a limit's window lies in time.
type Kind string

// The kinds of limit.
const (
	// Rolling counts the calls of the last Window at any moment.
	Rolling Kind = "rolling"
	// Fixed counts in windows of length Window that start at the Unix epoch plus Offset plus a multiple of Window.
	Fixed Kind = "fixed"
	// TokenBucket refills Calls tokens per Window, holds at most Burst of them, and starts full.
	TokenBucket Kind = "bucket"
	// Weighted estimates the calls of the last Window from two windows like those of Fixed: those of the present one, and of the one
	// before it the part that the last Window still covers.
	Weighted Kind = "weighted"
	// Stepped counts in steps of length Step, and takes those for the last Window's that it overlaps: up to a Step too many.
	Stepped Kind = "stepped"
	// CalendarHour counts from one full hour of local clocks in Zone to the next. An hour that clocks show twice is one.
	CalendarHour Kind = "hour"
	// CalendarDay counts from local midnight to the next one in Zone.
	CalendarDay Kind = "calendar"
	// CalendarMonth counts from local midnight of a month's first day to that of the next.
	CalendarMonth Kind = "month"
	// Concurrent bounds the calls that are being served at one moment.
	Concurrent Kind = "concurrent"
	// Jobs bounds the calls that are being served or have started a job that has not ended.
	Jobs Kind = "jobs"
)

// Apart says for what a limit counts apart.
type Apart string

// What a limit counts apart.
const (
	// PerRecord: each record that a path names has the limit for itself. Calls without a record do not count.
	PerRecord Apart = "record"
	// PerCredential: each credential has the limit for itself.
	PerCredential Apart = "credential"
)

// Limit is one limit of a licence.
type Limit struct {
	// Name identifies the limit in reports; unique within a licence.
	Name string
	// Calls is how many calls fit into one window (or are refilled per window, or may be in flight): 1 to MaxCalls. With Costs it is units.
	Calls int
	Kind  Kind
	// Window is the length of the window; unused by the calendar kinds, Concurrent and Jobs.
	Window time.Duration
	// Offset moves the windows of a Fixed or Weighted limit: 0 <= Offset < Window.
	Offset time.Duration
	// Burst is the size of a TokenBucket, in calls: 1 to MaxCalls.
	Burst int
	// Step is the length of a Stepped limit's steps. It divides Window.
	Step time.Duration
	// Zone is the time zone of a calendar limit.
	Zone *time.Location

	// Match narrows the limit to some calls.
	Match
	// Per makes the limit count apart; empty means that all calls count together.
	Per Apart
	// Costs are what calls take, in units; 1 for operations that it does not name.
	Costs []Cost

	// Skew is how far the clocks of the CRM's nodes are off, to both sides: each call is stamped by one of them, with its own clock, and counted by all.
	Skew time.Duration
	// Late is how long after its execution a call may come to be counted.
	Late time.Duration

	// Shown is what the CRM says that Calls were, 0 for the truth.
	Shown int

	// JudgeOnly limits are reported when broken but never refuse a call.
	JudgeOnly bool
}

// Cost is what a call of one operation takes of a limit: 1 to MaxCost.
type Cost struct {
	Operation string
	Units     int
}

// PeriodAt returns the window of a Fixed, Weighted or calendar limit that t lies in, as [start, end). A day has 23 to 25 hours where clocks change.
func (l Limit) PeriodAt(t time.Time) (start, end time.Time) {
	local := t.In(zoneOf(l))
	year, month, day := local.Date()
	switch l.Kind {
	case CalendarHour:
		return hourAt(local)
	case CalendarDay:
		return time.Date(year, month, day, 0, 0, 0, 0, l.Zone), time.Date(year, month, day+1, 0, 0, 0, 0, l.Zone)
	case CalendarMonth:
		return time.Date(year, month, 1, 0, 0, 0, 0, l.Zone), time.Date(year, month+1, 1, 0, 0, 0, 0, l.Zone)
	default:
		into := time.Duration((t.UnixNano() - int64(l.Offset)) % int64(l.Window))
		if into < 0 {
			into += l.Window
		}
		return t.Add(-into), t.Add(l.Window - into)
	}
}

func zoneOf(l Limit) *time.Location {
	if l.Zone == nil {
		return time.UTC
	}
	return l.Zone
}

// quarter: clocks are set by quarters of an hour, and at one, so none shows another hour within it.
const quarter = 15 * time.Minute

// hourAt goes by quarters to both sides as long as clocks show the same hour of the same day.
func hourAt(t time.Time) (start, end time.Time) {
	start = t.Truncate(quarter)
	for sameHour(start.Add(-quarter), t) {
		start = start.Add(-quarter)
	}
	end = t.Truncate(quarter).Add(quarter)
	for sameHour(end, t) {
		end = end.Add(quarter)
	}
	return start, end
}

func sameHour(a, b time.Time) bool { return a.Hour() == b.Hour() && a.Day() == b.Day() }
