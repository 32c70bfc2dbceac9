// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// gate enforces one limit in force.
type gate struct {
	limit limit.Limit
	// counts by what the limit counts apart; they are kept for as long as the limit is in force.
	counts map[string]*count
	since  int // the number of arrivals kept before it came into force
	random *rand.Rand
}

// count is one of the counts of a limit.
type count struct {
	counter   limit.Counter // nil for calls in flight and jobs
	inService int           // of a concurrent limit
	jobEnds   []time.Time   // of a limit on jobs
}

// of returns the count that a call belongs to.
func (g *gate) of(c limit.Call) *count {
	name := g.limit.CountOf(c)
	if g.counts[name] == nil {
		g.counts[name] = &count{counter: limit.NewCounter(g.limit, g.random)}
	}
	return g.counts[name]
}

// gates are the limits in force, in the order of the configuration.
type gates []*gate

// term is a limit that was replaced, with the part of the record during which it was in force: arrivals [from, until).
type term struct {
	limit       limit.Limit
	from, until int
}

// replace puts new limits in force once arrivals have been kept. A limit that stays the same keeps what it has counted.
func (g gates) replace(arrivals int, limits []limit.Limit, random *rand.Rand) (next gates, ended []term) {
	for _, l := range limits {
		same := slices.IndexFunc(g, func(old *gate) bool { return old.limit.String() == l.String() })
		if same >= 0 {
			next = append(next, g[same])
			continue
		}
		next = append(next, &gate{limit: l, counts: map[string]*count{}, since: arrivals, random: random})
	}
	for _, old := range g {
		if !slices.Contains(next, old) {
			ended = append(ended, term{limit: old.limit, from: old.since, until: arrivals})
		}
	}
	return next, ended
}

// enter takes a slot of each concurrent limit that applies and returns them, for leave; or takes none and returns the limit that is full.
func (g gates) enter(c limit.Call) (entered []*count, full *limit.Limit) {
	for _, gate := range g {
		l := gate.limit
		if l.Kind != limit.Concurrent || !l.Applies(c) {
			continue
		}
		slots := gate.of(c)
		if slots.inService >= l.Calls && !l.JudgeOnly {
			return nil, &gate.limit
		}
		entered = append(entered, slots)
	}
	for _, slots := range entered {
		slots.inService++
	}
	return entered, nil
}

func leave(entered []*count) {
	for _, slots := range entered {
		slots.inService--
	}
}

// admit counts a call against every window that applies to it, or against none if one refuses.
func (g gates) admit(now time.Time, c limit.Call) (refused *crm.Refusal) {
	type taking struct {
		counter limit.Counter
		units   int
	}
	var takings []taking
	for _, gate := range g {
		l := gate.limit
		if !l.Applies(c) {
			continue
		}
		counter, units := gate.of(c).counter, l.UnitsOf(c)
		if counter == nil {
			continue
		}
		if remaining, more := counter.Remaining(now); remaining < units && !l.JudgeOnly {
			return &crm.Refusal{Limit: l, Retry: more}
		}
		takings = append(takings, taking{counter, units})
	}
	for _, t := range takings {
		t.counter.Take(now, t.units)
	}
	return nil
}

// jobFits reports whether a call may start a job at now, as far as limits on jobs go.
func (g gates) jobFits(now time.Time, c limit.Call) bool {
	for _, gate := range g {
		l := gate.limit
		if l.Kind != limit.Jobs || !l.Applies(c) {
			continue
		}
		jobs := gate.of(c)
		jobs.jobEnds = slices.DeleteFunc(jobs.jobEnds, func(end time.Time) bool { return !now.Before(end) })
		if len(jobs.jobEnds) >= l.Calls && !l.JudgeOnly {
			return false
		}
	}
	return true
}

// startJob counts a job that a call has started.
func (g gates) startJob(c limit.Call, end time.Time) {
	for _, gate := range g {
		if gate.limit.Kind == limit.Jobs && gate.limit.Applies(c) {
			jobs := gate.of(c)
			jobs.jobEnds = append(jobs.jobEnds, end)
		}
	}
}

// standings yields the windows that a call counts against, in the order of the configuration, as the CRM tells of them.
func (g gates) standings(now time.Time, c limit.Call) iter.Seq[crm.Standing] {
	return func(yield func(crm.Standing) bool) {
		for _, gate := range g {
			if !gate.limit.Applies(c) {
				continue
			}
			counter := gate.of(c).counter
			if counter == nil {
				continue
			}
			remaining, more := counter.Remaining(now)
			shown := gate.limit
			if shown.Shown > 0 {
				shown.Calls, remaining = shown.Shown, max(0, remaining+shown.Shown-shown.Calls)
			}
			if !yield(crm.Standing{Limit: shown, Remaining: remaining, More: more}) {
				return
			}
		}
	}
}
