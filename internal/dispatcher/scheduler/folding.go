// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/http"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Updates of one record that wait in a row become one, where a plan asks for it. They are an item of a bulk call, or, where no bulk call is worth its while, one call
// as any of them. Until it is known what became of that they are all sent; in doubt all are queued again, each at its place: what the first sets again, the last one
// after it does not leave.

// foldable are the calls that become one with the single queued call that is offered, that one first; none if it is sent as it is.
func (s *Scheduler) foldable(now time.Time, l *lane, o offer) (members []call.ID) {
	if o.bulk != "" || o.waiter != nil {
		return nil
	}
	at, there := l.queue.find(o.queued)
	if !there {
		return nil
	}
	first := &l.queue.heads[at]
	m, record := l.merging[first.Operation], s.recordOf(first)
	if m == nil || !m.fold || record == "" {
		return nil
	}
	turns := s.turnsOf(now, l)
	for i := at; i < len(l.queue.heads) && len(members) < m.most; i++ {
		h := &l.queue.heads[i]
		if s.recordOf(h) != record {
			continue
		}
		if !turns.has(h) || h.NotBefore.After(now) || h.Alone || h.Size > int64(maxBulkBytes/m.most) || !turns.take(h, true) {
			break
		}
		members = append(members, h.ID)
	}
	if len(members) < 2 {
		return nil
	}
	return members
}

// launchFolded sends updates of one record as one, under a charge that was taken for the first.
func (s *Scheduler) launchFolded(now time.Time, l *lane, o offer, id ledger.ID, members []call.ID) {
	at, _ := l.queue.find(o.queued)
	operation := l.queue.heads[at].Operation
	m := l.merging[operation]
	s.launchTogether(now, &flight{id: id, lane: l, price: price{kindOf(o.Head), o.record}, about: o.about, bulk: &bulkCall{
		batch: m.batch, fold: true, lanes: slices.Repeat([]*lane{l}, len(members)), Bulk: backlog.Bulk{Operation: operation, Members: members, Whole: true},
	}})
}

// mergeAll makes one call of the members of a bulk call, and says how many are in it. It notes their places.
func (f *flight) mergeAll(members []dialect.Request) (bulk dialect.Request, n int) {
	b := f.bulk
	records, is := b.batch.(dialect.RecordBatch)
	if !b.fold || !is {
		bulk, f.items = b.batch.Merge(b.Mark, members)
		return bulk, len(f.items)
	}
	items, places := fold(records, members)
	if !b.Whole {
		var in []int
		bulk, in = b.batch.Merge(b.Mark, items)
		for _, i := range in {
			f.items, f.folded = append(f.items, places[i][0]), append(f.folded, places[i][1:])
			n += len(places[i])
		}
		return bulk, n
	}
	if len(items) == 0 {
		return bulk, 0
	}
	f.items, f.folded = places[0][:1], [][]int{places[0][1:]}
	bulk = items[0]
	bulk.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	return bulk, len(places[0])
}

// fold makes one call of those about the same record that come in a row, with their places. What cannot be folded is left out, and what is behind it.
func fold(records dialect.RecordBatch, members []dialect.Request) (items []dialect.Request, places [][]int) {
	of, barred := map[string]int{}, map[string]bool{}
	for place, m := range members {
		record := records.Record(m.Target)
		i, begun := of[record]
		switch {
		case record == "" || barred[record]:
		case !begun:
			of[record] = len(items)
			items, places = append(items, m), append(places, []int{place})
		default:
			both, ok := records.Fold(items[i], m)
			if !ok {
				barred[record] = true
				continue
			}
			items[i], places[i] = both, append(places[i], place)
		}
	}
	return items, places
}

// shareAnswer gives the CRM's answer to one call to all whose updates it was made of.
func (s *Scheduler) shareAnswer(now time.Time, b *bulkCall, answer *backlog.Answer) {
	for place, id := range b.Members {
		if id != "" {
			s.settleMember(now, b, place, dialect.Item{Answer: &dialect.Response{Status: answer.Status, Header: answer.Header, Body: answer.Body}})
		}
	}
}
