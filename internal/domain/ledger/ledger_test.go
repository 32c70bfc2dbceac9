// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

var (
	begin  = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	minute = limits.Limit{Name: "minute", Kind: limits.Rolling, Max: 400, Window: time.Minute, Meter: priced}
	// exact guards make instants easy to read; the defaults have tests of their own.
	exact = limits.Guards{MaxServerDelay: time.Minute, History: 25 * time.Hour}
)

func newLedger(t *testing.T, ls ...limits.Limit) *ledger.Ledger {
	t.Helper()
	l, err := ledger.New(begin, ls, exact)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// taking is the cost of a call in terms of the limits in force.
func taking(l *ledger.Ledger, cost int64) (of ledger.Cost) {
	for k := range l.Limits() {
		of = append(of, amount(l.Limit(k), cost))
	}
	return of
}

// answered charges a call of the owner that is sent and answered at once.
func answered(t *testing.T, l *ledger.Ledger, at time.Time, id ledger.ID, owner string, cost int64) {
	t.Helper()
	if err := errors.Join(l.Charge(at, id, l.Owner(owner), taking(l, cost), ledger.NoRecord), l.Settle(id, at)); err != nil {
		t.Fatal(err)
	}
}

func TestErrorsOfACallerThatLostTrack(t *testing.T) {
	invalid := limits.Limit{Name: "nothing", Kind: limits.Rolling, Window: time.Second}
	for name, tc := range map[string]struct {
		do   func(l *ledger.Ledger) error
		want error
		text string
	}{
		"a charge twice": {func(l *ledger.Ledger) error { return l.Charge(begin, 1, 0, taking(l, 1), ledger.NoRecord) }, ledger.ErrCharged, "charge 1 is charged already"},
		"a call that gives something back": {
			func(l *ledger.Ledger) error { return l.Charge(begin, 2, 0, ledger.Cost{-1}, ledger.NoRecord) }, ledger.ErrCost,
			`charge 2: a cost has one amount for each limit in force, from 0 to 2147483647: of limit "minute" it takes -1`,
		},
		"a call that costs too much": {
			func(l *ledger.Ledger) error {
				return l.Charge(begin, 2, 0, ledger.Cost{ledger.MaxAmount + 1}, ledger.NoRecord)
			}, ledger.ErrCost,
			`charge 2: a cost has one amount for each limit in force, from 0 to 2147483647: of limit "minute" it takes 2147483648`,
		},
		"a cost of other limits": {
			func(l *ledger.Ledger) error { return l.Charge(begin, 2, 0, ledger.Cost{1, 1}, ledger.NoRecord) }, ledger.ErrCost,
			"charge 2: a cost has one amount for each limit in force, from 0 to 2147483647: it has 2 amounts for 1 limits",
		},
		"the end of no call":  {func(l *ledger.Ledger) error { return l.Settle(7, begin) }, ledger.ErrNotCharged, "charge 7 is not charged"},
		"giving up no call":   {func(l *ledger.Ledger) error { return l.Abandon(7, begin) }, ledger.ErrNotCharged, "charge 7 is not charged"},
		"a refund of no call": {func(l *ledger.Ledger) error { return l.Refund(7) }, ledger.ErrNotCharged, "charge 7 is not charged"},
		"a refund after the answer": {func(l *ledger.Ledger) error {
			return errors.Join(l.Settle(1, begin), l.Refund(1))
		}, ledger.ErrNotCharged, "charge 1 is not charged"},
		"an invalid limit":         {func(l *ledger.Ledger) error { return l.SetLimits(begin, []limits.Limit{invalid}) }, nil, `limit "nothing": max is 0, must be at least 1`},
		"a restore on top of more": {func(l *ledger.Ledger) error { return l.Restore(begin, nil, time.Time{}) }, nil, "restore: the ledger holds charges already"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(t, minute)
			if err := l.Charge(begin, 1, l.Owner("a"), taking(l, 3), ledger.NoRecord); err != nil {
				t.Fatal(err)
			}
			err := tc.do(l)
			if err == nil || err.Error() != tc.text || tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("error is %v, want %s", err, tc.text)
			}
			if used := l.Used(0); used != 3 {
				t.Errorf("used %d after the error, want 3", used)
			}
		})
	}
	if _, err := ledger.New(begin, []limits.Limit{invalid}, exact); err == nil {
		t.Error("New took an invalid limit")
	}
	if err := newLedger(t, minute).Restore(begin, []ledger.Entry{{Owner: "a", Cost: ledger.Cost{-2}}}, time.Time{}); !errors.Is(err, ledger.ErrCost) {
		t.Errorf("Restore of an entry with a wrong cost: %v", err)
	}
}

func TestOwnersAreNumberedOnce(t *testing.T) {
	l := newLedger(t, minute)
	a, b := l.Owner("a"), l.Owner("b")
	if a != 0 || b != 1 || l.Owner("a") != a || l.Owners() != 2 || l.Name(b) != "b" {
		t.Errorf("owners %d, %d, again %d; %d in all, the second is %q", a, b, l.Owner("a"), l.Owners(), l.Name(b))
	}
}

