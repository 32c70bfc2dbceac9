// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"math"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// Limits returns how many limits are in force: they are numbered from 0, in the order in which they were set.
func (l *Ledger) Limits() int { return len(l.accounts) }

// Limit returns the limit with this number.
func (l *Ledger) Limit(k int) limits.Limit { return l.accounts[k].limit }

// Used is what is charged to limit k. It is at least the limit's Max while calls from before the ledger's time may count. Of a limit per record nothing is used
// by all records together: see RecordFree.
func (l *Ledger) Used(k int) int64 {
	a := &l.accounts[k]
	if a.unknown {
		return max(a.used, a.limit.Max)
	}
	return a.used
}

// Free is how many units limit k itself lets through now: what is not used, less where calls are paced. It is below 0 when the limit was just lowered. What is
// reserved for integrations is not its business.
func (l *Ledger) Free(k int) int64 {
	a := &l.accounts[k]
	free := a.limit.Max - l.Used(k)
	if a.pace != nil {
		free = min(free, a.pace.free(l.now))
	}
	return free
}

// UsedBy is what is charged to limit k for the owner.
func (l *Ledger) UsedBy(k int, o Owner) int64 { return l.accounts[k].by[o] }

// RecordFree is how many units of a limit per record are left for the record; for NoRecord, for the record that has used most.
func (l *Ledger) RecordFree(k int, r Record) int64 {
	a := &l.accounts[k]
	if a.unknown {
		return 0
	}
	return a.limit.Max - a.records.of(r)
}

// InDoubt is the part of what is charged to limit k of which it is not known whether and when it arrived.
func (l *Ledger) InDoubt(k int) int64 { return l.accounts[k].inDoubt }

// InFlight is how many calls have no end yet.
func (l *Ledger) InFlight() int { return len(l.open) }

// Guard is how long beyond its window a call is charged to limit k, at most.
func (l *Ledger) Guard(k int) time.Duration {
	a := &l.accounts[k]
	if a.limit.Kind == limits.Rolling {
		return time.Duration(a.hold + a.steps.step - int64(a.limit.Window))
	}
	return time.Duration(a.hold)
}

// Period is the calendar period that limit k counts now, by the CRM's clock; ok is false for limits of another kind.
func (l *Ledger) Period(k int) (start, end time.Time, ok bool) {
	a := &l.accounts[k]
	if a.form != periodic {
		return time.Time{}, time.Time{}, false
	}
	return time.Unix(0, a.periodStart).In(a.limit.Location), time.Unix(0, a.periodEnd).In(a.limit.Location), true
}

// NextRelease is the next instant at which time alone can change an amount: the end of a charge or of a period. ok is false if only a call's end can.
func (l *Ledger) NextRelease() (next time.Time, ok bool) {
	at := int64(math.MaxInt64)
	for k := range l.accounts {
		at = min(at, l.nextRelease(k))
	}
	if len(l.jobs) > 0 {
		at = min(at, l.jobs[0].until)
	}
	if at == math.MaxInt64 {
		return time.Time{}, false
	}
	return time.Unix(0, at), true
}

func (l *Ledger) nextRelease(k int) int64 {
	a := &l.accounts[k]
	at := int64(math.MaxInt64)
	switch a.form {
	case periodic:
		at = l.periodOpens(a)
	case perRecord:
		if len(a.records.log) > 0 {
			at = a.records.log[0].end + a.hold
		} else {
			at = l.nextEnding(k)
		}
	case exact, stepped:
		if q := a.queue(); a.next < q.end() {
			at = q.at(a.next).end + a.hold
		} else {
			at = l.nextEnding(k)
		}
	case jobbed:
	}
	if a.unknown && a.form != periodic {
		at = min(at, l.releasedAt(a, l.since))
	}
	if a.pace != nil {
		if next, ok := a.pace.next(l.now); ok {
			at = min(at, next)
		}
		at = min(at, l.firstEnd(k)) // from then on units come back
	}
	return at
}

