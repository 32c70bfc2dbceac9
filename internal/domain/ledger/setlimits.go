// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"math"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// SetLimits puts other limits in force. A limit that only gets another name or another Max keeps its account. One that counts otherwise is filled from the
// history of its meter; one whose meter is new, from all calls, each taken for the most it can have taken. A limit that reaches back further than the ledger
// counts as used up until that time has passed. So no edit forgets a call. Positions of limits are those in ls.
func (l *Ledger) SetLimits(now time.Time, ls []limits.Limit) error {
	for _, limit := range ls {
		if err := limit.Validate(); err != nil {
			return err
		}
	}
	l.Advance(now)
	before := l.accounts
	apart := l.setMeters(ls)
	accounts, kept := make([]account, len(ls)), make([]int, len(ls))
	for k, limit := range ls {
		accounts[k] = l.newAccount(limit)
		accounts[k].twin = slices.IndexFunc(accounts, func(a account) bool { return a.meter == accounts[k].meter && a.meter != nil })
		accounts[k].writes = accounts[k].twin == k
		kept[k] = slices.IndexFunc(before, accounts[k].continues)
		if slices.Contains(kept[:k], kept[k]) {
			kept[k] = -1 // of two equal limits one goes on with the account
		}
	}
	l.convert(before, accounts, apart)
	l.accounts = accounts
	l.keep = max(int64(l.guards.History), int64(l.guards.MaxJob))
	for k, from := range kept {
		if from >= 0 {
			l.accounts[k].adopt(&before[from])
		} else {
			l.fill(k)
		}
		l.repace(k)
	}
	return nil
}

func (l *Ledger) newAccount(limit limits.Limit) account {
	a := account{limit: limit, hold: int64(l.guards.Hold(limit)), by: make([]int64, len(l.names)), twin: -1}
	a.form = formOf(limit, a.hold)
	switch a.form {
	case perRecord:
		a.records = newRecords()
	case stepped:
		a.steps.step = int64(limit.Window) / steps
	default:
	}
	if a.form != perRecord {
		a.meter = l.meter(idOf(limit))
	}
	return a
}

func idOf(l limits.Limit) meterID { return meterID{l.Meter, l.Unit} }

func (l *Ledger) meter(id meterID) *meter {
	i := slices.IndexFunc(l.meters, func(m *meter) bool { return m.id == id })
	if i < 0 {
		return nil
	}
	return l.meters[i]
}

// continues says whether a new account counts as an old one did.
func (a *account) continues(old account) bool {
	x, y := a.limit, old.limit
	return idOf(x) == idOf(y) && a.form == old.form && a.hold == old.hold &&
		x.Kind == y.Kind && x.Window == y.Window && x.Period == y.Period && x.Location == y.Location
}

// adopt goes on with the account of the same limit.
func (a *account) adopt(old *account) {
	a.used, a.inDoubt, a.by, a.unknown, a.next, a.steps = old.used, old.inDoubt, old.by, old.unknown, old.next, old.steps
	a.periodStart, a.periodEnd, a.band, a.records = old.periodStart, old.periodEnd, old.band, old.records
	a.outside = old.outside
}

// setMeters makes the meters of the limits those in force. One that is new starts from all calls, unless it is that of another credential: then no call before
// can have counted in it. Such meters are returned, and those that come back: of calls in flight they count what was charged to them.
func (l *Ledger) setMeters(ls []limits.Limit) (apart []*meter) {
	old := l.meters
	l.meters = []*meter{l.base}
	for _, limit := range ls {
		id := idOf(limit)
		if limit.Meter.PerRecord || l.meter(id) != nil {
			continue
		}
		m, isApart := l.findMeter(id, old, mostOf(ls, id))
		l.meters = append(l.meters, m)
		if isApart {
			apart = append(apart, m)
		}
	}
	for _, m := range old {
		if !slices.Contains(l.meters, m) && m.id.Credential != "" {
			m.left = l.now
			l.former = append(l.former, m)
		}
	}
	return apart
}

func (l *Ledger) findMeter(id meterID, old []*meter, most int64) (m *meter, apart bool) {
	same := func(m *meter) bool { return m.id == id }
	if i := slices.IndexFunc(old, same); i >= 0 {
		return old[i], false
	}
	if i := slices.IndexFunc(l.former, same); i >= 0 {
		m = l.former[i]
		l.former = slices.Delete(l.former, i, i+1)
		return m, true
	}
	m = newMeter(id, l.guards.History)
	elsewhere := func(o *meter) bool {
		other := o.id
		other.Credential = id.Credential
		return other == id && o.id.Credential != ""
	}
	if id.Credential != "" && slices.ContainsFunc(slices.Concat(old, l.former), elsewhere) {
		return m, true
	}
	take := func(r record) {
		r.amount = uint32(min(r.units()*most, MaxAmount)) | r.amount&doubtBit
		if r.end < l.now-int64(recent) {
			m.past.append(r)
		} else {
			m.log.append(r)
		}
	}
	l.base.all(func(int64) bool { return true }, take)
	return m, false
}

// mostOf is the most that one call can take of a meter.
func mostOf(ls []limits.Limit, id meterID) int64 {
	most := int64(1)
	for _, limit := range ls {
		if idOf(limit) == id {
			most = max(most, limit.LargestAmount())
		}
	}
	return most
}

