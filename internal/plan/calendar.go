// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// calendar is when the overrides of one entry hold, in order of precedence. It is nil for an entry that guarantees the same at all times.
type calendar []span

// span is when one override holds: from one second of the Unix clock to another, or in the hours of a time zone.
type span struct {
	from, until int64
	zone        string
	hours       contract.Hours
}

// newCalendar reads the overrides of an entry.
func newCalendar(entry *contract.Integration, limits []contract.Limit, known zones) (calendar, error) {
	differs := false
	var c calendar
	for _, o := range entry.Overrides {
		for _, l := range limits {
			differs = differs || claimOf(o.Share, l) != claimOf(entry.Share, l)
		}
		s := span{}
		switch {
		case o.Weekly != nil:
			hours, err := o.Weekly.Hours()
			if err != nil {
				return nil, fmt.Errorf("%s: weekly.%w", o.Name, err)
			}
			if _, err := known.load(o.Weekly.TimeZone); err != nil {
				return nil, fmt.Errorf("%s: weekly.timeZone: %w", o.Name, err)
			}
			s.zone, s.hours = o.Weekly.TimeZone, hours
		case o.From != nil && o.Until != nil:
			s.from, s.until = o.From.Unix(), o.Until.Unix()
		default:
			return nil, fmt.Errorf("%s: either from and until, or weekly must be set", o.Name)
		}
		c = append(c, s)
	}
	if !differs {
		return nil, nil
	}
	return c, nil
}

const (
	day           = 24 * 60 * 60 // in seconds
	week          = 7 * day
	minutesPerDay = 24 * 60
	weekMinutes   = 7 * minutesPerDay

	// horizon, in seconds, is how far the changes of time zones are looked at: all of a year, after which they come again.
	horizon = 400 * day
)

// timeline is a set of instants among which, from now on, every combination of overrides occurs that occurs at all.
//
// Which overrides hold depends on the overrides that hold once, on the clocks of the zones, and there only on the minute of the week. Between two instants at
// which an override that holds once begins or ends, or a zone's clocks are changed, everything repeats after a week; so the first week is looked at, at its
// begin and whenever hours begin or end. Spans of time without any override that holds once need not be looked at again when the differences between the
// zones' clocks have been seen for a whole week already.
type timeline struct {
	at []int64 // seconds of the Unix clock
	// shown is the minute of the week that the clocks of a zone show at each instant.
	shown map[string][]uint16
}

// newTimeline makes the timeline of all calendars.
func newTimeline(now time.Time, calendars []calendar, known zones) *timeline {
	t := &timeline{shown: make(map[string][]uint16)}
	b := newBounds(now.Unix(), calendars, known)
	if b.empty() {
		return t
	}
	seen := make(map[string]bool)
	for n, begin := range b.once {
		end := int64(1<<63 - 1)
		if n+1 < len(b.once) {
			end = b.once[n+1]
		}
		if b.active[n] > 0 {
			b.span(t, begin, end, make(map[string]bool))
		} else {
			b.span(t, begin, end, seen)
		}
	}
	return t
}

// holding is the number of the share in force at each instant: 0 for the entry's own, n+1 for that of override n.
// It is nil if that is the entry's own at all of them.
func (t *timeline) holding(c calendar) []uint8 {
	if c == nil {
		return nil
	}
	out := make([]uint8, len(t.at))
	// The last first, so that each is painted over by those that precede it.
	for n := len(c) - 1; n >= 0; n-- {
		s := &c[n]
		if s.zone == "" {
			for i, at := range t.at {
				if s.from <= at && at < s.until {
					out[i] = uint8(n + 1)
				}
			}
			continue
		}
		for i, minute := range t.shown[s.zone] {
			if s.hours.Include(int(minute)) {
				out[i] = uint8(n + 1)
			}
		}
	}
	if !slices.ContainsFunc(out, func(s uint8) bool { return s > 0 }) {
		return nil
	}
	return out
}