// nextEnding is when limit k releases the first of the calls whose end is known and still to come.
func (l *Ledger) nextEnding(k int) int64 {
	end := l.firstEnd(k)
	if end == math.MaxInt64 {
		return end
	}
	a := &l.accounts[k]
	return a.steps.rounded(end) + a.hold
}

// firstEnd is the first end that is known and still to come of a call which limit k counts.
func (l *Ledger) firstEnd(k int) int64 {
	i := slices.IndexFunc(l.ending, func(e endingCharge) bool { return e.cost[k] > 0 })
	if i < 0 {
		return math.MaxInt64
	}
	return l.ending[i].end
}

// periodOpens is when the next period has begun by any clock the CRM can have.
func (l *Ledger) periodOpens(a *account) int64 { return a.periodEnd - int64(l.offset.Min) }

// EarliestRelease is the earliest instant at which need units of the owner, or of anybody for NoOwner, can have left limit k. Calls in flight are taken to end
// now, so it can turn out later.
func (l *Ledger) EarliestRelease(k int, owner Owner, need int64) time.Time {
	a := &l.accounts[k]
	switch {
	case a.form == periodic:
		return time.Unix(0, l.periodOpens(a))
	case a.unknown:
		return time.Unix(0, l.releasedAt(a, l.since))
	case a.form == jobbed:
		for _, j := range l.jobs {
			if j.limit == k && (owner == NoOwner || j.owner == owner) {
				if need -= j.amount; need <= 0 {
					return time.Unix(0, j.until)
				}
			}
		}
		return time.Unix(0, l.now+a.hold)
	}
	q := a.queue()
	for pos := a.next; pos < q.end(); pos++ {
		r := q.at(pos)
		if owner != NoOwner && r.owner != owner {
			continue
		}
		if need -= r.units(); need <= 0 {
			return time.Unix(0, r.end+a.hold)
		}
	}
	return time.Unix(0, a.steps.rounded(l.now)+a.hold)
}

// EarliestPaced is the earliest instant at which the pace of limit k lets n units through, zero if it has none or lets them through now.
func (l *Ledger) EarliestPaced(k int, n int64) time.Time {
	p := l.accounts[k].pace
	if p == nil || p.free(l.now) >= n {
		return time.Time{}
	}
	return time.Unix(0, p.reaches(l.now, n))
}

// EarliestRecord is the earliest instant at which limit k, per record, can have n units for the record. Calls in flight are taken to end now.
func (l *Ledger) EarliestRecord(k int, r Record, n int64) time.Time {
	a := &l.accounts[k]
	if a.unknown {
		return time.Unix(0, l.releasedAt(a, l.since))
	}
	if a.records.of(r)+n <= a.limit.Max {
		return time.Unix(0, l.now)
	}
	if end, ok := a.records.reaches(r, a.limit.Max, n); ok {
		return time.Unix(0, end+a.hold)
	}
	return time.Unix(0, l.now+a.hold)
}

// Release is what a limit gets back by a moment.
type Release struct {
	By    time.Time
	Units int64
}

// Releases sums up in at most n steps what limit k will release of the calls that have ended, in order of time. A calendar limit releases all at its period's
// end.
func (l *Ledger) Releases(k, n int) []Release {
	a := &l.accounts[k]
	if a.form == periodic {
		return []Release{{time.Unix(0, l.periodOpens(a)), a.used}}
	}
	q := a.queue() // empty for jobs and records, which do not foretell
	total := q.end() - a.next
	var all []Release
	for pos := a.next; pos < q.end(); {
		until := max(pos+1, a.next+(len(all)+1)*total/n)
		sum := int64(0)
		for ; pos < until; pos++ {
			sum += q.at(pos).units()
		}
		all = append(all, Release{time.Unix(0, q.at(pos-1).end+a.hold), sum})
	}
	return all
}