// convert puts the costs of calls whose end is to come in terms of the new accounts.
func (l *Ledger) convert(before, after []account, apart []*meter) {
	for id, c := range l.open {
		l.convertCharge(&c, before, after, apart)
		l.open[id] = c
	}
	for i := range l.ending {
		l.convertCharge(&l.ending[i].openCharge, before, after, apart)
	}
	var jobs []jobSlot
	for _, j := range l.jobs {
		for k := range after {
			if after[k].continues(before[j.limit]) {
				j.limit = k
				jobs = append(jobs, j)
				break
			}
		}
	}
	l.jobs = jobs
}

func (l *Ledger) convertCharge(c *openCharge, before, after []account, apart []*meter) {
	cost, gone := make(Cost, len(after)), []part(nil)
	for k := range after {
		if !slices.Contains(apart, after[k].meter) {
			cost[k] = after[k].limit.LargestAmount()
		}
		for b, n := range c.cost {
			if idOf(before[b].limit) == idOf(after[k].limit) {
				cost[k] = n
			}
		}
		for _, p := range c.gone {
			if p.meter == after[k].meter {
				cost[k] = p.amount
			}
		}
	}
	keep := func(p part) {
		if slices.Contains(l.former, p.meter) && p.amount > 0 && !slices.ContainsFunc(gone, func(g part) bool { return g.meter == p.meter }) {
			gone = append(gone, p)
		}
	}
	for _, p := range c.gone {
		keep(p)
	}
	for b, n := range c.cost {
		keep(part{before[b].meter, n})
	}
	c.cost, c.gone = cost, gone
}

// fill charges an account with every call that its limit counts, and nothing else.
func (l *Ledger) fill(k int) {
	a := &l.accounts[k]
	a.used, a.inDoubt = 0, 0
	clear(a.by)
	watcher := l.watcher
	l.watcher = nil // the caller tells
	defer func() { l.watcher = watcher }()
	if a.form == periodic {
		l.openPeriod(a)
	}
	for o, n := range a.outside {
		l.change(k, o, n)
	}
	l.fillComing(k)
	a.unknown = l.since != math.MinInt64 && !l.released(a, l.since)
	l.fillEnded(k)
}

// fillComing charges calls whose end is to come.
func (l *Ledger) fillComing(k int) {
	a := &l.accounts[k]
	for _, c := range l.open {
		if n := c.cost[k]; n > 0 {
			l.take(k, &c, n, false)
		}
	}
	for _, e := range l.ending {
		if n := e.cost[k]; n > 0 {
			n = a.amount(&e.openCharge, k, e.end)
			l.take(k, &e.openCharge, n, e.inDoubt)
			if a.form == jobbed {
				l.holdJob(jobSlot{owner: e.owner, limit: k, amount: n, until: e.end + int64(l.guards.MaxJob), inDoubt: e.inDoubt})
			}
		}
	}
}

// fillEnded charges calls that have ended and are not released.
func (l *Ledger) fillEnded(k int) {
	a := &l.accounts[k]
	kept := func(end int64) bool { return !l.released(a, end) }
	charge := func(r record) {
		if r.inDoubt() {
			a.inDoubt += r.units()
		}
		l.change(k, r.owner, r.units())
	}
	switch a.form {
	case exact:
		a.next = a.meter.log.end()
		for a.next > a.meter.log.start() && kept(a.meter.log.at(a.next-1).end) {
			a.next--
			charge(a.meter.log.at(a.next))
		}
	case stepped:
		a.meter.all(kept, func(r record) { a.steps.append(r); charge(r) })
	case periodic:
		a.band, a.next = history{}, 0
		a.meter.all(kept, func(r record) {
			if r.end < a.periodStart-int64(l.offset.Min) { // by the CRM's clock it can have ended before the period
				a.band.append(r)
			}
			charge(r)
		})
	case perRecord:
		most := a.limit.LargestAmount()
		l.base.all(kept, func(r record) {
			a.records.take(NoRecord, most*r.units())
			a.records.end(r.end, NoRecord, most*r.units())
		})
	case jobbed:
		a.meter.all(kept, func(r record) {
			charge(r)
			l.holdJob(jobSlot{owner: r.owner, limit: k, amount: r.units(), until: r.end + int64(l.guards.MaxJob), inDoubt: r.inDoubt()})
		})
	}
}

// repace starts the pace of limit k from the calls that it counts.
func (l *Ledger) repace(k int) {
	a := &l.accounts[k]
	p, ok := l.guards.Pace(a.limit)
	if !ok || a.form == perRecord || a.form == jobbed {
		return
	}
	delay := l.guards.Counting(a.limit)
	a.pace = newPace(p, int64(delay))
	if a.unknown {
		a.pace.full = l.now + p.Burst*int64(p.Interval)
	}
	a.meter.all(func(end int64) bool { return !l.released(a, end) }, func(r record) {
		a.pace.open += r.units()
		a.pace.end(r.end, r.units())
	})
	for _, c := range l.open {
		a.pace.open += c.cost[k]
	}
	for _, e := range l.ending {
		a.pace.open += e.cost[k]
	}
}
