// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"golang.org/x/time/rate"
)

// limiter decides when calls leave. It has no clock: instants are passed to it and do not go back.
type limiter interface {
	// asked tells that a call of the owner was asked for, whether or not it is the first in its line.
	asked(now time.Time, owner int)
	// offer tells that a call of the owner waits as first in its line, and since when it was asked for. Owners are numbered from 0.
	offer(owner int, since time.Time)
	// next takes the call of an owner that was offered: it leaves at now. If none may, again is when to ask next, zero if only an answer can change that.
	next(now time.Time) (owner int, id uint64, again time.Time, ok bool)
	// answered tells that the answer to a call was fully read.
	answered(now time.Time, id uint64)
}

// licence is the limit that a limiter is to keep: so many calls per window.
type licence struct {
	calls  int
	window time.Duration
}

// gate is how a limiter that knows nothing of integrations says when one more call may leave.
type gate interface {
	// pass takes a call at now, or says when to ask again.
	pass(now time.Time) (again time.Time, ok bool)
}

// firstCome lets whoever asked first through a gate, as callers do that wait at one limiter.
type firstCome struct {
	gate  gate
	since []time.Time // of the call that each owner offers; zero for none
	id    uint64
}

func newFirstCome(owners int, g gate) *firstCome {
	return &firstCome{gate: g, since: make([]time.Time, owners)}
}

func (f *firstCome) asked(time.Time, int) {}

func (f *firstCome) offer(owner int, since time.Time) { f.since[owner] = since }

func (f *firstCome) next(now time.Time) (owner int, id uint64, again time.Time, ok bool) {
	owner = -1
	for o, since := range f.since {
		if !since.IsZero() && (owner < 0 || since.Before(f.since[owner])) {
			owner = o
		}
	}
	if owner < 0 {
		return 0, 0, time.Time{}, false
	}
	if again, ok = f.gate.pass(now); !ok {
		return 0, 0, again, false
	}
	f.since[owner] = time.Time{}
	f.id++
	return owner, f.id, time.Time{}, true
}

func (f *firstCome) answered(time.Time, uint64) {}

// fixedWindow counts in windows by a clock of its own, which knows nothing of the CRM's.
type fixedWindow struct {
	licence
	phase time.Duration
	start time.Time
	count int
}

func (f *fixedWindow) pass(now time.Time) (time.Time, bool) {
	if start := now.Add(-f.phase).Truncate(f.window).Add(f.phase); !start.Equal(f.start) {
		f.start, f.count = start, 0
	}
	if f.count == f.calls {
		return f.start.Add(f.window), false
	}
	f.count++
	return time.Time{}, true
}

// tokenBucket is golang.org/x/time/rate.
type tokenBucket struct{ bucket *rate.Limiter }

func newTokenBucket(l licence, size int) *tokenBucket {
	return &tokenBucket{rate.NewLimiter(rate.Limit(float64(l.calls)/l.window.Seconds()), size)}
}

func (t *tokenBucket) pass(now time.Time) (time.Time, bool) {
	r := t.bucket.ReserveN(now, 1)
	delay := r.DelayFrom(now)
	if delay > 0 {
		r.CancelAt(now)
		return now.Add(delay), false
	}
	return time.Time{}, true
}

// weightedCounter estimates the last window from two fixed ones.
type weightedCounter struct {
	licence
	phase           time.Duration
	start           time.Time
	current, before int
}

// weightedPoll is how soon a weighted counter that is full is asked again: 1/1000 of the window.
const weightedPoll = 1000

func (w *weightedCounter) pass(now time.Time) (time.Time, bool) {
	start := now.Add(-w.phase).Truncate(w.window).Add(w.phase)
	if !start.Equal(w.start) {
		before := 0
		if start.Sub(w.start) == w.window {
			before = w.current
		}
		w.start, w.current, w.before = start, 0, before
	}
	left := w.window - now.Sub(start)
	if time.Duration(w.before)*left+time.Duration(w.current+1)*w.window > time.Duration(w.calls)*w.window {
		return now.Add(w.window / weightedPoll), false
	}
	w.current++
	return time.Time{}, true
}

// sendLog remembers when the calls of the last window were sent.
type sendLog struct {
	licence
	sent []time.Time
}

func (s *sendLog) pass(now time.Time) (time.Time, bool) {
	for len(s.sent) > 0 && now.Sub(s.sent[0]) >= s.window {
		s.sent = s.sent[1:]
	}
	if len(s.sent) == s.calls {
		return s.sent[0].Add(s.window), false
	}
	s.sent = append(s.sent, now)
	return time.Time{}, true
}
