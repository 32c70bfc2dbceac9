// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"math"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// Limits returns how many limits are in force: they are numbered from 0, in the order in which they were set.
func (l *Ledger) Limits() int { return len(l.accounts) }

// Limit returns the limit with this number.
func (l *Ledger) Limit(k int) limits.Limit { return l.accounts[k].limit }

// Used is what is charged to limit k. It is at least the limit's Max while calls from before the ledger's time may count.
func (l *Ledger) Used(k int) int64 {
	a := &l.accounts[k]
	if a.unknown {
		return max(a.used, a.limit.Max)
	}
	return a.used
}

// UsedBy is what is charged to limit k for the owner.
func (l *Ledger) UsedBy(k int, o Owner) int64 { return l.accounts[k].by[o] }

// InDoubt is the part of what is charged to limit k of which it is not known whether and when it arrived.
func (l *Ledger) InDoubt(k int) int64 { return l.accounts[k].inDoubt }

// InFlight is how many calls have no end yet.
func (l *Ledger) InFlight() int { return len(l.open) }

// Units is what a call of this cost takes from limit k.
func (l *Ledger) Units(k int, cost int64) int64 { return l.accounts[k].units(cost) }

// Period is the calendar day that limit k counts now, by the CRM's clock; ok is false for limits of another kind.
func (l *Ledger) Period(k int) (start, end time.Time, ok bool) {
	a := &l.accounts[k]
	if a.limit.Kind != limits.CalendarDay {
		return time.Time{}, time.Time{}, false
	}
	return time.Unix(0, a.periodStart).In(a.limit.Location), time.Unix(0, a.periodEnd).In(a.limit.Location), true
}

// NextRelease is the next instant at which time alone changes an amount: the end of a charge or of a period. ok is false if only a call's end can.
func (l *Ledger) NextRelease() (next time.Time, ok bool) {
	at := int64(math.MaxInt64)
	for k := range l.accounts {
		at = min(at, l.nextRelease(&l.accounts[k]))
	}
	if at == math.MaxInt64 {
		return time.Time{}, false
	}
	return time.Unix(0, at), true
}

func (l *Ledger) nextRelease(a *account) int64 {
	if a.limit.Kind == limits.CalendarDay {
		return l.periodOpens(a)
	}
	at := int64(math.MaxInt64)
	switch {
	case a.next < l.log.end():
		at = l.log.at(a.next).end + a.hold
	case len(l.ending) > 0:
		at = l.ending[0].end + a.hold
	}
	if a.unknown {
		at = min(at, l.since+a.hold)
	}
	return at
}

// periodOpens is when the next period has begun by any clock the CRM can have.
func (l *Ledger) periodOpens(a *account) int64 { return a.periodEnd - int64(l.offset.Min) }

// EarliestRelease is the earliest instant at which need units of the owner, or of anybody for NoOwner, can have left limit k. Calls in flight are taken to end
// now, so it can turn out later.
func (l *Ledger) EarliestRelease(k int, owner Owner, need int64) time.Time {
	a := &l.accounts[k]
	switch {
	case a.limit.Kind == limits.CalendarDay:
		return time.Unix(0, l.periodOpens(a))
	case a.unknown:
		return time.Unix(0, l.since+a.hold)
	}
	for pos := a.next; pos < l.log.end(); pos++ {
		r := l.log.at(pos)
		if owner != NoOwner && r.owner != owner {
			continue
		}
		if need -= a.units(r.units()); need <= 0 {
			return time.Unix(0, r.end+a.hold)
		}
	}
	return time.Unix(0, l.now+a.hold)
}
