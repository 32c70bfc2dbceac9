// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// maxBulkBytes is how many bytes the bodies of one bulk call's members have at most.
const maxBulkBytes = 4 << 20

// merging is how a lane's queued calls of one operation, or of different ones, become bulk calls.
type merging struct {
	batch dialect.Batch
	// records is batch, if its items change records.
	records dialect.RecordBatch
	// fold: updates of one record become one.
	fold bool
	// least calls are worth a bulk call, which takes most.
	least, most int
	// linger is how long a call waits for others to go with: always, or while what there is of a day is scarce.
	linger time.Duration
	always bool
	about  subject
	// pool are the lanes whose calls of this operation go together with the lane's, its own among them; nil if it goes with none.
	pool *pool
	// price is that of a bulk call of items, once it was asked for.
	price price
	items int
}

// setMerging reads from the plan which operations of a lane are merged, and has so many of their calls known as one bulk call takes.
func (s *Scheduler) setMerging(l *lane) {
	l.merging, l.queue.wide, l.queue.each = nil, nil, 0
	if l.spec == nil || l.spec.Batching == nil {
		return
	}
	l.merging, l.queue.wide = map[string]*merging{}, map[backlog.Kind]int{}
	spec := l.spec.Batching
	for _, operation := range s.operations(spec) {
		batch, ok := s.provider.Batch(operation)
		if _, unconfirmed := batch.(dialect.UnconfirmedBatch); !ok || unconfirmed && len(spec.Operations) == 0 {
			continue
		}
		m := newMerging(batch, spec)
		m.records, _ = batch.(dialect.RecordBatch)
		m.fold = spec.FoldUpdates && m.records != nil
		l.merging[operation] = m
		for _, urgency := range []int8{-1, 0, 1} {
			l.queue.wide[backlog.KindOf(operation, "", "").Urgent(urgency)] = m.most
		}
	}
	s.setMixing(l)
}

func newMerging(batch dialect.Batch, spec *contract.Batching) *merging {
	m := &merging{batch: batch, linger: time.Duration(spec.MaxLingerSeconds) * time.Second, always: spec.Mode == contract.BatchAlways}
	m.least, m.most = batch.Size()
	if spec.MaxItems > 0 {
		m.most = min(m.most, int(spec.MaxItems))
	}
	m.least = min(m.least, m.most)
	bulk := batch.Bulk()
	m.about = subject{bulk.Operation, bulk.Method, bulk.Target}
	return m
}

// longWindow is from what length on a limit that runs out stays so for longer than people want to wait.
const longWindow = time.Hour

// lookForScarcity finds out whether a limit of a day or longer is likely to run out before it renews: then calls are worth waiting for others to go with.
func (s *Scheduler) lookForScarcity(now time.Time) {
	s.scarce = false
	for k := range s.ledger.Limits() {
		limit := s.ledger.Limit(k)
		if limit.Length() < longWindow || limit.AlertOnly || limit.Meter.PerRecord || limit.Kind == limits.Concurrent {
			continue
		}
		renewal := limit.Window
		if _, end, ok := s.ledger.Period(k); ok {
			renewal = max(0, end.Sub(now))
		}
		if e := s.exhaustion(now, k, renewal); e != nil && e.P50 != nil {
			s.scarce = true
			return
		}
	}
}

// operations that a lane merges.
func (s *Scheduler) operations(spec *contract.Batching) []string {
	if len(spec.Operations) > 0 {
		return spec.Operations
	}
	var all []string
	for _, o := range s.provider.Operations() {
		all = append(all, o.Name)
	}
	return all
}

// mergeable says whether a queued call can go with others. One that may have had its effect already cannot, unless a second one does no harm: only by itself it
// carries the key by which the CRM would know it. Nor can one whose record has a limit for itself, unless the bulk call is charged to it.
func (s *Scheduler) mergeable(l *lane, h *queued, m *merging) bool {
	if h.Alone || h.Attempts > 0 && h.Repeat.Class != call.RepeatIdempotent || h.Size > int64(maxBulkBytes/m.most) {
		return false
	}
	if m.records != nil {
		return s.recordOf(h) != "" && s.roomInBulk(l, h)
	}
	cost := s.tariff.Cost(s.priceOf(l, h).kind)
	return !slices.ContainsFunc(s.recordLimits, func(k int) bool { return cost[k] > 0 })
}

func (s *Scheduler) priceOf(l *lane, h *queued) price {
	if !h.priced {
		h.price, h.priced = s.priceHead(l.access, &h.Head), true
	}
	return h.price
}

// priceMerged is what a bulk call of so many items takes.
func (s *Scheduler) priceMerged(as *access, m *merging, items int) price {
	if m.items != items {
		bulk := m.batch.Bulk()
		of := tariff.Call{User: as.user, Operation: bulk.Operation, Method: bulk.Method, Target: bulk.Target, Counts: map[string]int64{m.batch.List(): int64(items)}}
		m.price, m.items = s.price(of), items
	}
	return m.price
}

