// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

const minutesPerDay = 24 * 60

// Hours are a Weekly in numbers, by which both planes decide whether an override holds.
type Hours struct {
	// Days on which they begin, by time.Weekday.
	Days [7]bool
	// Start and End are minutes of the day, End up to 24 hours. An End that is not after Start is on the next day.
	Start, End int
}

// Hours reads the days and times; its error names the field that is wrong. The time zone is not looked at.
func (w Weekly) Hours() (Hours, error) {
	var h Hours
	var errs []error
	for _, name := range w.Days {
		day := weekday(name)
		if day < 0 {
			errs = append(errs, fmt.Errorf("days: %q is no day of the week", name))
			continue
		}
		h.Days[day] = true
	}
	if h.Days == [7]bool{} {
		errs = append(errs, errors.New("days: there is none"))
	}
	var startOK, endOK bool
	h.Start, startOK = minuteOfDay(w.Start)
	h.End, endOK = minuteOfDay(w.End)
	if !startOK || h.Start == minutesPerDay {
		errs = append(errs, fmt.Errorf("start: %q is no time of day such as 08:00", w.Start))
	}
	if !endOK {
		errs = append(errs, fmt.Errorf("end: %q is no time of day such as 18:00", w.End))
	}
	return h, errors.Join(errs...)
}

func weekday(name string) int {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if day.String() == name {
			return int(day)
		}
	}
	return -1
}

// minuteOfDay reads "08:00", up to "24:00".
func minuteOfDay(text string) (int, bool) {
	if text == "24:00" {
		return minutesPerDay, true
	}
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
}

// Include says whether clocks that show this minute of the week, from 0 at Sunday 00:00 to 10079, are within the hours.
func (h Hours) Include(minuteOfWeek int) bool {
	day, minute := minuteOfWeek/minutesPerDay, minuteOfWeek%minutesPerDay
	if h.Start < h.End {
		return h.Days[day] && h.Start <= minute && minute < h.End
	}
	return h.Days[day] && h.Start <= minute || h.Days[(day+6)%7] && minute < h.End
}

// MinuteOfWeek is what clocks show at t in its location, for Include.
func MinuteOfWeek(t time.Time) int {
	return int(t.Weekday())*minutesPerDay + t.Hour()*60 + t.Minute()
}

// Schedule tells which of an integration's overrides holds when.
type Schedule struct {
	spans []span
}

// span is one override.
type span struct {
	from, until time.Time
	// zone is nil for an override that holds once.
	zone  *time.Location
	hours Hours
}

// NewSchedule reads overrides; zone is time.LoadLocation, or a cache of it. The error names the override and the field that is wrong.
func NewSchedule(overrides []Override, zone func(name string) (*time.Location, error)) (Schedule, error) {
	var s Schedule
	for _, o := range overrides {
		read, err := o.span(zone)
		if err != nil {
			return Schedule{}, fmt.Errorf("override %s: %w", o.Name, err)
		}
		s.spans = append(s.spans, read)
	}
	return s, nil
}

func (o Override) span(zone func(string) (*time.Location, error)) (span, error) {
	once := o.From != nil && o.Until != nil
	switch {
	case (o.From != nil) != (o.Until != nil) || once == (o.Weekly != nil):
		return span{}, errors.New("either from and until, or weekly must be set")
	case once && !o.From.Before(*o.Until):
		return span{}, errors.New("from must be before until")
	case once:
		return span{from: *o.From, until: *o.Until}, nil
	}
	hours, err := o.Weekly.Hours()
	if err != nil {
		return span{}, fmt.Errorf("weekly.%w", err)
	}
	location, err := zone(o.Weekly.TimeZone)
	if err != nil {
		return span{}, fmt.Errorf("weekly.timeZone: %w", err)
	}
	return span{zone: location, hours: hours}, nil
}

// At is the index of the override that holds at t, or -1 if none does. It changes at the begin and end of overrides that hold once, and otherwise only at whole
// minutes.
func (s Schedule) At(t time.Time) int {
	return slices.IndexFunc(s.spans, func(p span) bool {
		if p.zone == nil {
			return !t.Before(p.from) && t.Before(p.until)
		}
		return p.hours.Include(MinuteOfWeek(t.In(p.zone)))
	})
}

// ShareAt is the share in force at t, by the Schedule of the integration's overrides.
func (i Integration) ShareAt(s Schedule, t time.Time) Share {
	if n := s.At(t); n >= 0 {
		return i.Overrides[n].Share
	}
	return i.Share
}
