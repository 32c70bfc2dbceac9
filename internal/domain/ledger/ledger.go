// SPDX-License-Identifier: Apache-2.0

// Package ledger keeps what has been charged to a licence's limits, exactly: from the moment a call is sent until no window of the CRM can count it any more.
//
// One log of settled calls serves all limits. A limit holds a call for a fixed time after its end, so each limit is a position in that log: everything before
// it has been released. A settled call takes 16 bytes however many limits there are, 19 as measured with the slack of the log (BenchmarkMemory): 100,000 calls
// of a rolling day are 1.9 MB.
//
// A Ledger has no clock and no lock: one goroutine owns it and passes instants of a timeline that is never stepped (see package limits). Instants that go back
// are taken as the latest one seen.
package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// ID identifies a charge: one request on the wire. A call that is sent again has a new one.
type ID uint64

// Owner is the number under which a ledger knows an integration.
type Owner int32

// NoOwner stands for all owners where one can be named.
const NoOwner Owner = -1

// MaxCost is the most that one call can cost.
const MaxCost = math.MaxInt32

// Errors of a caller that has lost track of its charges.
var (
	ErrCharged    = errors.New("is charged already")
	ErrNotCharged = errors.New("is not charged")
	ErrCost       = fmt.Errorf("cost must be from 1 to %d", MaxCost)
)

// Ledger is the account of one licence.
type Ledger struct {
	guards limits.Guards
	now    int64
	offset limits.Offset
	// crmTime is the earliest that the CRM's clock can show now. It never goes back: a calendar period once left is not entered again.
	crmTime int64
	// since: nothing that ended before is known, except that a new ledger knows that nothing was.
	since int64

	names  []string
	owners map[string]Owner

	accounts []account
	open     map[ID]openCharge
	// ending are calls nobody listens to any more, in order of an end that is still to come.
	ending []record
	log    history

	version uint64
}

// openCharge is a call whose end is not known.
type openCharge struct {
	owner Owner
	cost  int32
}

// New returns an empty ledger for the limits: nothing was used before now.
func New(now time.Time, ls []limits.Limit, g limits.Guards) (*Ledger, error) {
	l := &Ledger{
		guards: g,
		now:    now.UnixNano(),
		since:  math.MinInt64,
		owners: map[string]Owner{},
		open:   map[ID]openCharge{},
	}
	l.offset = limits.UnknownOffset()
	l.crmTime = l.now + int64(l.offset.Min)
	if err := l.SetLimits(now, ls); err != nil {
		return nil, err
	}
	return l, nil
}

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
	l.version++
	return o
}

// Owners is how many integrations the ledger has met: owners are numbered from 0.
func (l *Ledger) Owners() int { return len(l.names) }

// Name returns the key that an owner was registered with.
func (l *Ledger) Name(o Owner) string { return l.names[o] }

// Charge takes a call of this cost, about to be sent, out of every limit. It does not ask whether it fits: that is the business of who decides.
func (l *Ledger) Charge(now time.Time, id ID, owner Owner, cost int64) error {
	if cost < 1 || cost > MaxCost {
		return fmt.Errorf("charge %d: %w, is %d", id, ErrCost, cost)
	}
	if _, ok := l.open[id]; ok {
		return fmt.Errorf("charge %d %w", id, ErrCharged)
	}
	l.Advance(now)
	l.open[id] = openCharge{owner: owner, cost: int32(cost)}
	for k := range l.accounts {
		l.accounts[k].add(owner, cost, false)
	}
	l.version++
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
	for k := range l.accounts {
		l.accounts[k].release(newRecord(0, c.owner, c.cost, false))
	}
	l.version++
	return nil
}

func (l *Ledger) finish(id ID, end int64, inDoubt bool) error {
	c, ok := l.open[id]
	if !ok {
		return fmt.Errorf("charge %d %w", id, ErrNotCharged)
	}
	delete(l.open, id)
	r := newRecord(max(end, l.now), c.owner, c.cost, inDoubt)
	if inDoubt {
		for k := range l.accounts {
			l.accounts[k].inDoubt += l.accounts[k].units(int64(c.cost))
		}
	}
	l.schedule(r)
	l.version++
	return nil
}

// schedule puts a record that is charged already where its end belongs.
func (l *Ledger) schedule(r record) {
	if r.end <= l.now {
		l.log.append(r)
		return
	}
	at, _ := slices.BinarySearchFunc(l.ending, r.end, func(e record, end int64) int { return cmp.Compare(e.end, end) })
	l.ending = slices.Insert(l.ending, at, r)
}

// Advance moves the ledger to now: it releases what no limit counts any more and opens calendar periods that have begun for certain.
func (l *Ledger) Advance(now time.Time) {
	l.now = max(l.now, now.UnixNano())
	l.crmTime = max(l.crmTime, l.now+int64(l.offset.Min))
	ended := 0
	for ended < len(l.ending) && l.ending[ended].end <= l.now {
		l.log.append(l.ending[ended])
		ended++
	}
	l.ending = slices.Delete(l.ending, 0, ended)
	for k := range l.accounts {
		if l.advanceAccount(&l.accounts[k]) {
			l.version++
		}
	}
	l.trim()
}

// SetOffset tells what is known of the CRM's clock from now on. Both ends must hold now and for the instants of the calls that ended within the last
// Max-Min+MaxServerDelay.
func (l *Ledger) SetOffset(o limits.Offset) { l.offset = o }

// Version changes whenever an amount that the ledger reports may have changed.
func (l *Ledger) Version() uint64 { return l.version }
