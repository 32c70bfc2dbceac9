// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/url"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

const (
	// maxHolds bounds the operations and records that are held back at a time. One more has all calls wait.
	maxHolds = 1024
	// keepHold is how long a hold is remembered after its pause when no call comes to probe it.
	keepHold = 10 * time.Minute
)

// subject is what a refusal can be about, short of the licence: the call's operation or endpoint, and its record.
type subject struct{ operation, method, target string }

func subjectOf(c *call.Call) subject { return subject{c.Operation, c.Method, c.Target} }

// holds are gates for calls that the CRM refuses while it takes others.
type holds map[string]*gate

// endpointKey is the operation, or if it has no name the method and the shape of its path, in which segments with a digit stand for any.
func (s *Scheduler) endpointKey(of subject) string {
	if of.operation != "" {
		return "operation " + of.operation
	}
	segments := strings.Split(s.path(of), "/")
	for i, segment := range segments {
		if strings.ContainsAny(segment, "0123456789") {
			segments[i] = "*"
		}
	}
	return of.method + " " + strings.Join(segments, "/")
}

// recordKey is the path, whatever is done there.
func (s *Scheduler) recordKey(of subject) string { return "record " + s.path(of) }

// path of a call in canonical form.
func (s *Scheduler) path(of subject) string {
	u, err := url.ParseRequestURI(of.target)
	if err != nil { // intake takes none such
		return of.target
	}
	return s.provider.Canonical(u.Path)
}

// heldBy returns the gate that holds a call back now; nil if none does. Most of the time there are no holds, and calls are not looked at.
func (s *Scheduler) heldBy(now time.Time, of subject) *gate {
	if len(s.holds) == 0 {
		return nil
	}
	for _, key := range []string{s.endpointKey(of), s.recordKey(of)} {
		if g := s.holds[key]; g != nil && !g.open(now) {
			return g
		}
	}
	return nil
}

// held says whether a call is held back, and has the lane looked at again when the pause is over. While a probe is on its way, its end makes lanes stale.
func (s *Scheduler) held(now time.Time, l *lane, of subject) bool {
	g := s.heldBy(now, of)
	if g != nil && g.until.After(now) {
		l.staleAt = earlier(l.staleAt, g.until)
	}
	return g != nil
}

// passHolds notes that a call was let through: it is the probe of what held it back.
func (s *Scheduler) passHolds(f *flight) {
	if len(s.holds) == 0 {
		return
	}
	for _, key := range []string{s.endpointKey(f.about), s.recordKey(f.about)} {
		if g := s.holds[key]; g != nil {
			g.sent(f.id)
		}
	}
}

// refuse holds back what an answer has refused, and says until when.
func (s *Scheduler) refuse(now time.Time, f *flight, v dialect.Verdict) time.Time {
	random := s.options.Random.Float64()
	s.settleHolds(f)
	key := ""
	switch v.Scope {
	case dialect.ScopeLicence:
	case dialect.ScopeOperation:
		key = s.endpointKey(f.about)
	case dialect.ScopeRecord:
		key = s.recordKey(f.about)
	}
	s.forgetHolds(now)
	g := s.holds[key]
	if key == "" || g == nil && len(s.holds) >= maxHolds {
		s.refusals.fail(now, f.id, s.lastID, v.Wait, random)
		return s.refusals.until
	}
	if g == nil {
		g = &gate{least: s.refusals.least, most: s.refusals.most}
		s.holds[key] = g
	}
	s.refusals.forget(f.id)
	g.fail(now, f.id, s.lastID, v.Wait, random)
	s.staleAll()
	return g.until
}

// settleHolds notes that a call ended that may have been a probe: unless it is said otherwise, it told nothing.
func (s *Scheduler) settleHolds(f *flight) {
	for _, g := range s.holds {
		if g.probe == f.id {
			g.forget(f.id)
			s.staleAll()
		}
	}
}

// openHolds ends what holds calls back that are like one which the CRM took.
func (s *Scheduler) openHolds(f *flight) {
	if len(s.holds) == 0 {
		return
	}
	for _, key := range []string{s.endpointKey(f.about), s.recordKey(f.about)} {
		if g := s.holds[key]; g != nil {
			g.pass(f.id)
			if !g.shut {
				delete(s.holds, key)
				s.staleAll()
			}
		}
	}
}

// forgetHolds forgets those that nothing has probed for long.
func (s *Scheduler) forgetHolds(now time.Time) {
	for key, g := range s.holds {
		if g.probe == 0 && now.Sub(g.until) > keepHold {
			delete(s.holds, key)
		}
	}
}

// answerOf is what the provider is shown of an answer.
func (s *Scheduler) answerOf(f *flight, o upstream.Outcome) dialect.Answer {
	a := dialect.Answer{Method: f.about.method, Path: s.path(f.about), Status: o.Answer.Status, Header: o.Answer.Header}
	if o.Rest == nil {
		body := peek(o.Answer)
		a.Body = body[:min(len(body), dialect.MaxAnswer)]
	}
	return a
}
