// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// maxListed bounds the overruns listed for one limit; OverrunCount is not bounded.
const maxListed = 100

// Window is one position of a limit's window and the calls counted in it, in units of the limit. For a token bucket Calls is the tokens it would have
// had to hold at End, for a weighted counter its estimate at End, for calls or jobs in flight their number at End.
type Window struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Calls int       `json:"calls"`
	// Of is the record or credential that the limit counts apart.
	Of string `json:"of,omitempty"`
}

// Verdict says whether one limit was kept.
type Verdict struct {
	Limit limit.Limit `json:"limit"`
	// Allowed is what Calls of a Window may reach.
	Allowed int `json:"allowed"`
	// Arrivals counts the calls that were judged, refused ones too.
	Arrivals int `json:"arrivals"`
	// Peak is the fullest window; zero without arrivals.
	Peak Window `json:"peak,omitzero"`
	// PeakAnywhere is, for a Fixed limit, the fullest position of its window whatever the alignment. It may pass Allowed
	// without an overrun, for a sender that knows the alignment.
	PeakAnywhere Window `json:"peakAnywhere,omitzero"`
	// OverrunCount counts stretches of overlapping windows that held too much; each is one overrun.
	OverrunCount int `json:"overrunCount"`
	// Overruns lists the fullest window of each of the first stretches.
	Overruns []Window `json:"overruns,omitempty"`
}

// Judge scans every position of the limit's window over those of the arrivals that it is about.
func Judge(l limit.Limit, arrivals []Arrival) Verdict {
	v := Verdict{Limit: l, Allowed: l.Calls}
	if l.Kind == limit.TokenBucket {
		v.Allowed = l.Burst
	}
	for of, spans := range spansOf(l, arrivals) {
		v.Arrivals += len(spans)
		v.collect(of, windows(l, spans))
		if l.Kind == limit.Fixed {
			v.PeakAnywhere = fuller(v.PeakAnywhere, fullest(sliding(spans, int64(l.Window))).export(of))
		}
	}
	slices.SortFunc(v.Overruns, func(a, b Window) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Of, b.Of)) })
	v.Overruns = v.Overruns[:min(len(v.Overruns), maxListed)]
	return v
}

// spansOf returns when the calls that the limit is about may have been counted, by what it counts apart.
func spansOf(l limit.Limit, arrivals []Arrival) map[string][]span {
	spans := map[string][]span{}
	for _, a := range arrivals {
		c := a.Call()
		if !l.Applies(c) {
			continue
		}
		of := l.CountOf(c)
		spans[of] = append(spans[of], spanOf(l, a, c))
	}
	return spans
}

// spanOf gives the CRM all the freedom that it has: any of its nodes' clocks, and all of its delay.
func spanOf(l limit.Limit, a Arrival, c limit.Call) span {
	switch l.Kind {
	case limit.Concurrent:
		return span{from: a.Received.UnixNano(), to: a.Released.UnixNano(), units: 1}
	case limit.Jobs:
		end := a.Released
		if a.JobEnd.After(end) {
			end = a.JobEnd
		}
		return span{from: a.Received.UnixNano(), to: end.UnixNano(), units: 1}
	default:
		return span{from: a.Earliest.Add(-l.Skew).UnixNano(), to: a.Latest.Add(l.Skew + l.Late).UnixNano(), units: int64(l.UnitsOf(c))}
	}
}

// collect adds one count's overruns, and its fullest window if it is the fullest of all.
func (v *Verdict) collect(of string, all iter.Seq[window]) {
	var peak, last window
	var worsts []window // of each stretch
	for w := range all {
		if w.count > peak.count {
			peak = w
		}
		if w.count <= int64(v.Allowed) {
			continue
		}
		sameStretch := len(worsts) > 0 && (w.start < last.end || w.start == last.start)
		if !sameStretch {
			worsts = append(worsts, w)
		}
		if worst := &worsts[len(worsts)-1]; w.count > worst.count {
			*worst = w
		}
		last = w
	}
	v.Peak = fuller(v.Peak, peak.export(of))
	v.OverrunCount += len(worsts)
	// Those of other counts may lie before these: which are the first of all is only known at the end.
	for _, w := range worsts[:min(len(worsts), maxListed)] {
		v.Overruns = append(v.Overruns, w.export(of))
	}
}

// fuller prefers, of two windows as full, the first, so that the order in which counts are looked at does not matter.
func fuller(a, b Window) Window {
	if cmp.Or(cmp.Compare(b.Calls, a.Calls), a.Start.Compare(b.Start), cmp.Compare(a.Of, b.Of)) > 0 {
		return b
	}
	return a
}

func fullest(all iter.Seq[window]) window {
	var peak window
	for w := range all {
		if w.count > peak.count {
			peak = w
		}
	}
	return peak
}

func (w window) export(of string) Window {
	if w.count == 0 {
		return Window{}
	}
	return Window{Start: time.Unix(0, w.start).UTC(), End: time.Unix(0, w.end).UTC(), Calls: int(w.count), Of: of}
}

// Overran reports whether any of the verdicts found an overrun.
func Overran(verdicts []Verdict) bool {
	return slices.ContainsFunc(verdicts, func(v Verdict) bool { return v.OverrunCount > 0 })
}
