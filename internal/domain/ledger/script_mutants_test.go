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

// What a ledger says of the future is held against what then happens: a script can be played as often as wanted, so that each statement is tried on a ledger of
// its own.

// scene is a call of a script, or the passing of time before it.
type scene struct {
	after  time.Duration
	owner  string
	cost   int64
	record ledger.Record
	// fate: 'a' answered, 'g' given up, 'r' refunded, 'j' answered with a job that ends, 'f' still in flight.
	fate byte
	took time.Duration
}

type script struct {
	limits []limits.Limit
	guards limits.Guards
	// restored: the ledger starts from nothing but the instant before which it knows nothing, so long before the begin.
	restored time.Duration
	scenes   []scene
	// learnt: the CRM's clock becomes known in the end.
	learnt bool
}

var (
	jobs       = limits.Limit{Name: "jobs", Kind: limits.Concurrent, Max: 30, UntilJobEnds: true, Meter: limits.Meter{Subject: "bulk"}}
	everything = []limits.Limit{
		{Name: "minute", Kind: limits.Rolling, Max: 4, Window: time.Minute, Meter: priced, Most: 3},
		{Name: "calls", Kind: limits.Rolling, Max: 4, Window: 5 * time.Minute},
		{Name: "hours", Kind: limits.Rolling, Max: 9, Window: 3 * time.Hour, Meter: priced, Most: 3},
		{Name: "hour", Kind: limits.Calendar, Period: limits.Hour, Max: 9, Location: time.UTC},
		{Name: "slots", Kind: limits.Concurrent, Max: 3},
		{Name: "own", Kind: limits.Rolling, Max: 9, Window: 20 * time.Minute, Meter: limits.Meter{Credential: "user"}},
		{Name: "execution", Kind: limits.Rolling, Max: 60_000, Window: 5 * time.Minute, Unit: limits.Milliseconds, Meter: limits.Meter{Subject: "time"}},
		{Name: "per ticket", Kind: limits.Rolling, Max: 3, Window: 10 * time.Minute, Meter: limits.Meter{Subject: "updates", PerRecord: true}},
		{Name: "bucket", Kind: limits.Rolling, Max: 600, Window: time.Minute, Counting: limits.TokenBucket, Burst: 5, Meter: priced, Most: 3},
		jobs,
	}
)

func drawScript(t *rapid.T) script {
	s := script{guards: limits.DefaultGuards()}
	s.limits = rapid.SliceOfN(rapid.SampledFrom(everything), 1, 4).Draw(t, "limits")
	s.restored = rapid.SampledFrom([]time.Duration{0, 0, time.Second, 4 * time.Minute, 30 * time.Minute}).Draw(t, "restored")
	s.learnt = rapid.Bool().Draw(t, "learnt")
	pause := rapid.SampledFrom([]time.Duration{0, 0, 30 * time.Millisecond, time.Second, 20 * time.Second, 11 * time.Minute})
	for range rapid.IntRange(0, 12).Draw(t, "calls") {
		s.scenes = append(s.scenes, scene{
			after:  pause.Draw(t, "after"),
			owner:  rapid.SampledFrom([]string{"a", "b"}).Draw(t, "owner"),
			cost:   rapid.Int64Range(0, 3).Draw(t, "cost"),
			record: ledger.Record(rapid.IntRange(0, 2).Draw(t, "record")),
			fate:   rapid.SampledFrom([]byte("aaaggrjf")).Draw(t, "fate"),
			took:   rapid.SampledFrom([]time.Duration{0, time.Nanosecond, 1500 * time.Microsecond, 3 * time.Second}).Draw(t, "took"),
		})
	}
	return s
}

// play returns the ledger as it is at the end of the script, and the instant.
func (s script) play(t interface{ Fatal(...any) }) (*ledger.Ledger, time.Time) {
	now := begin
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	l, err := ledger.New(now, s.limits, s.guards)
	must(err)
	if s.restored > 0 {
		must(l.Restore(now, nil, now.Add(-s.restored)))
	}
	for n, c := range s.scenes {
		id := ledger.ID(n)
		now = now.Add(c.after)
		must(l.Charge(now, id, l.Owner(c.owner), taking(l, c.cost), c.record))
		switch c.fate {
		case 'f':
			continue
		case 'r':
			must(l.Refund(id))
			continue
		case 'g':
			now = now.Add(c.took)
			must(l.Abandon(id, now))
			continue
		default:
			now = now.Add(c.took)
			must(l.Settle(id, now))
		}
		if c.fate == 'j' {
			l.EndJob(id, now.Add(c.took))
		}
	}
	if s.learnt {
		l.SetOffset(limits.Offset{Min: -time.Second, Max: time.Second})
	}
	l.Advance(now)
	return l, now
}

