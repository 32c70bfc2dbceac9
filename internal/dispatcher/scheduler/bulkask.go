// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

const (
	// Bounds of the time between two looks at a job: it is half of what the youngest job has taken.
	leastPoll, mostPoll = 5 * time.Second, time.Minute
	// Bounds of the time between two searches for the items of a bulk call in doubt: it is as long as it has been in doubt.
	leastSearch, mostSearch = time.Minute, 15 * time.Minute
	// indexDelay is how long what is in the CRM may not be found by searching.
	indexDelay = 10 * time.Minute
	// patience is how long the CRM may not answer what it is asked about a bulk call, or say that its job works: then the members are parked, for people to decide.
	patience = 24 * time.Hour
	// enoughAbsent is how often a search must find nothing after that.
	enoughAbsent = 2
	// ownPatience is how long a call of our own waits for its turn; after that it is asked for anew.
	ownPatience = time.Minute
	// maxOwnAnswer is how many bytes of an answer to such a call are read.
	maxOwnAnswer = 32 << 20
)

// doubt begins when nothing tells what became of the members that are left. Those that can be sent again without harm are; the others are searched for, or parked
// if the CRM cannot find them. The CRM may still work on the call for its longest delay, and then on the job: what is sent again sooner could be undone by that.
func (s *Scheduler) doubt(now time.Time, b *bulkCall) {
	_, findable := b.batch.(dialect.FoundBatch)
	_, jobs := b.batch.(dialect.JobBatch)
	again := now.Add(s.pause(1))
	if jobs && b.Job == "" && !b.Whole {
		again = again.Add(s.guards.MaxServerDelay + s.guards.MaxJob)
	}
	for place, id := range b.Members {
		switch {
		case id == "":
		case b.heads[place].Repeat.Class == call.RepeatIdempotent:
			s.requeue(now, b, place, again, b.apart)
		case !findable:
			s.park(now, b, place)
		}
	}
	if b.Empty() {
		return
	}
	until := now.Add(s.guards.MaxServerDelay + s.guards.MaxJob)
	if b.Job != "" { // it is over by now, or forgotten; but a new one may not be known yet
		until = later(now, b.SentAt.Add(s.guards.MaxServerDelay+s.guards.MaxJob))
	}
	b.Doubt = &backlog.Doubt{Since: now, Until: until}
	b.next = now.Add(leastSearch)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *Scheduler) park(now time.Time, b *bulkCall, place int) {
	t := s.departure(now, b, place, call.StateParked)
	t.Reason = inDoubt
	s.transit(t, b.heads[place].Expires)
}

// restoreBulk goes on with a bulk call whose members were on their way when the store was left.
func (s *Scheduler) restoreBulk(now time.Time, sent backlog.SentBulk) {
	b := &bulkCall{Bulk: sent.Bulk, lane: s.lane(sent.Integration), heads: sent.Heads, next: now}
	s.bulks[ledger.ID(b.ID)] = b
	for place, id := range b.Members {
		b.lanes = append(b.lanes, s.lane(b.Owner(place)))
		if id != "" {
			b.lanes[place].hold(changed(s.provider, &b.heads[place]))
		}
	}
	known := false
	if s.provider != nil {
		b.batch, known = batchOf(s.provider, b.Operation)
	}
	_, jobs := b.batch.(dialect.JobBatch)
	switch {
	case b.Doubt != nil && known:
		return
	case b.Job != "" && jobs:
		b.access().pollAt = now
		return
	}
	s.doubt(now, b)
	s.saveBulk(b)
}

// tendBulks asks the CRM what became of bulk calls, when it is time to.
func (s *Scheduler) tendBulks(now time.Time) {
	if !s.sends() || len(s.bulks) == 0 {
		return
	}
	open := map[*access][]*bulkCall{}
	for _, id := range slices.Sorted(maps.Keys(s.bulks)) {
		switch b := s.bulks[id]; {
		case b.Doubt != nil && !b.asking && !now.Before(b.next):
			s.search(now, b)
		case b.polled():
			open[b.access()] = append(open[b.access()], b)
		}
	}
	for _, a := range slices.SortedFunc(maps.Keys(open), func(x, y *access) int { return strings.Compare(x.user, y.user) }) {
		if !a.polling && !now.Before(a.pollAt) {
			s.poll(now, a, open[a])
		}
	}
}

// polled says whether its job is asked about.
func (b *bulkCall) polled() bool { return b.Job != "" && b.Doubt == nil }

// nextTending is when tendBulks has something to do; zero if never.
func (s *Scheduler) nextTending() (at time.Time) {
	for _, b := range s.bulks {
		switch {
		case b.Doubt != nil && !b.asking:
			at = earlier(at, b.next)
		case b.polled() && !b.access().polling:
			at = earlier(at, b.access().pollAt)
		}
	}
	return at
}

