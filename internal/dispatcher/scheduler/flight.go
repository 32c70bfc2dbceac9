// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/guard"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/reference"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

const (
	// keepResults is how long an ended call can be asked for.
	keepResults = 24 * time.Hour
	// Between two sendings of a queued call that failed; it doubles with each attempt.
	leastPause, mostPause = time.Second, time.Minute
	// manyAttempts are those from which on the pause grows no more.
	manyAttempts = 8
)

var (
	// errDamaged: a queued call cannot be read any more.
	errDamaged = errors.New("the stored call cannot be read")
	// errOtherTarget: a queued call goes elsewhere than it was priced for, as the answer it refers to could not be read then. It is priced anew.
	errOtherTarget = errors.New("the call has another target by now")
)

// flight is one request on its way: for somebody who waits, or for a queued call.
type flight struct {
	id    ledger.ID
	lane  *lane
	price price
	// tariff that price is of, at is when the charge was taken, charge is what is stored of it.
	tariff *tariff.Tariff
	at     time.Time
	charge backlog.Charge
	// polledAt is when its job was asked about last.
	polledAt time.Time
	to       upstream.Destination
	// access is whom it goes out as.
	access *access

	// asks is the question that it is, if it is one.
	asks *question

	waiter *waiter
	// waited is how long it did.
	waited time.Duration
	call   *call.Call
	// about is what the call does, known before a queued one is read.
	about subject
	// like names the calls that a hidden limit would count with it.
	like string
	// repeated: the call was sent before, and its answer was lost.
	repeated bool

	// head is the queued call as it was before, sent what is stored of it since.
	head backlog.Head
	sent backlog.Progress
	// changes is the record for which it makes others wait, if it does.
	changes string

	// bulk is the bulk call that it is, of the members that refs name; items are the places of those that were merged.
	bulk  *bulkCall
	refs  []backlog.Ref
	items []int
	// folded are, for each of items, the places of those that became one with it.
	folded [][]int
	// riders are the integrations that share it, if several do.
	riders []fairshare.Rider
	// again is when a call like a refused one may be sent.
	again time.Time
}

// fly runs outside the loop and reports to it.
func (s *Scheduler) fly(f *flight) {
	if err := s.load(f); err != nil {
		s.report(func() { s.outcome(f, upstream.Outcome{Err: err}) })
		return
	}
	if f.waiter != nil && s.options.Observer != nil {
		s.options.Observer.Held(f.call, f.waited, f.waiter.held)
	}
	o := s.options.Upstream.Send(s.flying, upstream.Issue(), f.to, f.call)
	s.report(func() { s.outcome(f, o) })
	if o.Rest == nil {
		return
	}
	if f.waiter == nil { // a result that long is not kept
		_, _ = io.Copy(io.Discard, o.Answer.Body)
		_ = o.Answer.Body.Close()
	}
	ended, complete := o.Rest.Wait()
	s.report(func() { s.endCharge(f, ended, complete) })
}

