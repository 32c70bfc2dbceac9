// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"
	"time"
)

// jobSlot is a slot that a call holds after its answer, until the job that it started has ended.
type jobSlot struct {
	id      ID
	owner   Owner
	limit   int
	amount  int64
	until   int64
	inDoubt bool
}

func (l *Ledger) holdJob(j jobSlot) {
	at, _ := slices.BinarySearchFunc(l.jobs, j.until, func(e jobSlot, until int64) int { return cmp.Compare(e.until, until) })
	l.jobs = slices.Insert(l.jobs, at, j)
}

// EndJob tells that the job which a settled call had started has ended at a moment, or that it started none. Unknown calls are none of its business: their slots
// are free already.
func (l *Ledger) EndJob(id ID, at time.Time) {
	for k := range l.accounts {
		i := slices.IndexFunc(l.jobs, func(j jobSlot) bool { return j.id == id && j.limit == k })
		if i < 0 {
			continue
		}
		j := l.jobs[i]
		l.jobs = slices.Delete(l.jobs, i, i+1)
		j.until = min(j.until, max(l.now, at.UnixNano())+l.accounts[k].hold)
		l.holdJob(j)
	}
}

// endJobs frees the slots of jobs that have ended.
func (l *Ledger) endJobs() {
	n := 0
	for n < len(l.jobs) && l.jobs[n].until <= l.now {
		j := l.jobs[n]
		l.release(j.limit, newRecord(j.until, j.owner, j.amount, j.inDoubt))
		n++
	}
	l.jobs = slices.Delete(l.jobs, 0, n)
}
