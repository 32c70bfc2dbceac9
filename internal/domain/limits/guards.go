// SPDX-License-Identifier: Apache-2.0

package limits

import "time"

// Guards are the margins by which a charge outlasts the call it stands for. With them no interval of a window's length holds more arrivals at the CRM than the
// limit, without knowing when within [sent, answered] the CRM counts a call.
type Guards struct {
	// DriftPPM is how fast the two clocks may drift apart, in parts per million of the window.
	DriftPPM int64
	// CountingDelay covers late counting by the CRM, the skew between its nodes and the granularity of its counters.
	CountingDelay time.Duration
	// ShortWindow and ShortWindowPart: a rolling window shorter than ShortWindow has its length divided by ShortWindowPart as counting delay.
	ShortWindow     time.Duration
	ShortWindowPart int64
	// MaxServerDelay is the longest time after which a call that nobody listens to any more can still be counted.
	MaxServerDelay time.Duration
	// SlotRelease is how long after its answer a call may still hold its slot at the CRM.
	SlotRelease time.Duration
	// MaxJob is how long a job that a call has started may hold its slot when its end is not seen.
	MaxJob time.Duration
	// History is how long charges are kept at least, so that a limit whose window is made longer knows what was used before.
	History time.Duration
}

// DefaultGuards fit every CRM of which nothing else is known:
//   - 500 ppm is ten times what an undisciplined quartz clock drifts, on either side;
//   - 0.5 s of counting delay is twice the skew of a fleet kept by NTP; a twentieth of a window under 10 s costs at most 5 % of its use;
//   - 60 s is the longest a CRM's gateway keeps working on a request whose client has hung up, as their request time-outs say;
//   - 50 ms, because servers free a slot after they have written the answer;
//   - 1 h for jobs: Zendesk's largest, of 100 records, take minutes;
//   - 25 h is the longest calendar day.
func DefaultGuards() Guards {
	return Guards{
		DriftPPM:        500,
		CountingDelay:   500 * time.Millisecond,
		ShortWindow:     10 * time.Second,
		ShortWindowPart: 20,
		MaxServerDelay:  60 * time.Second,
		SlotRelease:     50 * time.Millisecond,
		MaxJob:          time.Hour,
		History:         25 * time.Hour,
	}
}

// Hold is how long a call stays charged to the limit after its end: for a Rolling limit its window, the drift over it and the counting delay; for a Concurrent
// one the release of the slot; for a Calendar one only the counting delay, after which the period at that moment decides.
func (g Guards) Hold(l Limit) time.Duration {
	switch l.Kind {
	case Rolling:
		return l.Window + g.Drift(l.Window) + g.Counting(l)
	case Concurrent:
		return g.SlotRelease
	default:
		return g.Counting(l)
	}
}

// Drift is how far two clocks may drift apart over d, rounded up.
func (g Guards) Drift(d time.Duration) time.Duration {
	const million = 1_000_000
	// In whole millions first: d * DriftPPM overflows for windows of weeks.
	whole, rest := int64(d)/million, int64(d)%million
	return time.Duration(whole*g.DriftPPM + (rest*g.DriftPPM+million-1)/million)
}

// Counting is the counting delay that the limit is guarded by: its own, or that of the guards.
func (g Guards) Counting(l Limit) time.Duration {
	switch {
	case l.CountingDelay > 0:
		return l.CountingDelay
	case l.Kind == Rolling && l.Window < g.ShortWindow && g.ShortWindowPart > 0:
		return l.Window / time.Duration(g.ShortWindowPart)
	default:
		return g.CountingDelay
	}
}
