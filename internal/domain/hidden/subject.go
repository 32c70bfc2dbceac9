// SPDX-License-Identifier: Apache-2.0

package hidden

import (
	"slices"
	"sort"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

const (
	// maxTaken and maxRefused bound what is remembered of a subject: five windows of a limit of some 700 calls.
	maxTaken, maxRefused = 4096, 256
	// dropTaken of the oldest are dropped at a time.
	dropTaken = maxTaken / 8
	// inBout refusals are remembered of a bout.
	inBout = 16
	// rounding is by how much a CRM's word on when to come again can be too long: it is in whole seconds.
	rounding = time.Second
)

// subject is what is known of calls that are alike. Instants are nanoseconds.
type subject struct {
	guards limits.Guards
	// since is from when on all calls that were taken are known, from that from which on refusals are evidence.
	since, from int64
	// used is when a call was sent last, open how many are in flight.
	used int64
	open int
	// taken and refused calls; the first in the order of their ends.
	taken   []taken
	refused []refused
	// A bout is a run of refusals without a call taken between. bouting: the last one goes on. reopened is when the first call was taken after a bout.
	bout     int
	bouting  bool
	reopened int64
	// bound is the limit that was learnt; nil if none was.
	bound *bound
}

// taken is a call that the CRM took, somewhen between its sending and its answer. reopened is that of the subject then.
type taken struct{ began, ended, reopened int64 }

// refused is a call that the CRM refused, or one that it said it would refuse.
type refused struct {
	taken
	bout int
	// announced: no call was made, but the CRM had said to come later.
	announced bool
}

func (s *subject) send(now int64) {
	s.used = now
	s.open++
	if s.bound != nil {
		s.bound.send(now, s.counted(now))
	}
}

// counted is how many calls count against the limit that was learnt.
func (s *subject) counted(now int64) int64 {
	return int64(len(s.taken) - s.endedFrom(now-s.bound.hold+1) + s.open)
}

func (s *subject) take(began, ended int64) {
	if s.bouting && began >= s.lastRefused() {
		s.reopen(began)
	}
	t := taken{began, ended, s.reopened}
	at := len(s.taken)
	for at > 0 && s.taken[at-1].ended > ended {
		at--
	}
	s.taken = slices.Insert(s.taken, at, t)
	if s.bound != nil && s.bound.proves(s.before(t, s.bound.window, false)+1) {
		s.forget(ended)
	}
	if len(s.taken) > maxTaken {
		s.since = s.taken[dropTaken-1].ended + 1
		s.taken = slices.Delete(s.taken, 0, dropTaken)
	}
}

// lastRefused is when the last call was answered that was in fact refused.
func (s *subject) lastRefused() int64 {
	for _, r := range slices.Backward(s.refused) {
		if !r.announced {
			return r.ended
		}
	}
	return 0
}

func (s *subject) refuse(began, ended int64, retry time.Duration) {
	if !s.bouting {
		s.bouting = true
		s.bout++
	}
	s.note(refused{taken: taken{began, ended, s.reopened}, bout: s.bout})
	if retry > rounding {
		at := began + int64(retry-rounding)
		s.note(refused{taken: taken{at, at, s.reopened}, bout: s.bout, announced: true})
	}
	if s.bound == nil {
		return
	}
	first := began // without any that counts the CRM's window is over when ours is
	if i := s.endedFrom(began - s.bound.hold + 1); i < len(s.taken) {
		first = s.taken[i].ended
	}
	s.bound.refuse(ended, first)
}

// note remembers a refusal. Of a long bout the first ones and the last one tell all.
func (s *subject) note(r refused) {
	if n := len(s.refused); n >= inBout && s.refused[n-inBout].bout == r.bout {
		s.refused[n-1] = r
		return
	}
	if len(s.refused) == maxRefused {
		s.refused = slices.Delete(s.refused, 0, inBout)
	}
	s.refused = append(s.refused, r)
}

// reopen ends a bout: all calls that were on their way before are known by now.
func (s *subject) reopen(at int64) {
	s.bouting, s.reopened = false, at
	s.refused = slices.DeleteFunc(s.refused, func(r refused) bool { return r.announced && r.began > at }) // it took one before
	if s.bound != nil {
		s.weigh(at)
		return
	}
	if calls, window := s.estimate(at); calls > 0 {
		told := s.refusals(s.from)
		s.bound = newBound(Limit{
			Calls: calls, Window: window, Since: time.Unix(0, at), Refused: time.Unix(0, s.lastRefused()), Refusals: int64(told),
		}, s.guards)
	}
}

// refusals counts the calls that were in fact refused from a moment on.
func (s *subject) refusals(from int64) (n int) {
	for _, r := range s.refused {
		if !r.announced && r.began >= from {
			n++
		}
	}
	return n
}

// weigh holds the last bout against the limit that was learnt.
func (s *subject) weigh(now int64) {
	least, began, known := int64(0), now, false
	for _, r := range slices.Backward(s.refused) {
		if r.bout != s.bout {
			break
		}
		began = r.began
		if n, covered := s.ahead(r, s.bound.window, false); covered && !r.announced && (!known || n < least) {
			least, known = n, true
		}
	}
	if known && !s.bound.fits(now, began, least) {
		s.from, s.bound = s.bound.confirmed, nil
	}
}

// held says whether a call has to wait for the limit that was learnt, and until when; 0 if for a call in flight.
func (s *subject) held(now int64) (until int64, held bool) {
	if s.expire(now); s.bound == nil {
		return 0, false
	}
	if now < s.bound.pausedUntil {
		return s.bound.pausedUntil, true
	}
	if now < s.bound.cautiousUntil && s.open > 0 {
		return 0, true
	}
	over := s.counted(now) + 1 - s.bound.calls
	if over > 0 && s.bound.raise(now) {
		return s.held(now)
	}
	first := s.endedFrom(now - s.bound.hold + 1)
	switch last := first + int(over) - 1; {
	case over <= 0:
		return 0, false
	case last >= len(s.taken):
		return 0, true
	default:
		return s.taken[last].ended + s.bound.hold, true
	}
}

// expire forgets a limit that has not been heard of for long.
func (s *subject) expire(now int64) {
	if s.bound != nil && now > s.bound.refused+int64(Expiry) {
		s.forget(now)
	}
}

// forget drops what was learnt, and what it was learnt from.
func (s *subject) forget(now int64) { s.bound, s.from = nil, now }

// endedFrom is the place of the first call that was answered at an instant or later.
func (s *subject) endedFrom(at int64) int {
	return sort.Search(len(s.taken), func(i int) bool { return s.taken[i].ended >= at })
}

// ahead is how many calls the CRM may have counted in its window when it refused one, and whether all of them are known. With resets a window begins at the latest when
// the CRM began to take calls again.
func (s *subject) ahead(r refused, window time.Duration, resets bool) (n int64, covered bool) {
	start := r.began - int64(window)
	if resets {
		start = max(start, r.reopened)
	}
	sent := sort.Search(len(s.taken), func(i int) bool { return s.taken[i].began > r.ended })
	return int64(max(0, sent-s.endedFrom(start))), start >= s.since
}

// before is how many calls the CRM had counted for certain in its window when it took one.
func (s *subject) before(t taken, window time.Duration, resets bool) int64 {
	start := t.ended - int64(window)
	if resets {
		start = max(start, t.reopened)
	}
	first := sort.Search(len(s.taken), func(i int) bool { return s.taken[i].began >= start })
	return int64(max(0, s.endedFrom(t.began)-first))
}
