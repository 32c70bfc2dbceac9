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
	// maxOperations of them are operations: a CRM that refuses more at a time means all calls, whatever its answers say.
	maxOperations = 8
	// keepHold is how long a hold is remembered after its pause when no call comes to probe it.
	keepHold = 10 * time.Minute
	// mostHold is the longest pause of ours between two probes of an operation or record: their limits are of minutes.
	mostHold = 10 * time.Minute
)

// subject is what a refusal can be about, short of the licence: the call's operation or endpoint, and its record.
type subject struct{ operation, method, target string }

func subjectOf(c *call.Call) subject { return subject{c.Operation, c.Method, c.Target} }

// holds are gates for calls that the CRM refuses while it takes others.
type holds map[holdKey]*gate

// holdKey names a record by its path, or an operation by its name or else its endpoint.
type holdKey struct {
	record bool
	name   string
}

// keysOf are the keys of an operation and of a record under which a call can be held back. An endpoint is the method and the shape of the path, in which segments
// with a digit stand for any; a record is a path, whatever is done there.
func (s *Scheduler) keysOf(of subject) (operation, record holdKey) {
	return holdKey{name: s.likeness(of)}, holdKey{record: true, name: s.path(of)}
}

// likeness names the calls that a limit of one operation or endpoint would count with a call: its operation, or its method and the shape of its path.
func (s *Scheduler) likeness(of subject) string {
	if of.operation != "" {
		return of.operation
	}
	segments := strings.Split(s.path(of), "/")
	for i, segment := range segments {
		if strings.ContainsAny(segment, "0123456789") {
			segments[i] = "*"
		}
	}
	return of.method + " " + strings.Join(segments, "/")
}

// path of a call in canonical form.
func (s *Scheduler) path(of subject) string {
	u, err := url.ParseRequestURI(of.target)
	if err != nil { // intake takes none such
		return of.target
	}
	return s.provider.Canonical(u.Path)
}

// gatesOf returns the gates that stand in a call's way, shut or due for a probe. Most of the time there are no holds, and calls are not looked at.
func (s *Scheduler) gatesOf(of subject) (gates []*gate) {
	if len(s.holds) == 0 {
		return nil
	}
	operation, record := s.keysOf(of)
	for _, key := range []holdKey{operation, record} {
		if g := s.holds[key]; g != nil {
			gates = append(gates, g)
		}
	}
	return gates
}

// heldBy returns the gate that holds a call back now; nil if none does.
func (s *Scheduler) heldBy(now time.Time, of subject) *gate {
	for _, g := range s.gatesOf(of) {
		if !g.open(now) {
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
	until, paced := s.paced(now, of)
	if g == nil && paced {
		l.staleAt = earlier(l.staleAt, until)
	}
	return g != nil || paced
}

// passHolds notes that a call was let through: it is the probe of what held it back.
func (s *Scheduler) passHolds(f *flight) {
	for _, g := range s.gatesOf(f.about) {
		g.sent(f.id)
	}
}

// refuse holds back what an answer has refused, and says until when.
func (s *Scheduler) refuse(now time.Time, f *flight, v dialect.Verdict) time.Time {
	s.settleHolds(f)
	g := s.hold(now, f, v.Scope)
	if g == nil {
		g = &s.refusals
	} else {
		s.refusals.forget(f.id)
		s.staleAll()
	}
	g.fail(now, f.id, s.lastID, v.Wait, s.options.Random.Float64())
	return g.until
}

// hold returns the gate for what a refusal is about; nil if that is everything.
func (s *Scheduler) hold(now time.Time, f *flight, scope dialect.Scope) *gate {
	operation, record := s.keysOf(f.about)
	key := operation
	switch scope {
	case dialect.ScopeLicence:
		return nil
	case dialect.ScopeOperation:
	case dialect.ScopeRecord:
		key = record
	}
	if g := s.holds[key]; g != nil {
		return g
	}
	if s.full(now, key) {
		return nil
	}
	s.holds[key] = &gate{least: s.refusals.least, most: min(s.refusals.most, mostHold)}
	return s.holds[key]
}

// full says whether there are too many holds for one more. It forgets those that nothing has probed for long.
func (s *Scheduler) full(now time.Time, key holdKey) bool {
	operations := 0
	for other, g := range s.holds {
		switch {
		case g.probe == 0 && now.Sub(g.until) > keepHold:
			delete(s.holds, other)
		case !other.record && g.until.After(now):
			operations++
		}
	}
	return len(s.holds) >= maxHolds || !key.record && operations >= maxOperations
}

// settleHolds notes that a call ended that may have been a probe: unless it is said otherwise, it told nothing.
func (s *Scheduler) settleHolds(f *flight) {
	for _, g := range s.gatesOf(f.about) {
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
	operation, record := s.keysOf(f.about)
	for _, key := range []holdKey{operation, record} {
		if g := s.holds[key]; g != nil {
			g.pass(f.id)
			if !g.shut {
				delete(s.holds, key)
				s.staleAll()
			}
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
