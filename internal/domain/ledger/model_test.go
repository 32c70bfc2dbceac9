// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// model is a ledger by the definition: it keeps every call for ever and asks each, whenever it is asked.
type model struct {
	guards  limits.Guards
	limits  []limits.Limit
	now     time.Time
	offset  limits.Offset
	crmTime time.Time
	calls   []*modelCall
}

type modelCall struct {
	id      ledger.ID
	owner   string
	cost    int64
	open    bool
	doubt   bool
	refund  bool
	end     time.Time
	dropped map[int]bool // limits that have released it
	surely  map[int]bool // limits that have released it even if its end was rounded up twice
}

func (m *model) advance(now time.Time) {
	if now.After(m.now) {
		m.now = now
	}
	if crm := m.now.Add(m.offset.Min); crm.After(m.crmTime) {
		m.crmTime = crm
	}
	for _, c := range m.calls {
		for k, l := range m.limits {
			if c.open {
				continue
			}
			if !m.counts(l, c.end) {
				c.dropped[k] = true
			}
			if !m.counts(l, c.end.Add(rounding(l))) {
				c.surely[k] = true
			}
		}
	}
}

// counts says whether the limit counts a call that has ended at end.
func (m *model) counts(l limits.Limit, end time.Time) bool {
	switch l.Kind {
	case limits.Rolling:
		return end.Add(l.Window + drift(m.guards, l.Window) + m.guards.CountingDelay).After(m.now)
	case limits.Concurrent:
		return end.Add(m.guards.SlotRelease).After(m.now)
	default:
		day := m.crmTime.Truncate(24 * time.Hour)
		return !end.Add(m.offset.Max + drift(m.guards, m.now.Sub(end)) + m.guards.CountingDelay).Before(day)
	}
}

// rounding is how much too long a call may be charged: a thousandth of what is kept of it, and one of a long window.
func rounding(l limits.Limit) time.Duration {
	switch {
	case l.Kind == limits.Calendar:
		return 25 * time.Hour / 1000
	case l.Window > 10*time.Minute:
		return 25*time.Hour/1000 + l.Window/1000
	default:
		return 0
	}
}

func drift(g limits.Guards, d time.Duration) time.Duration {
	return (d*time.Duration(g.DriftPPM) + 999_999) / 1_000_000
}

// used is what is charged at least, and at most.
func (m *model) used(k int, owner string, doubtOnly bool) (least, most int64) {
	for _, c := range m.calls {
		if c.refund || owner != "" && c.owner != owner || doubtOnly && !c.doubt {
			continue
		}
		n := amount(m.limits[k], c.cost)
		if !c.dropped[k] {
			least += n
		}
		if !c.surely[k] {
			most += n
		}
	}
	return least, most
}

// amount is what a call of this cost takes of a limit: slots and plain limits count calls, the others what they cost.
func amount(l limits.Limit, cost int64) int64 {
	if l.Meter == limits.EveryCall {
		return 1
	}
	return cost
}

func costOf(ls []limits.Limit, cost int64) (of ledger.Cost) {
	for _, l := range ls {
		of = append(of, amount(l, cost))
	}
	return of
}

// setLimits: what a call costs is forgotten when no limit asks for it any more; then it counts as the most it can have been.
func (m *model) setLimits(ls []limits.Limit) {
	isPriced := func(l limits.Limit) bool { return l.Meter == priced }
	known := slices.ContainsFunc(m.limits, isPriced)
	m.limits = ls
	for _, c := range m.calls {
		c.dropped, c.surely = map[int]bool{}, map[int]bool{}
		if !known && slices.ContainsFunc(ls, isPriced) {
			c.cost = 3
		}
	}
}

func (m *model) openCalls() []*modelCall {
	return slices.DeleteFunc(slices.Clone(m.calls), func(c *modelCall) bool { return !c.open })
}

