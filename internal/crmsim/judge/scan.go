package judge

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// span is the stretch of time in which a call may have been counted, in nanoseconds since the epoch, both ends included.
type span struct{ from, to int64 }

// window is one position of a limit's window, [start, end), and how many calls may have been counted in it.
type window struct {
	start, end int64
	count      int
}

// sliding yields windows of the given length, in time order, such that no position anywhere holds more calls than the largest.
//
// The calls that may fall into [t, t+length) are those with from < t+length and to >= t. While t grows, the first condition only
// adds calls and the second removes one right after some call's end: the largest counts stand at the ends.
func sliding(spans []span, length int64) iter.Seq[window] {
	froms, tos := sortedEnds(spans)
	return func(yield func(window) bool) {
		begun := 0
		for ended, start := range tos {
			if ended > 0 && start == tos[ended-1] {
				continue
			}
			for begun < len(froms) && froms[begun] < start+length {
				begun++
			}
			if !yield(window{start: start, end: start + length, count: begun - ended}) {
				return
			}
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
			held[start].count++
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

// event is a call that may be counted from (+1) or until (-1) a moment.
type event struct {
	at    int64
	delta int
}

// buckets yields, for each call, the tokens that a bucket refilled with calls tokens per length would have to hold then, were every
// call counted at the worst moment of its span; start is when the bucket was last full.
//
// The demand over [s, t] is the number of calls with from <= t and to >= s, less what is refilled meanwhile; its maximum over s is a
// level that leaks, rises with each call, and never lies below the number of calls that may still be counted now.
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
			open += int64(e.delta)
			if e.delta < 0 {
				continue
			}
			if level == 0 {
				full = now
			}
			level += length
			if !yield(window{start: full, end: now, count: int((level + length - 1) / length)}) {
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
		var open int
		var idle int64
		for _, e := range events {
			if open == 0 {
				idle = e.at
			}
			open += e.delta
			if e.delta > 0 && !yield(window{start: idle, end: e.at, count: open}) {
				return
			}
		}
	}
}

func sortedEnds(spans []span) (froms, tos []int64) {
	for _, s := range spans {
		froms, tos = append(froms, s.from), append(tos, s.to)
	}
	slices.Sort(froms)
	slices.Sort(tos)
	return froms, tos
}

func byStartsFirst(a, b event) int { return b.delta - a.delta }

func byEndsFirst(a, b event) int { return a.delta - b.delta }

func sortedEvents(spans []span, tie func(a, b event) int) []event {
	events := make([]event, 0, 2*len(spans))
	for _, s := range spans {
		events = append(events, event{s.from, +1}, event{s.to, -1})
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), tie(a, b)) })
	return events
}

// windows yields the positions at which l may have been overrun.
func windows(l limit.Limit, spans []span) iter.Seq[window] {
	switch l.Kind {
	case limit.Rolling:
		return sliding(spans, int64(l.Window))
	case limit.Fixed:
		length, offset := int64(l.Window), int64(l.Offset)
		return periods(spans, func(t int64) (start, end int64) {
			into := ((t-offset)%length + length) % length
			return t - into, t - into + length
		})
	case limit.CalendarDay:
		return periods(spans, func(t int64) (int64, int64) {
			start, end := limit.DayBounds(time.Unix(0, t), l.Zone)
			return start.UnixNano(), end.UnixNano()
		})
	case limit.TokenBucket:
		return buckets(spans, int64(l.Calls), int64(l.Window))
	case limit.Concurrent:
	}
	return concurrent(spans)
}
