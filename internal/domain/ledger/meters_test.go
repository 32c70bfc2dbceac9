// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// TestNoEditForgetsACall has one call of 3 tokens charged, and changes the limit in every way that a manifest can.
func TestNoEditForgetsACall(t *testing.T) {
	tokens := limits.Limit{Name: "tokens", Kind: limits.Rolling, Max: 10, Window: time.Hour, Meter: priced, Most: 5}
	for name, tc := range map[string]struct {
		edit func(l *limits.Limit)
		want int64
	}{
		"nothing":          {func(*limits.Limit) {}, 3},
		"another name":     {func(l *limits.Limit) { l.Name = "other" }, 3},
		"fewer":            {func(l *limits.Limit) { l.Max = 2 }, 3},
		"a longer window":  {func(l *limits.Limit) { l.Window = 20 * time.Hour }, 3},
		"a shorter window": {func(l *limits.Limit) { l.Window = 5 * time.Minute }, 3},
		"a calendar day": {func(l *limits.Limit) {
			*l = limits.Limit{Name: "day", Kind: limits.Calendar, Period: limits.Day, Location: time.UTC, Max: 10, Meter: priced}
		}, 3},
		"another guard":                         {func(l *limits.Limit) { l.CountingDelay = time.Minute }, 3},
		"pacing":                                {func(l *limits.Limit) { l.Counting, l.Burst = limits.TokenBucket, 4 }, 3},
		"only an alert":                         {func(l *limits.Limit) { l.AlertOnly = true }, 3},
		"other prices: it counts as the most":   {func(l *limits.Limit) { l.Meter.Subject = "other prices" }, 5},
		"plain calls: it counts as one":         {func(l *limits.Limit) { l.Meter, l.Most = limits.EveryCall, 0 }, 1},
		"per credential: it counts as the most": {func(l *limits.Limit) { l.Meter.Credential = "user" }, 5},
	} {
		for state, end := range map[string]func(*ledger.Ledger) error{
			"in flight":  func(*ledger.Ledger) error { return nil },
			"answered":   func(l *ledger.Ledger) error { return l.Settle(1, begin) },
			"given up":   func(l *ledger.Ledger) error { return l.Abandon(1, begin) },
			"forgotten?": func(l *ledger.Ledger) error { defer l.Advance(begin.Add(2 * time.Minute)); return l.Abandon(1, begin) },
		} {
			t.Run(name+", "+state, func(t *testing.T) {
				l := newLedger(t, tokens)
				if err := l.Charge(begin, 1, l.Owner("a"), ledger.Cost{3}, ledger.NoRecord); err != nil {
					t.Fatal(err)
				}
				if err := end(l); err != nil {
					t.Fatal(err)
				}
				edited := tokens
				tc.edit(&edited)
				if err := l.SetLimits(begin.Add(2*time.Minute), []limits.Limit{minute, edited}); err != nil {
					t.Fatal(err)
				}
				if got := l.Used(1); got != tc.want {
					t.Errorf("used %d after the edit, want %d", got, tc.want)
				}
				if got := l.UsedBy(1, l.Owner("a")); got != tc.want {
					t.Errorf("used by its owner %d after the edit, want %d", got, tc.want)
				}
			})
		}
	}
}

// TestAnotherCredentialStartsFresh, and the one before is found as it was left when it comes back: what was in flight as it left counts, too.
func TestAnotherCredentialStartsFresh(t *testing.T) {
	of := func(user string) []limits.Limit {
		return []limits.Limit{{Name: "own", Kind: limits.Rolling, Max: 10, Window: time.Hour, Meter: limits.Meter{Credential: user}}}
	}
	l := newLedger(t, of("first")...)
	set := func(user string, at time.Duration, want int64) {
		t.Helper()
		if err := l.SetLimits(begin.Add(at), of(user)); err != nil {
			t.Fatal(err)
		}
		if got := l.Used(0); got != want {
			t.Errorf("%s has used %d after %s, want %d", user, got, at, want)
		}
	}
	answered(t, l, begin, 1, "a", 1)
	if err := l.Charge(begin, 2, l.Owner("a"), ledger.Cost{1}, ledger.NoRecord); err != nil {
		t.Fatal(err)
	}
	set("second", time.Minute, 0)
	answered(t, l, begin.Add(2*time.Minute), 3, "a", 1)
	if err := l.Settle(2, begin.Add(3*time.Minute)); err != nil {
		t.Fatal(err)
	}
	set("first", 4*time.Minute, 2)
	set("second", 5*time.Minute, 1)
	set("first", time.Hour+time.Minute, 1)
}

