// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"math"
	"time"
)

// record is a call whose end is known: 16 bytes.
type record struct {
	end   int64
	owner Owner
	// cost, with doubtBit set if it is not known whether and when the call arrived.
	cost uint32
}

const doubtBit = 1 << 31

func newRecord(end int64, owner Owner, cost int32, inDoubt bool) record {
	r := record{end: end, owner: owner, cost: uint32(cost)}
	if inDoubt {
		r.cost |= doubtBit
	}
	return r
}

func (r record) units() int64  { return int64(r.cost &^ doubtBit) }
func (r record) inDoubt() bool { return r.cost&doubtBit != 0 }

// history holds records in order of their end. Positions stay valid while records are forgotten at its beginning.
type history struct {
	first   int
	records []record
}

func (h *history) start() int         { return h.first }
func (h *history) end() int           { return h.first + len(h.records) }
func (h *history) at(pos int) record  { return h.records[pos-h.first] }
func (h *history) append(r record)    { h.records = append(h.records, r) }
func (h *history) forget(records int) { h.first += records; h.records = h.records[records:] }

// trim forgets what every limit has released and no limit to come is promised to know.
func (l *Ledger) trim() {
	if len(l.accounts) == 0 {
		return // which windows there will be is not known yet
	}
	keep, next := int64(l.guards.History), l.log.end()
	for k := range l.accounts {
		keep = max(keep, l.accounts[k].hold)
		next = min(next, l.accounts[k].next)
	}
	n := 0
	for l.log.start()+n < next && l.log.records[n].end < l.now-keep {
		l.since = l.log.records[n].end + 1
		n++
	}
	l.log.forget(n)
}

// Horizon is the instant before which no call that ended is needed any more, zero if none was forgotten yet. A store may delete settled charges that ended
// before it once it has stored the horizon itself.
func (l *Ledger) Horizon() time.Time {
	if l.since == math.MinInt64 {
		return time.Time{}
	}
	return time.Unix(0, l.since)
}
