package judge

import (
	"iter"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// maxListed bounds the overruns listed for one limit; OverrunCount is not bounded.
const maxListed = 100

// Window is one position of a limit's window and the calls counted in it. For a token bucket Calls is the tokens it would have
// had to hold at End, for a concurrent limit the calls in service at End.
type Window struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	Calls int       `json:"calls"`
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
	spans := spansOf(l, arrivals)
	v := Verdict{Limit: l, Allowed: l.Calls, Arrivals: len(spans)}
	if l.Kind == limit.TokenBucket {
		v.Allowed = l.Burst
	}
	v.Peak = v.collect(windows(l, spans))
	if l.Kind == limit.Fixed {
		v.PeakAnywhere = fullest(sliding(spans, int64(l.Window))).export()
	}
	return v
}

func spansOf(l limit.Limit, arrivals []Arrival) []span {
	var spans []span
	for _, a := range arrivals {
		if !l.Applies(a.Operation, a.Credential) {
			continue
		}
		s := span{from: a.Earliest.UnixNano(), to: a.Latest.UnixNano()}
		if l.Kind == limit.Concurrent {
			s = span{from: a.Received.UnixNano(), to: a.Released.UnixNano()}
		}
		spans = append(spans, s)
	}
	return spans
}

// collect fills in the overruns and returns the fullest window.
func (v *Verdict) collect(all iter.Seq[window]) Window {
	var peak, last window
	var worsts []window // of each stretch
	for w := range all {
		if w.count > peak.count {
			peak = w
		}
		if w.count <= v.Allowed {
			continue
		}
		sameStretch := v.OverrunCount > 0 && (w.start < last.end || w.start == last.start)
		if !sameStretch {
			v.OverrunCount++
			worsts = append(worsts, w)
		}
		if worst := &worsts[len(worsts)-1]; w.count > worst.count {
			*worst = w
		}
		last = w
	}
	for _, w := range worsts[:min(len(worsts), maxListed)] {
		v.Overruns = append(v.Overruns, w.export())
	}
	return peak.export()
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

func (w window) export() Window {
	if w.count == 0 {
		return Window{}
	}
	return Window{Start: time.Unix(0, w.start).UTC(), End: time.Unix(0, w.end).UTC(), Calls: w.count}
}

// Overran reports whether any of the verdicts found an overrun.
func Overran(verdicts []Verdict) bool {
	return slices.ContainsFunc(verdicts, func(v Verdict) bool { return v.OverrunCount > 0 })
}
