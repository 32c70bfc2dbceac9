// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// withJobs are guards of a CRM whose slots and jobs take some time to end.
func withJobs() limits.Guards {
	g := exact
	g.MaxJob, g.SlotRelease = time.Hour, time.Second
	return g
}

func ledgerWith(t *testing.T, g limits.Guards, ls ...limits.Limit) *ledger.Ledger {
	t.Helper()
	l, err := ledger.New(begin, ls, g)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// used fails the test unless the limits have used so much.
func used(t *testing.T, what string, l *ledger.Ledger, want ...int64) {
	t.Helper()
	for k, n := range want {
		if got := l.Used(k); got != n {
			t.Errorf("%s: of %q %d are used, want %d", what, l.Limit(k).Name, got, n)
		}
	}
}

// TestDoubtBeginsAtTheRestart, not when the ledger was made.
func TestDoubtBeginsAtTheRestart(t *testing.T) {
	l := newLedger(t, minute)
	restart := begin.Add(10 * time.Second)
	if err := l.Restore(restart, []ledger.Entry{{Owner: "a", Cost: ledger.Cost{1}}}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	l.Advance(restart.Add(2*time.Minute - 1))
	used(t, "a longest delay and a window after the restart", l, 1)
	l.Advance(restart.Add(2 * time.Minute))
	used(t, "a moment later", l, 0)
}

func TestOnlyAnEmptyLedgerIsRestored(t *testing.T) {
	for name, end := range map[string]func(*ledger.Ledger) error{
		"a call in flight": func(*ledger.Ledger) error { return nil },
		"one given up":     func(l *ledger.Ledger) error { return l.Abandon(1, begin) },
		"one answered":     func(l *ledger.Ledger) error { return l.Settle(1, begin) },
	} {
		l := newLedger(t, minute)
		if err := errors.Join(l.Charge(begin, 1, l.Owner("a"), ledger.Cost{1}, ledger.NoRecord), end(l)); err != nil {
			t.Fatal(err)
		}
		if err := l.Restore(begin, nil, time.Time{}); err == nil {
			t.Errorf("a ledger with %s was restored", name)
		}
	}
}

// TestUnknownAmountsOfOtherLimits are an error like any other cost that does not fit the limits.
func TestUnknownAmountsOfOtherLimits(t *testing.T) {
	entry := ledger.Entry{Owner: "a", Cost: ledger.Cost{ledger.Unknown, ledger.Unknown}, End: begin}
	if err := newLedger(t, minute).Restore(begin, []ledger.Entry{entry}, time.Time{}); !errors.Is(err, ledger.ErrCost) {
		t.Errorf("Restore() = %v", err)
	}
}

// TestWhatIsNotKnownCountsAsUsedUp after a restart, for as long as calls from before the horizon may count, in every kind of limit.
func TestWhatIsNotKnownCountsAsUsedUp(t *testing.T) {
	ticket := limits.Limit{Name: "per ticket", Kind: limits.Rolling, Max: 3, Window: 10 * time.Minute, Meter: limits.Meter{Subject: "updates", PerRecord: true}}
	// In Kolkata an hour begins half an hour after ours.
	hour := limits.Limit{Name: "hour", Kind: limits.Calendar, Period: limits.Hour, Max: 9, Location: time.FixedZone("IST", 5*3600+1800)}
	slots := limits.Limit{Name: "slots", Kind: limits.Concurrent, Max: 3}
	horizon := begin.Add(-500 * time.Millisecond)
	for name, tc := range map[string]struct {
		limit limits.Limit
		known time.Time
	}{
		"a window":          {minute, horizon.Add(time.Minute)},
		"records":           {ticket, horizon.Add(10 * time.Minute)},
		"slots":             {slots, horizon.Add(time.Second)},
		"jobs":              {jobs, horizon.Add(time.Hour + time.Second)},
		"a calendar period": {hour, begin.Add(30*time.Minute + time.Second)},
	} {
		restored := func() *ledger.Ledger {
			l := ledgerWith(t, withJobs(), tc.limit)
			l.SetOffset(limits.Offset{Min: -time.Second, Max: time.Second})
			if err := l.Restore(begin, nil, horizon); err != nil {
				t.Fatal(err)
			}
			return l
		}
		free := func(l *ledger.Ledger) int64 {
			if tc.limit.Meter.PerRecord {
				return l.RecordFree(0, 1)
			}
			return l.Free(0)
		}
		l := restored()
		if got := free(l); got != 0 {
			t.Errorf("%s: %d are free after the restart", name, got)
		}
		if at, ok := l.NextRelease(); !ok || !at.Equal(tc.known) {
			t.Errorf("%s: the next release is at %s, want %s", name, at, tc.known)
		}
		earliest := l.EarliestRelease(0, ledger.NoOwner, 1)
		if tc.limit.Meter.PerRecord {
			earliest = l.EarliestRecord(0, 1, 1)
		}
		if !earliest.Equal(tc.known) {
			t.Errorf("%s: room is said to be at %s, want %s", name, earliest, tc.known)
		}
		l.Advance(tc.known.Add(-1))
		if got := free(l); got != 0 {
			t.Errorf("%s: %d are free before all is known", name, got)
		}
		l.Advance(tc.known)
		if got := free(l); got != tc.limit.Max {
			t.Errorf("%s: %d are free when all is known, want %d", name, got, tc.limit.Max)
		}
	}
	l := ledgerWith(t, withJobs(), minute)
	if err := l.Restore(begin, nil, begin.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	used(t, "if no call from before the horizon can count", l, 0)
}

// TestExecutionTimeIsRestored as what it came to in the end. A limit that does not know gets as much as one that does.
func TestExecutionTimeIsRestored(t *testing.T) {
	time1 := limits.Limit{
		Name: "all", Kind: limits.Rolling, Max: 1_200_000, Window: 5 * time.Minute, Unit: limits.Milliseconds, Meter: limits.Meter{Subject: "time"}, Most: 9000,
	}
	time2 := time1
	time2.Name, time2.Meter.Subject, time2.Most = "reads", "time of reads", 200
	l := newLedger(t, time1, time2, minute)
	entries := []ledger.Entry{
		{Owner: "a", Cost: ledger.Cost{2500, ledger.Unknown, 7}, End: begin.Add(-time.Second)},
		{Owner: "a", Cost: ledger.Cost{0, 100, 1}, End: begin},
	}
	if err := l.Restore(begin, entries, time.Time{}); err != nil {
		t.Fatal(err)
	}
	used(t, "restored", l, 2500, 2600, 8)
	l.Advance(begin.Add(5*time.Minute - time.Second))
	used(t, "when one is released", l, 0, 100)
	l.Advance(begin.Add(5 * time.Minute))
	used(t, "when all is released", l, 0, 0, 0)
}

// TestEnteredCallsCountFromNow, however old they are and whenever the ledger was last looked at.
func TestEnteredCallsCountFromNow(t *testing.T) {
	l := newLedger(t, minute)
	now := begin.Add(30 * time.Second)
	if err := l.Enter(now, ledger.Entry{Owner: "a", Cost: ledger.Cost{2}, End: begin.Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	l.Advance(now.Add(time.Minute - 1))
	used(t, "within a minute", l, 2)
	l.Advance(now.Add(time.Minute))
	used(t, "after it", l, 0)
}

// TestRestoredJobsHoldTheirSlots: by the clock of their answers, in doubt as they were.
func TestRestoredJobsHoldTheirSlots(t *testing.T) {
	for name, tc := range map[string]struct {
		entry       ledger.Entry
		used, doubt int64
		release     time.Duration
	}{
		"a job that has ended, a moment ago":    {ledger.Entry{End: begin, JobEnded: true}, 1, 0, time.Second},
		"and just before its slot was released": {ledger.Entry{End: begin.Add(1 - time.Second), JobEnded: true}, 1, 0, 1},
		"and just as it was":                    {ledger.Entry{End: begin.Add(-time.Second), JobEnded: true}, 0, 0, 0},
		"one that may run":                      {ledger.Entry{End: begin.Add(1 - time.Hour)}, 1, 0, 1},
		"one that must have ended":              {ledger.Entry{End: begin.Add(-time.Hour)}, 0, 0, 0},
		"one whose call was given up":           {ledger.Entry{End: begin.Add(-time.Minute), InDoubt: true}, 1, 1, 59 * time.Minute},
		"one whose call was in flight":          {ledger.Entry{}, 1, 1, time.Hour + time.Minute},
		"one for three slots": {
			ledger.Entry{Cost: ledger.Cost{3}, End: begin.Add(-time.Minute), InDoubt: true}, 3, 3, 59 * time.Minute,
		},
	} {
		l := ledgerWith(t, withJobs(), jobs)
		tc.entry.Owner = "a"
		if tc.entry.Cost == nil {
			tc.entry.Cost = ledger.Cost{1}
		}
		if err := l.Restore(begin, []ledger.Entry{tc.entry}, time.Time{}); err != nil {
			t.Fatal(err)
		}
		used(t, name, l, tc.used)
		if got := l.InDoubt(0); got != tc.doubt {
			t.Errorf("%s: %d are in doubt, want %d", name, got, tc.doubt)
		}
		if tc.used > 0 {
			l.Advance(begin.Add(tc.release - 1))
			used(t, name+", just before its end", l, tc.used)
		}
		l.Advance(begin.Add(tc.release))
		used(t, name+", at its end", l, 0)
		if got := l.InDoubt(0); got != 0 {
			t.Errorf("%s: in the end %d are in doubt", name, got)
		}
	}
}

// TestChargesOfOtherCredentialsAreRestored: all of them, each with its credential, those of calls in doubt too.
func TestChargesOfOtherCredentialsAreRestored(t *testing.T) {
	gone := func(user string, n int64, end time.Time) ledger.Entry {
		return ledger.Entry{Owner: "a", Cost: ledger.Cost{0}, End: end, Gone: []ledger.Part{{Meter: limits.Meter{Credential: user}, Amount: n}}}
	}
	l := newLedger(t, ownOf("now"))
	entries := []ledger.Entry{
		gone("first", 1, begin.Add(-2*time.Minute)), gone("second", 2, begin.Add(-2*time.Minute)), gone("first", 4, begin.Add(-time.Minute)),
		gone("second", 8, time.Time{}), gone("third", 16, time.Time{}),
	}
	if err := l.Restore(begin, entries, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for _, later := range []time.Duration{0, 2 * time.Minute} {
		for user, want := range map[string]int64{"now": 0, "first": 5, "second": 10, "third": 16} {
			if err := l.SetLimits(begin.Add(later), []limits.Limit{ownOf(user)}); err != nil {
				t.Fatal(err)
			}
			if got := l.Used(0); got != want {
				t.Errorf("%s after the restart %s has used %d, want %d", later, user, got, want)
			}
		}
	}
}

// ownOf is a limit of a credential's own.
func ownOf(user string) limits.Limit {
	return limits.Limit{Name: "own", Kind: limits.Rolling, Max: 100, Window: time.Hour, Meter: limits.Meter{Credential: user}, Most: 5}
}
