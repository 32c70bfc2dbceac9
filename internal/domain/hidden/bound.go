// SPDX-License-Identifier: Apache-2.0

package hidden

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

const (
	// A limit is tried whether it has grown after so many windows and at least so long; after each time in vain it takes twice as long, up to mostPatience.
	patientWindows = 20
	leastPatience  = 5 * time.Minute
	mostPatience   = 6 * time.Hour
	// tried is the part of a limit, 1/tried, by which it is raised first.
	tried = 8
	// lowered is the part of a limit, 1/lowered, by which it was too high at least if calls are refused that keep it.
	lowered = 16
	// maxMisses bouts in a row, each at three quarters of the limit or fewer, show that something else is the matter.
	maxMisses = 3
)

// bound is a limit that was learnt, as it is kept.
type bound struct {
	// learnt calls at first, proven ones by now, and calls that are sent: more, while it is tried whether it has grown.
	learnt, proven, calls int64
	window                time.Duration
	// hold is how long a call counts after its answer.
	hold int64
	// since it was learnt, refused when a refusal told of it last, confirmed when one came at no fewer calls than were proven.
	since, refused, confirmed int64
	refusals                  int64
	misses                    int
	// overrun is when a call was sent last beyond what is proven: because more is tried, or because nothing holds calls back.
	overrun int64
	// Until cautiousUntil there is one call at a time: what had been taken before is not known.
	cautiousUntil int64
	// pausedUntil: after a refusal nothing is sent before the first call that counts does no more.
	pausedUntil int64
	// raiseAt is when more is tried, by step; patience is how long it takes until the next time.
	raiseAt, step, patience int64
}

func newBound(l Limit, g limits.Guards) *bound {
	b := &bound{
		learnt: l.Calls, proven: l.Calls, window: l.Window, since: l.Since.UnixNano(), refused: l.Refused.UnixNano(), refusals: l.Refusals,
		hold:     int64(g.Hold(limits.Limit{Kind: limits.Rolling, Window: l.Window})),
		patience: int64(max(leastPatience, patientWindows*l.Window)),
	}
	b.confirmed = b.refused
	b.settle(b.refused)
	return b
}

func (b *bound) limit(of string) Limit {
	return Limit{Subject: of, Calls: b.proven, Window: b.window, Since: time.Unix(0, b.since), Refused: time.Unix(0, b.refused), Refusals: b.refusals}
}

// settle keeps what is proven for as long as patience lasts.
func (b *bound) settle(now int64) {
	b.calls, b.step, b.raiseAt = b.proven, max(1, b.proven/tried), now+b.patience
}

// raise tries more calls if it is time for that. Unless one is refused, it goes on so, faster each time.
func (b *bound) raise(now int64) bool {
	if now < b.raiseAt {
		return false
	}
	b.calls += b.step
	b.step *= 2
	b.raiseAt = now + 2*b.hold
	return true
}

// proves takes note that so many calls were taken within the window, and reports whether that refutes the limit.
func (b *bound) proves(calls int64) bool {
	b.proven = max(b.proven, calls)
	b.calls = max(b.calls, b.proven)
	return b.proven > 2*b.learnt
}

// refuse takes note of a refusal; the first of the calls that counted then was answered at first.
func (b *bound) refuse(now, first int64) {
	b.pausedUntil = first + b.hold
	if b.calls > b.proven {
		b.patience = min(2*b.patience, max(b.patience, int64(mostPatience)))
	}
	b.settle(now)
	b.refused = max(b.refused, now)
	b.refusals++
}

// send takes note that a call leaves, and is so many within the window.
func (b *bound) send(now, calls int64) {
	if calls > b.proven {
		b.overrun = now
	}
}

// fits takes note of a bout that began then, in which the CRM refused a call when so many had been taken. It reports whether the limit is still to be believed.
func (b *bound) fits(now, began, calls int64) bool {
	if calls >= b.proven && b.overrun >= began-int64(b.window) {
		b.confirmed, b.misses = now, 0
		return true
	}
	if 4*calls <= 3*b.proven {
		b.misses++
	}
	b.proven = max(1, b.proven/2, min(calls, b.proven-max(1, b.proven/lowered)))
	b.settle(now)
	return b.misses < maxMisses
}
