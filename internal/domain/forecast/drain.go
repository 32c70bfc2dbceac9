// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// Capacity is what one limit leaves to an integration's backlog.
type Capacity struct {
	Kind limits.Kind
	// Max units are allowed per window or period, or at a time. Share of them are the integration's whatever others ask for. Most are all it may have: its
	// ceiling, and nothing of what others never lend.
	Max, Share, Most int64
	// Free units it may take at once.
	Free int64
	// Reserved units of a Rolling limit are used by others now or kept free for them.
	Reserved int64
	// PerCall is how many units a call takes on average; a limit of which its calls take nothing holds nothing back.
	PerCall float64
	// Window is how long a charge of a Rolling limit lasts, or how long a Calendar period is.
	Window time.Duration
	// Reset is the time until the next Calendar period begins.
	Reset time.Duration
	// Hold is how long a call keeps the slot of a Concurrent limit on average. Slots are not foreseen if it is 0.
	Hold time.Duration
	// Waiting units of others, and of own calls, go before the backlog already.
	Waiting int64
	// Ahead is what is asked for from now on, in units, by others and by the integration's own calls that go before its backlog; nil is nothing. Of a Concurrent
	// limit, in calls.
	Ahead *Curve
}

const (
	// drainSteps bounds the time that is gone through; what is left then goes on at the pace of the later half of it.
	drainSteps = 192
	// longestStep is how far a step goes at most, shortestStep at least.
	longestStep, shortestStep = 6 * time.Hour, 10 * time.Millisecond
	// firstStep is the first one without a rolling limit, windowPart which part of the shortest window it is otherwise.
	firstStep, windowPart = time.Minute, 4
	// stepGrowth: steps grow as the time does, so that an hour is told as precisely in its parts as a minute.
	stepGrowth = 6
	// turns is for how many windows it matters that calls that are sent at once are released at once.
	turns = 16
)

// Drain is how long it takes to send so many calls that wait, the first of a backlog or the ones up to a given position: p50 is kept in one case of two, p95
// in 19 of 20. The integration's share is certain; beyond it, it has what others leave. What they do not get in time they still want later. ok is false if
// the time cannot be foreseen, or is centuries.
func Drain(calls int64, capacities []Capacity) (p50, p95 time.Duration, ok bool) {
	if calls <= 0 {
		return 0, 0, true
	}
	p50, ok50 := drain(float64(calls), capacities, false)
	p95, ok95 := drain(float64(calls), capacities, true)
	if late := lateAtWorst(capacities); p95 > 0 && p95 < math.MaxInt64-late {
		p95 += late
	}
	return p50, max(p50, p95), ok50 && ok95
}

// lateAtWorst is by how much others can delay the last call, if they may ask for one within a window: what is released for it goes to them, and comes back a
// window later.
func lateAtWorst(capacities []Capacity) time.Duration {
	shortest := time.Duration(math.MaxInt64)
	for i := range capacities {
		if c := &capacities[i]; c.Kind == limits.Rolling && c.PerCall > 0 && c.Ahead != nil && interpolate(&c.Ahead.p95, c.Window) >= 1 {
			shortest = min(shortest, max(0, c.Window))
		}
	}
	if shortest == math.MaxInt64 {
		return 0
	}
	return shortest
}

// drain goes through the time in steps. In each, the calls are sent that all limits let through.
func drain(calls float64, capacities []Capacity, worse bool) (time.Duration, bool) {
	var buffer [limitsOnStack]source
	sources, step := newSources(buffer[:0], capacities, worse)
	left, now := calls-serve(sources, calls), time.Duration(0)
	half, leftAtHalf := now, left
	for n := range drainSteps {
		if left <= 0 {
			return now, true
		}
		if n == drainSteps/2 {
			half, leftAtHalf = now, left
		}
		next := now + max(step, min(longestStep, now/stepGrowth))
		for i := range sources {
			next = min(next, sources[i].nextTurn(now))
		}
		for i := range sources {
			sources[i].flow(now, next)
		}
		// What flows in flows evenly: the last call is sent in the part of the step in which enough has come.
		if most := available(sources); most >= left {
			return now + time.Duration(float64(next-now)*left/most), true
		}
		left -= serve(sources, left)
		turnAll(sources, next, worse)
		left -= serve(sources, left)
		now = next
	}
	return extrapolate(now, left, now-half, leftAtHalf-left)
}

// turnAll begins windows and periods anew. Where a day begins, others have waited for it too: at worst they take half of the first window.
func turnAll(sources []source, now time.Duration, worse bool) {
	renewed := false
	for i := range sources {
		renewed = renewed || sources[i].Kind == limits.Calendar && sources[i].next == now
		sources[i].turn(now)
	}
	for i := range sources {
		if s := &sources[i]; renewed && worse && s.Kind == limits.Rolling && s.Ahead != nil {
			s.ready = min(s.ready, max(s.share, s.window/2))
		}
	}
}

// extrapolate goes on at the pace at which a stretch of time has sent some calls.
func extrapolate(now time.Duration, left float64, stretch time.Duration, sent float64) (time.Duration, bool) {
	if sent <= 0 {
		return 0, false
	}
	after := float64(now) + left/sent*float64(stretch)
	if !(after < math.MaxInt64) {
		return 0, false
	}
	return time.Duration(after), true
}

// limitsOnStack is how many limits a licence has at most.
const limitsOnStack = 16

func newSources(sources []source, capacities []Capacity, worse bool) (all []source, step time.Duration) {
	step = math.MaxInt64
	for i := range capacities {
		c := &capacities[i]
		if c.PerCall <= 0 || c.Kind == limits.Concurrent && c.Hold <= 0 {
			continue
		}
		sources = append(sources, newSource(c, worse))
		if c.Kind == limits.Rolling {
			step = min(step, c.Window/windowPart)
		}
	}
	if step == math.MaxInt64 {
		step = firstStep
	}
	return sources, max(shortestStep, min(step, longestStep))
}

// available is how many calls all sources let through now.
func available(sources []source) float64 {
	most := math.Inf(1)
	for i := range sources {
		most = min(most, sources[i].ready/sources[i].perCall)
	}
	return most
}

// serve takes up to so many calls from every source and returns how many it were.
func serve(sources []source, calls float64) float64 {
	calls = min(calls, available(sources))
	for i := range sources {
		sources[i].ready = max(0, sources[i].ready-calls*sources[i].perCall)
	}
	return calls
}
