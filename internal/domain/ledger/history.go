// SPDX-License-Identifier: Apache-2.0

package ledger

// record is what was taken of a meter by calls whose end is known: 16 bytes.
type record struct {
	end   int64
	owner Owner
	// amount, with doubtBit set if it is not known whether and when the calls arrived.
	amount uint32
}

const doubtBit = 1 << 31

func newRecord(end int64, owner Owner, amount int64, inDoubt bool) record {
	r := record{end: end, owner: owner, amount: uint32(amount)}
	if inDoubt {
		r.amount |= doubtBit
	}
	return r
}

func (r record) units() int64  { return int64(r.amount &^ doubtBit) }
func (r record) inDoubt() bool { return r.amount&doubtBit != 0 }

// history holds records in order of their end. Positions stay valid while records are forgotten at its beginning. With a step, ends are rounded up to whole steps
// and what one owner took in a step is one record, two if a part of it is in doubt.
type history struct {
	step    int64
	first   int
	records []record
	// whole is the memory of records from its begin on, of which forgotten records lie before them.
	whole     []record
	forgotten int
	// latest, with a step, is the position of the owner's last record that is not in doubt, and the last that is.
	latest []int
}

func (h *history) start() int        { return h.first }
func (h *history) end() int          { return h.first + len(h.records) }
func (h *history) at(pos int) record { return h.records[pos-h.first] }
func (h *history) empty() bool       { return len(h.records) == 0 }

func (h *history) forget(records int) {
	h.first += records
	h.records = h.records[records:]
	h.forgotten += records
}

// add appends a record as it is. Once as much was forgotten as is held, that memory is used again.
func (h *history) add(r record) {
	if len(h.records) == cap(h.records) && h.forgotten >= len(h.records) {
		h.records = append(h.whole[:0], h.records...)
		h.forgotten = 0
	}
	before := cap(h.records)
	if h.records = append(h.records, r); cap(h.records) != before {
		h.whole, h.forgotten = h.records, 0
	}
}

func (h *history) rounded(t int64) int64 {
	if h.step == 0 {
		return t
	}
	up := t % h.step
	if up > 0 {
		up -= h.step
	}
	return t - up
}

// append takes a record whose end is not before that of the last one.
func (h *history) append(r record) {
	if h.step == 0 {
		h.add(r)
		return
	}
	r.end = h.rounded(r.end)
	slot := 2 * int(r.owner)
	if r.inDoubt() {
		slot++
	}
	for len(h.latest) <= slot {
		h.latest = append(h.latest, -1)
	}
	if pos := h.latest[slot]; pos >= h.first {
		if last := &h.records[pos-h.first]; last.end == r.end && last.units()+r.units() <= MaxAmount {
			last.amount += uint32(r.units())
			return
		}
	}
	h.latest[slot] = h.end()
	h.add(r)
}
