// SPDX-License-Identifier: Apache-2.0

// Package ledger keeps what has been charged to a licence's limits: from the moment a call is sent until no window of the CRM can count it any more.
//
// Calls are written down by meter, which is what limits count (see limits.Meter). A limit with a short window is a position in the exact log of its meter:
// everything before it has been released. One with a long window has steps of a thousandth of the window, into which a call is rounded up, so it is charged for up
// to that much longer; a calendar limit has the sums of its period. So a million calls of a day take as little memory as the integrations in each step.
//
// A Ledger has no clock and no lock: one goroutine owns it and passes instants of a timeline that is never stepped (see package limits). Instants that go back
// are taken as the latest one seen.
package ledger

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// ID identifies a charge: one request on the wire. A call that is sent again has a new one.
type ID uint64

// Owner is the number under which a ledger knows an integration.
type Owner int32

// NoOwner stands for all owners where one can be named.
const NoOwner Owner = -1

// Record is a hash of the name of a CRM's record, for limits that each record has for itself.
type Record uint64

// NoRecord stands for a record that is not known: it counts against every one.
const NoRecord Record = 0

// Cost is what a call takes of each limit in force, by the limit's number: 0 where the limit does not count it. It must not be changed once it was used; callers
// keep one for each kind of call.
type Cost []int64

// MaxAmount is the most that one call can take of a limit.
const MaxAmount = math.MaxInt32

// Errors of a caller that has lost track of its charges.
var (
	ErrCharged    = errors.New("is charged already")
	ErrNotCharged = errors.New("is not charged")
	ErrCost       = fmt.Errorf("a cost has one amount for each limit in force, from 0 to %d", MaxAmount)
)

// Watcher is told whenever UsedBy(k, o) has changed, except by SetLimits and Restore, after which everything may have.
type Watcher interface {
	Changed(k int, o Owner, was, is int64)
}

// Ledger is the account of one licence.
type Ledger struct {
	guards limits.Guards
	now    int64
	offset limits.Offset
	// crmTime is the earliest that the CRM's clock can show now. It never goes back: a calendar period once left is not entered again.
	crmTime int64
	// since: nothing that ended before is known, except that a new ledger knows that nothing was.
	since int64

	names   []string
	owners  map[string]Owner
	watcher Watcher

	accounts []account
	// base is the meter of every call. What another meter has not seen is taken from it.
	base *meter
	// meters are those of the limits in force, and base; former ones are kept as long as their calls may count.
	meters, former []*meter

	// keep is for how long a call is remembered at least, in nanoseconds.
	keep int64

	open map[ID]openCharge
	// ending are calls nobody listens to any more, in order of an end that is still to come; jobs are slots held by jobs, likewise.
	ending []endingCharge
	jobs   []jobSlot
}

// openCharge is a call whose end is not known.
type openCharge struct {
	owner  Owner
	record Record
	sent   int64
	cost   Cost
	// gone is what it took of meters that are no longer in force.
	gone []part
}

// part is what a call takes of one meter.
type part struct {
	meter  *meter
	amount int64
}

// endingCharge is a call that ends at a moment to come.
type endingCharge struct {
	openCharge
	// id of a restored call.
	id ID
	// calls is for how many calls it stands.
	calls    int64
	end      int64
	inDoubt  bool
	jobEnded bool
}

// New returns an empty ledger for the limits: nothing was used before now.
func New(now time.Time, ls []limits.Limit, g limits.Guards) (*Ledger, error) {
	l := &Ledger{
		guards: g,
		now:    now.UnixNano(),
		since:  math.MinInt64,
		owners: map[string]Owner{},
		base:   newMeter(meterID{Meter: limits.EveryCall}, g.History),
		open:   map[ID]openCharge{},
	}
	l.offset = limits.UnknownOffset()
	l.crmTime = l.now + int64(l.offset.Min)
	if err := l.SetLimits(now, ls); err != nil {
		return nil, err
	}
	return l, nil
}

// Watch has w told of changes from now on.
func (l *Ledger) Watch(w Watcher) { l.watcher = w }

// Owner returns the number of the integration with this key, a new one if the ledger has not met it.
func (l *Ledger) Owner(key string) Owner {
	if o, ok := l.owners[key]; ok {
		return o
	}
	o := Owner(len(l.names))
	l.owners[key] = o
	l.names = append(l.names, key)
	for k := range l.accounts {
		l.accounts[k].by = append(l.accounts[k].by, 0)
	}
	return o
}

