// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

const (
	// recent is how long calls stay in a meter's exact log. Windows longer than shortHold, with their guards, are kept in steps.
	recent    = 15 * time.Minute
	shortHold = 10 * time.Minute
	// steps is into how many parts a long window is divided.
	steps = 1000
)

// meterID is what a meter counts, and in what unit.
type meterID struct {
	limits.Meter
	unit limits.Unit
}

// meter is the history of what limits with one limits.Meter count: exact for the last minutes, in steps before.
type meter struct {
	id   meterID
	log  history
	past history
	// left, for a meter of a credential that is not in use any more, is when it was.
	left int64
}

func newMeter(id meterID, kept time.Duration) *meter {
	return &meter{id: id, past: history{step: int64(kept) / steps}}
}

// all yields what is known from the instant at which kept begins to say yes; kept must be monotone in the end.
func (m *meter) all(kept func(end int64) bool, take func(record)) {
	for _, h := range []*history{&m.past, &m.log} {
		first := sort.Search(len(h.records), func(i int) bool { return kept(h.records[i].end) })
		for _, r := range h.records[first:] {
			take(r)
		}
	}
}

// end puts a call whose end is known where it belongs: into the meters' logs, or among those whose end is still to come.
func (l *Ledger) end(c endingCharge) {
	if c.end > l.now {
		at, _ := slices.BinarySearchFunc(l.ending, c.end, func(e endingCharge, end int64) int { return cmp.Compare(e.end, end) })
		l.ending = slices.Insert(l.ending, at, c)
		return
	}
	l.write(&c)
}

// endOverdue writes the calls down whose end has come.
func (l *Ledger) endOverdue() {
	ended := 0
	for ended < len(l.ending) && l.ending[ended].end <= l.now {
		l.write(&l.ending[ended])
		ended++
	}
	l.ending = slices.Delete(l.ending, 0, ended)
}

// write puts a call that has ended into every log. It is charged already.
func (l *Ledger) write(c *endingCharge) {
	l.base.log.append(newRecord(c.end, c.owner, c.calls, c.inDoubt))
	for k, n := range c.cost {
		a := &l.accounts[k]
		if n == 0 {
			continue
		}
		n = a.amount(&c.openCharge, k, c.end)
		if a.writes && a.meter != l.base {
			a.meter.log.append(newRecord(c.end, c.owner, n, c.inDoubt))
		}
		a.ended(c, n)
	}
	for _, p := range c.gone {
		p.meter.log.append(newRecord(c.end, c.owner, p.amount, c.inDoubt))
	}
}

// trim moves what is older than the last minutes from the exact logs into steps, and forgets what every limit has released and no limit to come is promised to
// know.
func (l *Ledger) trim() {
	if len(l.accounts) == 0 {
		return // which windows there will be is not known yet
	}
	for _, m := range l.meters {
		l.trimMeter(m)
	}
	for _, m := range l.former {
		l.trimMeter(m)
	}
	l.former = slices.DeleteFunc(l.former, func(m *meter) bool { return m.log.empty() && m.past.empty() && m.left < l.now-l.keep })
}

func (l *Ledger) trimMeter(m *meter) {
	l.age(m)
	n := 0
	for n < len(m.past.records) && m.past.records[n].end < l.now-l.keep && l.releasedByAll(m.past.records[n].end) {
		if m == l.base {
			l.since = m.past.records[n].end + 1
		}
		n++
	}
	m.past.forget(n)
}

// age moves records that are no longer recent from the exact log into steps. Accounts whose position is in the log have passed them: they hold for less.
func (l *Ledger) age(m *meter) {
	n := 0
	for n < len(m.log.records) && m.log.records[n].end < l.now-int64(recent) {
		m.past.append(m.log.records[n])
		n++
	}
	m.log.forget(n)
}

func (l *Ledger) releasedByAll(end int64) bool {
	for k := range l.accounts {
		if !l.released(&l.accounts[k], end) {
			return false
		}
	}
	return true
}

// Horizon is the instant before which no call that ended is needed any more, zero if none was forgotten yet. A store may delete settled charges that ended
// before it once it has stored the horizon itself.
func (l *Ledger) Horizon() time.Time {
	if l.since == math.MinInt64 {
		return time.Time{}
	}
	return time.Unix(0, l.since)
}