// TestLedgerAgainstModel compares every amount after every step of random histories with changing limits, a clock of the CRM's that becomes known, and restarts.
func TestLedgerAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		guards := limits.Guards{
			DriftPPM: 500, CountingDelay: 500 * time.Millisecond, MaxServerDelay: time.Minute, SlotRelease: 50 * time.Millisecond, History: 25 * time.Hour,
		}
		start := time.Unix(1_800_000_000, 0).UTC()
		m := &model{guards: guards, now: start, offset: limits.UnknownOffset()}
		m.setLimits(drawLimits(t))
		l, err := ledger.New(start, m.limits, guards)
		if err != nil {
			t.Fatal(err)
		}
		c := &comparison{t: t, model: m, ledger: l}
		c.watch()
		m.advance(start)
		t.Repeat(map[string]func(*rapid.T){
			"":        func(t *rapid.T) { c.t = t; c.compare() },
			"charge":  func(t *rapid.T) { c.t = t; c.charge() },
			"settle":  func(t *rapid.T) { c.t = t; c.settle() },
			"abandon": func(t *rapid.T) { c.t = t; c.abandon() },
			"refund":  func(t *rapid.T) { c.t = t; c.refund() },
			"advance": func(t *rapid.T) { c.t = t; c.advance() },
			"release": func(t *rapid.T) { c.t = t; c.nextRelease() },
			"limits":  func(t *rapid.T) { c.t = t; c.setLimits() },
			"clock":   func(t *rapid.T) { c.t = t; c.learnClock() },
			"restart": func(t *rapid.T) { c.t = t; c.restart() },
		})
	})
}

func drawLimits(t *rapid.T) []limits.Limit {
	return rapid.SliceOfN(rapid.SampledFrom([]limits.Limit{
		{Name: "minute", Kind: limits.Rolling, Max: 4, Window: time.Minute, Meter: priced, Most: 3},
		{Name: "calls", Kind: limits.Rolling, Max: 4, Window: 5 * time.Minute},
		{Name: "long", Kind: limits.Rolling, Max: 9, Window: 20 * time.Hour, Meter: priced, Most: 3},
		{Name: "day", Kind: limits.Calendar, Period: limits.Day, Max: 9, Location: time.UTC},
		{Name: "slots", Kind: limits.Concurrent, Max: 3},
	}), 1, 4).Draw(t, "limits")
}

// priced is the meter of limits that count what calls cost.
var priced = limits.Meter{Subject: "priced"}

type comparison struct {
	t      *rapid.T
	model  *model
	ledger *ledger.Ledger
	nextID ledger.ID
	told   tally
}

// watch starts to keep count by what the ledger tells from now on.
func (c *comparison) watch() {
	c.told = tally{}
	for k := range c.ledger.Limits() {
		for o := range c.ledger.Owners() {
			c.told[[2]int{k, o}] = c.ledger.UsedBy(k, ledger.Owner(o))
		}
	}
	c.ledger.Watch(c.told)
}

func (c *comparison) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *comparison) compare() {
	for k := range c.model.limits {
		for o := range c.ledger.Owners() {
			if got, want := c.told[[2]int{k, o}], c.ledger.UsedBy(k, ledger.Owner(o)); got != want {
				c.t.Fatalf("the watcher was told of %d of limit %d, used are %d", got, k, want)
			}
		}
	}
	for k, limit := range c.model.limits {
		c.within(limit.Name+" used", c.ledger.Used(k), k, "", false)
		c.within(limit.Name+" in doubt", c.ledger.InDoubt(k), k, "", true)
		for _, owner := range []string{"a", "b"} {
			c.within(limit.Name+" used by "+owner, c.ledger.UsedBy(k, c.ledger.Owner(owner)), k, owner, false)
		}
	}
	if got, want := c.ledger.InFlight(), len(c.model.openCalls()); got != want {
		c.t.Fatalf("InFlight() = %d, want %d", got, want)
	}
}

func (c *comparison) within(what string, got int64, k int, owner string, doubtOnly bool) {
	if least, most := c.model.used(k, owner, doubtOnly); got < least || got > most {
		c.t.Fatalf("at %s %s: %d, want %d to %d", c.model.now, what, got, least, most)
	}
}

func (c *comparison) charge() {
	c.nextID++
	call := &modelCall{
		id: c.nextID, open: true, dropped: map[int]bool{}, surely: map[int]bool{},
		owner: rapid.SampledFrom([]string{"a", "b"}).Draw(c.t, "owner"),
		cost:  rapid.Int64Range(1, 3).Draw(c.t, "cost"),
	}
	c.model.calls = append(c.model.calls, call)
	c.must(c.ledger.Charge(c.model.now, call.id, c.ledger.Owner(call.owner), costOf(c.model.limits, call.cost), ledger.NoRecord))
	c.model.advance(c.model.now)
}

