// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"errors"
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// errNotMerged: too few of a bulk call's members were of a form that can be merged.
var errNotMerged = errors.New("the calls cannot be merged")

// inDoubt is why calls are parked whose bulk call had no answer.
const inDoubt = "it is not known whether the CRM took the bulk call that it went in, and sending it again might take effect twice"

// bulkCall is a request in which some queued calls go together, until it is known what became of each.
type bulkCall struct {
	backlog.Bulk
	// lane is whose share it was charged to.
	lane  *lane
	batch dialect.Batch
	// lanes and heads of the members, by place.
	lanes []*lane
	heads []backlog.Head
	// fold: updates of one record become one. apart: those that are sent again go by themselves.
	fold, apart bool
	// polledAt is when its job was asked about last.
	polledAt time.Time
	// asking: a search for its items is on its way; next is when the next one is due.
	asking bool
	next   time.Time
}

// refs name the members, by place.
func (b *bulkCall) refs() []backlog.Ref {
	refs := make([]backlog.Ref, len(b.heads))
	for i, h := range b.heads {
		refs[i] = b.lanes[i].ref(h.ID)
	}
	return refs
}

// calls are those of the items, as an adapter is shown them.
func (b *bulkCall) calls() []dialect.Request {
	of := make([]dialect.Request, len(b.Items))
	for i, place := range b.Items {
		of[i] = dialect.Request{Operation: b.heads[place].Operation, Method: b.heads[place].Method, Target: b.heads[place].Target}
	}
	return of
}

// saveBulk notes what is known of a bulk call. One whose members have all left is forgotten.
func (s *Scheduler) saveBulk(b *bulkCall) {
	if b.Empty() {
		delete(s.bulks, ledger.ID(b.ID))
	}
	kept := b.Bulk
	kept.Members = append([]call.ID(nil), b.Members...) // they go on to change before the commit
	s.batch.Bulks = append(s.batch.Bulks, kept)
}

// merge makes the bulk call of its members. It runs outside the loop.
func (s *Scheduler) merge(f *flight) error {
	members, headers, first := make([]dialect.Request, len(f.refs)), make([]http.Header, len(f.refs)), time.Time{}
	for i, ref := range f.refs {
		err := s.useStore(func() error {
			c, err := s.options.Store.Call(ref)
			if err == nil {
				members[i] = dialect.Request{Operation: c.Operation, Method: c.Method, Target: c.Target, Header: c.Header, Body: c.Body}
				headers[i], first = c.Header, earlier(first, c.AcceptedAt)
			}
			return err
		})
		if errors.Is(err, errStopped) {
			return err
		} // one that cannot be read is left out, and seen for what it is when it is sent by itself
	}
	bulk, n := f.mergeAll(members)
	if n < 2 {
		return errNotMerged
	}
	f.call = &call.Call{
		Integration: f.lane.key, Operation: bulk.Operation, Method: bulk.Method, Target: bulk.Target, Header: bulk.Header, Body: bulk.Body,
		Members: headers, AcceptedAt: first, Repeat: call.Repeat{Class: call.RepeatNever},
	}
	return nil
}

// landBulk takes the members of a bulk call to their next states, as far as its answer tells what these are.
func (s *Scheduler) landBulk(now time.Time, f *flight, o upstream.Outcome, what fate) {
	b := f.bulk
	if f.call != nil || errors.Is(o.Err, errNotMerged) {
		s.leaveOut(now, b, f.items, f.folded)
	}
	switch what {
	case unsent:
		if !errors.Is(o.Err, errNotMerged) {
			s.blame(now, f, o, what)
		}
		s.queuedUntold(f)
		s.putBack(now, b, time.Time{}, false)
	case unauthorised:
		s.blame(now, f, o, what)
		s.putBack(now, b, now.Add(s.pause(manyAttempts)), false)
	case refused:
		s.queuedUntold(f)
		s.putBack(now, b, time.Time{}, false)
	case unavailable, lost:
		s.blame(now, f, o, what)
		s.doubt(now, b)
	case failed:
		s.queuedWell(f)
		if o.Answer.Status >= http.StatusInternalServerError {
			b.apart = true
			s.doubt(now, b) // it may have failed after some of its items
			break
		}
		s.putBack(now, b, time.Time{}, true)
	case succeeded:
		s.queuedWell(f)
		s.owe(b.lane, 1)
		s.split(now, f, o)
	}
	s.saveBulk(b)
}

