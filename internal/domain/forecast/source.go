// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// source is what one limit lets through for a backlog while time passes.
type source struct {
	*Capacity
	demand *[curvePoints]float64 // of others; nil if there is none
	worse  bool
	// perCall, share, most are those of the Capacity, made to fit each other.
	perCall, share, most float64
	// ready units can be taken now. owed is what others asked for and did not get.
	ready, owed float64
	// next is when a rolling window or a calendar period begins anew.
	next time.Duration
	// window is what can be taken in a rolling one, and burst the part of it that is sent at once when it begins.
	window, burst float64
	// margin is by how much more is kept free for others than they are going to ask for; of a rolling limit per window, at the rate usual, of a calendar one
	// for all of a period that began with usual to be asked for.
	margin, usual float64
}

func newSource(c *Capacity, worse bool) source {
	s := source{Capacity: c, worse: worse, perCall: c.PerCall, ready: float64(max(0, c.Free)), owed: float64(max(0, c.Waiting)), next: math.MaxInt64}
	s.most = float64(max(0, min(c.Most, c.Max)))
	s.share = max(0, min(float64(c.Share), s.most))
	if c.Ahead != nil {
		s.demand = &c.Ahead.p50
		if worse {
			s.demand = &c.Ahead.p95
		}
	}
	switch c.Kind {
	case limits.Rolling:
		s.next = max(1, min(c.Window, longestWindow))
		s.usual = s.asked(0, longestRate) * float64(s.next) / float64(longestRate)
		s.margin = max(0, float64(c.Reserved)-s.usual)
		if s.window = s.within(1, float64(c.Reserved)); s.window > 0 {
			s.burst = min(1, s.ready/s.window)
		}
	case limits.Calendar:
		s.next = max(0, c.Reset)
		s.begin(0, s.next)
	default:
		s.perCall = 1
	}
	return s
}

// longestRate is over what time the present rate of others is measured.
const longestRate = 30 * time.Minute

// longestWindow is far less than a Duration holds, so that multiples of a window are told.
const longestWindow = math.MaxInt64 / 64

// asked is what others ask for from one moment to another.
func (s *source) asked(from, to time.Duration) float64 {
	if s.demand == nil {
		return 0
	}
	return interpolate(s.demand, to) - interpolate(s.demand, from)
}

// within is what is left of some part of the limit when others have so much of it: the share at least, and no more than it may have.
func (s *source) within(part, others float64) float64 {
	return max(part*s.share, min(part*float64(s.Max)-others, part*s.most))
}

// nextTurn is when a step from now on has to end at the latest.
func (s *source) nextTurn(now time.Duration) time.Duration {
	switch {
	case s.Kind == limits.Rolling && now/s.next < turns:
		return now - now%s.next + s.next
	case s.Kind != limits.Rolling && now < s.next:
		return s.next
	default:
		return math.MaxInt64
	}
}

// flow lets the time go on from one moment to another for what is renewed all the time.
func (s *source) flow(from, to time.Duration) {
	switch s.Kind {
	case limits.Rolling:
		part := float64(to-from) / float64(s.next)
		if to <= turns*s.next {
			part *= 1 - s.burst
		}
		s.take(part, from, to)
	case limits.Concurrent:
		s.ready = 0 // what was not taken of a slot's time has gone
		s.take(float64(to-from)/float64(s.Hold), from, to)
	default:
		s.ready += s.kept(from) - s.kept(to)
	}
}

// turn begins a window or period anew if that is at now. What was sent at once a window ago is released at once.
func (s *source) turn(now time.Duration) {
	if s.Kind == limits.Rolling {
		s.ready = min(s.ready, s.window) // what was not taken is there for a window
	}
	switch {
	case s.Kind == limits.Rolling && now%s.next == 0 && now <= turns*s.next:
		s.take(s.burst, now, now)
	case s.Kind == limits.Calendar && s.next == now:
		s.ready, s.next = 0, math.MaxInt64
		if s.Window > 0 && now < math.MaxInt64-s.Window {
			s.next = now + s.Window
			s.begin(now, s.next)
			others := s.owed + s.asked(now, s.next) + s.margin
			s.ready = s.within(1, others)
			s.owed = max(0, others-s.margin-(float64(s.Max)-s.ready))
		}
	default:
	}
}

// take divides a part of what the limit lets through between others and this integration. For others of a rolling limit more is kept free than they ask for:
// the most that they have asked for in one window, which is the farther from the mean the fewer calls there are.
func (s *source) take(part float64, from, to time.Duration) {
	others := s.asked(from, to)
	kept := 0.0
	if s.margin > 0 {
		kept = part * s.margin
		if rate := s.asked(from, from+s.next); rate < s.usual {
			kept *= math.Sqrt(rate / s.usual)
		}
	}
	others += s.owed
	own := s.within(part, others+kept)
	s.owed = max(0, others-(part*float64(s.Max)-own))
	s.ready += own
}

// begin looks at what others ask for in a calendar period: p95 is kept free for them, and as the period passes, what they turn out not to need is not.
func (s *source) begin(now, end time.Duration) {
	s.margin, s.usual = 0, 0
	if s.worse || s.Ahead == nil {
		return
	}
	s.usual = s.asked(now, end)
	p95 := interpolate(&s.Ahead.p95, end) - interpolate(&s.Ahead.p95, now)
	s.margin = max(0, min(p95-s.usual, float64(s.Max)))
}

// kept is how much more than needed is kept free at a moment of the period.
func (s *source) kept(at time.Duration) float64 {
	if s.margin == 0 || s.usual <= 0 || s.next == math.MaxInt64 {
		return 0
	}
	return s.margin * math.Sqrt(max(0, s.asked(at, s.next)/s.usual))
}