// load reads from the store what is to be sent.
func (s *Scheduler) load(f *flight) error {
	switch {
	case f.bulk != nil:
		return s.merge(f)
	case f.waiter != nil:
		return nil
	}
	err := s.useStore(func() (err error) {
		f.call, err = s.options.Store.Call(f.lane.ref(f.head.ID))
		return err
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	if f.call.Target != f.about.target {
		return errOtherTarget
	}
	return nil
}

// report runs f on the loop, which goes on until every flight has reported.
func (s *Scheduler) report(f func()) {
	select {
	case s.commands <- f:
	case <-s.stopped:
	}
}

// outcome takes what became of a request.
func (s *Scheduler) outcome(f *flight, o upstream.Outcome) {
	now := s.options.Now()
	s.observeExchange(f, o)
	what, verdict := s.judge(now, f, o)
	switch {
	case !o.Sent:
		s.refund(f)
	case o.Answer == nil:
		s.endCharge(f, now, false)
	case o.Rest == nil:
		s.endCharge(f, o.Ended, true)
	}
	if o.Answer != nil && o.Rest == nil {
		s.crmClock.observe(o.Answer.Header, o.Began, o.Ended)
		s.observeDuration(f, o.Ended.Sub(o.Began))
	}
	refusedBy := s.hear(now, f, o, what, verdict)
	s.learn(now, f, o, what, refusedBy)
	s.watchJobs(now, f, o)
	f.access.noteCredentials(what)
	if what != unauthorised || f.access == s.licensed() {
		s.answering.note(now, o, what, verdict)
	}
	s.endQuestion(now, f, o, what)
	switch what {
	case refused:
		f.again = s.refuse(now, f, verdict)
	case succeeded, failed, unauthorised:
		s.refusals.pass(f.id)
		s.openHolds(f)
		if f.repeated {
			f.lane.retries.earn(1)
			f.lane.stale = true
		}
	default:
		s.refusals.forget(f.id)
		s.settleHolds(f)
	}
	switch {
	case f.waiter != nil:
		s.answerWaiter(now, f, o, what)
	case f.bulk != nil:
		s.landBulk(now, f, o, what)
	default:
		s.endAttempt(now, f, o, what)
	}
}

// judge says what became of a request; with a refusal, what the CRM has refused and for how long.
func (s *Scheduler) judge(now time.Time, f *flight, o upstream.Outcome) (fate, dialect.Verdict) {
	switch {
	case !o.Sent:
		return unsent, dialect.Verdict{}
	case o.Answer == nil:
		return lost, dialect.Verdict{}
	case o.Answer.Status < 400:
		return fateOf(o.Answer.Status), dialect.Verdict{} // taken: its body is of no interest here
	}
	if v := s.provider.Refused(s.answerOf(f, o), now); v.Refused {
		return refused, v
	}
	return fateOf(o.Answer.Status), dialect.Verdict{}
}

// refund takes back a charge for which nothing was sent.
func (s *Scheduler) refund(f *flight) {
	delete(s.flights, f.id)
	s.mustLedger(s.ledger.Refund(f.id))
	s.batch.Refunds = append(s.batch.Refunds, uint64(f.id))
	s.count(f.lane.key, backlog.Tally{Dispatched: -1})
	if f.riders != nil {
		f.access.tab.Refund(f.riders, f.lane.owner)
	}
	s.recordChanged(f)
}

// endCharge ends a charge: at the end of the answer, or, when that was not read, as long after as the CRM may still count the call.
func (s *Scheduler) endCharge(f *flight, at time.Time, complete bool) {
	delete(s.flights, f.id)
	c := &f.charge
	c.Open = false
	if complete {
		s.mustLedger(s.ledger.Settle(f.id, at))
	} else {
		s.mustLedger(s.ledger.Abandon(f.id, at))
		c.InDoubt = true
		at = at.Add(s.guards.MaxServerDelay)
	}
	c.End = at.Sub(s.epoch)
	c.Amounts = ran(c.Amounts, at.Sub(f.at))
	s.adviseSlots(s.options.Now(), f)
	s.batch.Charges = append(s.batch.Charges, *c)
	s.recordChanged(f)
}

// recordChanged has calls looked at again that wait for a record which the call was about.
func (s *Scheduler) recordChanged(f *flight) {
	if f.price.record != ledger.NoRecord || f.bulk != nil || f.tariff != s.tariff {
		s.staleAll()
	}
}

// mustLedger ends the process when the ledger and the flights disagree: nothing that it decides could be trusted.
func (s *Scheduler) mustLedger(err error) {
	if err != nil {
		panic("scheduler: " + err.Error())
	}
}

// answerWaiter passes the outcome on, or has the call wait for another sending that does no harm and may come in time.
func (s *Scheduler) answerWaiter(now time.Time, f *flight, o upstream.Outcome, what fate) {
	w := f.waiter
	s.queuedUntold(f)
	patient := (!w.gone || len(w.followers) > 0) && w.call.Stream == nil && !s.stopping && !s.shadowed(f.lane, now)
	switch what {
	case refused:
		if patient && o.Rest == nil && f.again.Before(w.deadline) {
			w.refused = o.Answer
			s.waitAgain(w)
			return
		}
	case lost:
		if patient && w.repeat(now) {
			s.waitAgain(w)
			return
		}
	case succeeded:
		s.queuedWell(f)
	default: // passed on as it is
	}
	if o.Answer != nil {
		s.countFor(w, backlog.Tally{Forwarded: 1})
		if f.tariff == s.tariff {
			o.Answer.Rooms = s.rooms(now, f.lane, s.tariff.Cost(f.price.kind))
		}
		s.conclude(now, w, reply{answer: o.Answer}, o.Rest == nil)
		return
	}
	s.conclude(now, w, reply{err: refuseFailed(o.Err)}, true)
}

func (s *Scheduler) waitAgain(w *waiter) {
	w.lane.waiting = slices.Insert(w.lane.waiting, 0, w)
	w.price, w.lane.stale = s.priceCall(w.access, w.call), true
}

// endAttempt takes a queued call to its next state.
func (s *Scheduler) endAttempt(now time.Time, f *flight, o upstream.Outcome, what fate) {
	h := f.head
	f.lane.release(f.changes)
	switch what {
	case unauthorised:
		s.blame(now, f, o, what)
		h.NotBefore = now.Add(s.pause(manyAttempts)) // if it is this call alone, others go first
	case unsent:
		if _, refers := errors.AsType[*reference.Error](o.Err); refers || errors.Is(o.Err, errOtherTarget) { // that says nothing of the CRM
			s.queuedUntold(f)
			break
		}
		s.blame(now, f, o, what)
	case unavailable, lost:
		s.blame(now, f, o, what)
		h.Progress = f.sent
		h.NotBefore = now.Add(s.pause(h.Attempts))
	case refused:
		s.queuedUntold(f)
	case succeeded, failed:
		s.queuedWell(f)
		h.Progress = f.sent
	}
	to, reason := after(what, h.Repeat, h.Progress, now, s.guards.MaxServerDelay)
	if errors.Is(o.Err, errDamaged) {
		to, reason = unreadable(o.Err)
		h.NotBefore = now.Add(s.pause(unreadAttempts)) // others may be readable
	}
	t := backlog.Transition{Ref: f.lane.ref(h.ID), From: call.StateSent, To: to, At: now, Progress: h.Progress, Reason: reason}
	due := h.Expires
	if ends(to) {
		due = now.Add(keepResults)
		t.KeepUntil = due
	}
	if o.Answer != nil && ends(to) {
		t.Answer = stored(o)
		s.count(f.lane.key, backlog.Tally{Drained: 1})
	}
	s.transit(t, due)
}

// pause is exponential with full jitter.
func (s *Scheduler) pause(attempts int) time.Duration {
	most := mostPause
	if attempts < manyAttempts {
		most = min(most, leastPause<<attempts)
	}
	return time.Duration(s.options.Random.Float64() * float64(most))
}

// stored is the part of an answer that is kept as a result. A body longer than upstream.MaxBuffered is not.
func stored(o upstream.Outcome) *backlog.Answer {
	a := &backlog.Answer{Status: o.Answer.Status, Header: o.Answer.Header}
	if o.Rest == nil {
		a.Body, _ = io.ReadAll(o.Answer.Body) // from memory
	}
	return a
}

func ends(s call.State) bool {
	return s == call.StateSucceeded || s == call.StateFailed || s == call.StateDead
}

func (s *Scheduler) observeExchange(f *flight, o upstream.Outcome) {
	if s.options.Observer == nil || !o.Sent {
		return
	}
	status, ended := 0, o.Ended
	if o.Answer != nil {
		status = o.Answer.Status
	}
	if o.Rest != nil {
		ended = s.options.Now()
	}
	s.options.Observer.Exchanged(f.lane.key, f.call.Operation, ended.Sub(o.Began), status)
}

// refuseFailed says why no answer of the CRM can be given.
func refuseFailed(err error) *call.Refusal {
	r := &call.Refusal{Code: contract.ReasonUpstreamFailed, Detail: err.Error()}
	if isUnsigned(err) {
		r.Code = contract.ReasonNoCredentials
	}
	if _, is := errors.AsType[*guard.Refusal](err); is {
		r.Code = contract.ReasonAddressNotAllowed
	}
	return r
}
