// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/domain/hidden"
)

// learn takes what became of a request for what it tells of limits that are not declared. refusedBy is for how long the CRM asked to be left alone, if it refused the call for
// such a limit; nil if it did not.
func (s *Scheduler) learn(now time.Time, f *flight, o upstream.Outcome, what fate, refusedBy *time.Duration) {
	ended := o.Ended
	if o.Rest != nil {
		ended = now
	}
	switch {
	case refusedBy != nil:
		s.learner.Refused(f.like, o.Began, ended, *refusedBy)
	case what == succeeded || what == failed:
		if s.learner.Taken(f.like, o.Began, ended) {
			s.noteLearnt(now, f.like)
		}
	default:
		s.learner.Ended(f.like)
	}
	if s.paces {
		s.staleAll() // a call like this one may have waited for its end
	}
}

// noteLearnt has what was learnt or forgotten take effect, and be stored with this turn.
func (s *Scheduler) noteLearnt(now time.Time, like string) {
	s.paces, s.memorisedAt = len(s.learner.Limits(now)) > 0, time.Time{}
	if l, learnt := s.learner.Of(like); learnt {
		s.options.Logger.Warn("The CRM keeps a limit that is not declared; it was learnt from its refusals and is kept from now on",
			"calls", like, "limit", l.Calls, "window", l.Window, "refusals", l.Refusals)
	} else {
		s.options.Logger.Info("A limit that had been learnt from refusals was not confirmed and is forgotten", "calls", like)
	}
}

// paced says whether a call has to wait for a limit that was learnt, and until when; zero if only the end of another call can free it.
func (s *Scheduler) paced(now time.Time, of subject) (until time.Time, waits bool) {
	if !s.paces {
		return time.Time{}, false
	}
	return s.learner.Held(s.likeness(of), now)
}

// forgetDeclared drops what was learnt of calls for which the plan declares a limit that is about as tight.
func (s *Scheduler) forgetDeclared(now time.Time) {
	s.learner.Forget(now, func(l hidden.Limit) bool {
		return slices.ContainsFunc(s.plan.Limits, func(d contract.Limit) bool {
			seconds := int64(l.Window / time.Second)
			return d.Match != nil && s.isOf(d.Match, l.Subject) && d.WindowSeconds > 0 && d.Calls*seconds*4 <= l.Calls*d.WindowSeconds*5
		})
	})
}

// isOf says whether a declared limit is of the calls that are named so.
func (s *Scheduler) isOf(m *contract.Match, like string) bool {
	method, path, endpoint := strings.Cut(like, " ")
	if !endpoint {
		return slices.Contains(m.Operations, like)
	}
	return len(m.Operations) == 0 && s.provider.Canonical(m.Path) == path && (len(m.Methods) == 0 || slices.Contains(m.Methods, method))
}

// learntReport are the limits that were learnt, in the words of the report.
func (s *Scheduler) learntReport(now time.Time) (all []contract.LearntLimit) {
	learnt := s.learner.Limits(now)
	s.paces = len(learnt) > 0
	for _, l := range learnt {
		r := contract.LearntLimit{
			Calls: l.Calls, WindowSeconds: int64(l.Window / time.Second), Since: l.Since.UTC(), Expires: l.Expires().UTC(), Refusals: l.Refusals,
		}
		if method, path, endpoint := strings.Cut(l.Subject, " "); endpoint {
			r.Match = contract.Match{Methods: []string{method}, Path: path}
		} else {
			r.Match = contract.Match{Operations: []string{l.Subject}}
		}
		all = append(all, r)
	}
	return all
}