// at plays the script and then lets time pass until an instant.
func (s script) at(t interface{ Fatal(...any) }, at time.Time) *ledger.Ledger {
	l, _ := s.play(t)
	l.Advance(at)
	return l
}

// figures are all amounts that a ledger can tell.
func figures(l *ledger.Ledger) (all []int64) {
	for k := range l.Limits() {
		start, _, _ := l.Period(k)
		all = append(all, l.Used(k), l.Free(k), l.InDoubt(k), start.Unix())
		for o := range l.Owners() {
			all = append(all, l.UsedBy(k, ledger.Owner(o)))
		}
		if l.Limit(k).Meter.PerRecord {
			all = append(all, l.RecordFree(k, 1), l.RecordFree(k, 2), l.RecordFree(k, ledger.NoRecord))
		}
	}
	return all
}

// TestNextReleaseIsTheNextChange for every kind of limit: before it time changes nothing, at it something. Without one, no time changes anything.
func TestNextReleaseIsTheNextChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScript(t)
		l, now := s.play(t)
		before := figures(l)
		at, ok := l.NextRelease()
		if !ok {
			if after := figures(s.at(t, now.Add(1000*time.Hour))); !slices.Equal(before, after) {
				t.Fatalf("there is no next release, and yet %d become %d", before, after)
			}
			return
		}
		if !at.After(now) {
			t.Fatalf("the next release is %s ago", now.Sub(at))
		}
		if early := figures(s.at(t, at.Add(-1))); !slices.Equal(before, early) {
			t.Fatalf("before the next release, in %s, %d become %d", at.Sub(now), before, early)
		}
		paced := slices.ContainsFunc(s.limits, func(l limits.Limit) bool { return l.Counting == limits.TokenBucket })
		if s.restored > 0 && (paced || len(s.scenes) > 0) {
			return // a limit that counts as used up hides what happens to it
		}
		if then := figures(s.at(t, at)); slices.Equal(before, then) {
			t.Fatalf("at the next release, in %s, nothing changes: %d", at.Sub(now), before)
		}
	})
}

// settled draws a script of which nothing is in flight any more, and a limit of those that release call by call.
func settled(t *rapid.T) (s script, k int) {
	s = drawScript(t)
	s.restored = 0
	s.scenes = slices.DeleteFunc(s.scenes, func(c scene) bool { return c.fate == 'f' || c.fate == 'g' })
	byCall := func(l limits.Limit) bool { return !l.Meter.PerRecord && l.Kind != limits.Calendar }
	var numbers []int
	for k, l := range s.limits {
		if byCall(l) {
			numbers = append(numbers, k)
		}
	}
	if len(numbers) == 0 {
		t.Skip("no limit releases call by call")
	}
	return s, rapid.SampledFrom(numbers).Draw(t, "limit")
}

// TestEarliestReleaseComesTrue: at that instant so many units have left, and not before.
func TestEarliestReleaseComesTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, k := settled(t)
		l, now := s.play(t)
		owner := ledger.Owner(rapid.IntRange(int(ledger.NoOwner), l.Owners()-1).Draw(t, "of"))
		used := func(l *ledger.Ledger) int64 {
			if owner == ledger.NoOwner {
				return l.Used(k)
			}
			return l.UsedBy(k, owner)
		}
		before := used(l)
		if before == 0 {
			t.Skip("nothing is used")
		}
		need := rapid.Int64Range(1, before).Draw(t, "need")
		at := l.EarliestRelease(k, owner, need)
		if left := used(s.at(t, at)); left > before-need {
			t.Fatalf("at %s after now %d are used of %d, at most %d were said to be", at.Sub(now), left, before, before-need)
		}
		if left := used(s.at(t, at.Add(-1))); left <= before-need {
			t.Fatalf("already before %s after now %d are used of %d", at.Sub(now), left, before)
		}
	})
}

// TestReleasesComeTrue: by each step so much has left, not all of it before, and the steps are as even as whole calls allow.
func TestReleasesComeTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, k := settled(t)
		if s.limits[k].UntilJobEnds {
			t.Skip("jobs do not tell")
		}
		releasesComeTrue(t, s, k, rapid.IntRange(1, 15).Draw(t, "steps"))
	})
	ten := script{limits: everything[:1], guards: exact}
	for i := range int64(10) {
		ten.scenes = append(ten.scenes, scene{after: time.Second, owner: "a", cost: 1 + i%3, fate: 'a'})
	}
	if l, _ := ten.play(t); len(l.Releases(0, 1000)) != 10 {
		t.Errorf("the releases of ten calls are %v", l.Releases(0, 1000))
	}
	for n := 1; n <= 12; n++ {
		releasesComeTrue(t, ten, 0, n)
	}
	ten.scenes = append(ten.scenes, scene{after: 52 * time.Second, owner: "a", cost: 3, fate: 'a'}) // when two have been released
	for n := 1; n <= 9; n++ {
		releasesComeTrue(t, ten, 0, n)
	}
}

