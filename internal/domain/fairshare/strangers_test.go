// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// TestIntegrationsThatCameLater: the ledger may meet an owner when shares are in force, and each question can be the first about it.
func TestIntegrationsThatCameLater(t *testing.T) {
	for name, ask := range map[string]func(o *office, stranger ledger.Owner) bool{
		"it is not admissible": func(o *office, stranger ledger.Owner) bool {
			_, ok := o.sharing.Admissible(stranger, one(1))
			return !ok
		},
		"it has no share": func(o *office, stranger ledger.Owner) bool {
			e, waits := o.sharing.Explain(begin, fairshare.Head{Owner: stranger, Cost: one(1), Since: begin})
			return waits && e.Cause == fairshare.NoShare
		},
		"nothing of it is picked": func(o *office, stranger ledger.Owner) bool {
			o.sharing.Offer(fairshare.Head{Owner: stranger, Cost: one(1), Since: begin})
			_, ok := o.sharing.Pick(begin)
			return !ok
		},
		"nothing of it was offered": func(o *office, stranger ledger.Owner) bool {
			o.sharing.Withdraw(stranger, fairshare.Waiting, 0)
			_, ok := o.sharing.Pick(begin)
			return !ok
		},
		"what it has used is known": func(o *office, _ ledger.Owner) bool {
			o.send("stranger", 3)
			return o.sharing.BorrowedBy(0, o.book.Owner("stranger")) == 3
		},
		"what is forecast of it changes nothing": func(o *office, stranger ledger.Owner) bool {
			o.sharing.SetDemand(0, stranger, 10)
			o.sharing.SetLive(0, stranger, 10, 0)
			_, soft := o.sharing.Reserved(0, stranger)
			return soft == 0 && o.sharing.Live(0, stranger) == 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, map[string]fairshare.Share{"a": percent(10)}, perMinute(10))
			if !ask(o, o.book.Owner("stranger")) {
				t.Error("it is not so")
			}
		})
	}
}

// TestTheClassIsTheWorstOfAllLimits that count the call, in whatever order they are.
func TestTheClassIsTheWorstOfAllLimits(t *testing.T) {
	for name, tc := range map[string]struct {
		used map[int]int64 // by limit, of the first's guarantee of 4, of which 2 are never lent
		cost ledger.Cost
		want fairshare.Class
	}{
		"own-hard in both":                  {nil, ledger.Cost{1, 1}, fairshare.OwnHard},
		"own-soft in the first":             {map[int]int64{0: 2}, ledger.Cost{1, 1}, fairshare.OwnSoft},
		"own-soft in the second":            {map[int]int64{1: 2}, ledger.Cost{1, 1}, fairshare.OwnSoft},
		"borrowed in the first":             {map[int]int64{0: 4, 1: 2}, ledger.Cost{1, 1}, fairshare.Borrowed},
		"borrowed in the second":            {map[int]int64{0: 2, 1: 4}, ledger.Cost{1, 1}, fairshare.Borrowed},
		"the second does not count it":      {map[int]int64{0: 2, 1: 4}, ledger.Cost{1, 0}, fairshare.OwnSoft},
		"one that is passed need not count": {map[int]int64{0: 2, 1: 15}, ledger.Cost{1, 0}, fairshare.OwnSoft},
	} {
		t.Run(name, func(t *testing.T) {
			minute, hour := plenty("minute"), plenty("hour")
			minute.Max, hour.Max = 10, 10
			o := newOffice(t, map[string]fairshare.Share{"a": percent(40)}, minute, hour)
			id := ledger.ID(100)
			for k, used := range tc.used {
				cost := ledger.Cost{0, 0}
				cost[k], id = used, id+1
				if err := o.book.Charge(begin, id, o.book.Owner("a"), cost, ledger.NoRecord); err != nil {
					t.Fatal(err)
				}
			}
			if got, ok := o.sharing.Admissible(o.book.Owner("a"), tc.cost); !ok || got != tc.want {
				t.Errorf("admissible: %t, of class %d, want %d", ok, got, tc.want)
			}
			if e, waits := o.sharing.Explain(begin, fairshare.Head{Owner: o.book.Owner("a"), Cost: tc.cost, Since: begin}); waits {
				t.Errorf("it has to wait: %+v", e)
			}
		})
	}
}

// TestExplanationsAreOfTheirInstant: what has been released by then does not hold a call back.
func TestExplanationsAreOfTheirInstant(t *testing.T) {
	for after, want := range map[time.Duration]bool{time.Minute - 1: true, time.Minute: false} {
		o := newOffice(t, map[string]fairshare.Share{"a": percent(10)}, perMinute(10))
		o.send("a", 10)
		if e, waits := o.sharing.Explain(begin.Add(after), o.head("a")); waits != want {
			t.Errorf("%s later it has to wait: %t, %+v", after, waits, e)
		}
	}
}

// TestTheFirstOfEqualReservesIsNamed, so that an explanation does not depend on chance.
func TestTheFirstOfEqualReservesIsNamed(t *testing.T) {
	o := newOffice(t, map[string]fairshare.Share{"a": percent(0), "b": lending(0, percent(30)), "c": lending(0, percent(30)), "d": percent(0)}, perMinute(10))
	o.send("d", 4)
	if e, _ := o.sharing.Explain(begin, o.head("a")); e.Cause != fairshare.Reserved || e.ReservedFor != "b" {
		t.Errorf("it has to wait for the reserve of %s: %+v", e.ReservedFor, e)
	}
}

// TestTheDefaultWeightIsOne, also of a share that says none and of who has had none yet.
func TestTheDefaultWeightIsOne(t *testing.T) {
	for name, weight := range map[string]int64{"said": 1, "not said": 0} {
		m := newMarket(t, []int64{weight, 2})
		sent := 0
		for range 300 {
			sent += int(m.next(units(2)...).Owner)
		}
		if sent != 200 {
			t.Errorf("%s: beside a weight of 2 it sent %d of 300 calls, want 100", name, 300-sent)
		}
	}
}

// TestAForecastDoesNotHoldItsOwnCallsBack: what is kept free for an integration because of it is there for a call that takes more than the guarantee, also if
// that was offered before.
func TestAForecastDoesNotHoldItsOwnCallsBack(t *testing.T) {
	l := plenty("units")
	l.Max = 10
	m := newMarketOf(t, map[string]fairshare.Share{"0": lending(100, percent(50))}, l)
	m.ask(unit(0, 6))
	for _, demand := range []int64{0, 5, 2} {
		m.sharing.SetDemand(0, 0, demand)
		if choice, ok := m.sharing.Pick(m.now); !ok || choice.Class != fairshare.Borrowed {
			t.Errorf("with %d forecast %+v was picked: %t", demand, choice, ok)
		}
	}
}

// TestAPartOfATagIsNotLostWithAnotherWeight: what division left over counts in units of the old weight, so it is dropped and not taken for more.
func TestAPartOfATagIsNotLostWithAnotherWeight(t *testing.T) {
	l := plenty("units")
	light, heavy := borrower(1), borrower(1<<20)
	m := newMarketOf(t, map[string]fairshare.Share{"0": heavy, "1": heavy}, l)
	for range 10 {
		m.next(unit(0, 1), unit(1, 1))
	}
	m.sharing.SetShares(map[string]fairshare.Share{"0": light, "1": light})
	sent := 0
	for range 100 {
		sent += int(m.next(units(2)...).Owner)
	}
	if sent != 50 {
		t.Errorf("the second of two equals sent %d of 100 calls", sent)
	}
}
