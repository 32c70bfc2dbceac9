// Package limit says how a simulated CRM limits its callers, and counts calls the way such a CRM does.
//
// A Limit is data: the enforcing counters of this package and the judge read the same Limit, but share no code that counts.
package limit

import (
	"errors"
	"fmt"
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
	// CalendarDay counts from local midnight to the next one in Zone.
	CalendarDay Kind = "calendar"
	// Concurrent bounds the calls that are being served at one moment.
	Concurrent Kind = "concurrent"
)

// Bounds of the numbers in a Limit. They keep the bucket's integer arithmetic inside 64 bits.
const (
	MaxCalls        = 1_000_000
	MaxWindow       = 366 * 24 * time.Hour
	MaxBucketWindow = time.Hour
)

// Limit is one limit of a licence.
type Limit struct {
	// Name identifies the limit in reports; unique within a licence.
	Name string
	// Calls is how many calls fit into one window (or are refilled per window, or may be in flight): 1 to MaxCalls.
	Calls int
	Kind  Kind
	// Window is the length of the window; unused by CalendarDay and Concurrent.
	Window time.Duration
	// Offset moves the windows of a Fixed limit: 0 <= Offset < Window.
	Offset time.Duration
	// Burst is the size of a TokenBucket, in calls: 1 to MaxCalls.
	Burst int
	// Zone is the time zone of a CalendarDay.
	Zone *time.Location

	// Operation narrows the limit to one operation ("UpdateTicket"); empty means all.
	Operation string
	// Credential narrows the limit to the calls of one credential (the e-mail address of a basic credential); empty means all.
	Credential string
	// JudgeOnly limits are reported when broken but never refuse a call.
	JudgeOnly bool
}

// Applies reports whether a call of this operation by this credential counts against l.
func (l Limit) Applies(operation, credential string) bool {
	return (l.Operation == "" || l.Operation == operation) && (l.Credential == "" || l.Credential == credential)
}

// DayBounds returns the calendar day in zone that t lies in, as [start, end). A day has 23 to 25 hours where clocks change.
func DayBounds(t time.Time, zone *time.Location) (start, end time.Time) {
	year, month, day := t.In(zone).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, zone), time.Date(year, month, day+1, 0, 0, 0, 0, zone)
}

// Validate returns an error that names the field and the rule it breaks.
func (l Limit) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("limit %q: "+format, append([]any{l.Name}, args...)...))
		}
	}
	check(l.Name != "", "name must not be empty")
	check(l.Calls >= 1 && l.Calls <= MaxCalls, "calls must be 1 to %d, not %d", MaxCalls, l.Calls)
	switch l.Kind {
	case Rolling:
		check(l.Window > 0 && l.Window <= MaxWindow, "window must be positive and at most %v, not %v", MaxWindow, l.Window)
	case Fixed:
		check(l.Window > 0 && l.Window <= MaxWindow, "window must be positive and at most %v, not %v", MaxWindow, l.Window)
		check(l.Offset >= 0 && l.Offset < max(l.Window, 1), "offset must be at least 0 and less than the window, not %v", l.Offset)
	case TokenBucket:
		check(l.Window > 0 && l.Window <= MaxBucketWindow, "window of a bucket must be positive and at most %v, not %v", MaxBucketWindow, l.Window)
		check(l.Burst >= 1 && l.Burst <= MaxCalls, "burst must be 1 to %d, not %d", MaxCalls, l.Burst)
	case CalendarDay:
		check(l.Zone != nil, "calendar needs a time zone")
	case Concurrent:
	default:
		check(false, "kind %q is unknown", l.Kind)
	}
	return errors.Join(errs...)
}

// ValidateAll checks every limit and that names are unique.
func ValidateAll(limits []Limit) error {
	var errs []error
	seen := make(map[string]bool, len(limits))
	for _, l := range limits {
		errs = append(errs, l.Validate())
		if seen[l.Name] {
			errs = append(errs, fmt.Errorf("limit %q: name is used twice", l.Name))
		}
		seen[l.Name] = true
	}
	return errors.Join(errs...)
}
