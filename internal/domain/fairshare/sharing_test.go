// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

func perMinute(most int64) limits.Limit {
	return limits.Limit{Name: "minute", Kind: limits.Rolling, Max: most, Window: time.Minute}
}

func perHour(most int64) limits.Limit {
	return limits.Limit{Name: "hour", Kind: limits.Rolling, Max: most, Window: time.Hour}
}

// percent is a share with the operator's defaults: half of what is not used is lent.
func percent(guaranteed int64) fairshare.Share {
	return fairshare.Share{
		Part:        fairshare.Part{Guaranteed: fairshare.Amount{Percent: guaranteed}, Ceiling: fairshare.Amount{Percent: 100}},
		Weight:      1,
		LendPercent: 50,
	}
}

// ceiling is a share of nothing guaranteed and so many percent at most.
func ceiling(most int64) fairshare.Share {
	return fairshare.Share{Part: fairshare.Part{Ceiling: fairshare.Amount{Percent: most}}, Weight: 1}
}

// calls is a share of so many guaranteed units of each limit.
func calls(guaranteed int64) fairshare.Share {
	share := percent(0)
	share.Guaranteed = fairshare.Amount{Units: guaranteed, InUnits: true}
	return share
}

var begin = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// perDay is a calendar day of UTC.
func perDay(most int64) limits.Limit {
	return limits.Limit{Name: "day", Kind: limits.Calendar, Period: limits.Day, Max: most, Location: time.UTC}
}

// one is the cost of a call that takes one unit of each of so many limits.
func one(limits int) ledger.Cost {
	cost := make(ledger.Cost, limits)
	for k := range cost {
		cost[k] = 1
	}
	return cost
}

// office is a ledger with the sharing of its limits.
type office struct {
	t       *testing.T
	book    *ledger.Ledger
	sharing *fairshare.Sharing
	nextID  ledger.ID
}

func newOffice(t *testing.T, shares map[string]fairshare.Share, ls ...limits.Limit) *office {
	t.Helper()
	book, err := ledger.New(begin, ls, limits.Guards{})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, book: book, sharing: fairshare.New(book)}
	o.sharing.SetShares(shares)
	return o
}

// send charges calls at the begin, whether or not they fit.
func (o *office) send(owner string, calls int) {
	o.t.Helper()
	o.sendAt(begin, owner, calls)
}

func (o *office) sendAt(at time.Time, owner string, calls int) {
	o.t.Helper()
	for range calls {
		if err := errors.Join(o.charge(at, owner), o.book.Settle(o.nextID, at)); err != nil {
			o.t.Fatal(err)
		}
	}
}

// charge charges a call that takes one unit of each limit, past the sharing.
func (o *office) charge(at time.Time, owner string) error {
	o.nextID++
	return o.book.Charge(at, o.nextID, o.book.Owner(owner), one(o.book.Limits()), ledger.NoRecord)
}

// head is one of an owner's call that takes one unit of each limit.
func (o *office) head(owner string) fairshare.Head {
	return fairshare.Head{Owner: o.book.Owner(owner), Cost: one(o.book.Limits()), Since: begin}
}

func (o *office) admissible(owner string) (fairshare.Class, bool) {
	return o.sharing.Admissible(o.book.Owner(owner), one(o.book.Limits()))
}

// drain sends calls of these heads until none is admissible.
func (o *office) drain(heads ...fairshare.Head) (sent []fairshare.Choice) {
	o.t.Helper()
	for _, h := range heads {
		o.sharing.Offer(h)
	}
	for {
		choice, ok := o.sharing.Pick(begin)
		if !ok {
			return sent
		}
		o.nextID++
		if err := o.sharing.Charge(begin, o.nextID, choice, ledger.NoRecord); err != nil {
			o.t.Fatal(err)
		}
		o.sharing.Offer(choice.Head)
		sent = append(sent, choice)
	}
}