func TestEarliestRelease(t *testing.T) {
	slots := limits.Limit{Name: "slots", Kind: limits.Concurrent, Max: 2}
	day := limits.Limit{Name: "day", Kind: limits.Calendar, Period: limits.Day, Max: 2500, Location: time.UTC}
	l := newLedger(t, minute, slots, day)
	answered(t, l, begin, 1, "a", 1)
	answered(t, l, begin.Add(10*time.Second), 2, "b", 2)
	if err := l.Charge(begin.Add(20*time.Second), 3, l.Owner("a"), taking(l, 1), ledger.NoRecord); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		limit int
		owner ledger.Owner
		need  int64
		want  time.Duration
	}{
		"one unit of anybody":                          {0, ledger.NoOwner, 1, 60 * time.Second},
		"three units of anybody":                       {0, ledger.NoOwner, 3, 70 * time.Second},
		"one unit of the other":                        {0, l.Owner("b"), 1, 70 * time.Second},
		"more than has ended: a call in flight may":    {0, l.Owner("a"), 2, 80 * time.Second},
		"a slot may be free at any moment":             {1, ledger.NoOwner, 1, 20 * time.Second},
		"a day ends by the slowest clock the CRM has":  {2, ledger.NoOwner, 1, 12*time.Hour + 5*time.Minute},
		"another owner's part of the day, just as all": {2, l.Owner("b"), 1, 12*time.Hour + 5*time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			if got := l.EarliestRelease(tc.limit, tc.owner, tc.need); !got.Equal(begin.Add(tc.want)) {
				t.Errorf("EarliestRelease() is %s after the begin, want %s", got.Sub(begin), tc.want)
			}
		})
	}
}

func TestNothingToRelease(t *testing.T) {
	l := newLedger(t, minute)
	if err := l.Charge(begin, 1, l.Owner("a"), taking(l, 1), ledger.NoRecord); err != nil {
		t.Fatal(err)
	}
	if at, ok := l.NextRelease(); ok {
		t.Errorf("NextRelease() = %s while the only call is in flight", at)
	}
}

// TestALimitThatReachesFurtherBack is used up until everything the ledger has forgotten is out of its window, and keeps what is known after that.
func TestALimitThatReachesFurtherBack(t *testing.T) {
	l := newLedger(t, minute)
	week := limits.Limit{Name: "week", Kind: limits.Rolling, Max: 100, Window: 7 * 24 * time.Hour}
	answered(t, l, begin, 1, "a", 1)
	changed := begin.Add(26 * time.Hour)
	answered(t, l, changed.Add(-time.Hour), 2, "a", 1)
	l.Advance(changed)
	horizon := l.Horizon()
	if !horizon.Equal(begin.Add(1)) {
		t.Fatalf("the horizon is %s, want right after the forgotten call, %s", horizon, begin)
	}
	if err := l.SetLimits(changed, []limits.Limit{week}); err != nil {
		t.Fatal(err)
	}
	known := horizon.Add(week.Window)
	if used := l.Used(0); used != 100 {
		t.Errorf("used %d before the history is known, want all 100", used)
	}
	if at, ok := l.NextRelease(); !ok || !at.Equal(known) {
		t.Errorf("NextRelease() = %s, want %s, when the history is known", at, known)
	}
	if at := l.EarliestRelease(0, ledger.NoOwner, 1); !at.Equal(known) {
		t.Errorf("EarliestRelease() = %s, want %s", at, known)
	}
	l.Advance(known)
	if used := l.Used(0); used != 1 {
		t.Errorf("used %d when the history is known, want 1", used)
	}
}

// tally is a Watcher that keeps count by what it is told.
type tally map[[2]int]int64

func (c tally) Changed(k int, o ledger.Owner, was, is int64) {
	key := [2]int{k, int(o)}
	if c[key] != was {
		panic("told of a change from another amount")
	}
	c[key] = is
}

// TestInstantsThatGoBack count as the latest one seen, so that nothing is released before its time.
func TestInstantsThatGoBack(t *testing.T) {
	l := newLedger(t, minute)
	if err := l.Charge(begin.Add(10*time.Second), 1, l.Owner("a"), taking(l, 1), ledger.NoRecord); err != nil {
		t.Fatal(err)
	}
	l.Advance(begin)
	if err := l.Settle(1, begin); err != nil {
		t.Fatal(err)
	}
	if at, ok := l.NextRelease(); !ok || !at.Equal(begin.Add(70*time.Second)) {
		t.Errorf("the call is released at %s, want a minute after the latest instant seen, %s", at, begin.Add(70*time.Second))
	}
}

// TestNothingIsForgottenWithoutLimits: until the first plan is known no window says what is old.
func TestNothingIsForgottenWithoutLimits(t *testing.T) {
	l := newLedger(t)
	entries := []ledger.Entry{{Owner: "a", End: begin.Add(-30 * time.Hour)}}
	if err := l.Restore(begin, entries, time.Time{}); err != nil {
		t.Fatal(err)
	}
	l.Advance(begin)
	if err := l.SetLimits(begin, []limits.Limit{{Name: "week", Kind: limits.Rolling, Max: 100, Window: 7 * 24 * time.Hour}}); err != nil {
		t.Fatal(err)
	}
	if used := l.Used(0); used != 1 {
		t.Errorf("used %d, want the call of yesterday", used)
	}
}
