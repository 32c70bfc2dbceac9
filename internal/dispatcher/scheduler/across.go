// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Calls of several integrations go together where each of them asks for it. One whose turn it is takes those along of others that the limits would let through as
// well: each must be able to pay for the whole call, so that none gets past its share with it, and none is charged what its share does not allow. Who pays is whose
// turn that is by the tab. So each call is one charge under one share, and over time each pays for its part.

// pool are the lanes whose calls of one operation go together.
type pool struct{ lanes []*lane }

// setPools finds out which lanes share: by the user of the CRM as whom their calls go out, and only where the CRM takes each item by itself.
func (s *Scheduler) setPools() {
	type key struct {
		access    *access
		operation string
	}
	pools := map[key]*pool{}
	for _, l := range s.order {
		for operation, m := range l.merging {
			if _, separate := m.batch.(dialect.SeparateBatch); !separate || !l.spec.Batching.AcrossIntegrations {
				continue
			}
			k := key{l.access, operation}
			if pools[k] == nil {
				pools[k] = &pool{}
			}
			m.pool = pools[k]
			m.pool.lanes = append(m.pool.lanes, l)
		}
	}
}

// others are the lanes of the pool that have queued calls, but for one, from behind that one on.
func (p *pool) others(l *lane) (others []*lane) {
	at := slices.Index(p.lanes, l)
	for _, other := range slices.Concat(p.lanes[at+1:], p.lanes[:at]) {
		if len(other.queue.heads) > 0 {
			others = append(others, other)
		}
	}
	return others
}

// ride is a bulk call of several lanes that can be sent now.
type ride struct {
	crew
	batch dialect.Batch
	about subject
	fold  bool
	price price
	// closed are records of which no more changes go along: each is changed by the calls of one lane, and in their order.
	closed map[string]bool
	riders []fairshare.Rider
	// choice charges it to one of them.
	choice fairshare.Choice
}

// rideOf is the call in which a queued one whose turn it is goes together with those of other lanes; nil if there is none.
func (s *Scheduler) rideOf(now time.Time, l *lane, o offer) *ride {
	operation := cmp.Or(o.bulk, o.about.operation)
	m := l.merging[operation]
	if o.waiter != nil || m == nil || m.pool == nil || s.heldBy(now, m.about) != nil {
		return nil
	}
	others, first := m.pool.others(l), l.queue.head(o.queued)
	full := s.bulkPrice(l, m, first, m.most)
	if _, affords := s.choiceOf(now, l, full, now); !affords || len(others) == 0 {
		return nil
	}
	r := &ride{crew: crew{operation: operation, most: m.most, items: m.most, cost: s.tariff.Cost(full.kind)}, batch: m.batch, about: m.about, closed: map[string]bool{}}
	s.boardFrom(now, &r.crew, l, o.queued)
	if len(r.members) == 0 || r.members[0] != o.queued {
		return nil
	}
	s.noteRider(r, l, 0)
	for _, other := range others {
		if _, affords := s.choiceOf(now, other, full, now); affords {
			s.boardOther(now, r, other, apiOf(first.Target))
		}
	}
	items := m.most - r.items
	if len(r.riders) < 2 || items < min(m.least, r.most) {
		return nil
	}
	r.price = s.bulkPrice(l, m, first, items)
	payer := s.byOwner[l.access.tab.Payer(r.riders)]
	since := payer.queue.head(r.members[slices.Index(r.lanes, payer)]).AcceptedAt
	var ok bool
	if r.choice, ok = s.choiceOf(now, payer, r.price, since); !ok { // cannot be: it takes no more than what all of them can pay
		return nil
	}
	return r
}

// choiceOf charges a lane for a call that takes so much; ok is false if the limits do not let it.
func (s *Scheduler) choiceOf(now time.Time, l *lane, of price, since time.Time) (choice fairshare.Choice, ok bool) {
	return s.sharing.ChoiceOf(now, s.newOffer(l, fairshare.Backlog, of, since).Head)
}

// boardOther has calls of another lane go along whose records no lane before it changes. The least of the lanes' bounds holds.
func (s *Scheduler) boardOther(now time.Time, r *ride, l *lane, api string) {
	before, most := len(r.members), r.most
	r.most = min(most, l.merging[r.operation].most)
	s.board(now, &r.crew, l, func(h *queued) bool {
		record := s.recordOf(h)
		if apiOf(h.Target) != api && record != "" {
			r.closed[record] = true // those behind it must not overtake it
		}
		return apiOf(h.Target) == api && !r.closed[record]
	})
	if len(r.members) == before {
		r.most = most
		return
	}
	s.noteRider(r, l, before)
}

// noteRider notes that a lane has the members from one on.
func (s *Scheduler) noteRider(r *ride, l *lane, from int) {
	for _, id := range r.members[from:] {
		if record := s.recordOf(l.queue.head(id)); record != "" {
			r.closed[record] = true
		}
	}
	r.fold = r.fold || l.merging[r.operation].fold
	r.riders = append(r.riders, fairshare.Rider{Owner: l.owner, Items: int64(len(r.members) - from)})
}

// launchRide sends the call, and returns the lanes that have members in it.
func (s *Scheduler) launchRide(now time.Time, r *ride) []*lane {
	id, payer := s.newID(), s.byOwner[r.choice.Owner]
	if err := s.sharing.Charge(now, id, r.choice, r.price.record); err != nil {
		panic("scheduler: " + err.Error()) // a new ID and a cost of this tariff: cannot be
	}
	payer.access.tab.Pay(r.riders, payer.owner)
	b := &bulkCall{batch: r.batch, fold: r.fold, lanes: r.lanes, Bulk: backlog.Bulk{Operation: r.operation, Members: r.members}}
	for _, l := range r.lanes {
		b.Owners = append(b.Owners, l.key)
	}
	s.launchTogether(now, &flight{id: id, lane: payer, price: r.price, about: r.about, bulk: b, riders: r.riders})
	lanes := slices.Compact(slices.Clone(r.lanes))
	for _, l := range lanes {
		l.stale = true
	}
	return lanes
}

// access is that of the user who asks about the bulk call: its job is known to whoever began it.
func (b *bulkCall) access() *access {
	if b.lane.spec != nil {
		return b.lane.access
	}
	for place, id := range b.Members {
		if id != "" && b.lanes[place].spec != nil {
			return b.lanes[place].access
		}
	}
	return b.lane.access
}

// membersOf counts the members of bulk calls of which it is not known what became, for the integrations whose calls go out as a user.
func membersOf(a *access, of ...*bulkCall) map[*lane]int64 {
	members := map[*lane]int64{}
	for _, b := range of {
		for place, id := range b.Members {
			if l := b.lanes[place]; id != "" && l.spec != nil && l.access == a {
				members[l]++
			}
		}
	}
	return members
}

// askers are, of the integrations that want to know so much of what a call of ours as a user asks, those that can be charged for it now, or else all.
func (s *Scheduler) askers(a *access, r dialect.Request, waiting map[*lane]int64) []fairshare.Rider {
	cost := s.tariff.Cost(s.price(tariff.Call{User: a.user, Operation: r.Operation, Method: r.Method, Target: r.Target}).kind)
	var all, able []fairshare.Rider
	for _, l := range slices.SortedFunc(maps.Keys(waiting), func(a, b *lane) int { return compareKeys(a.key, b.key) }) {
		all = append(all, fairshare.Rider{Owner: l.owner, Items: waiting[l]})
		if _, ok := s.sharing.Admissible(l.owner, cost); ok {
			able = append(able, all[len(all)-1])
		}
	}
	if len(able) > 0 {
		return able
	}
	return all
}
