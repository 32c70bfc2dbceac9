// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// TestCallsInFlightFollowTheirCredential through any number of changes, once each, however many limits count them.
func TestCallsInFlightFollowTheirCredential(t *testing.T) {
	of := func(user string) []limits.Limit {
		short := ownOf(user)
		short.Name, short.Window = "own, short", 20*time.Minute
		return []limits.Limit{minute, ownOf(user), short}
	}
	for name, tc := range map[string]struct {
		users []string // in force one after the other; the call is charged under the first and ends under the last
		end   func(*ledger.Ledger, time.Time) error
		doubt int64
	}{
		"one change":                     {[]string{"first", "second"}, settleFirst, 0},
		"two changes":                    {[]string{"first", "second", "third"}, settleFirst, 0},
		"back again":                     {[]string{"first", "second", "first"}, settleFirst, 0},
		"back again, and given up":       {[]string{"first", "second", "first"}, abandonFirst, 3},
		"back again by a long way":       {[]string{"first", "second", "third", "first", "second"}, settleFirst, 0},
		"given up under another":         {[]string{"first", "second"}, abandonFirst, 3},
		"given up under the third":       {[]string{"first", "second", "third"}, abandonFirst, 3},
		"back, away again, and given up": {[]string{"first", "second", "first", "third"}, abandonFirst, 3},
	} {
		t.Run(name, func(t *testing.T) {
			l, now := newLedger(t, of(tc.users[0])...), begin
			if err := l.Charge(now, 1, l.Owner("a"), ledger.Cost{1, 3, 3}, ledger.NoRecord); err != nil {
				t.Fatal(err)
			}
			set := func(user string) {
				t.Helper()
				now = now.Add(time.Second)
				if err := l.SetLimits(now, of(user)); err != nil {
					t.Fatal(err)
				}
				want := int64(0)
				if user == "first" {
					want = 3
				}
				used(t, user, l, 1, want, want)
			}
			for _, user := range tc.users[1:] {
				set(user)
			}
			if err := tc.end(l, now); err != nil {
				t.Fatal(err)
			}
			now = now.Add(2 * time.Minute)
			l.Advance(now)
			for _, user := range []string{"second", "first", "third", "first"} {
				now = now.Add(time.Second)
				if err := l.SetLimits(now, of(user)); err != nil {
					t.Fatal(err)
				}
				want, doubt := int64(0), int64(0)
				if user == "first" {
					want, doubt = 3, tc.doubt
				}
				if got := []int64{l.Used(1), l.Used(2), l.InDoubt(1), l.InDoubt(2)}; got[0] != want || got[1] != want || got[2] != doubt || got[3] != doubt {
					t.Errorf("after its end %s has used, and in doubt, %d, want %d and %d", user, got, want, doubt)
				}
			}
		})
	}
}

func settleFirst(l *ledger.Ledger, now time.Time) error  { return l.Settle(1, now) }
func abandonFirst(l *ledger.Ledger, now time.Time) error { return l.Abandon(1, now) }

// TestJobsThatAreDeclaredLater hold the slots of calls that may have started one: those that ended within the longest job, and those still to end.
func TestJobsThatAreDeclaredLater(t *testing.T) {
	plain := jobs
	plain.UntilJobEnds = false
	l := ledgerWith(t, withJobs(), plain)
	now := begin
	call := func(id ledger.ID, at time.Duration, n int64, end func(time.Time) error) {
		t.Helper()
		now = begin.Add(at)
		if err := errors.Join(l.Charge(now, id, l.Owner("a"), ledger.Cost{n}, ledger.NoRecord), end(now)); err != nil {
			t.Fatal(err)
		}
	}
	settle := func(id ledger.ID) func(time.Time) error { return func(at time.Time) error { return l.Settle(id, at) } }
	abandon := func(id ledger.ID) func(time.Time) error { return func(at time.Time) error { return l.Abandon(id, at) } }
	call(1, 0, 1, settle(1))                 // too old
	call(2, 30*time.Minute, 2, settle(2))    // may have a job until 1:30
	call(3, 59*time.Minute, 4, abandon(3))   // may have one until 2:00
	call(4, 119*time.Minute/2, 8, settle(4)) // may have one until 1:59:30
	call(5, 61*time.Minute, 16, abandon(5))  // ends at 1:02, may have one until 2:02
	if err := l.SetLimits(now, []limits.Limit{jobs}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		at          time.Duration
		used, doubt int64
	}{
		{61 * time.Minute, 30, 20}, {90*time.Minute - 1, 30, 20}, {90 * time.Minute, 28, 20}, {239*time.Minute/2 - 1, 28, 20}, {239 * time.Minute / 2, 20, 20},
		{2 * time.Hour, 16, 16}, {122*time.Minute - 1, 16, 16}, {122 * time.Minute, 0, 0},
	} {
		l.Advance(begin.Add(tc.at))
		if used, doubt := l.Used(0), l.InDoubt(0); used != tc.used || doubt != tc.doubt {
			t.Errorf("after %s %d slots are used, %d in doubt, want %d and %d", tc.at, used, doubt, tc.used, tc.doubt)
		}
	}
}

