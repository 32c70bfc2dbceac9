// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
	"github.com/crmquota/crm-quota-operator/internal/domain/observe"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// word is what the CRM says of the limits in force.
type word struct {
	// declared are the plan's limits, watches what is known of each; nil where the CRM cannot tell.
	declared []limits.Limit
	watches  []*observe.Watch
	// refusals of the CRM by their verdict, and when each verdict was logged last.
	refusals map[contract.Verdict]int64
	logged   map[contract.Verdict]time.Time
}

// setDeclared takes over a plan's limits. One that counts as it did keeps what is known of it.
func (w *word) setDeclared(ls []limits.Limit) {
	watches := make([]*observe.Watch, len(ls))
	for k, l := range ls {
		if l.Kind == limits.Concurrent || l.Meter.PerRecord || l.Unit != limits.Calls || l.AlertOnly {
			continue
		}
		same := slices.IndexFunc(w.declared, func(before limits.Limit) bool { return limitKey(before) == limitKey(l) })
		if same >= 0 && w.watches[same] != nil && !slices.Contains(watches[:k], w.watches[same]) {
			watches[k] = w.watches[same]
			continue
		}
		watches[k] = observe.New(l)
	}
	w.declared, w.watches = ls, watches
}

// size is how large limit k is, by what the CRM says and the plan makes of that.
func (w *word) size(now time.Time, k int, source contract.LimitSource) int64 {
	declared := w.declared[k].Max
	if w.watches[k] == nil || source == contract.LimitDeclared {
		return declared
	}
	reported, known := w.watches[k].Reported(now)
	switch {
	case !known:
		return declared
	case source == contract.LimitReported:
		return reported
	default:
		return min(declared, reported)
	}
}

// heed goes by the CRM's word: limits have the size that it says, and what others use is kept free for them.
func (s *Scheduler) heed(now time.Time) {
	if s.plan == nil {
		return
	}
	for k := range s.word.watches {
		if s.word.size(now, k, s.plan.LimitSource) != s.ledger.Limit(k).Max {
			if err := s.enforce(s.plan); err != nil {
				panic("scheduler: the plan in force is not accepted again: " + err.Error())
			}
			break
		}
	}
	s.narrow(now)
}

// narrow charges to callers outside what they use, and are expected to use. What integrations with their own way to the CRM have kept free comes first.
func (s *Scheduler) narrow(now time.Time) {
	others := s.ledger.Owner(undeclared)
	var external []*lane
	for _, l := range s.order {
		if l.spec != nil && l.spec.External {
			external = append(external, l)
		}
	}
	for k, w := range s.word.watches {
		if w == nil {
			continue
		}
		rest := int64(0)
		if s.plan.LimitSource != contract.LimitDeclared {
			rest = w.Outside(now)
		}
		for _, l := range external {
			n := min(rest, s.sharing.Guaranteed(k, l.owner))
			s.ledger.SetOutside(k, l.owner, n)
			rest -= n
		}
		s.ledger.SetOutside(k, others, rest)
	}
}

// renewed is when limit k has room again, where the ledger says at: what callers outside use is over when the CRM's word on it is.
func (s *Scheduler) renewed(now time.Time, k int, at time.Time) time.Time {
	if w := s.word.watches[k]; w != nil && !at.IsZero() && s.ledger.Outside(k) > 0 {
		return earlier(at, w.Renewed(now))
	}
	return at
}

// nextWord is when what is kept free for callers outside changes by time alone; zero if it does not.
func (s *Scheduler) nextWord(now time.Time) (next time.Time) {
	for _, w := range s.word.watches {
		if w != nil {
			next = earlier(next, w.Changes(now))
		}
	}
	return next
}