// TestCredentialsAreRestored: a charge of another user's comes back with that user.
func TestCredentialsAreRestored(t *testing.T) {
	own := func(user string) limits.Limit {
		return limits.Limit{Name: "own", Kind: limits.Rolling, Max: 10, Window: time.Hour, Meter: limits.Meter{Credential: user}}
	}
	l := newLedger(t, own("second"))
	entries := []ledger.Entry{{
		Owner: "a", End: begin.Add(-time.Minute), Cost: ledger.Cost{0},
		Gone: []ledger.Part{{Meter: limits.Meter{Credential: "first"}, Amount: 4}},
	}}
	if err := l.Restore(begin, entries, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := l.Used(0); got != 0 {
		t.Errorf("the second user has used %d, want nothing", got)
	}
	if err := l.SetLimits(begin, []limits.Limit{own("first")}); err != nil {
		t.Fatal(err)
	}
	if got := l.Used(0); got != 4 {
		t.Errorf("the first user has used %d, want 4", got)
	}
}

// TestExecutionTimeIsCorrected at the end of a call: by what it took, and by the longest delay more if nobody listened.
func TestExecutionTimeIsCorrected(t *testing.T) {
	execution := limits.Limit{Name: "execution", Kind: limits.Rolling, Max: 1_200_000, Window: 5 * time.Minute, Unit: limits.Milliseconds, Meter: limits.Meter{Subject: "time"}, Most: 120_000}
	l := newLedger(t, execution)
	told := tally{}
	l.Owner("a")
	l.Watch(told)
	charge := func(id ledger.ID) {
		t.Helper()
		if err := l.Charge(begin, id, 0, ledger.Cost{1000}, ledger.NoRecord); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, n int64) {
		t.Helper()
		if got := l.Used(0); got != n || told[[2]int{0, 0}] != n {
			t.Errorf("%s: used %d, the watcher knows %d, want %d", what, got, told[[2]int{0, 0}], n)
		}
	}
	charge(1)
	want("estimated", 1000)
	if err := l.Settle(1, begin.Add(2500*time.Microsecond)); err != nil {
		t.Fatal(err)
	}
	want("it took 2.5 ms, rounded up", 3)
	charge(2)
	if err := l.Abandon(2, begin); err != nil {
		t.Fatal(err)
	}
	want("it may run for another minute", 60_003)
	if got := l.InDoubt(0); got != 60_000 {
		t.Errorf("in doubt are %d, want 60,000", got)
	}
	l.Advance(begin.Add(7 * time.Minute))
	want("all of it is released", 0)
}

// TestJobsHoldTheirSlots until they end, or for the longest that they may take.
func TestJobsHoldTheirSlots(t *testing.T) {
	jobs := limits.Limit{Name: "jobs", Kind: limits.Concurrent, Max: 30, UntilJobEnds: true, Meter: limits.Meter{Subject: "bulk"}}
	guards := exact
	guards.MaxJob, guards.SlotRelease = time.Hour, time.Second
	l, err := ledger.New(begin, []limits.Limit{jobs}, guards)
	if err != nil {
		t.Fatal(err)
	}
	want := func(what string, n int64) {
		t.Helper()
		if got := l.Used(0); got != n {
			t.Errorf("%s: %d slots are used, want %d", what, got, n)
		}
	}
	for id := range ledger.ID(3) {
		answered(t, l, begin, id, "a", 1)
	}
	l.Advance(begin.Add(time.Minute))
	want("after the answers", 3)
	l.EndJob(0, begin.Add(time.Minute))
	l.EndJob(7, begin.Add(time.Minute)) // of no call
	if at, ok := l.NextRelease(); !ok || !at.Equal(begin.Add(61*time.Second)) {
		t.Errorf("the next release is at %s, want a second after the job's end", at)
	}
	l.Advance(begin.Add(61 * time.Second))
	want("when one job has ended", 2)
	if at := l.EarliestRelease(0, ledger.NoOwner, 2); !at.Equal(begin.Add(time.Hour)) {
		t.Errorf("two more slots are free at %s, want after an hour", at)
	}
	renamed := jobs
	renamed.Name, renamed.Max = "bulk jobs", 20
	if err := l.SetLimits(begin.Add(2*time.Minute), []limits.Limit{minute, renamed}); err != nil {
		t.Fatal(err)
	}
	if got := l.Used(1); got != 2 {
		t.Errorf("after another name %d slots are used, want 2", got)
	}
	l.EndJob(1, begin.Add(3*time.Minute))
	l.Advance(begin.Add(4 * time.Minute))
	if got := l.Used(1); got != 1 {
		t.Errorf("after another end %d slots are used, want 1", got)
	}
	l.Advance(begin.Add(time.Hour))
	if got := l.Used(1); got != 0 {
		t.Errorf("after an hour without news %d slots are used, want none", got)
	}
}

// TestJobsAreRestored: those of which the end is not known hold their slots until they must have ended.
func TestJobsAreRestored(t *testing.T) {
	jobs := limits.Limit{Name: "jobs", Kind: limits.Concurrent, Max: 30, UntilJobEnds: true, Meter: limits.Meter{Subject: "bulk"}}
	guards := exact
	guards.MaxJob = time.Hour
	l, err := ledger.New(begin, []limits.Limit{jobs}, guards)
	if err != nil {
		t.Fatal(err)
	}
	ago := func(d time.Duration, ended bool) ledger.Entry {
		return ledger.Entry{Owner: "a", Cost: ledger.Cost{1}, End: begin.Add(-d), JobEnded: ended}
	}
	entries := []ledger.Entry{ago(10*time.Minute, false), ago(20*time.Minute, true), ago(2*time.Hour, false), {Owner: "a", Cost: ledger.Cost{1}}}
	if err := l.Restore(begin, entries, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]int64{0: 2, 49 * time.Minute: 2, 50 * time.Minute: 1, 61 * time.Minute: 0} {
		fresh, err := ledger.New(begin, []limits.Limit{jobs}, guards)
		if err != nil {
			t.Fatal(err)
		}
		if err := fresh.Restore(begin, entries, time.Time{}); err != nil {
			t.Fatal(err)
		}
		fresh.Advance(begin.Add(after))
		if got := fresh.Used(0); got != want {
			t.Errorf("%s after the restart %d slots are used, want %d", after, got, want)
		}
	}
}

// TestEnteredCallsCount in all limits: what was used before a ledger was lost is charged as many calls at once.
func TestEnteredCallsCount(t *testing.T) {
	plain := limits.Limit{Name: "plain", Kind: limits.Rolling, Max: 400, Window: time.Minute}
	day := limits.Limit{Name: "day", Kind: limits.Calendar, Period: limits.Day, Location: time.UTC, Max: 2500}
	l := newLedger(t, plain, day, limits.Limit{Name: "tokens", Kind: limits.Rolling, Max: 9000, Window: time.Hour, Meter: priced, Most: 10})
	if err := l.Enter(begin, ledger.Entry{Owner: "before", Calls: 300, Cost: ledger.Cost{300, 300, ledger.Unknown}, End: begin.Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for k, want := range []int64{300, 300, 3000} {
		if got := l.Used(k); got != want {
			t.Errorf("limit %d has used %d, want %d", k, got, want)
		}
	}
	l.Advance(begin.Add(time.Minute - 1))
	if got := l.Used(0); got != 300 {
		t.Errorf("within a minute from when they were entered %d are used, want all", got)
	}
	l.Advance(begin.Add(time.Minute))
	if got := l.Used(0); got != 0 {
		t.Errorf("a minute later %d are used, want none", got)
	}
}