// poll asks about jobs that are open of one user of the CRM, about those first that were not asked about for longest.
func (s *Scheduler) poll(now time.Time, a *access, open []*bulkCall) {
	slices.SortStableFunc(open, func(a, b *bulkCall) int { return a.polledAt.Compare(b.polledAt) })
	batch := open[0].batch.(dialect.JobBatch) //nolint:forcetypeassert // it has a job
	turns := (len(open) + batch.Polled() - 1) / batch.Polled()
	open = open[:min(len(open), batch.Polled())]
	var names []string
	for _, b := range open {
		b.polledAt = now
		names = append(names, b.Job)
	}
	r := batch.Poll(names)
	askers := s.askers(a, r, membersOf(a, open...))
	if len(askers) == 0 {
		a.pollAt = now.Add(mostPoll) // until the plan names one of them again
		return
	}
	a.polling = true
	s.askOwn(now, a, askers, r, func(now time.Time, status int, body []byte) {
		a.polling = false
		if status == http.StatusOK {
			for _, b := range open {
				s.readJob(now, b, body)
			}
		}
		for _, b := range open {
			if b.polled() && now.Sub(b.SentAt) > patience {
				s.abandon(now, b)
			}
		}
		a.pollAt = now.Add(s.untilPoll(now, a, turns))
	})
}

// abandon parks the members of a job that does not end: as long as it works, what a search does not find may still come.
func (s *Scheduler) abandon(now time.Time, b *bulkCall) {
	for place, id := range b.Members {
		if id != "" {
			s.park(now, b, place)
		}
	}
	s.saveBulk(b)
}

func (s *Scheduler) readJob(now time.Time, b *bulkCall, body []byte) {
	items, pending := b.batch.(dialect.JobBatch).ReadJob(b.Job, body, b.calls()) //nolint:forcetypeassert // it has a job
	if pending || !b.polled() {
		return
	}
	s.settleItems(now, b, items)
	s.doubt(now, b)
	s.saveBulk(b)
}

// untilPoll is how long it takes until the next poll of a user's jobs, if it takes so many turns to ask about all of them.
func (s *Scheduler) untilPoll(now time.Time, a *access, turns int) time.Duration {
	youngest := mostPoll * 2
	for _, b := range s.bulks {
		if b.polled() && b.access() == a {
			youngest = min(youngest, now.Sub(b.SentAt))
		}
	}
	return max(leastPoll, min(mostPoll, youngest/2)/time.Duration(turns))
}

// search looks for the items of a bulk call in doubt.
func (s *Scheduler) search(now time.Time, b *bulkCall) {
	found := b.batch.(dialect.FoundBatch) //nolint:forcetypeassert // else its members were parked
	r := found.Find(b.Mark)
	askers := s.askers(b.access(), r, membersOf(b.access(), b))
	if len(askers) == 0 {
		b.next = now.Add(mostSearch) // until the plan names it again
		return
	}
	b.asking = true
	asked := now
	s.askOwn(now, b.access(), askers, r, func(now time.Time, status int, body []byte) {
		b.asking = false
		var members []dialect.Item
		ok := status == http.StatusOK
		if ok {
			members, ok = found.ReadFound(b.Mark, body, len(b.Members))
		}
		if s.searched(now, asked, b, members, ok); s.bulks[ledger.ID(b.ID)] != nil {
			s.saveBulk(b)
		}
	})
}

// searched takes what a search has found, if it was answered.
func (s *Scheduler) searched(now, asked time.Time, b *bulkCall, members []dialect.Item, ok bool) {
	for place, item := range members {
		s.settleMember(now, b, place, item)
	}
	surely := b.Doubt.Until.Add(indexDelay)
	b.next = now.Add(min(mostSearch, max(leastSearch, now.Sub(b.Doubt.Since))))
	switch {
	case now.Before(surely):
		b.next = earlier(b.next, surely)
	case ok && !asked.Before(surely):
		b.next = now.Add(leastSearch)
		if b.Doubt.Absent++; b.Doubt.Absent >= enoughAbsent {
			s.putBack(now, b, time.Time{}, false)
		}
	case !ok && now.Sub(surely) > patience:
		s.abandon(now, b)
	}
}

// askOwn has a call of ours wait for its turn, as any call that somebody waits for of the one of the askers that pays. then is told on the loop what the CRM answered;
// status is 0 if it was not asked in time, or did not answer.
func (s *Scheduler) askOwn(now time.Time, a *access, askers []fairshare.Rider, r dialect.Request, then func(now time.Time, status int, body []byte)) {
	l := s.byOwner[a.tab.Payer(askers)]
	w := &waiter{
		call: &call.Call{
			Integration: l.key, Operation: r.Operation, Method: r.Method, Target: r.Target, Header: http.Header{"Accept": {"application/json"}},
			Repeat: call.Repeat{Class: call.RepeatIdempotent}, AcceptedAt: now,
		},
		own: true, lane: l, access: l.access, since: now, deadline: now.Add(ownPatience), answered: make(chan reply, 1),
	}
	w.price = s.priceCall(l.access, w.call)
	s.ask(now, l, w.price, true)
	w.wait()
	go func() {
		var got reply
		select {
		case got = <-w.answered:
		case <-s.stopped:
			return
		}
		status, body := 0, []byte(nil)
		if got.answer != nil {
			var err error
			if body, err = io.ReadAll(io.LimitReader(got.answer.Body, maxOwnAnswer)); err == nil {
				status = got.answer.Status
			}
			_ = got.answer.Body.Close() // it was read
		}
		s.report(func() {
			if status != 0 {
				s.owe(l, 1)
				a.tab.Pay(askers, l.owner)
			}
			then(s.options.Now(), status, body)
		})
	}()
}
