// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"math"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// account is what is charged to one limit.
type account struct {
	limit limits.Limit
	// hold is how long after its end a call is charged, in nanoseconds. A calendar day's period decides after that.
	hold int64
	// next is the position in the log of the first call that is still charged.
	next int
	// Units, in all and by owner; inDoubt is the part of used whose arrival is not known.
	used, inDoubt int64
	by            []int64
	// The calendar period that is charged, by the CRM's clock.
	periodStart, periodEnd int64
	// unknown: calls before the ledger's time may still count. The limit is then as good as used up.
	unknown bool
}

// units is what a call of this cost takes from the limit.
func (a *account) units(cost int64) int64 {
	if a.limit.Kind == limits.Concurrent {
		return 1
	}
	return cost
}

func (a *account) add(owner Owner, cost int64, inDoubt bool) {
	n := a.units(cost)
	a.used += n
	a.by[owner] += n
	if inDoubt {
		a.inDoubt += n
	}
}

func (a *account) release(r record) {
	n := a.units(r.units())
	a.used -= n
	a.by[r.owner] -= n
	if r.inDoubt() {
		a.inDoubt -= n
	}
}

// released says whether the limit no longer counts a call that ended at end. It is monotone: what ended earlier is released no later.
func (l *Ledger) released(a *account, end int64) bool {
	if a.limit.Kind != limits.CalendarDay {
		return end+a.hold <= l.now
	}
	// The latest the CRM's clock can have shown when it counted the call.
	drift := l.guards.Drift(time.Duration(l.now - end))
	return end+int64(l.offset.Max)+int64(drift)+a.hold < a.periodStart
}

// advanceAccount releases what the limit no longer counts and reports whether anything changed.
func (l *Ledger) advanceAccount(a *account) bool {
	changed := false
	if a.limit.Kind == limits.CalendarDay && l.crmTime >= a.periodEnd {
		l.openPeriod(a)
		changed = true
	}
	for a.next < l.log.end() && l.released(a, l.log.at(a.next).end) {
		a.release(l.log.at(a.next))
		a.next++
		changed = true
	}
	if a.unknown && l.released(a, l.since) {
		a.unknown = false
		changed = true
	}
	return changed
}

func (l *Ledger) openPeriod(a *account) {
	start, end := limits.Day(time.Unix(0, l.crmTime), a.limit.Location)
	a.periodStart, a.periodEnd = start.UnixNano(), end.UnixNano()
}

// SetLimits puts other limits in force. They are filled from the calls that are known, so a limit that is renamed, gets another window or another Max keeps
// what was charged; one that reaches back further than the ledger counts as used up until that time has passed. Positions of limits are those in ls.
func (l *Ledger) SetLimits(now time.Time, ls []limits.Limit) error {
	for _, limit := range ls {
		if err := limit.Validate(); err != nil {
			return err
		}
	}
	l.Advance(now)
	accounts := make([]account, len(ls))
	for k, limit := range ls {
		accounts[k] = account{limit: limit, hold: int64(l.guards.Hold(limit)), by: make([]int64, len(l.names))}
		l.fill(&accounts[k])
	}
	l.accounts = accounts
	l.version++
	return nil
}

// fill charges an empty account with every call that its limit counts.
func (l *Ledger) fill(a *account) {
	if a.limit.Kind == limits.CalendarDay {
		l.openPeriod(a)
	}
	for _, c := range l.open {
		a.add(c.owner, int64(c.cost), false)
	}
	for _, r := range l.ending {
		a.add(r.owner, r.units(), r.inDoubt())
	}
	a.next = l.log.end()
	for a.next > l.log.start() && !l.released(a, l.log.at(a.next-1).end) {
		a.next--
		r := l.log.at(a.next)
		a.add(r.owner, r.units(), r.inDoubt())
	}
	a.unknown = l.since != math.MinInt64 && !l.released(a, l.since)
}
