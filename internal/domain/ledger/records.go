// SPDX-License-Identifier: Apache-2.0

package ledger

// records counts for each record apart. What is not used takes no memory.
type records struct {
	used map[Record]int64
	log  []recordUse
}

// recordUse is what a call that has ended took of its record.
type recordUse struct {
	end    int64
	record Record
	amount int64
}

func newRecords() *records { return &records{used: map[Record]int64{}} }

func (r *records) take(of Record, n int64) { r.used[of] += n }

func (r *records) give(of Record, n int64) {
	if r.used[of] -= n; r.used[of] == 0 {
		delete(r.used, of)
	}
}

func (r *records) end(end int64, of Record, n int64) {
	r.log = append(r.log, recordUse{end, of, n})
}

// advance releases the calls that ended until then.
func (r *records) advance(until int64) {
	n := 0
	for n < len(r.log) && r.log[n].end <= until {
		r.give(r.log[n].record, r.log[n].amount)
		n++
	}
	r.log = r.log[n:]
}

// of is what is charged to a record. Calls whose record is not known count for each.
func (r *records) of(record Record) int64 {
	if record == NoRecord {
		return r.largest()
	}
	return r.used[record] + r.used[NoRecord]
}

func (r *records) largest() int64 {
	largest := int64(0)
	for record, n := range r.used {
		if record != NoRecord {
			largest = max(largest, n)
		}
	}
	return largest + r.used[NoRecord]
}

// reaches is the end of the call whose release leaves n units of a most of the record, which it has not left now; ok is false if only calls that have not ended can.
func (r *records) reaches(record Record, most, n int64) (end int64, ok bool) {
	used := r.of(record)
	for _, u := range r.log {
		if record != NoRecord && u.record != record && u.record != NoRecord {
			continue
		}
		if used -= u.amount; used+n <= most {
			return u.end, true
		}
	}
	return 0, false
}