// TestTheEndOfAJobIsThatOfItsCall, in every limit that has its slot.
func TestTheEndOfAJobIsThatOfItsCall(t *testing.T) {
	others := jobs
	others.Name, others.Meter.Subject = "imports", "imports"
	l := ledgerWith(t, withJobs(), jobs, minute, others)
	call := func(at time.Time, id ledger.ID, cost ledger.Cost) {
		t.Helper()
		if err := errors.Join(l.Charge(at, id, l.Owner("a"), cost, ledger.NoRecord), l.Settle(id, at)); err != nil {
			t.Fatal(err)
		}
	}
	call(begin, 1, ledger.Cost{1, 1, 0})
	call(begin, 2, ledger.Cost{2, 1, 4})
	call(begin, 3, ledger.Cost{0, 1, 8})
	used(t, "in the beginning", l, 3, 3, 12)
	l.EndJob(2, begin.Add(-time.Hour)) // by a clock that is wrong: not before now
	l.Advance(begin.Add(time.Second - 1))
	used(t, "just before the slots of the second are released", l, 3, 3, 12)
	l.Advance(begin.Add(time.Second))
	used(t, "when they are", l, 1, 3, 8)
	l.EndJob(3, begin.Add(10*time.Second))
	l.Advance(begin.Add(11*time.Second - 1))
	used(t, "just before that of the third is", l, 1, 3, 8)
	l.Advance(begin.Add(11 * time.Second))
	used(t, "when it is", l, 1, 3, 0)
	l.EndJob(1, begin.Add(3*time.Hour)) // longer than any job takes
	l.Advance(begin.Add(time.Hour))
	used(t, "after the longest job", l, 0, 0, 0)
	call(begin.Add(time.Hour), 4, ledger.Cost{1, 1, 0})
	l.EndJob(4, begin.Add(time.Hour))
	l.Advance(begin.Add(time.Hour + time.Second))
	used(t, "when the only job has ended", l, 0, 1, 0)
}

