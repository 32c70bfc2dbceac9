// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// TestAGuardIsWhatIsAddedToAWindow: drift and counting delay, and of windows beyond ten minutes a step of a thousandth. Slots have their release, periods the
// delay.
func TestAGuardIsWhatIsAddedToAWindow(t *testing.T) {
	window := func(d time.Duration) limits.Limit { return limits.Limit{Kind: limits.Rolling, Max: 1, Window: d} }
	const short = 10 * time.Minute
	for name, tc := range map[string]struct {
		guards limits.Guards
		limit  limits.Limit
		want   time.Duration
	}{
		"ten minutes are exact":         {limits.Guards{}, window(short), 0},
		"more is in steps":              {limits.Guards{}, window(short + 1000), (short + 1000) / 1000},
		"with a guard it is more":       {limits.Guards{CountingDelay: 1000}, window(short), 1000 + short/1000},
		"a minute, guarded":             {limits.DefaultGuards(), window(time.Minute), 530 * time.Millisecond},
		"a day has steps of 86.4 s":     {limits.DefaultGuards(), window(24 * time.Hour), 43200*time.Millisecond + 500*time.Millisecond + 86400*time.Millisecond},
		"slots are released soon after": {limits.DefaultGuards(), limits.Limit{Kind: limits.Concurrent, Max: 1}, 50 * time.Millisecond},
		"a period waits for late counting": {
			limits.DefaultGuards(), limits.Limit{Kind: limits.Calendar, Max: 1, Period: limits.Day, Location: time.UTC}, 500 * time.Millisecond,
		},
	} {
		if got := ledgerWith(t, tc.guards, tc.limit).Guard(0); got != tc.want {
			t.Errorf("%s: Guard() = %s, want %s", name, got, tc.want)
		}
	}
}

// TestThePeriodIsTheOneTheCRMCanStillBeIn: also when its clock is in the last moment of the one before, and before 1970.
func TestThePeriodIsTheOneTheCRMCanStillBeIn(t *testing.T) {
	for _, midnight := range []time.Time{time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC), time.Unix(0, 0).UTC()} {
		day := limits.Limit{Name: "day", Kind: limits.Calendar, Period: limits.Day, Max: 9, Location: time.UTC}
		for after, want := range map[time.Duration]time.Time{5*time.Minute - 1: midnight.AddDate(0, 0, -1), 5 * time.Minute: midnight} {
			l, err := ledger.New(midnight.Add(after), []limits.Limit{minute, day}, exact)
			if err != nil {
				t.Fatal(err)
			}
			start, end, ok := l.Period(1)
			if !ok || !start.Equal(want) || !end.Equal(want.AddDate(0, 0, 1)) {
				t.Errorf("%s after midnight the period is %s to %s, %t, want that from %s", after, start, end, ok, want)
			}
			if start, end, ok := l.Period(0); ok || !start.IsZero() || !end.IsZero() {
				t.Errorf("a minute has a period, %s to %s", start, end)
			}
		}
	}
}

// TestAClockThatIsBehindReleasesYesterday: the CRM's yesterday ends when it is tomorrow by ours. What is learnt of its clock counts for calls before, too.
func TestAClockThatIsBehindReleasesYesterday(t *testing.T) {
	midnight := time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC)
	day := limits.Limit{Name: "day", Kind: limits.Calendar, Period: limits.Day, Max: 9, Location: time.UTC}
	for _, before := range []limits.Offset{limits.UnknownOffset(), {Min: -5 * time.Minute, Max: -time.Minute}} {
		l, err := ledger.New(midnight.Add(-time.Hour), []limits.Limit{day}, exact)
		if err != nil {
			t.Fatal(err)
		}
		l.SetOffset(before)
		answered(t, l, midnight.Add(2*time.Minute), 1, "a", 1)
		answered(t, l, midnight.Add(4*time.Minute-1), 2, "a", 1)
		answered(t, l, midnight.Add(5*time.Minute), 3, "a", 1)
		l.Advance(midnight.Add(6 * time.Minute))
		used(t, "while it is not known how far it is behind", l, 3)
		l.SetOffset(limits.Offset{Min: -4 * time.Minute, Max: -4 * time.Minute})
		l.Advance(midnight.Add(6 * time.Minute))
		used(t, "when it is known to be four minutes behind", l, 1)
	}
}

