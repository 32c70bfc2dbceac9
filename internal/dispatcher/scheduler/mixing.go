// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Calls of different operations go together where the CRM takes any in one call and answers each. It takes fewer of them than of one operation. So those of which
// there are enough to fill such a call go with their own, and what is left goes together.

// several stands for the operation of bulk calls whose members are of different ones. No operation has that name.
const several = "*"

// batchOf is how calls of an operation become one bulk call, or those of several, and false if they cannot.
func batchOf(p Provider, operation string) (dialect.Batch, bool) {
	if operation == several {
		return p.Mixed()
	}
	return p.Batch(operation)
}

// setMixing reads from the plan whether a lane's calls of different operations are merged, and has so many of each kind known as one bulk call takes.
func (s *Scheduler) setMixing(l *lane) {
	if mixed, can := s.provider.Mixed(); can {
		m := newMerging(mixed, l.spec.Batching)
		l.merging[several], l.queue.each = m, m.most
	}
}

// mixes says whether a queued call can go with those of other operations: not, if the plan names what is merged without it, nor where updates of a record become one,
// which they do with each other. One that waits for others of its operation to go with does not, either: these are more.
func (s *Scheduler) mixes(now time.Time, l *lane, h *queued) bool {
	m, own := l.merging[several], l.merging[h.Operation]
	if m == nil || own != nil && s.mergeable(l, h, own) && s.patient(now, own, h) {
		return false
	}
	if !h.asked {
		h.mixes, h.asked = s.takenMixed(l.spec.Batching, own, h), true
	}
	return h.mixes && s.mergeable(l, h, m)
}

// patient says whether a queued call waits for more to go with than there are now.
func (s *Scheduler) patient(now time.Time, m *merging, h *queued) bool {
	return (m.always || s.scarce) && h.Urgency >= 0 && now.Before(h.AcceptedAt.Add(m.linger))
}

func (s *Scheduler) takenMixed(spec *contract.Batching, own *merging, h *queued) bool {
	if own != nil && own.fold || len(spec.Operations) > 0 && !slices.Contains(spec.Operations, h.Operation) {
		return false
	}
	mixed, can := s.provider.Mixed()
	return can && mixed.Takes(dialect.Request{Method: h.Method, Target: h.Target})
}

// crowds are how many of a lane's calls could go together: of each operation, and as several of those of which there are too few to fill a bulk call of several.
type crowds map[string]int

// crowdsOf counts the calls that are ready and, if they can go with others, are taken.
func (s *Scheduler) crowdsOf(now time.Time, l *lane, ready, take func(*queued) bool) crowds {
	if len(l.merging) == 0 {
		return nil
	}
	all, mixed := crowds{}, map[string]int{}
	for i := range l.queue.heads {
		h := &l.queue.heads[i]
		if !ready(h) {
			continue
		}
		own := l.merging[h.Operation]
		alike, mixes := own != nil && s.mergeable(l, h, own), s.mixes(now, l, h)
		if !alike && !mixes || !take(h) {
			continue
		}
		if alike {
			all[h.Operation]++
		}
		if mixes {
			mixed[h.Operation]++
		}
	}
	for operation, n := range mixed {
		if all[operation] < l.merging[several].most {
			all[several] += n
		}
	}
	return all
}

// mergedAs names the bulk calls that a queued call goes in: by its operation, or several; empty if it goes in none.
func (s *Scheduler) mergedAs(now time.Time, l *lane, h *queued, all crowds) string {
	own := l.merging[h.Operation]
	alike := own != nil && s.mergeable(l, h, own)
	if s.mixes(now, l, h) && (!alike || all[h.Operation] < min(all[several], l.merging[several].most)) {
		return several
	}
	if alike {
		return h.Operation
	}
	return ""
}

// goesIn says of queued calls whether they are of those that a bulk call is made of.
func (s *Scheduler) goesIn(now time.Time, l *lane, bulk string) func(*queued) bool {
	if bulk != several {
		return func(h *queued) bool { return h.Operation == bulk }
	}
	all := s.togetherNow(now, l)
	return func(h *queued) bool { return s.mergedAs(now, l, h, all) == several }
}
