// SPDX-License-Identifier: Apache-2.0

// Package hidden learns limits that a CRM enforces and no manifest declares, from the calls that it took and those that it refused while all known limits had room.
//
// A limit of N calls a window of length W is believed when it explains what was seen: at each refusal at least N calls had been taken within W, and hardly any call was
// taken when there were as many. Refusals that others cause, or an outage, come at any number of calls, so no N explains them. A limit that is believed is kept, tried
// now and then whether it has grown, and forgotten when it is not heard of for a day or what is taken refutes it.
//
// A Learner has no clock and no lock: one goroutine owns it and passes instants of one timeline that is never stepped. Calls that are alike share a subject, any name
// of the caller's.
package hidden

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// Expiry is how long a limit is believed after the last refusal that told of it.
const Expiry = 24 * time.Hour

// maxSubjects are followed at a time, those that were used last. Each takes up to a hundred kilobytes.
const maxSubjects = 64

// Limit is one that was learnt. It counts the calls of one subject.
type Limit struct {
	Subject string
	// Calls that the CRM takes in any interval of length Window.
	Calls  int64
	Window time.Duration
	// Since is when it was learnt, Refused when a refusal told of it last, Refusals how many have.
	Since, Refused time.Time
	Refusals       int64
}

// Expires is when the limit is forgotten if no refusal tells of it until then.
func (l Limit) Expires() time.Time { return l.Refused.Add(Expiry) }

// Learner follows the calls of many subjects. Make one with New.
type Learner struct {
	guards   limits.Guards
	began    int64
	subjects map[string]*subject
	// evicted: some subjects were dropped, so a new one may have had calls before.
	evicted bool
}

// New returns a learner that knows of no calls before now.
func New(now time.Time, g limits.Guards) *Learner {
	return &Learner{guards: g, began: now.UnixNano(), subjects: map[string]*subject{}}
}

// Sent notes that a call leaves. Each is followed by one of Taken, Refused and Ended.
func (l *Learner) Sent(of string, now time.Time) {
	if s := l.follow(of, now); s != nil {
		s.send(now.UnixNano())
	}
}

// Taken notes that the CRM took a call which was sent and answered then. It reports whether a limit was learnt or forgotten by that.
func (l *Learner) Taken(of string, began, ended time.Time) (news bool) {
	s := l.end(of)
	if s == nil {
		return false
	}
	before := s.bound
	s.take(began.UnixNano(), ended.UnixNano())
	return (before == nil) != (s.bound == nil)
}

// Refused notes that the CRM refused a call while all known limits had room; retry is for how long it asked to be left alone, 0 if it did not say.
func (l *Learner) Refused(of string, began, ended time.Time, retry time.Duration) {
	if s := l.end(of); s != nil {
		s.refuse(began.UnixNano(), ended.UnixNano(), retry)
	}
}

// Ended notes that a call ended in a way that says nothing of a hidden limit.
func (l *Learner) Ended(of string) { l.end(of) }

// Held says whether a call has to wait for a limit that was learnt, and until when; zero if only the end of a call in flight can free it.
func (l *Learner) Held(of string, now time.Time) (until time.Time, held bool) {
	s := l.subjects[of]
	if s == nil {
		return time.Time{}, false
	}
	at, held := s.held(now.UnixNano())
	if at > 0 {
		until = time.Unix(0, at)
	}
	return until, held
}

// Of returns what was learnt of a subject, and false if nothing was.
func (l *Learner) Of(subject string) (Limit, bool) {
	s := l.subjects[subject]
	if s == nil || s.bound == nil {
		return Limit{}, false
	}
	return s.bound.limit(subject), true
}

// Limits are those that are believed at now, by subject.
func (l *Learner) Limits(now time.Time) (all []Limit) {
	for of, s := range l.subjects {
		if s.expire(now.UnixNano()); s.bound != nil {
			all = append(all, s.bound.limit(of))
		}
	}
	slices.SortFunc(all, func(a, b Limit) int { return cmp.Compare(a.Subject, b.Subject) })
	return all
}

// Forget drops the limits that are known by now.
func (l *Learner) Forget(now time.Time, known func(Limit) bool) {
	for of, s := range l.subjects {
		if s.bound != nil && known(s.bound.limit(of)) {
			s.forget(now.UnixNano())
		}
	}
}

// Restore goes on from limits of an earlier learner. Of calls before it knows nothing, so for the length of each window one call at a time is let through.
func (l *Learner) Restore(now time.Time, learnt []Limit) {
	for _, limit := range learnt {
		if s := l.follow(limit.Subject, now); s != nil {
			s.bound = newBound(limit, l.guards)
			s.bound.cautiousUntil = now.UnixNano() + s.bound.hold
			s.expire(now.UnixNano())
		}
	}
}

// follow returns the subject, a new one if it is not known; nil if there are too many in use.
func (l *Learner) follow(of string, now time.Time) *subject {
	if s := l.subjects[of]; s != nil {
		return s
	}
	if len(l.subjects) >= maxSubjects && !l.evict() {
		return nil
	}
	s := &subject{guards: l.guards, since: l.began, used: now.UnixNano()}
	if l.evicted {
		s.since = s.used
	}
	l.subjects[of] = s
	return s
}

// evict drops the subject that was used least lately, of those of which nothing was learnt.
func (l *Learner) evict() bool {
	idle := slices.DeleteFunc(slices.Collect(maps.Keys(l.subjects)), func(of string) bool {
		return l.subjects[of].bound != nil || l.subjects[of].open > 0
	})
	if len(idle) == 0 {
		return false
	}
	delete(l.subjects, slices.MinFunc(idle, func(a, b string) int { return cmp.Compare(l.subjects[a].used, l.subjects[b].used) }))
	l.evicted = true
	return true
}

// end takes a call out of those in flight; nil if its subject is not followed.
func (l *Learner) end(of string) *subject {
	s := l.subjects[of]
	if s != nil {
		s.open = max(0, s.open-1)
	}
	return s
}
