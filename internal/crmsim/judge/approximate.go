// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"iter"
	"slices"
	"sort"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// totals answers how many units begin, or end, before a moment.
type totals struct {
	ends []event
	sums []int64 // of the units of ends[:i]
}

func newTotals(ends []event) totals {
	t := totals{ends: ends, sums: make([]int64, len(ends)+1)}
	for i, e := range ends {
		t.sums[i+1] = t.sums[i] + e.units
	}
	return t
}

func (t totals) before(at int64) int64 {
	return t.sums[sort.Search(len(t.ends), func(i int) bool { return t.ends[i].at >= at })]
}

// aligned returns the window of a fixed alignment that t lies in.
func aligned(t, length, offset int64) (start, end int64) {
	into := ((t-offset)%length + length) % length
	return t - into, t - into + length
}

// calendar returns the bounds of the calendar's window that a moment lies in.
func calendar(l limit.Limit) func(t int64) (start, end int64) {
	var start, end int64 // of the last one that was asked for: calls come by the thousand into one
	return func(t int64) (int64, int64) {
		if t < start || t >= end {
			s, e := l.PeriodAt(time.Unix(0, t))
			start, end = s.UnixNano(), e.UnixNano()
		}
		return start, end
	}
}

// estimates yields, for the moments at which it can be largest, what a weighted counter may make of the last length: the units of the present window of the
// alignment, and of the one before it the part that the last length still covers, rounded up. A call that may be of either counts in the present one, in full.
//
// Within a window the estimate rises only where a call may begin, and is largest at its start otherwise; a window in which no call can begin or lie across the
// start has less than the one before it had.
func estimates(spans []span, length, offset int64) iter.Seq[window] {
	moments := make([]int64, 0, len(spans))
	for _, s := range spans {
		moments = append(moments, s.from)
		for _, start := aligned(s.from, length, offset); start <= s.to; start += length {
			moments = append(moments, start)
		}
	}
	slices.Sort(moments)
	froms, tos := sortedEnds(spans)
	begun, ended := newTotals(froms), newTotals(tos)
	return func(yield func(window) bool) {
		for _, t := range slices.Compact(moments) {
			start, end := aligned(t, length, offset)
			present := begun.before(t+1) - ended.before(start)
			before := ended.before(start) - ended.before(start-length)
			if !yield(window{start: t - length, end: t, count: present + roundUp(before*(end-t), length)}) {
				return
			}
		}
	}
}

// steps yields windows of length and one step more, on the alignment of the steps, that end with one in which a call may begin: moving any other back to such
// an end loses no call.
func steps(spans []span, length, step int64) iter.Seq[window] {
	froms, tos := sortedEnds(spans)
	begun, ended := newTotals(froms), newTotals(tos)
	return func(yield func(window) bool) {
		last := int64(-1)
		for _, from := range froms {
			_, end := aligned(from.at, step, 0)
			if end == last {
				continue
			}
			last = end
			start := end - length - step
			if !yield(window{start: start, end: end, count: begun.before(end) - ended.before(start)}) {
				return
			}
		}
	}
}
