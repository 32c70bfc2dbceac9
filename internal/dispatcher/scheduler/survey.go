// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
	"github.com/crmquota/crm-quota-operator/internal/domain/observe"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// surveys are what is seen of the limits under Observe; nil where the CRM cannot tell, and otherwise.
type surveys struct {
	of  []limits.Limit
	all []*observe.Survey
}

// setSurveys begins to look at the limits. One that counts as it did keeps what was seen.
func (u *surveys) setSurveys(ls []limits.Limit, watches []*observe.Watch) {
	before := *u
	u.of, u.all = ls, make([]*observe.Survey, len(ls))
	for k, l := range ls {
		same := slices.IndexFunc(before.of, func(b limits.Limit) bool { return limitKey(b) == limitKey(l) })
		switch {
		case watches[k] == nil:
		case same >= 0 && before.all[same] != nil && !slices.Contains(u.all[:k], before.all[same]):
			u.all[k] = before.all[same]
		default:
			u.all[k] = observe.NewSurvey(l)
		}
	}
}

// see has what others use, under Observe, be the demand that is foreseen and that the licence is held against: later it is to come through the dispatcher.
func (s *Scheduler) see(now time.Time, f *flight, o upstream.Outcome, readings map[int]dialect.Reading) {
	if len(readings) == 0 {
		return
	}
	counted := false
	for k := range s.word.declared {
		r, said := readings[k]
		if !said {
			continue
		}
		if f.answersInFull(o) {
			s.usage.noteApps(s.word.declared[k], r)
		}
		if !s.plan.Observe || r.Remaining == nil {
			continue
		}
		size := r.Limit
		if size == 0 {
			size = s.ledger.Limit(k).Max
		}
		settled, open := s.ledger.Own(k)
		units := s.usage.all[k].See(observe.Look{At: now, Used: max(0, size-*r.Remaining), Own: settled + open, Resets: r.Resets})
		if units == 0 {
			continue
		}
		if !counted { // all demands share it
			s.total.history.Ask(now, units)
			counted = true
		}
		s.total.all[k].Ask(now, units)
		if a := s.advisorOf[k]; a != nil {
			a.Ask(now, units, false)
		}
	}
}

// reportSurvey puts what was seen in place of what the words about single answers come to.
func (s *Scheduler) reportSurvey(now time.Time, k int, r *contract.WindowReport) {
	others, known := s.usage.all[k].Others(now)
	settled, open := s.ledger.Own(k)
	r.Used, r.External = settled+open, nil
	if known {
		r.Used, r.External = r.Used+others, &others
	}
}

// surveyed is what limit k has left and gets back, under Observe and where the CRM has told.
func (s *Scheduler) surveyed(now time.Time, k int, e *forecast.Exhaustion) {
	if !s.plan.Observe || s.usage.all[k] == nil {
		return
	}
	if others, known := s.usage.all[k].Others(now); known {
		settled, open := s.ledger.Own(k)
		e.Free, e.Releases = s.ledger.Limit(k).Max-others-settled-open, nil
		for _, x := range s.usage.all[k].Expires(now, releaseSteps) {
			e.Releases = append(e.Releases, forecast.Release{After: x.After, Units: x.Units})
		}
	}
}
