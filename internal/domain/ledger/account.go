// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// form is how an account keeps what it has charged.
type form uint8

const (
	// exact: a position in the log of the meter.
	exact form = iota
	// stepped: a log of its own, in steps.
	stepped
	// periodic: the sums of a calendar period.
	periodic
	// perRecord: a count for each record.
	perRecord
	// jobbed: slots that are held until a job ends.
	jobbed
)

// account is what is charged to one limit.
type account struct {
	limit limits.Limit
	form  form
	meter *meter
	// writes: of the accounts of the meter, this one has its log written.
	writes bool
	// twin is the first account of the same meter: a call takes as much of both.
	twin int

	// hold is how long after its end a call is charged, in nanoseconds. A calendar period decides after that.
	hold int64
	// Units, in all and by owner; inDoubt is the part of used whose arrival is not known.
	used, inDoubt int64
	by            []int64
	// outside is the part of by that SetOutside has set.
	outside map[Owner]int64
	// unknown: calls before the ledger's time may still count. The limit is then as good as used up.
	unknown bool

	// next is the position of the first call that is still charged: in the log of the meter, in steps, or in band.
	next  int
	steps history
	// The calendar period that is charged, by the CRM's clock; band are calls about its begin that may have been counted before it.
	periodStart, periodEnd int64
	band                   history

	pace    *pace
	records *records
}

func formOf(l limits.Limit, hold int64) form {
	switch {
	case l.Meter.PerRecord:
		return perRecord
	case l.UntilJobEnds:
		return jobbed
	case l.Kind == limits.Calendar:
		return periodic
	case hold > int64(shortHold):
		return stepped
	default:
		return exact
	}
}

// queue is where the calls are that a has charged and that have ended, in the order in which they are released.
func (a *account) queue() *history {
	switch a.form {
	case exact:
		return &a.meter.log
	case stepped:
		return &a.steps
	default:
		return &a.band
	}
}

// amount is what a call that ended at end has taken of limit k.
func (a *account) amount(c *openCharge, k int, end int64) int64 {
	if a.limit.Unit == limits.Milliseconds {
		return milliseconds(end - c.sent)
	}
	return c.cost[k]
}

// take charges a call to limit k.
func (l *Ledger) take(k int, c *openCharge, n int64, inDoubt bool) {
	a := &l.accounts[k]
	if a.form == perRecord {
		a.records.take(c.record, n)
		return
	}
	if a.pace != nil {
		a.pace.open += n
	}
	if inDoubt {
		a.inDoubt += n
	}
	l.change(k, c.owner, n)
}

// giveBack undoes take for a call that was never sent.
func (l *Ledger) giveBack(k int, c *openCharge, n int64) {
	a := &l.accounts[k]
	if a.form == perRecord {
		a.records.give(c.record, n)
		return
	}
	if a.pace != nil {
		a.pace.open -= n
	}
	l.change(k, c.owner, -n)
}

// finished notes that the end of a call is known.
func (l *Ledger) finished(id ID, k int, c *openCharge, end int64, inDoubt bool) {
	a, n := &l.accounts[k], c.cost[k]
	if a.form == perRecord {
		return
	}
	if final := a.amount(c, k, end); final != n {
		if a.pace != nil {
			a.pace.open += final - n
		}
		l.change(k, c.owner, final-n)
		n = final
	}
	if inDoubt {
		a.inDoubt += n
	}
	if a.form == jobbed {
		l.holdJob(jobSlot{id: id, owner: c.owner, limit: k, amount: n, until: end + int64(l.guards.MaxJob), inDoubt: inDoubt})
	}
}

// ended notes that a call of n units has ended, after the log of the meter has been written.
func (a *account) ended(c *endingCharge, n int64) {
	switch a.form {
	case stepped:
		a.steps.append(newRecord(c.end, c.owner, n, c.inDoubt))
	case perRecord:
		a.records.end(c.end, c.record, n)
	default:
	}
	if a.pace != nil {
		a.pace.end(c.end, n)
	}
}

// release takes what limit k no longer counts off it.
func (l *Ledger) release(k int, r record) {
	if r.inDoubt() {
		l.accounts[k].inDoubt -= r.units()
	}
	l.change(k, r.owner, -r.units())
}

// change adds n to what the owner has used of limit k, and tells the watcher.
func (l *Ledger) change(k int, o Owner, n int64) {
	a := &l.accounts[k]
	was := a.by[o]
	a.used += n
	a.by[o] = was + n
	if l.watcher != nil && n != 0 {
		l.watcher.Changed(k, o, was, was+n)
	}
}

// released says whether the limit no longer counts a call that ended at end. It is monotone: what ended earlier is released no later.
func (l *Ledger) released(a *account, end int64) bool {
	if a.form != periodic {
		return l.releasedAt(a, end) <= l.now
	}
	// The latest the CRM's clock can have shown when it counted the call.
	drift := l.guards.Drift(time.Duration(l.now - end))
	return end+int64(l.offset.Max)+int64(drift)+a.hold < a.periodStart
}

// releasedAt is when the limit no longer counts a call that ended at end. A calendar one has no such instant.
func (l *Ledger) releasedAt(a *account, end int64) int64 {
	if a.form == jobbed {
		end += int64(l.guards.MaxJob)
	}
	return end + a.hold
}

// advanceAccount releases what limit k no longer counts.
func (l *Ledger) advanceAccount(k int) {
	a := &l.accounts[k]
	switch a.form {
	case periodic:
		if l.crmTime >= a.periodEnd {
			l.nextPeriod(k)
		}
	case perRecord:
		a.records.advance(l.now - a.hold)
		if a.unknown && l.released(a, l.since) {
			a.unknown = false
		}
		return
	case exact, stepped, jobbed:
	}
	for q := a.queue(); a.next < q.end() && l.released(a, q.at(a.next).end); a.next++ {
		l.release(k, q.at(a.next))
	}
	if a.form != exact { // the log is the meter's
		q := a.queue()
		q.forget(a.next - q.start())
	}
	if a.unknown && l.released(a, l.since) {
		a.unknown = false
	}
}

// nextPeriod enters the period that the CRM is in for certain: what the one before has charged is released, but for calls about its end.
func (l *Ledger) nextPeriod(k int) {
	a := &l.accounts[k]
	before := append([]int64(nil), a.by...)
	l.fill(k)
	for o, was := range before {
		if is := a.by[o]; was != is && l.watcher != nil {
			l.watcher.Changed(k, Owner(o), was, is)
		}
	}
}

func (l *Ledger) openPeriod(a *account) {
	start, end := a.limit.Period.Containing(time.Unix(0, l.crmTime), a.limit.Location)
	a.periodStart, a.periodEnd = start.UnixNano(), end.UnixNano()
}
