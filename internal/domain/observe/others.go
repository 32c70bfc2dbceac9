// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"math"
	"time"
)

const (
	// sigmas is how far above what is expected the use by others may come out before it finds nothing left: once in 30,000 windows if they call at random.
	sigmas = 4
	// forecastPart, in tenths of the limit, is the most that is kept free for a forecast alone: some calls must go, or nothing would ever show that it was wrong.
	forecastPart = 9
	// longWindow is from where the use in a window is told as it is, not as a mean of windows.
	longWindow = time.Hour
)

// Others is what is known of the calls that others make.
type Others struct {
	// Least and Most bound what they have used of the window, or of the time of its length, that holds now.
	Least, Most int64
	// PerWindow is what they use of a window: a mean of late windows, or what is known of the present one as long as that is the first, or longer than an hour.
	PerWindow int64
}

// Others returns what is known at now; ok is false while nothing is.
func (w *Watch) Others(now time.Time) (o Others, ok bool) {
	w.lapse(now)
	holds := w.present.holds(now) && !w.present.at.IsZero()
	if w.trust.lost(now) || !holds && w.history.windows == 0 {
		return Others{}, false
	}
	o.Least, o.Most = w.present.least, w.present.most
	o.PerWindow = int64(math.Round(w.history.mean()))
	if holds && (w.history.windows < 1 || w.length > longWindow) {
		o.PerWindow = int64(math.Round(w.present.middle()))
	}
	return o, true
}

// Outside is what the limit in force has to keep free at now for calls that do not come through us: what others may have used, what they are expected to use
// until the limit is renewed, and what the CRM says that the limit is smaller. At most the whole limit.
func (w *Watch) Outside(now time.Time) int64 {
	w.lapse(now)
	if w.trust.lost(now) {
		return 0
	}
	p := w.present
	most := forecastPart * w.max / 10
	if w.inWindows() {
		return min(w.max, p.most+p.gap+max(min(most, w.expected(now)), w.squeeze.spare(now, w.length, w.max)))
	}
	used := p.most
	if !p.holds(now) {
		used = w.squeeze.least(now, w.length)
	}
	return min(w.max, p.gap+max(used+w.squeeze.spare(now, w.length, w.max), min(most, w.history.above(1))))
}

// expected is what others may use until the end of the window.
func (w *Watch) expected(now time.Time) int64 {
	left := 1.0
	if w.present.holds(now) {
		left = min(1, w.present.until.Sub(now).Seconds()/w.length.Seconds())
	}
	known := w.history
	if w.history.windows == 0 {
		known.add(w.present.seen(w.length)) // the first window: what was seen of it goes on
	}
	return known.above(left)
}

// Renewed is when the CRM's last word on what is left of the limit is over; zero if none holds at now.
func (w *Watch) Renewed(now time.Time) time.Time {
	if !w.present.holds(now) {
		return time.Time{}
	}
	return w.present.until
}

// Changes is when Outside changes by time alone; zero if it does not.
func (w *Watch) Changes(now time.Time) time.Time {
	switch {
	case w.present.holds(now) && w.Outside(now) > 0:
		return earliest(w.present.until, now.Add(w.length/60+time.Millisecond))
	case w.trust.lost(now):
		return w.trust.again
	case w.Outside(now) > 0:
		return w.heard.Add(silence*w.length + 1)
	default:
		return time.Time{}
	}
}