func TestGuarantees(t *testing.T) {
	named := calls(80)
	named.PerLimit = map[string]fairshare.Part{"minute": calls(7).Part}
	type shares map[string]fairshare.Share
	for name, tc := range map[string]struct {
		limit  limits.Limit
		shares shares
		want   map[string]int64
	}{
		"percentages are rounded down": {
			perMinute(5), shares{"a": percent(60), "b": percent(30), "c": percent(10)}, map[string]int64{"a": 3, "b": 1, "c": 0},
		},
		"units are as many as they are":          {perMinute(400), shares{"a": calls(80)}, map[string]int64{"a": 80}},
		"a limit that is named has its own part": {perMinute(400), shares{"a": named}, map[string]int64{"a": 7}},
		"other limits have the common part":      {perHour(400), shares{"a": named}, map[string]int64{"a": 80}},
		"more than the limit shrinks in step":    {perMinute(100), shares{"a": calls(300), "b": calls(60)}, map[string]int64{"a": 62, "b": 37}},
		"a limit of very many units": {
			perMinute(1 << 50), shares{"a": calls(1 << 50), "b": calls(1 << 49)}, map[string]int64{"a": (1 << 51) / 3, "b": (1 << 50) / 3},
		},
		"a hundred percent in all is not too much": {perMinute(400), shares{"a": percent(60), "b": percent(40)}, map[string]int64{"a": 240, "b": 160}},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, tc.shares, tc.limit)
			got := map[string]int64{}
			for key := range tc.shares {
				got[key] = o.sharing.Guaranteed(0, o.book.Owner(key))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("guarantees (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAShareThatRoundsToNothingStillLetsOneCallThrough(t *testing.T) {
	o := newOffice(t, map[string]fairshare.Share{"a": ceiling(10)}, limits.Limit{Name: "slots", Kind: limits.Concurrent, Max: 5})
	if _, ok := o.admissible("a"); !ok {
		t.Error("ten percent of five slots hold the only call back")
	}
	if err := o.charge(begin, "a"); err != nil {
		t.Fatal(err)
	}
	if _, ok := o.admissible("a"); ok {
		t.Error("ten percent of five slots let two calls through")
	}
}

func TestExplain(t *testing.T) {
	alert := perMinute(1)
	alert.AlertOnly = true
	lender := percent(30)
	lender.LendPercent = 100
	shares := map[string]fairshare.Share{"a": percent(40), "b": percent(20), "c": ceiling(30), "lender": lender}
	for name, tc := range map[string]struct {
		limits []limits.Limit
		sent   map[string]int
		demand map[string]int64
		of     string
		want   fairshare.Explanation
		fits   bool
	}{
		"an own-hard call fits":            {limits: []limits.Limit{perMinute(10)}, of: "a", fits: true},
		"an alert holds nothing back":      {limits: []limits.Limit{alert}, sent: map[string]int{"a": 5}, of: "a", fits: true},
		"idle guarantees are lent in part": {limits: []limits.Limit{perMinute(10)}, sent: map[string]int{"b": 6}, of: "b", fits: true},
		"the limit is used up": {
			limits: []limits.Limit{perMinute(10)}, sent: map[string]int{"a": 7, "b": 3}, of: "b",
			want: fairshare.Explanation{Cause: fairshare.UsedUp, Class: fairshare.Borrowed, Earliest: begin.Add(time.Minute)},
		},
		"the rest is never lent": {
			limits: []limits.Limit{perMinute(10)}, sent: map[string]int{"b": 8}, of: "b",
			want: fairshare.Explanation{Cause: fairshare.Reserved, Class: fairshare.Borrowed, ReservedFor: "a", Earliest: begin.Add(time.Minute)},
		},
		"the rest is forecast to be asked for": {
			limits: []limits.Limit{perMinute(10)}, sent: map[string]int{"b": 6}, demand: map[string]int64{"a": 9}, of: "b",
			want: fairshare.Explanation{Cause: fairshare.Reserved, Class: fairshare.Borrowed, ReservedFor: "a", Earliest: begin.Add(time.Minute)},
		},
		"the own part that can be lent was lent": {
			limits: []limits.Limit{perMinute(10)}, sent: map[string]int{"a": 2, "c": 7}, of: "a",
			want: fairshare.Explanation{Cause: fairshare.Reserved, Class: fairshare.OwnSoft, ReservedFor: "b", Earliest: begin.Add(time.Minute)},
		},
		"what is not lent counts, not what is forecast": {
			limits: []limits.Limit{perMinute(10)}, sent: map[string]int{"a": 2, "c": 7}, demand: map[string]int64{"lender": 3}, of: "a",
			want: fairshare.Explanation{Cause: fairshare.Reserved, Class: fairshare.OwnSoft, ReservedFor: "b", Earliest: begin.Add(time.Minute)},
		},
		"the own ceiling is reached": {
			limits: []limits.Limit{perMinute(10)}, sent: map[string]int{"c": 3}, of: "c",
			want: fairshare.Explanation{Cause: fairshare.Ceiling, Class: fairshare.Borrowed, Earliest: begin.Add(time.Minute)},
		},
		"who has no share never fits": {
			limits: []limits.Limit{perMinute(10)}, of: "stranger",
			want: fairshare.Explanation{Cause: fairshare.NoShare, Class: fairshare.Borrowed},
		},
		"of two limits the later one binds": {
			limits: []limits.Limit{perMinute(10), perDay(10)}, sent: map[string]int{"a": 10}, of: "a",
			want: fairshare.Explanation{Cause: fairshare.UsedUp, Limit: 1, Class: fairshare.Borrowed, Earliest: begin.Add(12*time.Hour + 5*time.Minute)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, shares, tc.limits...)
			for _, owner := range []string{"a", "b", "c", "lender"} {
				o.send(owner, tc.sent[owner])
				o.sharing.SetDemand(0, o.book.Owner(owner), tc.demand[owner])
			}
			got, blocked := o.sharing.Explain(begin, o.head(tc.of))
			if diff := cmp.Diff(tc.want, got); blocked == tc.fits || diff != "" {
				t.Errorf("blocked: %t, explanation (-want +got):\n%s", blocked, diff)
			}
			if _, admissible := o.admissible(tc.of); admissible != tc.fits {
				t.Errorf("admissible: %t, want %t", admissible, tc.fits)
			}
		})
	}
}

// TestSharesFollowTheLimits changes limits and shares while calls are charged, and holds the sharing against the definition.
func TestSharesFollowTheLimits(t *testing.T) {
	o := newOffice(t, map[string]fairshare.Share{"a": percent(50), "b": percent(50)}, perMinute(10))
	o.send("a", 4)
	if err := o.book.SetLimits(begin, []limits.Limit{perHour(6), perMinute(20)}); err != nil {
		t.Fatal(err)
	}
	o.sharing.SetShares(map[string]fairshare.Share{"a": percent(50), "c": percent(50)})
	for owner, want := range map[string]bool{
		"a": true,  // 4 of its 3, 3 reserved for c: borrows the last one c lends
		"b": false, // no share any more
		"c": true,  // own-hard
	} {
		if _, got := o.admissible(owner); got != want {
			t.Errorf("a call of %s is admissible: %t, want %t", owner, got, want)
		}
	}
	if e, _ := o.sharing.Explain(begin, o.head("b")); e.Cause != fairshare.NoShare {
		t.Errorf("b has to wait for %d, want %d, no share", e.Cause, fairshare.NoShare)
	}
}

// TestOwnersTakeTurnsAfterALimitWasLowered: then not every own-hard call fits, and a low number is no advantage.
func TestOwnersTakeTurnsAfterALimitWasLowered(t *testing.T) {
	never := percent(50)
	never.LendPercent = 0
	o := newOffice(t, map[string]fairshare.Share{"a": never, "b": never, "c": percent(0)}, perMinute(100))
	o.send("c", 4)
	if err := o.book.SetLimits(begin, []limits.Limit{perMinute(8)}); err != nil {
		t.Fatal(err)
	}
	o.sharing.SetShares(map[string]fairshare.Share{"a": never, "b": never})
	var order string
	for _, choice := range o.drain(o.head("a"), o.head("b")) {
		order += o.book.Name(choice.Owner)
	}
	if order != "abab" {
		t.Errorf("the four calls that still fit went to %s, want abab", order)
	}
}

func TestAChoiceIsChargedOnce(t *testing.T) {
	o := newOffice(t, map[string]fairshare.Share{"a": percent(50)}, perMinute(10))
	o.sharing.Offer(o.head("a"))
	choice, ok := o.sharing.Pick(begin)
	if !ok {
		t.Fatal("nothing was picked")
	}
	if err := o.sharing.Charge(begin, 1, choice, ledger.NoRecord); err != nil {
		t.Fatal(err)
	}
	o.sharing.Offer(o.head("a"))
	if err := o.sharing.Charge(begin, 1, choice, ledger.NoRecord); !errors.Is(err, ledger.ErrCharged) || o.book.Used(0) != 1 {
		t.Errorf("the second charge: %v, used %d", err, o.book.Used(0))
	}
	if _, ok := o.sharing.Pick(begin); !ok {
		t.Error("the charge that failed took the next head away")
	}
}

// TestABorrowedCallCanBecomeAnOwnOne: the earliest release is the one that makes it so, not the one that leaves enough to borrow.
func TestABorrowedCallCanBecomeAnOwnOne(t *testing.T) {
	never, always := percent(40), percent(40)
	never.LendPercent, always.LendPercent = 0, 100
	o := newOffice(t, map[string]fairshare.Share{"a": never, "b": always, "c": percent(0)}, perMinute(10))
	o.sendAt(begin, "a", 1)
	o.sendAt(begin.Add(30*time.Second), "c", 3)
	o.sendAt(begin.Add(40*time.Second), "a", 3)
	o.sharing.SetDemand(0, o.book.Owner("b"), 4)
	e, blocked := o.sharing.Explain(begin.Add(40*time.Second), o.head("a"))
	if want := begin.Add(time.Minute); !blocked || e.Class != fairshare.Borrowed || !e.Earliest.Equal(want) {
		t.Errorf("blocked: %t, %+v, want a borrowed call that fits at %s, when its first one is released", blocked, e, want)
	}
	o.book.Advance(begin.Add(time.Minute))
	if class, ok := o.admissible("a"); !ok || class != fairshare.OwnHard {
		t.Errorf("admissible then: %t, of class %d", ok, class)
	}
}

func TestADemandCountsAtOnce(t *testing.T) {
	o := newOffice(t, map[string]fairshare.Share{"a": percent(100), "b": percent(0)}, perMinute(10))
	o.send("b", 5)
	for _, demand := range []int64{0, 10} {
		o.sharing.SetDemand(0, o.book.Owner("a"), demand)
		if _, ok := o.admissible("b"); ok {
			t.Errorf("b borrows a sixth call of a's ten, of which a keeps five, while a is forecast to ask for %d", demand)
		}
	}
	o.book.Advance(begin.Add(time.Minute))
	for demand, want := range map[int64]bool{0: true, 10: false} {
		o.sharing.SetDemand(0, o.book.Owner("a"), demand)
		if _, ok := o.admissible("b"); ok != want {
			t.Errorf("b borrows a call while a is forecast to ask for %d: %t, want %t", demand, ok, want)
		}
	}
}
