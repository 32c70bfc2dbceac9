// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

const (
	// steps is in how many parts of its length the growth of a limit is kept.
	steps = 500
	// shortBelow is what a window is too long for that is seen as one among many.
	shortBelow = time.Hour
	// fading is how much of what was seen is left after one more look, leastPart the part of a window that must be over to say anything of the rest.
	fading, leastPart = 0.9, 0.25
	// leastFresh is for how long what the CRM said of a short window counts: it is a mean of many.
	leastFresh = time.Hour
)

// Survey follows one limit of a CRM that is only looked at: it is asked now and then, nobody is held back, and next to all that is used is used by others. Of a
// limit shorter than an hour a look shows one window among many, of a longer one how its use goes on. Like a Watch it has no clock and no lock.
type Survey struct {
	length   time.Duration
	calendar bool

	// at is when the CRM said last what others have used, latest what; resets is when the period ends that it was about, zero where that is not known.
	at     time.Time
	latest int64
	resets time.Time
	// units of windows, both fading: what others use of a short one.
	units, windows float64
	// grown is what came anew within the last length, in order of time.
	grown []growth
}

// growth is how many units were used anew until a moment, since the one before.
type growth struct {
	until time.Time
	units int64
}

// Look is what an answer said.
type Look struct {
	At time.Time
	// Used is what all have used of the limit, Own our part.
	Used, Own int64
	// Resets is how long after the answer the limit is renewed as a whole; 0 if it did not say.
	Resets time.Duration
}

// NewSurvey returns a survey of a limit that has a window or a period.
func NewSurvey(l limits.Limit) *Survey {
	return &Survey{length: l.Length(), calendar: l.Kind == limits.Calendar}
}

// See takes what an answer said, and returns how many units others have used anew since the one before; 0 for short windows, and for the first look.
func (s *Survey) See(x Look) int64 {
	others := max(0, x.Used-x.Own)
	if s.length < shortBelow {
		s.seeWindow(x, others)
		return 0
	}
	units := int64(0)
	switch {
	case s.at.IsZero():
	case s.calendar:
		units = s.sincePeriod(x, others)
	default:
		units = max(0, others-s.latest+s.expired(x.At))
	}
	s.keep(x.At, units)
	s.at, s.latest, s.resets = x.At, others, time.Time{}
	if x.Resets > 0 {
		s.resets = x.At.Add(x.Resets)
	}
	return units
}

// seeWindow counts a window as far as it had gone.
func (s *Survey) seeWindow(x Look, others int64) {
	part := 1.0
	if x.Resets > 0 && x.Resets <= s.length {
		part = 1 - x.Resets.Seconds()/s.length.Seconds()
	}
	if part < leastPart {
		return // too little of it to say anything of the rest
	}
	s.at, s.latest = x.At, others
	s.units, s.windows = fading*s.units+float64(others), fading*s.windows+part
}

// sincePeriod is what was used anew where a period may have ended in between.
func (s *Survey) sincePeriod(x Look, others int64) int64 {
	if others < s.latest || !s.resets.IsZero() && !x.At.Before(s.resets) {
		return others
	}
	return others - s.latest
}

// expired is what a window that moves along has forgotten since the last look. As long as its use was not followed for its whole length, that is taken to have come
// evenly.
func (s *Survey) expired(now time.Time) int64 {
	from := s.at.Add(-s.length)
	if len(s.grown) == 0 || s.grown[0].until.After(from) {
		return int64(float64(s.latest) * min(1, now.Sub(s.at).Seconds()/s.length.Seconds()))
	}
	sum := int64(0)
	for _, g := range s.grown {
		if g.until.After(from) && !g.until.After(now.Add(-s.length)) {
			sum += g.units
		}
	}
	return sum
}

// keep notes growth, in steps of a part of the length, and forgets what is older than that.
func (s *Survey) keep(now time.Time, units int64) {
	if n := len(s.grown); n > 1 && now.Sub(s.grown[n-2].until) < s.length/steps {
		s.grown[n-1].until = now
		s.grown[n-1].units += units
	} else {
		s.grown = append(s.grown, growth{now, units})
	}
	old := 0
	for old < len(s.grown)-1 && !s.grown[old+1].until.After(now.Add(-s.length)) {
		old++
	}
	s.grown = s.grown[old:]
}

// Others is what others use of a window, or have used of one that is longer than an hour; false while nothing is known, or what is known is too old.
func (s *Survey) Others(now time.Time) (int64, bool) {
	switch {
	case s.at.IsZero() || now.Sub(s.at) > max(s.length, leastFresh):
		return 0, false
	case s.length < shortBelow:
		return int64(s.units/s.windows + .5), true
	case !s.resets.IsZero() && !now.Before(s.resets):
		return 0, true
	default:
		return s.latest, true
	}
}

// Expires is what others have used of a window that moves along, in at most n steps and by when it will be forgotten; nil for other limits. What was used before the
// first look is taken to have come evenly.
func (s *Survey) Expires(now time.Time, n int) []Expiry {
	if s.calendar || s.at.IsZero() || s.length < shortBelow {
		return nil
	}
	seen := int64(0)
	for _, g := range s.grown {
		seen += g.units
	}
	before, since := max(0, s.latest-seen), s.grown[0].until
	unseen := max(0, since.Sub(now.Add(-s.length))) // the part of the window that lies before the first look
	all := make([]Expiry, n)
	for i := range all {
		all[i].After = s.length * time.Duration(i+1) / time.Duration(n)
		part := 0.0
		if unseen > 0 {
			part = min(1, all[i].After.Seconds()/unseen.Seconds())
		}
		all[i].Units = int64(part * float64(before))
		for _, g := range s.grown {
			if !g.until.Add(s.length).After(now.Add(all[i].After)) {
				all[i].Units += g.units
			}
		}
	}
	for i := n - 1; i > 0; i-- {
		all[i].Units -= all[i-1].Units
	}
	return all
}

// Expiry is how many units are forgotten until a time after now, since the one before.
type Expiry struct {
	After time.Duration
	Units int64
}