func releasesComeTrue(t interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}, s script, k, n int) {
	t.Helper()
	l, _ := s.play(t)
	each, steps := l.Releases(k, 1000), l.Releases(k, n)
	if len(steps) != min(n, len(each)) {
		t.Fatalf("%d steps for %d records, at most %d are wanted", len(steps), len(each), n)
	}
	left, seen := l.Used(k), 0
	for _, step := range steps {
		if used := s.at(t, step.By.Add(-1)).Used(k); used <= left-step.Units {
			t.Fatalf("before %s all of %d have left of %d: %d are used", step.By, step.Units, left, used)
		}
		left -= step.Units
		if used := s.at(t, step.By).Used(k); used > left {
			t.Fatalf("by %s %d are used, want at most %d", step.By, used, left)
		}
		from, sum := seen, int64(0)
		for ; sum < step.Units; seen++ {
			sum += each[seen].Units
		}
		if size := seen - from; sum != step.Units || size > (len(each)+n-1)/n {
			t.Fatalf("a step of %d units has %d of %d records, want an %dth", step.Units, size, len(each), n)
		}
	}
	if left != 0 {
		t.Fatalf("%d units are never released", left)
	}
}

// TestReleasesOfOtherForms: a period ends for all at once; jobs and records do not foretell.
func TestReleasesOfOtherForms(t *testing.T) {
	hour := limits.Limit{Name: "hour", Kind: limits.Calendar, Period: limits.Hour, Max: 9, Location: time.UTC}
	l := newLedger(t, hour, jobs, perTicket)
	answered(t, l, begin.Add(10*time.Minute), 1, "a", 2)
	answered(t, l, begin.Add(11*time.Minute), 2, "a", 2)
	l.SetOffset(limits.Offset{Min: -time.Second, Max: 2 * time.Second})
	want := []ledger.Release{{By: begin.Add(time.Hour + time.Second), Units: 2}}
	if got := l.Releases(0, 5); len(got) != 1 || !got[0].By.Equal(want[0].By) || got[0].Units != want[0].Units {
		t.Errorf("an hour releases %v, want %v", got, want)
	}
	for k := 1; k <= 2; k++ {
		if got := l.Releases(k, 5); got != nil {
			t.Errorf("%s foretell %v", l.Limit(k).Name, got)
		}
	}
}

// TestEarliestRecordComesTrue, when nothing is in flight.
func TestEarliestRecordComesTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScript(t)
		s.restored = 0
		updates := limits.Meter{Subject: "updates", PerRecord: true}
		s.limits = []limits.Limit{{Name: "per ticket", Kind: limits.Rolling, Max: 5, Window: 10 * time.Minute, Meter: updates}}
		s.scenes = slices.DeleteFunc(s.scenes, func(c scene) bool { return c.fate == 'f' || c.fate == 'g' })
		l, now := s.play(t)
		record, n := ledger.Record(rapid.IntRange(1, 2).Draw(t, "of")), rapid.Int64Range(1, 5).Draw(t, "n")
		at := l.EarliestRecord(0, record, n)
		if at.Before(now) {
			t.Fatalf("it is said to have been free %s ago", now.Sub(at))
		}
		if free := s.at(t, at).RecordFree(0, record); free < n {
			t.Fatalf("%s after now %d are free, want %d", at.Sub(now), free, n)
		}
		if free := s.at(t, at.Add(-1)).RecordFree(0, record); at.After(now) && free >= n {
			t.Fatalf("already before %s after now %d are free, want %d", at.Sub(now), free, n)
		}
	})
}

// TestARecordOfCallsInFlight can have room once they end and are released, which is at the earliest as if they ended now.
func TestARecordOfCallsInFlight(t *testing.T) {
	l := newLedger(t, perTicket)
	for id := range ledger.ID(3) {
		if err := l.Charge(begin, id, l.Owner("a"), ledger.Cost{1}, 7); err != nil {
			t.Fatal(err)
		}
	}
	now := begin.Add(ticks(4))
	if err := l.Settle(2, now); err != nil {
		t.Fatal(err)
	}
	l.Advance(now.Add(ticks(1)))
	for n, want := range map[int64]int{1: 4 + 10, 2: 5 + 10, 3: 5 + 10} {
		if got := l.EarliestRecord(0, 7, n).Sub(begin); got != ticks(want) {
			t.Errorf("%d units are free after %s, want %s", n, got, ticks(want))
		}
	}
}
