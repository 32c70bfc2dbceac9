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
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// maxBulkBytes is how many bytes the bodies of one bulk call's members have at most.
const maxBulkBytes = 4 << 20

// merging is how a lane's queued calls of one operation become bulk calls.
type merging struct {
	batch dialect.Batch
	// least calls are worth a bulk call, which takes most.
	least, most int
	// linger is how long a call waits for others to go with: always, or while what there is of a day is scarce.
	linger time.Duration
	always bool
	price  price
	about  subject
}

// setMerging reads from the plan which operations of a lane are merged, and has so many of their calls known as one bulk call takes.
func (s *Scheduler) setMerging(l *lane) {
	l.merging, l.queue.wide = nil, nil
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
		m := &merging{batch: batch, linger: time.Duration(spec.MaxLingerSeconds) * time.Second, always: spec.Mode == contract.BatchAlways}
		m.least, m.most = batch.Size()
		if spec.MaxItems > 0 {
			m.most = min(m.most, int(spec.MaxItems))
		}
		m.least = min(m.least, m.most)
		bulk := batch.Bulk()
		m.price, m.about = s.price(bulk.Operation, bulk.Method, bulk.Target), subject{bulk.Operation, bulk.Method, bulk.Target}
		l.merging[operation] = m
		l.queue.wide[backlog.KindOf(operation, "", "")] = m.most
	}
}

// longWindow is from what length on a limit that runs out stays so for longer than people want to wait.
const longWindow = time.Hour

// lookForScarcity finds out whether a limit of a day or longer is likely to run out before it renews: then calls are worth waiting for others to go with.
func (s *Scheduler) lookForScarcity(now time.Time) {
	s.scarce = false
	for k := range s.ledger.Limits() {
		limit := s.ledger.Limit(k)
		length := max(limit.Window, limit.Period.Longest())
		if length < longWindow || limit.AlertOnly || limit.Meter.PerRecord || limit.Kind == limits.Concurrent {
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
// carries the key by which the CRM would know it. Nor can one whose record has a limit for itself: a bulk call is not charged to it.
func (s *Scheduler) mergeable(h *queued, m *merging) bool {
	if h.Alone || h.Attempts > 0 && h.Repeat.Class != call.RepeatIdempotent || h.Size > int64(maxBulkBytes/m.most) {
		return false
	}
	cost := s.tariff.Cost(s.priceOf(h).kind)
	return !slices.ContainsFunc(s.recordLimits, func(k int) bool { return cost[k] > 0 })
}

func (s *Scheduler) priceOf(h *queued) price {
	if !h.priced {
		h.price, h.priced = s.price(h.Operation, h.Method, h.Target), true
	}
	return h.price
}

// togetherNow counts, by operation, the calls of a lane that could go together.
func (s *Scheduler) togetherNow(now time.Time, l *lane) map[string]int {
	if len(l.merging) == 0 {
		return nil
	}
	counts := map[string]int{}
	for i := range l.queue.heads {
		h := &l.queue.heads[i]
		if m := l.merging[h.Operation]; m != nil && !h.NotBefore.After(now) && s.mergeable(h, m) {
			counts[h.Operation]++
		}
	}
	return counts
}

// together is how many calls to the CRM the first n queued calls of a lane will be, about: what is in memory stands for the rest. A bulk call is followed by as many
// polls as make it worth its while at least.
func (s *Scheduler) together(l *lane, n int64) int64 {
	heads := int64(len(l.queue.heads))
	if len(l.merging) == 0 || heads == 0 {
		return n
	}
	counts := map[*merging]int64{}
	for i := range l.queue.heads {
		h := &l.queue.heads[i]
		if m := l.merging[h.Operation]; m != nil && s.mergeable(h, m) {
			counts[m]++
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
func (s *Scheduler) offerMerged(now time.Time, l *lane, h *queued, counts map[string]int, to []offer) ([]offer, bool) {
	m := l.merging[h.Operation]
	if m == nil || !s.mergeable(h, m) {
		return to, false
	}
	n := counts[h.Operation]
	if until := h.AcceptedAt.Add(m.linger); (m.always || s.scarce) && n < m.most && now.Before(until) {
		l.staleAt = earlier(l.staleAt, until)
		return to, true
	}
	if n < m.least || s.held(now, l, m.about) {
		return to, false
	}
	o := s.newOffer(l, fairshare.Backlog, m.price, h.AcceptedAt)
	if !slices.ContainsFunc(to, o.samePlace) {
		o.bulk, o.queued, o.about = h.Operation, h.ID, m.about
		to = append(to, o)
	}
	if m.price.kind == h.price.kind {
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

// reconsider has lanes offer single calls again whose bulk calls the limits do not let through any more, and reports whether there are some.
func (s *Scheduler) reconsider() (some bool) {
	for _, l := range s.order {
		if l.onlyMerged && slices.ContainsFunc(l.offers, func(o offer) bool { return o.bulk != "" && !s.admits(l, o) }) {
			l.stale, some = true, true
		}
	}
	return some
}

func (s *Scheduler) admits(l *lane, o offer) bool {
	_, ok := s.sharing.Admissible(l.owner, o.Cost)
	return ok
}

// launchMerged sends the first of a lane's queued calls of one operation together under a charge that was taken, and returns how many they are.
func (s *Scheduler) launchMerged(now time.Time, l *lane, o offer, id ledger.ID) int {
	m := l.merging[o.bulk]
	b := &bulkCall{lane: l, batch: m.batch, heads: s.gather(now, l, o, m)}
	b.Bulk = backlog.Bulk{ID: uint64(id), Integration: l.key, Operation: o.bulk, Mark: markOf(b.heads[0].ID, id), SentAt: now}
	for _, h := range b.heads {
		b.Members = append(b.Members, h.ID)
		s.transit(backlog.Transition{Ref: l.ref(h.ID), From: call.StateQueued, To: call.StateSent, At: now, Progress: h.Progress}, time.Time{})
		s.observeWait(l, now.Sub(h.AcceptedAt))
	}
	s.bulks[id] = b
	s.outages.sent(id)
	s.launch(&flight{id: id, lane: l, price: m.price, about: m.about, bulk: b, refs: b.refs()})
	s.saveBulk(b)
	return len(b.heads)
}

// gather takes the calls that go together out of the window, from the one that was offered on.
func (s *Scheduler) gather(now time.Time, l *lane, o offer, m *merging) []backlog.Head {
	var ids []call.ID
	for i := range l.queue.heads {
		h := &l.queue.heads[i]
		if len(ids) < m.most && h.Operation == o.bulk && h.ID >= o.queued && !h.NotBefore.After(now) && s.mergeable(h, m) {
			ids = append(ids, h.ID)
		}
	}
	heads := make([]backlog.Head, 0, len(ids))
	for _, id := range ids {
		heads = append(heads, l.queue.take(id))
	}
	return heads
}

// markOf is a name for a bulk call that no other one ever had: its first member's ID is of this volume alone, its charge's is used once on it.
func markOf(first call.ID, id ledger.ID) string {
	return "crmq-" + strings.ToLower(string(first)) + "-" + strconv.FormatUint(uint64(id), 36)
}