func (c *comparison) drawOpen() *modelCall {
	open := c.model.openCalls()
	if len(open) == 0 {
		c.t.Skip("no call is in flight")
	}
	return rapid.SampledFrom(open).Draw(c.t, "call")
}

func (c *comparison) settle() {
	call := c.drawOpen()
	end := c.model.now.Add(rapid.SampledFrom([]time.Duration{-time.Second, 0, time.Millisecond}).Draw(c.t, "end"))
	c.must(c.ledger.Settle(call.id, end))
	call.open, call.end = false, end
	if end.Before(c.model.now) {
		call.end = c.model.now
	}
}

func (c *comparison) abandon() {
	call := c.drawOpen()
	c.must(c.ledger.Abandon(call.id, c.model.now))
	call.open, call.doubt, call.end = false, true, c.model.now.Add(c.model.guards.MaxServerDelay)
}

func (c *comparison) refund() {
	call := c.drawOpen()
	c.must(c.ledger.Refund(call.id))
	call.open, call.refund = false, true
}

func (c *comparison) advance() {
	by := rapid.SampledFrom([]time.Duration{0, 50 * time.Millisecond, time.Second, time.Minute, 59 * time.Minute, 13 * time.Hour}).Draw(c.t, "by")
	c.model.advance(c.model.now.Add(by))
	c.ledger.Advance(c.model.now)
}

// nextRelease goes to the next release: nothing may change before it, and an amount or a period has to change at it.
func (c *comparison) nextRelease() {
	c.ledger.Advance(c.model.now)
	c.model.advance(c.model.now)
	at, ok := c.ledger.NextRelease()
	if !ok {
		if now := c.amounts(); slices.ContainsFunc(now, func(n int64) bool { return n > int64(len(c.model.openCalls()))*3 }) {
			c.t.Fatal("calls have ended and NextRelease knows of none")
		}
		return
	}
	before := c.amounts()
	c.model.advance(at.Add(-1))
	c.ledger.Advance(at.Add(-1))
	if now := c.amounts(); !slices.Equal(before, now) {
		c.t.Fatalf("amounts changed before the next release, from %d to %d", before, now)
	}
	c.model.advance(at)
	c.ledger.Advance(at)
	if now := c.amounts(); slices.Equal(before, now) {
		c.t.Fatalf("nothing changed at the next release, %s: %d", at, now)
	}
}

func (c *comparison) amounts() (amounts []int64) {
	for k := range c.ledger.Limits() {
		_, end, _ := c.ledger.Period(k)
		amounts = append(amounts, c.ledger.Used(k), end.Unix())
	}
	return amounts
}

func (c *comparison) setLimits() {
	ls := drawLimits(c.t)
	c.must(c.ledger.SetLimits(c.model.now, ls))
	c.watch()
	c.model.setLimits(ls)
	c.model.advance(c.model.now)
}

func (c *comparison) learnClock() {
	c.model.offset.Min /= 2
	c.model.offset.Max /= 2
	c.ledger.SetOffset(c.model.offset)
	c.model.advance(c.model.now)
	c.ledger.Advance(c.model.now)
}

// restart fills a new ledger from what a store would hold. What was in flight is in doubt.
func (c *comparison) restart() {
	var entries []ledger.Entry
	c.model.calls = slices.DeleteFunc(c.model.calls, func(call *modelCall) bool { return call.refund })
	for _, call := range c.model.calls {
		e := ledger.Entry{Owner: call.owner, Cost: costOf(c.model.limits, call.cost), End: call.end, InDoubt: call.doubt}
		if call.open {
			e.End = time.Time{}
			call.open, call.doubt, call.end = false, true, c.model.now.Add(c.model.guards.MaxServerDelay)
		}
		entries = append(entries, e)
	}
	since := c.ledger.Horizon()
	entries = slices.DeleteFunc(entries, func(e ledger.Entry) bool { return !e.End.IsZero() && e.End.Before(since) })
	l, err := ledger.New(c.model.now, c.model.limits, c.model.guards)
	c.must(err)
	l.SetOffset(c.model.offset)
	c.must(l.Restore(c.model.now, entries, since))
	c.ledger = l
	c.watch()
	c.model.setLimits(c.model.limits)
	c.model.advance(c.model.now)
}
