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
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// maxBulkBytes is how many bytes the bodies of one bulk call's members have at most.
const maxBulkBytes = 4 << 20

// merging is how a lane's queued calls of one operation become bulk calls.
type merging struct {
	batch dialect.Batch
	// least calls are worth a bulk call, which takes most.
	least, most int
	// linger is how long a call waits for others to go with.
	linger time.Duration
	price  price
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
		if !ok {
			continue
		}
		m := &merging{batch: batch}
		m.least, m.most = batch.Size()
		if spec.MaxItems > 0 {
			m.most = min(m.most, int(spec.MaxItems))
		}
		m.least = min(m.least, m.most)
		if spec.Mode == contract.BatchAlways {
			m.linger = time.Duration(spec.MaxLingerSeconds) * time.Second
		}
		bulk := batch.Bulk()
		m.price = s.price(bulk.Operation, bulk.Method, bulk.Target)
		l.merging[operation] = m
		l.queue.wide[backlog.KindOf(operation, "", "")] = m.most
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

// offerMerged adds a bulk call that begins with the head, if there are enough to go with it. It reports whether the head is not to be offered by itself, too: as it
// waits for others, or as what lets it through lets the bulk call through.
func (s *Scheduler) offerMerged(now time.Time, l *lane, h *queued, counts map[string]int, to []offer) ([]offer, bool) {
	m := l.merging[h.Operation]
	if m == nil || !s.mergeable(h, m) {
		return to, false
	}
	n := counts[h.Operation]
	if until := h.AcceptedAt.Add(m.linger); n < m.most && now.Before(until) && slices.IndexFunc(to, func(o offer) bool { return o.bulk == h.Operation }) < 0 {
		l.staleAt = earlier(l.staleAt, until)
		return to, true
	}
	if n < m.least {
		return to, false
	}
	o := s.newOffer(l, fairshare.Backlog, m.price, h.AcceptedAt)
	if !slices.ContainsFunc(to, o.samePlace) {
		o.bulk, o.queued = h.Operation, h.ID
		to = append(to, o)
	}
	return to, m.price.kind == h.price.kind
}

// preferBulk replaces a choice by the bulk call that its call could go with, if that may be sent as well.
func (s *Scheduler) preferBulk(l *lane, i int, c fairshare.Choice) (int, fairshare.Choice) {
	if o := l.offers[i]; o.waiter != nil || o.bulk != "" {
		return i, c
	}
	at, there := l.queue.find(l.offers[i].queued)
	if !there || l.merging[l.queue.heads[at].Operation] == nil {
		return i, c
	}
	h := &l.queue.heads[at]
	j := slices.IndexFunc(l.offers, func(o offer) bool { return o.bulk == h.Operation && o.queued == h.ID })
	if j < 0 {
		return i, c
	}
	if class, ok := s.sharing.Admissible(l.owner, l.offers[j].Cost); !ok || class != c.Class {
		return i, c
	}
	c.Head = l.offers[j].Head
	return j, c
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
	s.launch(&flight{id: id, lane: l, price: m.price, bulk: b, refs: b.refs()})
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