// Owners is how many integrations the ledger has met: owners are numbered from 0.
func (l *Ledger) Owners() int { return len(l.names) }

// Name returns the key that an owner was registered with.
func (l *Ledger) Name(o Owner) string { return l.names[o] }

// Charge takes a call, about to be sent, out of every limit that counts it. It does not ask whether it fits: that is the business of who decides. The record
// matters to limits per record only.
func (l *Ledger) Charge(now time.Time, id ID, owner Owner, cost Cost, record Record) error {
	if err := l.checkCost(cost, 1); err != nil {
		return fmt.Errorf("charge %d: %w", id, err)
	}
	if _, ok := l.open[id]; ok {
		return fmt.Errorf("charge %d %w", id, ErrCharged)
	}
	l.Advance(now)
	c := openCharge{owner: owner, record: record, sent: l.now, cost: cost}
	l.open[id] = c
	for k, n := range cost {
		if n > 0 {
			l.take(k, &c, n, false)
		}
	}
	return nil
}

// checkCost says what is wrong with the cost of so many calls.
func (l *Ledger) checkCost(cost Cost, calls int64) error {
	if len(cost) != len(l.accounts) {
		return fmt.Errorf("%w: it has %d amounts for %d limits", ErrCost, len(cost), len(l.accounts))
	}
	for k, n := range cost {
		a := &l.accounts[k]
		switch {
		case n < 0 || n > MaxAmount:
			return fmt.Errorf("%w: of limit %q it takes %d", ErrCost, a.limit.Name, n)
		case a.meter == l.base && n != calls:
			return fmt.Errorf("%w: of limit %q it takes %d, but every call counts 1 there", ErrCost, a.limit.Name, n)
		case a.twin >= 0 && n != cost[a.twin]:
			return fmt.Errorf("%w: limits %q and %q count the same, but it takes %d and %d of them", ErrCost, l.accounts[a.twin].limit.Name, a.limit.Name, cost[a.twin], n)
		}
	}
	return nil
}

// Settle ends a call whose answer was fully read at end. An end before the last instant the ledger has seen is taken as that instant, which is safe.
func (l *Ledger) Settle(id ID, end time.Time) error {
	return l.finish(id, end.UnixNano(), false)
}

// Abandon ends a call that we stopped listening to at now: the CRM may count it until the longest server delay has passed.
func (l *Ledger) Abandon(id ID, now time.Time) error {
	return l.finish(id, max(l.now, now.UnixNano())+int64(l.guards.MaxServerDelay), true)
}

// Refund takes a charge back. It is right only when no byte of the call was written.
func (l *Ledger) Refund(id ID) error {
	c, ok := l.open[id]
	if !ok {
		return fmt.Errorf("charge %d %w", id, ErrNotCharged)
	}
	delete(l.open, id)
	for k, n := range c.cost {
		l.giveBack(k, &c, n)
	}
	return nil
}

func (l *Ledger) finish(id ID, end int64, inDoubt bool) error {
	c, ok := l.open[id]
	if !ok {
		return fmt.Errorf("charge %d %w", id, ErrNotCharged)
	}
	delete(l.open, id)
	end = max(end, l.now)
	for k, n := range c.cost {
		if n > 0 {
			l.finished(id, k, &c, end, inDoubt)
		}
	}
	l.end(endingCharge{openCharge: c, calls: 1, end: end, inDoubt: inDoubt})
	return nil
}

// Advance moves the ledger to now: it releases what no limit counts any more and opens calendar periods that have begun for certain.
func (l *Ledger) Advance(now time.Time) {
	l.now = max(l.now, now.UnixNano())
	l.crmTime = max(l.crmTime, l.now+int64(l.offset.Min))
	l.endOverdue()
	l.endJobs()
	for k := range l.accounts {
		l.advanceAccount(k)
	}
	l.trim()
}

// SetOffset tells what is known of the CRM's clock from now on. Both ends must hold now and for the instants of the calls that ended within the last
// Max-Min+MaxServerDelay.
func (l *Ledger) SetOffset(o limits.Offset) { l.offset = o }

// SetMaxServerDelay tells how long after we stopped listening a call can still be counted, for those abandoned from now on.
func (l *Ledger) SetMaxServerDelay(d time.Duration) { l.guards.MaxServerDelay = d }

// milliseconds is a duration in nanoseconds as execution time: rounded up, at least 1, at most MaxAmount.
func milliseconds(d int64) int64 {
	const perMillisecond = int64(time.Millisecond)
	return min(max(1, (d+perMillisecond-1)/perMillisecond), MaxAmount)
}
