// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// targets of the advice: 19 of 20 calls wait no longer. Eight seconds are what clients wait unless their manifest says otherwise.
var targets = forecast.Targets{Waiting: 8 * time.Second, Queued: time.Hour}

// setAdvisors has each limit that a larger licence could raise watched. One that counts as it did keeps what was seen.
func (s *Scheduler) setAdvisors(ls []limits.Limit) {
	before := s.advisors
	s.advisors, s.advisorOf = nil, make([]*forecast.Advisor, len(ls))
	for k, l := range ls {
		if l.AlertOnly || l.Meter.PerRecord || l.UntilJobEnds || l.Unit != limits.Calls {
			continue
		}
		a := forecast.NewAdvisor(l, targets)
		i := slices.IndexFunc(before, func(b *forecast.Advisor) bool { return limitKey(b.Limit()) == limitKey(l) && b.Limit().Name == l.Name })
		if i >= 0 {
			a = before[i]
			if a.Limit().Max != l.Max {
				a.SetMax(l.Max)
			}
		}
		s.advisors, s.advisorOf[k] = append(s.advisors, a), a
	}
}

// advise tells the advisors of a call that is asked for.
func (s *Scheduler) advise(now time.Time, cost ledger.Cost, live bool) {
	for k, n := range cost {
		if a := s.advisorOf[k]; a != nil && n > 0 && s.ledger.Limit(k).Kind != limits.Concurrent {
			a.Ask(now, n, !live)
		}
	}
}

// adviseSlots tells the advisors of slots of a call that has ended.
func (s *Scheduler) adviseSlots(now time.Time, f *flight) {
	if f.tariff != s.tariff {
		return
	}
	for k, n := range s.tariff.Cost(f.price.kind) {
		if a := s.advisorOf[k]; a != nil && n > 0 && s.ledger.Limit(k).Kind == limits.Concurrent {
			a.Ask(now, now.Sub(f.at).Milliseconds(), f.waiter == nil)
		}
	}
}

// advice says whether the licence is large enough; nil while too little was seen.
func (s *Scheduler) advice(now time.Time) *contract.LicenceAdvice {
	tiers := make([]forecast.Tier, 0, len(s.plan.Tiers))
	for _, t := range s.plan.Tiers {
		tiers = append(tiers, forecast.Tier{Name: t.Name, Limits: t.Limits})
	}
	for _, a := range s.advisors {
		a.Advance(now)
	}
	a, ok := forecast.Advise(s.advisors, tiers, !s.inadequate)
	if !ok {
		return nil
	}
	s.inadequate = !a.Adequate
	return &contract.LicenceAdvice{
		Adequate: a.Adequate, WaitP95Seconds: int64((a.Wait + time.Second - 1) / time.Second), Limit: a.Limit, NeededP95: a.Needed, Tier: a.Tier,
		BatchingSaves: s.batchingSaves(),
	}
}

// batchingSaves is how many calls fewer the queued ones would be in full batches, without those that are merged anyway. Of what is queued only the front is in
// memory: the rest is taken to be like it.
func (s *Scheduler) batchingSaves() int64 {
	calls := map[string]float64{}
	for _, l := range s.order {
		if len(l.queue.heads) == 0 || l.spec == nil {
			continue
		}
		each := float64(s.options.Store.Tally(l.key).Queued) / float64(len(l.queue.heads))
		for i := range l.queue.heads {
			h := &l.queue.heads[i]
			if m := l.merging[h.Operation]; m == nil || !s.mergeable(l, h, m) {
				calls[h.Operation] += each
			}
		}
	}
	var queued []forecast.Batchable
	for operation, n := range calls {
		if batch, ok := s.provider.Batch(operation); ok {
			_, most := batch.Size()
			queued = append(queued, forecast.Batchable{Calls: int64(n), Size: int64(most)})
		}
	}
	return forecast.Batched(queued)
}

// meanOf is how much a new duration counts in the mean of those before.
const meanOf = 32

// observeDuration learns how long a call takes.
func (s *Scheduler) observeDuration(f *flight, took time.Duration) {
	if s.meanDuration == 0 {
		s.meanDuration = took
	}
	s.meanDuration += (took - s.meanDuration) / meanOf
	if f.tariff == s.tariff && s.tariff.Observe(f.price.kind, took) {
		s.staleAll()
	}
}