// TestTheLongestServerDelayCanChange for calls that are given up from then on.
func TestTheLongestServerDelayCanChange(t *testing.T) {
	l := newLedger(t, minute)
	for id := range ledger.ID(2) {
		if err := errors.Join(l.Charge(begin, id, l.Owner("a"), ledger.Cost{1}, ledger.NoRecord), l.Abandon(id, begin)); err != nil {
			t.Fatal(err)
		}
		l.SetMaxServerDelay(5 * time.Minute)
	}
	for _, tc := range []struct {
		after time.Duration
		want  int64
	}{{2*time.Minute - 1, 2}, {2 * time.Minute, 1}, {6*time.Minute - 1, 1}, {6 * time.Minute, 0}} {
		l.Advance(begin.Add(tc.after))
		used(t, tc.after.String(), l, tc.want)
	}
}

// TestWhatOneCallCanCost is from nothing to the largest amount, in limits that count the same the same, and one where every call counts.
func TestWhatOneCallCanCost(t *testing.T) {
	other := minute
	other.Name, other.Window = "ten minutes", 10*time.Minute
	plain := limits.Limit{Name: "plain", Kind: limits.Rolling, Max: 400, Window: time.Minute}
	for name, tc := range map[string]struct {
		cost ledger.Cost
		ok   bool
	}{
		"nothing":            {ledger.Cost{0, 0, 1}, true},
		"the most":           {ledger.Cost{ledger.MaxAmount, ledger.MaxAmount, 1}, true},
		"more":               {ledger.Cost{ledger.MaxAmount + 1, ledger.MaxAmount + 1, 1}, false},
		"less of the second": {ledger.Cost{3, 2, 1}, false},
		"more of the second": {ledger.Cost{3, 4, 1}, false},
		"no call":            {ledger.Cost{3, 3, 0}, false},
		"two calls":          {ledger.Cost{3, 3, 2}, false},
	} {
		l := newLedger(t, minute, other, plain)
		err := l.Charge(begin, 1, l.Owner("a"), tc.cost, ledger.NoRecord)
		if tc.ok && err != nil || !tc.ok && !errors.Is(err, ledger.ErrCost) {
			t.Errorf("%s: Charge() = %v", name, err)
		}
		if tc.ok {
			used(t, name, l, tc.cost...)
		}
	}
}

// TestExecutionTimeIsRoundedUp to whole milliseconds, at least one.
func TestExecutionTimeIsRoundedUp(t *testing.T) {
	execution := limits.Limit{
		Name: "execution", Kind: limits.Rolling, Max: 1_200_000, Window: 5 * time.Minute, Unit: limits.Milliseconds, Meter: limits.Meter{Subject: "time"},
	}
	for took, want := range map[time.Duration]int64{
		0: 1, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, 2 * time.Millisecond: 2, time.Second: 1000, 100 * 24 * time.Hour: ledger.MaxAmount,
	} {
		l := newLedger(t, execution)
		if err := errors.Join(l.Charge(begin, 1, l.Owner("a"), ledger.Cost{50}, ledger.NoRecord), l.Settle(1, begin.Add(took))); err != nil {
			t.Fatal(err)
		}
		used(t, took.String(), l, want)
	}
}

// TestAnAnswerCountsAtOnce: what is said of releases knows it without time having to pass.
func TestAnAnswerCountsAtOnce(t *testing.T) {
	l := newLedger(t, minute)
	answered(t, l, begin, 1, "a", 2)
	if got := l.Releases(0, 5); len(got) != 1 || got[0].Units != 2 || !got[0].By.Equal(begin.Add(time.Minute)) {
		t.Errorf("Releases() = %v, want 2 units in a minute", got)
	}
}
