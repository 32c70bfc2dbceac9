// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Entry is a charge as a store keeps it.
type Entry struct {
	// Owner is the integration's key.
	Owner string
	Cost  int64
	// End is when the call's answer was fully read, or until when an abandoned call may be counted. Zero means that no outcome was stored: the charge is in
	// doubt.
	End time.Time
	// InDoubt marks an abandoned call.
	InDoubt bool
}

// Restore fills an empty ledger after a restart. The entries' instants are on the ledger's timeline: the caller shifts them by the time that provably passed
// while the process was down, which keeps them charged too long rather than too short. An entry without an end is charged as if the call had been abandoned
// now. Since is the horizon that was stored last, shifted likewise; zero if nothing was ever forgotten.
func (l *Ledger) Restore(now time.Time, entries []Entry, since time.Time) error {
	l.Advance(now)
	if len(l.open) > 0 || len(l.ending) > 0 || l.log.end() > 0 {
		return fmt.Errorf("restore: the ledger holds charges already")
	}
	records := make([]record, 0, len(entries))
	for _, e := range entries {
		if e.Cost < 1 || e.Cost > MaxCost {
			return fmt.Errorf("restore: a charge of %s: %w, is %d", e.Owner, ErrCost, e.Cost)
		}
		end, inDoubt := e.End.UnixNano(), e.InDoubt
		if e.End.IsZero() {
			end, inDoubt = l.now+int64(l.guards.MaxServerDelay), true
		}
		records = append(records, newRecord(end, l.Owner(e.Owner), int32(e.Cost), inDoubt))
	}
	slices.SortStableFunc(records, func(a, b record) int { return cmp.Compare(a.end, b.end) })
	for _, r := range records {
		l.schedule(r)
	}
	if !since.IsZero() {
		l.since = since.UnixNano()
	}
	for k := range l.accounts {
		a := &l.accounts[k]
		a.used, a.inDoubt = 0, 0
		clear(a.by)
		l.fill(a)
	}
	l.version++
	return nil
}
