// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// question is a call that is made for the sake of its answer. Nobody waits for that, so every other call goes first.
type question struct {
	ask dialect.Request
	// read are the readings in the body of a good answer; nil if there are none.
	read func(body []byte, now time.Time) []dialect.Reading
	// end takes what became of it.
	end func(now time.Time, f *flight, o upstream.Outcome, what fate)
}

func (q question) about() subject { return subject{q.ask.Operation, q.ask.Method, q.ask.Target} }

// questions are those that it is time for, the first one first: what single applications have used is asked now and then, in place of what has been used. The headers
// of those answers tell of the limits, too, so they do with the same calls.
func (s *Scheduler) questions(now time.Time) []question {
	all := []question{{ask: s.usage.how.Ask, read: s.usage.how.Read, end: s.endUse}}
	if q, due := s.logQuestion(now); due {
		return []question{q, all[0]}
	}
	return all
}

// askUsage asks when it is time to and there is room.
func (s *Scheduler) askUsage(now time.Time) {
	u := &s.usage
	if !s.reaches() || !u.known || u.asking || now.Before(u.next) {
		return
	}
	u.next = now.Add(noUsageRoom)
	if !s.refusals.open(now) {
		return
	}
	for _, q := range s.questions(now) {
		if of := s.priceQuestion(q.ask); s.heldBy(now, q.about()) == nil && s.roomForQuestion(now, of) {
			s.put(now, q, of)
			return
		}
	}
}

// put sends a question under a charge of its own.
func (s *Scheduler) put(now time.Time, q question, of price) {
	l := s.lane(ownUse)
	id := s.newID()
	if err := s.ledger.Charge(now, id, l.owner, s.tariff.Cost(of.kind), of.record); err != nil {
		panic("scheduler: " + err.Error()) // a new ID and a cost of this tariff: cannot be
	}
	c := &call.Call{
		Integration: ownUse, Operation: q.ask.Operation, Method: q.ask.Method, Target: q.ask.Target, Header: http.Header{"Accept": {"application/json"}},
		Repeat: call.Repeat{Class: call.RepeatIdempotent}, AcceptedAt: now,
	}
	s.usage.asking = true
	s.launch(&flight{
		id: id, lane: l, price: of, call: c, about: q.about(), asks: &q,
		waiter: &waiter{call: c, lane: l, access: s.licensed(), price: of, since: now, deadline: now, own: true, gone: true, answered: make(chan reply, 1)},
	})
}

func (s *Scheduler) priceQuestion(r dialect.Request) price {
	return s.price(tariff.Call{User: s.plan.Credentials.User(), Operation: r.Operation, Method: r.Method, Target: r.Target})
}

// roomForQuestion says whether no limit comes near its end by asking: by what we have used, what others have used by the CRM's word, and what is never lent. What others
// are only expected to use is not counted, since asking shows whether that is right.
func (s *Scheduler) roomForQuestion(now time.Time, of price) bool {
	for k, n := range s.tariff.Cost(of.kind) {
		l := s.ledger.Limit(k)
		if n == 0 || l.AlertOnly || l.Meter.PerRecord {
			continue
		}
		settled, open := s.ledger.Own(k)
		used := settled + open
		if w := s.word.watches[k]; w != nil {
			others, _ := w.Others(now)
			used += others.Most
		}
		for _, other := range s.order {
			if other.spec != nil {
				hard, _ := s.sharing.Reserved(k, other.owner)
				used += hard
			}
		}
		if used+n+max(1, l.Max/lastShare) > l.Max || !s.ledger.EarliestPaced(k, n).IsZero() {
			return false
		}
	}
	return true
}

// told are the readings of an answer. One that was asked for tells more than its header.
func (s *Scheduler) told(now time.Time, f *flight, o upstream.Outcome) []dialect.Reading {
	readings := s.provider.Readings(o.Answer.Header, now)
	u := &s.usage
	switch {
	case f.answersInFull(o):
		return dialect.Together(readings, f.asks.read(peek(o.Answer), now))
	case f.asks == nil && u.known && u.how.Read == nil && len(readings) > 0:
		u.next = later(u.next, now.Add(u.every)) // it has told all that could be asked for
	}
	return readings
}

// answersInFull says whether an answer has a body that was asked for.
func (f *flight) answersInFull(o upstream.Outcome) bool {
	return f.asks != nil && f.asks.read != nil && o.Answer != nil && o.Answer.Status == http.StatusOK && o.Rest == nil
}

// endQuestion goes on after one.
func (s *Scheduler) endQuestion(now time.Time, f *flight, o upstream.Outcome, what fate) {
	if f.asks == nil {
		return
	}
	u := &s.usage
	u.asking = false
	// Spread, so that it does not always come at the same moment of the CRM's windows.
	u.next = now.Add(time.Duration((.5 + s.options.Random.Float64()) * float64(u.every)))
	f.asks.end(now, f, o, what)
}