// togetherNow counts, by operation, the calls of a lane that could go together.
func (s *Scheduler) togetherNow(now time.Time, l *lane) crowds {
	turns := s.turnsOf(now, l)
	ready := func(h *queued) bool { return turns.has(h) && !h.NotBefore.After(now) }
	return s.crowdsOf(now, l, ready, func(h *queued) bool { return turns.take(h, false) })
}

// together is how many calls to the CRM the first n queued calls of a lane will be, about: what is in memory stands for the rest. A bulk call is followed by as many
// polls as make it worth its while at least.
func (s *Scheduler) together(now time.Time, l *lane, n int64) int64 {
	heads := int64(len(l.queue.heads))
	if len(l.merging) == 0 || heads == 0 {
		return n
	}
	every := func(*queued) bool { return true }
	all, counts := s.crowdsOf(now, l, every, every), map[*merging]int64{}
	for i := range l.queue.heads {
		if as := s.mergedAs(now, l, &l.queue.heads[i], all); as != "" {
			counts[l.merging[as]]++
		}
	}
	for m, of := range counts {
		alone := n * of / heads
		n -= alone - min(alone, (alone+int64(m.most)-1)/int64(m.most)+int64(m.least)-1)
	}
	return n
}

// offerMerged adds a bulk call that begins with the head, if there are enough to go with it. It reports whether the head is not to be offered by itself, too: as it
// waits for others, or as the limits let the bulk call through, which may take of others than a single call.
func (s *Scheduler) offerMerged(now time.Time, l *lane, h *queued, all crowds, to []offer) ([]offer, bool) {
	as := s.mergedAs(now, l, h, all)
	m := l.merging[as]
	if m == nil {
		return to, false
	}
	n := all[as]
	if n < m.most && s.patient(now, m, h) {
		l.staleAt = earlier(l.staleAt, h.AcceptedAt.Add(m.linger))
		return to, true
	}
	if n < m.most && as == several && l.queue.short() { // after this turn there are more to go with
		l.staleAt = earlier(l.staleAt, now)
		return to, true
	}
	if n < m.least || s.held(now, l, m.about) {
		return to, false
	}
	items := min(n, m.most)
	bulk := s.bulkPrice(l, m, h, items)
	o := s.newOffer(l, fairshare.Backlog, bulk, h.AcceptedAt)
	o.bulk, o.items, o.queued, o.about = as, items, h.ID, m.about
	to = enlist(to, o)
	if bulk.kind == h.price.kind {
		return to, true
	}
	only := s.admits(l, o)
	l.onlyMerged = l.onlyMerged || only
	return to, only
}

// rather says whether a call that could be sent by itself can go with others as well: the limits may have let the bulk call through since.
func (s *Scheduler) rather(l *lane, o offer) bool {
	if o.waiter != nil || o.bulk != "" {
		return false
	}
	return slices.ContainsFunc(l.offers, func(b offer) bool { return b.bulk != "" && b.queued == o.queued && s.admits(l, b) })
}

// reconsider has lanes offer single calls again whose bulk calls the limits do not let through any more, and returns them.
func (s *Scheduler) reconsider() (lanes []*lane) {
	for _, l := range s.order {
		if l.onlyMerged && slices.ContainsFunc(l.offers, func(o offer) bool { return o.bulk != "" && !s.admits(l, o) }) {
			l.stale = true
			lanes = append(lanes, l)
		}
	}
	return lanes
}

func (s *Scheduler) admits(l *lane, o offer) bool {
	_, ok := s.sharing.Admissible(l.owner, o.Cost)
	return ok
}

// launchMerged sends the members, of a lane's queued calls, together under a charge that was taken.
func (s *Scheduler) launchMerged(now time.Time, l *lane, o offer, id ledger.ID, members []call.ID) {
	m := l.merging[o.bulk]
	s.launchTogether(now, &flight{id: id, lane: l, price: price{kindOf(o.Head), o.record}, about: o.about, bulk: &bulkCall{
		batch: m.batch, fold: m.fold, lanes: slices.Repeat([]*lane{l}, len(members)), Bulk: backlog.Bulk{Operation: o.bulk, Members: members},
	}})
}

// launchTogether sends what was made of queued calls, of one lane or of several.
func (s *Scheduler) launchTogether(now time.Time, f *flight) {
	b := f.bulk
	b.lane, b.ID, b.Integration, b.Mark, b.SentAt = f.lane, uint64(f.id), f.lane.key, markOf(b.Members[0], f.id), now
	for place, member := range b.Members {
		l := b.lanes[place]
		h := l.queue.take(member)
		b.heads = append(b.heads, h)
		l.hold(changed(s.provider, &h))
		s.transit(backlog.Transition{Ref: l.ref(h.ID), From: call.StateQueued, To: call.StateSent, At: now, Progress: h.Progress}, time.Time{})
		s.observeWait(l, now.Sub(h.AcceptedAt))
	}
	s.bulks[f.id] = b
	s.queuedSent(f.lane, f.id)
	f.refs = b.refs()
	s.launch(f)
	s.saveBulk(b)
}

// markOf is a name for a bulk call that no other one ever had: its first member's ID is of this volume alone, its charge's is used once on it.
func markOf(first call.ID, id ledger.ID) string {
	return "crmq-" + strings.ToLower(string(first)) + "-" + strconv.FormatUint(uint64(id), 36)
}