// hear takes what an answer says of the limits. The charge of its call has ended. If the CRM refused it for a limit of its operation that is not declared, hear returns for
// how long the CRM asked to be left alone.
func (s *Scheduler) hear(now time.Time, f *flight, o upstream.Outcome, what fate, v dialect.Verdict) (refusedBy *time.Duration) {
	if o.Answer == nil || s.plan == nil {
		return nil
	}
	readings := s.readings(now, f, o)
	ended := o.Ended
	if o.Rest != nil {
		ended = now
	}
	cost := s.costOf(f)
	for k, w := range s.word.watches {
		if w == nil {
			continue
		}
		units := cost[k]
		if what == refused {
			units = 0
		}
		r, said := readings[k]
		if !said {
			w.Count(o.Began, ended, units)
			continue
		}
		settled, open := s.ledger.Own(k)
		w.Hear(observe.Word{
			Began: o.Began, Ended: ended, Limit: r.Limit, Remaining: r.Remaining, Resets: r.Resets, Units: units,
			Own: observe.Own{Settled: settled, Open: open},
		})
	}
	s.see(now, f, o, readings)
	if what == refused && s.judgeRefusal(now, f, cost, v.Scope, readings) == contract.VerdictHiddenLimit && v.Scope == dialect.ScopeOperation {
		return &v.Wait
	}
	return nil
}

// costOf is what a call takes of the limits in force, which may have changed since it was sent.
func (s *Scheduler) costOf(f *flight) ledger.Cost {
	if f.tariff == s.tariff {
		return s.tariff.Cost(f.price.kind)
	}
	return s.tariff.Cost(s.priceCall(f.access, f.call).kind)
}

// readings are what an answer to a call says, by the number of the limit. What fits no declared limit is left out.
func (s *Scheduler) readings(now time.Time, f *flight, o upstream.Outcome) map[int]dialect.Reading {
	var all map[int]dialect.Reading
	for _, r := range s.told(now, f, o) {
		k := 0
		for k < len(s.word.watches) && (!s.counts(k, f.access) || !isAbout(r, s.tariff.Declared(k))) {
			k++
		}
		if k == len(s.word.watches) || s.word.watches[k] == nil {
			continue
		}
		if _, end, calendar := s.ledger.Period(k); calendar && r.Resets <= 0 {
			r.Resets = max(0, end.Sub(now))
		}
		if s.word.declared[k].Counting == limits.TokenBucket {
			r.Remaining = nil // what is left in the bucket tells nothing of the window
		}
		if all == nil { // many CRMs say nothing
			all = map[int]dialect.Reading{}
		}
		all[k] = r
	}
	return all
}

// isAbout says whether a reading is about a declared limit: it counts the same calls over the same time.
func isAbout(r dialect.Reading, l contract.Limit) bool {
	switch {
	case r.Operation == "" && l.Match != nil:
		return false
	case r.Operation != "" && (l.Match == nil || !slices.Equal(l.Match.Operations, []string{r.Operation})):
		return false
	case r.Day:
		return l.Calendar != nil && l.Calendar.Unit == contract.CalendarDay
	default:
		return l.WindowSeconds > 0 && r.Window == time.Duration(l.WindowSeconds)*time.Second
	}
}

// newWord returns a word that knows of no limits.
func newWord() word {
	return word{refusals: map[contract.Verdict]int64{}, logged: map[contract.Verdict]time.Time{}}
}

// limitsInForce takes over the limits of a plan, in the size that holds.
func (s *Scheduler) limitsInForce(now time.Time, p *contract.Plan, prices *tariff.Tariff) []limits.Limit {
	s.word.setDeclared(prices.Limits())
	ls := slices.Clone(s.word.declared)
	for k, w := range s.word.watches {
		ls[k].Max = s.word.size(now, k, p.LimitSource)
		if w != nil {
			w.SetMax(ls[k].Max)
		}
	}
	return ls
}

// reportWord adds to a window's report what the CRM says. What is only expected of callers outside is not used yet.
func (s *Scheduler) reportWord(now time.Time, k int, r *contract.WindowReport) {
	w := s.word.watches[k]
	if w == nil {
		return
	}
	r.Contradicted = w.Contradicts(now)
	if reported, known := w.Reported(now); known {
		r.Reported = new(reported)
	}
	r.Used -= s.ledger.Outside(k)
	r.Borrowed -= s.sharing.BorrowedBy(k, s.ledger.Owner(undeclared))
	s.reportApps(now, k, r)
	if s.plan.Observe {
		s.reportSurvey(now, k, r)
		return
	}
	if others, known := w.Others(now); known {
		r.External = new(others.PerWindow)
		r.Used += (others.Least + others.Most) / 2
	}
}