// TestSlotsOfOneIntegrationsJobs are free when its own jobs end; before any has, a call in flight may end now.
func TestSlotsOfOneIntegrationsJobs(t *testing.T) {
	others := jobs
	others.Name, others.Meter.Subject = "imports", "imports"
	l := ledgerWith(t, withJobs(), others, jobs)
	for i, who := range []string{"a", "b", "a"} {
		at := begin.Add(time.Duration(i) * time.Minute)
		cost := ledger.Cost{1, int64(i + 1)} // of the second limit one, two and three slots
		if err := errors.Join(l.Charge(at, ledger.ID(i), l.Owner(who), cost, ledger.NoRecord), l.Settle(ledger.ID(i), at)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		owner ledger.Owner
		need  int64
		want  time.Duration
	}{
		{ledger.NoOwner, 1, time.Hour}, {ledger.NoOwner, 3, time.Hour + time.Minute}, {ledger.NoOwner, 4, time.Hour + 2*time.Minute},
		{l.Owner("b"), 1, time.Hour + time.Minute}, {l.Owner("b"), 2, time.Hour + time.Minute}, {l.Owner("a"), 2, time.Hour + 2*time.Minute},
		{l.Owner("b"), 3, 2*time.Minute + time.Second}, {ledger.NoOwner, 7, 2*time.Minute + time.Second},
	} {
		if got := l.EarliestRelease(1, tc.owner, tc.need).Sub(begin); got != tc.want {
			t.Errorf("%d slots of %d are free after %s, want %s", tc.need, tc.owner, got, tc.want)
		}
	}
}

// TestJobsOfCallsGivenUpAreInDoubt until they are free.
func TestJobsOfCallsGivenUpAreInDoubt(t *testing.T) {
	l := ledgerWith(t, withJobs(), jobs)
	if err := errors.Join(l.Charge(begin, 1, l.Owner("a"), ledger.Cost{2}, ledger.NoRecord), l.Abandon(1, begin)); err != nil {
		t.Fatal(err)
	}
	answered(t, l, begin, 2, "a", 1)
	end := begin.Add(exact.MaxServerDelay + time.Hour)
	for _, at := range []time.Time{begin, end.Add(-1)} {
		l.Advance(at)
		if got := l.InDoubt(0); got != 2 {
			t.Errorf("%s after it was given up %d slots are in doubt, want 2", at.Sub(begin), got)
		}
	}
	l.Advance(end)
	if used, doubt := l.Used(0), l.InDoubt(0); used != 0 || doubt != 0 {
		t.Errorf("in the end %d slots are used, %d in doubt", used, doubt)
	}
}

// TestRecordsThatAreDeclaredLater count all calls before for every record, each for the most it can have taken, as many as there were.
func TestRecordsThatAreDeclaredLater(t *testing.T) {
	ticket := limits.Limit{
		Name: "per ticket", Kind: limits.Rolling, Max: 50, Window: 10 * time.Minute, Meter: limits.Meter{Subject: "updates", PerRecord: true}, Most: 3,
	}
	plain := limits.Limit{Name: "plain", Kind: limits.Rolling, Max: 400, Window: time.Minute}
	l := newLedger(t, plain)
	if err := l.Enter(begin, ledger.Entry{Owner: "a", Calls: 4, Cost: ledger.Cost{4}, End: begin}); err != nil {
		t.Fatal(err)
	}
	if err := l.SetLimits(begin, []limits.Limit{ticket}); err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Duration{0, 10*time.Minute - 1} {
		l.Advance(begin.Add(at))
		if got := l.RecordFree(0, 7); got != 50-12 {
			t.Errorf("%s later a record has %d left, want %d", at, got, 50-12)
		}
	}
	l.Advance(begin.Add(10 * time.Minute))
	if got := l.RecordFree(0, 7); got != 50 {
		t.Errorf("in the end a record has %d left, want all", got)
	}
}

// TestWhatIsPromisedToBeKeptIsKept: within the promised history a limit that reaches back further knows each call; after it, that it does not.
func TestWhatIsPromisedToBeKeptIsKept(t *testing.T) {
	for after, want := range map[time.Duration]int64{
		20 * time.Minute: 1, 24 * time.Hour: 1, 25*time.Hour - time.Minute: 1,
		26 * time.Hour: 100, // used up, as it is not known
	} {
		l := newLedger(t, minute)
		answered(t, l, begin, 1, "a", 1)
		for step := time.Duration(0); step <= after; step += time.Minute {
			l.Advance(begin.Add(step))
		}
		week := limits.Limit{Name: "week", Kind: limits.Rolling, Max: 100, Window: 7 * 24 * time.Hour}
		if err := l.SetLimits(begin.Add(after), []limits.Limit{week}); err != nil {
			t.Fatal(err)
		}
		used(t, fmt.Sprint(after, " later"), l, want)
	}
}

// TestLongWindowsAreKept beyond the promised history, for as long as they may count: the calls of the limit's own credential, whoever's is in force meanwhile,
// and those of a limit that is then made shorter.
func TestLongWindowsAreKept(t *testing.T) {
	weekOf := func(user string, days int) []limits.Limit {
		week := ownOf(user)
		week.Window = time.Duration(days) * 24 * time.Hour
		return []limits.Limit{week}
	}
	l := newLedger(t, weekOf("first", 7)...)
	answered(t, l, begin, 1, "a", 1)
	for day := range 3 {
		if err := l.SetLimits(begin.Add(time.Duration(24*day)*time.Hour), weekOf("second", 7)); err != nil {
			t.Fatal(err)
		}
	}
	for day, length := range map[int]int{3: 7, 4: 6} {
		now := begin.Add(time.Duration(24*day) * time.Hour)
		fresh := newLedger(t, weekOf("", length)...)
		answered(t, fresh, begin, 1, "a", 1)
		for hour := range 24 * day {
			fresh.Advance(begin.Add(time.Duration(hour) * time.Hour))
		}
		if err := fresh.SetLimits(now, weekOf("", length-1)); err != nil {
			t.Fatal(err)
		}
		used(t, "shorter", fresh, 1)
	}
	if err := l.SetLimits(begin.Add(72*time.Hour), weekOf("first", 7)); err != nil {
		t.Fatal(err)
	}
	used(t, "of the first credential after three days of the second", l, 1)
}

// TestTheHorizonIsThatOfAllCalls, whatever meters there are besides.
func TestTheHorizonIsThatOfAllCalls(t *testing.T) {
	l := newLedger(t, limits.Limit{Name: "plain", Kind: limits.Rolling, Max: 400, Window: time.Minute})
	answered(t, l, begin, 1, "a", 1)
	l.Advance(begin.Add(20 * time.Minute))
	if at := l.Horizon(); !at.IsZero() {
		t.Errorf("the horizon is %s before anything was forgotten", at)
	}
	l.Advance(begin.Add(26 * time.Hour))
	if at := l.Horizon(); at.Before(begin) || at.After(begin.Add(time.Hour)) {
		t.Errorf("the horizon is %s, want some time after the forgotten call, %s", at, begin)
	}
}

// TestCallsThatALimitDoesNotCount are not counted after an edit either, nor kept: in flight, or given up with an estimate of their execution time.
func TestCallsThatALimitDoesNotCount(t *testing.T) {
	execution := limits.Limit{
		Name: "execution", Kind: limits.Rolling, Max: 1_200_000, Window: 5 * time.Minute, Unit: limits.Milliseconds, Meter: limits.Meter{Subject: "time"},
		Most: 120_000,
	}
	l := ledgerWith(t, withJobs(), execution, perTicket, jobs)
	for i, cost := range []ledger.Cost{{0, 0, 0}, {0, 0, 0}, {1000, 0, 2}, {500, 0, 0}} {
		id := ledger.ID(i)
		if err := l.Charge(begin, id, l.Owner("a"), cost, 7); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if err := l.Abandon(id, begin); err != nil {
				t.Fatal(err)
			}
		}
	}
	used(t, "before", l, 60_500, 0, 2)
	longer, ticket := execution, perTicket
	longer.Window, ticket.Window = 6*time.Minute, time.Hour
	if err := l.SetLimits(begin.Add(time.Second), []limits.Limit{longer, ticket}); err != nil {
		t.Fatal(err)
	}
	used(t, "after", l, 60_500)
	if got := l.RecordFree(1, 7); got != 3 {
		t.Errorf("a record has %d left, want all", got)
	}
	if _, entries, _ := l.Kept(); entries > 0 {
		t.Errorf("%d entries are kept about records of which no call counts", entries)
	}
}

