// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// kind is what a row is about.
type kind uint8

const (
	// shared is a saturated drain of several integrations, single that of one alone.
	shared kind = iota
	single
	// guaranteed has people beside a greedy integration.
	guaranteed
)

// row is one line of the table: a limiter under one judge.
type row struct {
	kind             kind
	section, limiter string
	licence          licence
	// notRun says why there are no figures.
	notRun string

	// worst is the most calls in any window, overruns in how many stretches there were too many; -1 where the judge only refuses.
	worst, overruns int
	// refused of so many answers.
	refused, answers int
	// use is what the CRM took of what the limit allows, in the long run.
	use float64
	// p50, p99 and most are waits.
	p50, p99, most time.Duration
	// unfair is by how many calls, divided by its weight, one integration was served better than another at worst; negative for one alone.
	unfair float64
}

// rolling is the licence's limit as the strictest CRM keeps it.
func (l licence) rolling() limit.Limit {
	return limit.Limit{Name: "limit", Calls: l.calls, Kind: limit.Rolling, Window: l.window}
}

// row measures a world that has run for some windows since the drain began to measure.
func (w *world) row(section, limiter string, windows int) row {
	r := w.figures(section, limiter, w.licence)
	verdict := judge.Judge(w.licence.rolling(), w.arrivals)
	r.worst, r.overruns = verdict.Peak.Calls, verdict.OverrunCount
	r.use = float64(w.taken(w.since)) / float64(w.licence.calls*windows)
	return r
}

// figures are those that the drain has measured itself.
func (d *drain) figures(section, limiter string, l licence) row {
	r := row{section: section, limiter: limiter, licence: l, worst: -1, overruns: -1, refused: d.refused, answers: d.answers, unfair: -1}
	if len(d.apps) > 1 {
		r.unfair = d.unfair
	} else {
		r.kind = single
	}
	r.p50, r.p99, r.most = quantiles(d.heads)
	return r
}

// quantiles returns the median, the 99th percentile and the most of some times.
func quantiles(times []time.Duration) (p50, p99, most time.Duration) {
	if len(times) == 0 {
		return 0, 0, 0
	}
	slices.Sort(times)
	return times[len(times)/2], times[len(times)*99/100], times[len(times)-1]
}
