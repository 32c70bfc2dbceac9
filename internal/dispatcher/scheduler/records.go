// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Bulk calls that change records: an item each, and none twice. A job may come to its items after minutes, or an hour, and what was accepted later must not be undone
// by that. So while it is not known what became of a change, the integration's other queued calls of that operation and record wait, whether they have an ordering
// key or not.

// changed names what a call changes; empty if it goes in no such bulk calls.
func changed(p Provider, h *backlog.Head) string {
	if p == nil {
		return ""
	}
	record := ""
	batch, _ := p.Batch(h.Operation)
	if records, is := batch.(dialect.RecordBatch); is {
		record = records.Record(h.Target)
	} else if mixed, can := p.Mixed(); can {
		record = mixed.Record(dialect.Request{Method: h.Method, Target: h.Target})
	}
	if record == "" {
		return ""
	}
	return h.Operation + " " + record
}

// recordOf is changed for a call in a window.
func (s *Scheduler) recordOf(h *queued) string {
	if !h.named {
		h.changes, h.named = changed(s.provider, &h.Head), true
	}
	return h.changes
}

// turns tells, of a lane's queued calls in the order of acceptance, which may go.
type turns struct {
	s   *Scheduler
	l   *lane
	now time.Time
	// later are records with an earlier call that waits for its time, taken those with one that goes, barred those with one that nothing is folded past.
	later, taken, barred map[string]bool
}

func (s *Scheduler) turnsOf(now time.Time, l *lane) *turns { return &turns{s: s, l: l, now: now} }

// has says whether no earlier call about the same record keeps one from going.
func (t *turns) has(h *queued) bool {
	if t.l.merging == nil && len(t.l.changing) == 0 {
		return true
	}
	record := t.s.recordOf(h)
	if record == "" {
		return true
	}
	if t.l.changing[record] > 0 || t.later[record] || t.overtakes(h, record) {
		return false
	}
	if h.NotBefore.After(t.now) {
		note(&t.later, record)
	}
	return true
}

// first says whether none about the same record goes yet.
func (t *turns) first(h *queued) bool { return !t.taken[t.s.recordOf(h)] }

// overtakes says whether a call of another urgency about the same record was accepted before: whatever is urgent, records change in the order of acceptance.
func (t *turns) overtakes(h *queued, record string) bool {
	for i := range t.l.queue.heads {
		before := &t.l.queue.heads[i]
		if before.ID >= h.ID {
			break
		}
		if before.Urgency != h.Urgency && t.s.recordOf(before) == record {
			return true
		}
	}
	return false
}

// take reports whether a call goes, and notes that: the first about its record, or with fold those behind it that set fields only.
func (t *turns) take(h *queued, fold bool) bool {
	record := t.s.recordOf(h)
	if record == "" {
		return true
	}
	sets := h.Repeat.Class == call.RepeatIdempotent
	if t.taken[record] && (!fold || !sets || t.barred[record]) {
		t.bar(h)
		return false
	}
	note(&t.taken, record)
	if !sets {
		t.bar(h)
	}
	return true
}

// bar notes that nothing is folded past a call.
func (t *turns) bar(h *queued) { note(&t.barred, t.s.recordOf(h)) }

func note(in *map[string]bool, name string) {
	if *in == nil {
		*in = map[string]bool{}
	}
	(*in)[name] = true
}

// bulkPrice is the price of a bulk call of so many items that begins with h. Of limits per record it takes from every record what it takes from those that it changes: the ledger counts
// a call for one record or for all.
func (s *Scheduler) bulkPrice(l *lane, m *merging, h *queued, items int) price {
	of := s.priceMerged(l.access, m, items)
	if m.records == nil || len(s.recordLimits) == 0 {
		return of
	}
	return price{s.tariff.ForRecords(of.kind, s.priceOf(l, h).kind), ledger.NoRecord}
}

// covers says whether a bulk call takes as much of the limits per record as one of its calls would by itself.
func (s *Scheduler) covers(l *lane, bulk ledger.Cost, h *queued) bool {
	cost := s.tariff.Cost(s.priceOf(l, h).kind)
	for _, k := range s.recordLimits {
		if cost[k] > bulk[k] {
			return false
		}
	}
	return true
}

// roomInBulk says whether a bulk call may take of a record what a call takes: at least half of a limit is left to calls by themselves, as bulk calls take from every
// record.
func (s *Scheduler) roomInBulk(l *lane, h *queued) bool {
	of := s.priceOf(l, h)
	cost := s.tariff.Cost(of.kind)
	for _, k := range s.recordLimits {
		if cost[k] > 0 && 2*(s.ledger.RecordFree(k, of.record)-cost[k]) < s.ledger.Limit(k).Max {
			return false
		}
	}
	return true
}

// recordOpen says whether what is offered still fits its record. The records of a bulk call are looked at one by one when its members are gathered.
func (s *Scheduler) recordOpen(now time.Time, l *lane, o offer, members []call.ID) bool {
	if o.bulk != "" && len(members) == 0 {
		return false
	}
	if m := l.merging[o.bulk]; m != nil && m.records != nil {
		return true
	}
	return s.recordFree(now, l, price{kindOf(o.Head), o.record})
}

// hold has other queued calls about a record wait; nothing if the name is empty.
func (l *lane) hold(record string) {
	if record == "" {
		return
	}
	if l.changing == nil {
		l.changing = map[string]int{}
	}
	l.changing[record]++
}

// release ends hold.
func (l *lane) release(record string) {
	if record == "" {
		return
	}
	l.stale = true
	if l.changing[record]--; l.changing[record] <= 0 {
		delete(l.changing, record)
	}
}