// TestMemoryIsBounded: what a ledger holds goes with integrations and windows, not with calls, and not with time.
func TestMemoryIsBounded(t *testing.T) {
	const integrations = 5
	ticket := limits.Limit{Name: "per ticket", Kind: limits.Rolling, Max: 50, Window: 10 * time.Minute, Meter: limits.Meter{Subject: "updates", PerRecord: true}}
	day := limits.Limit{Name: "day", Kind: limits.Calendar, Period: limits.Day, Max: 1 << 40, Location: time.UTC}
	hours := limits.Limit{Name: "hours", Kind: limits.Rolling, Max: 1 << 40, Window: 3 * time.Hour, Meter: priced}
	l := newLedger(t, minute, hours, day, ticket, ownOf("user 0"))
	peak := func(from, hoursLong int) (records, entries, meters int) {
		t.Helper()
		for i := range hoursLong * 3600 {
			id, now := ledger.ID(from*3600+i), begin.Add(time.Duration(from)*time.Hour+time.Duration(i)*time.Second)
			cost := ledger.Cost{1, 1, 1, 1, 1}
			if i%2 == 0 {
				cost[3] = 0
			}
			if i%10_000 == 9999 {
				if err := l.SetLimits(now, []limits.Limit{minute, hours, day, ticket, ownOf(fmt.Sprint("user ", id))}); err != nil {
					t.Fatal(err)
				}
			}
			err := errors.Join(l.Charge(now, id, l.Owner(fmt.Sprint(i%integrations)), cost, ledger.Record(1+id)), l.Settle(id, now))
			if err != nil {
				t.Fatal(err)
			}
			r, e, m := l.Kept()
			records, entries, meters = max(records, r), max(entries, e), max(meters, m)
		}
		return records, entries, meters
	}
	records, entries, meters := peak(0, 56)
	// Of each of three meters, that of the credentials taken together, fifteen minutes call by call and 25 hours in steps of a thousandth. Of the three hours
	// a thousand steps. Of the hour each call, as its steps are shorter than the time between two of an integration. Of the day what was about its begin.
	if most := 3*(15*60+1001*integrations) + 1001*integrations + 3600 + 10*60 + 5; records > most {
		t.Errorf("it holds %d records, want at most %d", records, most)
	}
	if most := 2 * 301; entries > most {
		t.Errorf("it holds %d entries about the CRM's records, want at most %d: of the calls of ten minutes", entries, most)
	}
	// A credential comes every 10,000 s, and is remembered for 25 hours from then on.
	if most := 3 + 10 + 2; meters > most {
		t.Errorf("it holds %d meters, want at most %d", meters, most)
	}
}