// split reads what became of the members, or which job is to work them off.
func (s *Scheduler) split(now time.Time, f *flight, o upstream.Outcome) {
	b := f.bulk
	b.Items, b.Folded = f.items, f.folded
	if b.Whole {
		s.shareAnswer(now, b, stored(o))
		return
	}
	var read dialect.Split
	if o.Rest == nil {
		read = b.batch.Split(o.Answer.Status, peek(o.Answer), b.calls())
	}
	if _, jobs := b.batch.(dialect.JobBatch); jobs && read.Job != "" {
		b.Job = read.Job
		f.access.pollAt = earlier(f.access.pollAt, now.Add(leastPoll))
		return
	}
	s.settleItems(now, b, read.Items)
	s.doubt(now, b)
}

// settleItems takes the members to their next states of whose items it is known what became of them.
func (s *Scheduler) settleItems(now time.Time, b *bulkCall, items []dialect.Item) {
	for i, item := range items {
		if i >= len(b.Items) {
			break
		}
		s.settleMember(now, b, b.Items[i], item)
		if i < len(b.Folded) {
			for _, place := range b.Folded[i] {
				s.settleMember(now, b, place, item)
			}
		}
	}
}

func (s *Scheduler) settleMember(now time.Time, b *bulkCall, place int, item dialect.Item) {
	switch {
	case b.Members[place] == "":
	case item.Answer != nil:
		to := call.StateSucceeded
		if fateOf(item.Answer.Status) != succeeded {
			to = call.StateFailed
		}
		t := s.departure(now, b, place, to)
		t.KeepUntil = now.Add(keepResults)
		t.Answer = &backlog.Answer{Status: item.Answer.Status, Header: item.Answer.Header, Body: item.Answer.Body, Composed: true}
		s.count(b.lanes[place].key, backlog.Tally{Drained: 1})
		s.gain(b.lanes[place], 1)
		s.transit(t, t.KeepUntil)
	case item.Failed:
		s.requeue(now, b, place, time.Time{}, true)
	}
}

// departure takes a member out of its bulk call, into another state.
func (s *Scheduler) departure(now time.Time, b *bulkCall, place int, to call.State) backlog.Transition {
	h, l := b.heads[place], b.lanes[place]
	b.Members[place] = ""
	l.release(changed(s.provider, &h))
	return backlog.Transition{Ref: l.ref(h.ID), From: call.StateSent, To: to, At: now, Progress: h.Progress}
}

// requeue puts a member back to its place in the queue; alone, to be sent by itself from there.
func (s *Scheduler) requeue(now time.Time, b *bulkCall, place int, notBefore time.Time, alone bool) {
	t := s.departure(now, b, place, call.StateQueued)
	t.Progress.NotBefore, t.Progress.Alone = notBefore, alone
	s.transit(t, b.heads[place].Expires)
}

// putBack puts all members back to their places.
func (s *Scheduler) putBack(now time.Time, b *bulkCall, notBefore time.Time, alone bool) {
	for place, id := range b.Members {
		if id != "" {
			s.requeue(now, b, place, notBefore, alone)
		}
	}
}

// leaveOut puts the members back that are in no item of the bulk call.
func (s *Scheduler) leaveOut(now time.Time, b *bulkCall, items []int, folded [][]int) {
	in := make([]bool, len(b.Members))
	for _, places := range append([][]int{items}, folded...) {
		for _, place := range places {
			in[place] = true
		}
	}
	for place := range b.Members {
		if !in[place] {
			s.requeue(now, b, place, time.Time{}, true)
		}
	}
}

// owe notes calls that were spent on bulk calls, gain those that were not needed because of them: what is saved is what is gained and not owed.
func (s *Scheduler) owe(l *lane, n int64) { l.owes += n }

func (s *Scheduler) gain(l *lane, n int64) {
	paid := min(n, l.owes)
	l.owes -= paid
	if n > paid {
		s.count(l.key, backlog.Tally{Saved: n - paid})
	}
}
