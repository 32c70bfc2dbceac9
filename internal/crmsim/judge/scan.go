// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// span is the stretch of time in which a call may have been counted, in nanoseconds since the epoch, both ends included, and what it takes.
type span struct{ from, to, units int64 }

// window is one position of a limit's window, [start, end), and how many units may have been counted in it.
type window struct {
	start, end int64
	count      int64
}

// sliding yields windows of the given length, in time order, such that no position anywhere holds more units than the largest.
//
// The calls that may fall into [t, t+length) are those with from < t+length and to >= t. While t grows, the first condition only
// adds calls and the second removes one right after some call's end: the largest counts stand at the ends.
func sliding(spans []span, length int64) iter.Seq[window] {
	froms, tos := sortedEnds(spans)
	return func(yield func(window) bool) {
		begun, ended := 0, int64(0)
		in := int64(0)
		for i, last := range tos {
			start := last.at
			if i > 0 && start == tos[i-1].at {
				ended += last.units
				continue
			}
			for begun < len(froms) && froms[begun].at < start+length {
				in += froms[begun].units
				begun++
			}
			if !yield(window{start: start, end: start + length, count: in - ended}) {
				return
			}
			ended += last.units
		}
	}
}

// periods yields the windows of a calendar or of a fixed alignment that hold calls; bounds returns the one t lies in.
func periods(spans []span, bounds func(t int64) (start, end int64)) iter.Seq[window] {
	held := map[int64]*window{}
	for _, s := range spans {
		for start, end := bounds(s.from); start <= s.to; start, end = bounds(end) {
			if held[start] == nil {
				held[start] = &window{start: start, end: end}
			}
			held[start].count += s.units
		}
	}
	return func(yield func(window) bool) {
		for _, w := range slices.SortedFunc(maps.Values(held), func(a, b *window) int { return cmp.Compare(a.start, b.start) }) {
			if !yield(*w) {
				return
			}
		}
	}
}

// event is units that may be counted from (positive) or until (negative) a moment.
type event struct{ at, units int64 }

// buckets yields, for each call, the tokens that a bucket refilled with calls tokens per length would have to hold then, were every
// call counted at the worst moment of its span; start is when the bucket was last full.
//
// The demand over [s, t] is the units of calls with from <= t and to >= s, less what is refilled meanwhile; its maximum over s is a
// level that leaks, rises with each call, and never lies below the units that may still be counted now.
func buckets(spans []span, calls, length int64) iter.Seq[window] {
	events := sortedEvents(spans, byStartsFirst)
	return func(yield func(window) bool) {
		var level, open, now, full int64 // level in 1/length of a token, as in the refill of calls per length
		for _, e := range events {
			if elapsed := e.at - now; elapsed > level/calls {
				level = 0
			} else {
				level -= elapsed * calls
			}
			now = e.at
			level = max(level, open*length)
			open += e.units
			if e.units < 0 {
				continue
			}
			if level == 0 {
				full = now
			}
			level += e.units * length
			if !yield(window{start: full, end: now, count: roundUp(level, length)}) {
				return
			}
		}
	}
}

// concurrent yields, for each call, how many are in service when it begins; start is when the CRM was last idle.
// A call that ends at the moment another begins has made room for it, and a call of no length takes no room.
func concurrent(spans []span) iter.Seq[window] {
	spans = slices.DeleteFunc(slices.Clone(spans), func(s span) bool { return s.from == s.to })
	events := sortedEvents(spans, byEndsFirst)
	return func(yield func(window) bool) {
		var open, idle int64
		for _, e := range events {
			if open == 0 {
				idle = e.at
			}
			open += e.units
			if e.units > 0 && !yield(window{start: idle, end: e.at, count: open}) {
				return
			}
		}
	}
}

// sortedEnds returns the starts and the ends of spans with their units, each in time order.
func sortedEnds(spans []span) (froms, tos []event) {
	for _, s := range spans {
		froms, tos = append(froms, event{s.from, s.units}), append(tos, event{s.to, s.units})
	}
	byTime := func(a, b event) int { return cmp.Compare(a.at, b.at) }
	slices.SortFunc(froms, byTime)
	slices.SortFunc(tos, byTime)
	return froms, tos
}

func byStartsFirst(a, b event) int { return cmp.Compare(b.units, a.units) }

func byEndsFirst(a, b event) int { return cmp.Compare(a.units, b.units) }

func sortedEvents(spans []span, tie func(a, b event) int) []event {
	events := make([]event, 0, 2*len(spans))
	for _, s := range spans {
		events = append(events, event{s.from, s.units}, event{s.to, -s.units})
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), tie(a, b)) })
	return events
}

func roundUp(a, b int64) int64 { return (a + b - 1) / b }

// windows yields the positions at which l may have been overrun.
func windows(l limit.Limit, spans []span) iter.Seq[window] {
	switch l.Kind {
	case limit.Rolling:
		return sliding(spans, int64(l.Window))
	case limit.Fixed:
		return periods(spans, func(t int64) (start, end int64) { return aligned(t, int64(l.Window), int64(l.Offset)) })
	case limit.Weighted:
		return estimates(spans, int64(l.Window), int64(l.Offset))
	case limit.Stepped:
		return steps(spans, int64(l.Window), int64(l.Step))
	case limit.CalendarHour, limit.CalendarDay, limit.CalendarMonth:
		return periods(spans, calendar(l))
	case limit.TokenBucket:
		return buckets(spans, int64(l.Calls), int64(l.Window))
	case limit.Concurrent, limit.Jobs:
	}
	return concurrent(spans)
}
