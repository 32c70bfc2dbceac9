// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// Entry is a charge as a store keeps it.
type Entry struct {
	// ID by which EndJob knows the call; 0 if it will not be told of it.
	ID ID
	// Owner is the integration's key.
	Owner string
	// Cost in terms of the limits in force, of execution time what it came to in the end; nil if it is not known: then the call counts as the most it can have
	// taken. Unknown stands for a single amount of which that is true.
	Cost   Cost
	Record Record
	// Calls is for how many calls the entry stands, all of which Cost is about; 0 is one.
	Calls int64
	// Gone is what the call took of meters that are not in force, of other credentials.
	Gone []Part
	// End is when the call's answer was fully read, or until when an abandoned call may be counted. Zero means that no outcome was stored: the charge is in
	// doubt.
	End time.Time
	// InDoubt marks an abandoned call.
	InDoubt bool
	// JobEnded: the job that the call started has ended, or it started none.
	JobEnded bool
}

// Unknown is an amount, in the Cost of an Entry, that was not stored.
const Unknown = -1

// Part is what a call took of a meter.
type Part struct {
	Meter  limits.Meter
	Unit   limits.Unit
	Amount int64
}

// Restore fills an empty ledger after a restart. The entries' instants are on the ledger's timeline: the caller shifts them by the time that provably passed
// while the process was down, which keeps them charged too long rather than too short. An entry without an end is charged as if the call had been abandoned
// now. Since is the horizon that was stored last, shifted likewise; zero if nothing was ever forgotten.
func (l *Ledger) Restore(now time.Time, entries []Entry, since time.Time) error {
	l.Advance(now)
	if len(l.open) > 0 || len(l.ending) > 0 || l.base.log.end() > 0 {
		return fmt.Errorf("restore: the ledger holds charges already")
	}
	charges := make([]endingCharge, 0, len(entries))
	for _, e := range entries {
		c, err := l.restored(e)
		if err != nil {
			return fmt.Errorf("restore: a charge of %s: %w", e.Owner, err)
		}
		charges = append(charges, c)
	}
	slices.SortStableFunc(charges, func(a, b endingCharge) int { return cmp.Compare(a.end, b.end) })
	for i := range charges {
		l.enter(&charges[i])
	}
	if !since.IsZero() {
		l.since = since.UnixNano()
	}
	for k := range l.accounts {
		a := &l.accounts[k]
		a.unknown = !since.IsZero() && !l.released(a, l.since)
		if a.pace != nil && a.unknown {
			a.pace.full = max(a.pace.full, l.now+a.pace.Burst*int64(a.pace.Interval))
		}
	}
	l.Advance(now)
	return nil
}

// Enter charges calls that the ledger has not seen itself, as Restore does: an end before now counts as now.
func (l *Ledger) Enter(now time.Time, e Entry) error {
	l.Advance(now)
	c, err := l.restored(e)
	if err != nil {
		return fmt.Errorf("enter a charge of %s: %w", e.Owner, err)
	}
	c.end = max(c.end, l.now)
	l.enter(&c)
	return nil
}

// restored is an entry as a call that has ended, or will.
func (l *Ledger) restored(e Entry) (endingCharge, error) {
	cost := slices.Clone(e.Cost)
	if cost == nil {
		cost = slices.Repeat(Cost{Unknown}, len(l.accounts))
	}
	calls := max(1, e.Calls)
	for k := range cost {
		if cost[k] == Unknown && k < len(l.accounts) {
			cost[k] = min(calls*l.accounts[k].limit.LargestAmount(), MaxAmount)
		}
	}
	if err := l.checkCost(cost, calls); err != nil {
		return endingCharge{}, err
	}
	c := endingCharge{
		openCharge: openCharge{owner: l.Owner(e.Owner), record: e.Record, cost: cost},
		id:         e.ID, calls: calls, end: e.End.UnixNano(), inDoubt: e.InDoubt, jobEnded: e.JobEnded,
	}
	if e.End.IsZero() {
		c.end, c.inDoubt = l.now+int64(l.guards.MaxServerDelay), true
	}
	c.sent = c.end
	for k, n := range cost {
		if l.accounts[k].limit.Unit == limits.Milliseconds {
			c.sent = min(c.sent, c.end-n*int64(time.Millisecond))
		}
	}
	for _, p := range e.Gone {
		c.gone = append(c.gone, part{l.formerMeter(meterID{p.Meter, p.Unit}), p.Amount})
	}
	return c, nil
}

func (l *Ledger) formerMeter(id meterID) *meter {
	if i := slices.IndexFunc(l.former, func(m *meter) bool { return m.id == id }); i >= 0 {
		return l.former[i]
	}
	m := newMeter(id, l.guards.History)
	m.left = l.now
	l.former = append(l.former, m)
	return m
}

// enter charges a restored call to every limit that still counts it.
func (l *Ledger) enter(c *endingCharge) {
	for k, n := range c.cost {
		a := &l.accounts[k]
		if n == 0 {
			continue
		}
		n = a.amount(&c.openCharge, k, c.end)
		switch a.form {
		case periodic:
			if l.released(a, c.end) {
				continue
			}
		case jobbed:
			until := c.end + int64(l.guards.MaxJob)
			if c.jobEnded {
				until = c.end + a.hold
			}
			l.holdJob(jobSlot{id: c.id, owner: c.owner, limit: k, amount: n, until: until, inDoubt: c.inDoubt})
		default:
		}
		l.take(k, &c.openCharge, n, c.inDoubt)
	}
	l.end(*c)
}
