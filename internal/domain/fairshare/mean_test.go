// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// TestWhoComesNewIsNotAheadOfThoseThatAreLeft: when all that hold the mean back have to wait for a slot themselves, who comes then starts where the others are.
func TestWhoComesNewIsNotAheadOfThoseThatAreLeft(t *testing.T) {
	dear := plenty("units")
	m := newMarket(t, []int64{1, 1, 1}, dear, slots("slot"))
	m.must(m.book.Charge(m.now, 1<<40, m.book.Owner("stranger"), ledger.Cost{0, 1}, ledger.NoRecord))
	head := func(owner, kind int, cost ...int64) fairshare.Head {
		return fairshare.Head{Owner: ledger.Owner(owner), Kind: kind, Cost: cost, Since: begin}
	}
	m.next(head(0, 0, 1000, 0)) // it has had a thousand
	m.must(m.book.Refund(1 << 40))
	m.ask(head(0, 0, 1, 1), head(0, 1, 1, 0), head(1, 0, 1, 1))
	if choice, ok := m.sharing.Pick(m.now); !ok || choice.Owner != 1 {
		t.Fatalf("%+v is first, want the one that had nothing yet", choice)
	}
	m.must(m.book.Charge(m.now, 1<<41, m.book.Owner("stranger"), ledger.Cost{0, 1}, ledger.NoRecord))
	choice, ok := m.sharing.Pick(m.now)
	if !ok || choice.Owner != 0 || choice.Kind != 1 {
		t.Fatalf("%+v is next, want the only one that needs no slot", choice)
	}
	sent := 0
	for range 100 {
		sent += int(m.next(head(0, 1, 1, 0), head(2, 0, 1, 0)).Owner) / 2
	}
	if sent < 49 || sent > 51 {
		t.Errorf("who came new sent %d of 100 calls beside one other, want half", sent)
	}
}

// TestWhoWasHeldBackIsWhereItWas: it gets its part from when it can send again, neither more for having waited nor less, whether its head was offered once or
// again and again.
func TestWhoWasHeldBackIsWhereItWas(t *testing.T) {
	for name, again := range map[string]bool{"offered once": false, "offered again and again": true} {
		t.Run(name, func(t *testing.T) {
			units := plenty("units")
			units.Max, units.Window = 1<<20, 100*365*24*time.Hour // it renews so slowly that the slot does not price the calls
			m := newMarket(t, []int64{1, 1, 1}, units, slots("slot"))
			head := func(owner int) fairshare.Head {
				return fairshare.Head{Owner: ledger.Owner(owner), Cost: ledger.Cost{1, int64(owner) / 2}, Since: begin}
			}
			send := func(calls int) (sent [3]int) {
				for range calls {
					if again {
						m.sharing.Offer(head(2))
					}
					choice, ok := m.sharing.Pick(m.now)
					if !ok {
						t.Fatal("nothing was picked")
					}
					m.sent++
					m.must(m.sharing.Charge(m.now, m.sent, choice, ledger.NoRecord))
					m.must(m.book.Refund(m.sent)) // what it was charged for is not the matter here
					m.sharing.Offer(choice.Head)
					sent[choice.Owner]++
				}
				return sent
			}
			for owner := range 3 {
				m.sharing.Offer(head(owner))
			}
			for round := range ledger.ID(3) {
				if sent := send(30); min(sent[0], sent[1], sent[2]) < 9 {
					t.Errorf("before round %d %v of 30 calls were sent, want a third each", round, sent)
				}
				m.must(m.book.Charge(m.now, 1<<40+round, m.book.Owner("stranger"), ledger.Cost{0, 1}, ledger.NoRecord))
				if sent := send(100); sent[2] != 0 {
					t.Errorf("%d calls were sent without a slot", sent[2])
				}
				m.must(m.book.Refund(1<<40 + round))
			}
		})
	}
}

// TestWhoWasHeldBackTakesItsPlaceAlong when it asks for something else that is not held back.
func TestWhoWasHeldBackTakesItsPlaceAlong(t *testing.T) {
	m, head := heldBack(t, ledger.Cost{1, 1})
	m.ask(head(0, 0, 1, 0), head(1, 0, 1, 0), head(2, 0, 1, 0))
	sent := [3]int{}
	for range 30 {
		sent[m.next(head(0, 0, 1, 0), head(1, 0, 1, 0), head(2, 0, 1, 0)).Owner]++
	}
	if min(sent[0], sent[1], sent[2]) < 9 {
		t.Errorf("%v of 30 calls were sent, want a third each", sent)
	}
}

// TestADearCallIsNotSentInPlaceOfACheapOne, also if its place was held back: who is found by a cheap call, and would send a dear one, has to be due by that.
func TestADearCallIsNotSentInPlaceOfACheapOne(t *testing.T) {
	m, head := heldBack(t, ledger.Cost{5, 1})
	m.must(m.book.Refund(1 << 40))
	cheap := head(0, 1, 1, 0)
	cheap.Since = begin.Add(time.Second)
	m.sharing.Offer(cheap)
	if choice, _ := m.sharing.Pick(m.now); choice.Owner != 2 {
		t.Errorf("%+v is next, want the one whose call is due before the dear one", choice)
	}
}

// heldBack has integration 0 wait for a slot, with a call of this cost, while two others send fifty and 49 calls.
func heldBack(t *testing.T, cost ledger.Cost) (*market, func(owner, kind int, cost ...int64) fairshare.Head) {
	t.Helper()
	units := plenty("units")
	units.Max, units.Window = 1<<20, 100*365*24*time.Hour // it renews so slowly that the slot does not price the calls
	m := newMarket(t, []int64{1, 1, 1}, units, slots("slot"))
	head := func(owner, kind int, cost ...int64) fairshare.Head {
		return fairshare.Head{Owner: ledger.Owner(owner), Kind: kind, Cost: cost, Since: begin}
	}
	m.must(m.book.Charge(m.now, 1<<40, m.book.Owner("stranger"), ledger.Cost{0, 1}, ledger.NoRecord))
	for range 99 {
		if choice := m.next(head(0, 0, cost...), head(1, 0, 1, 0), head(2, 0, 1, 0)); choice.Owner == 0 {
			t.Fatal("the one without a slot was sent")
		}
	}
	m.ask(head(0, 0, cost...), head(1, 0, 1, 0), head(2, 0, 1, 0))
	return m, head
}

// TestABacklogThatCannotGoIsNotPassed: what waiting calls send while it is held back does not count against them.
func TestABacklogThatCannotGoIsNotPassed(t *testing.T) {
	units := plenty("units")
	units.Max, units.Window = 1<<20, 100*365*24*time.Hour
	m := newMarket(t, []int64{1}, units, slots("slot"))
	m.must(m.book.Charge(m.now, 1<<40, m.book.Owner("stranger"), ledger.Cost{0, 1}, ledger.NoRecord))
	waiting := fairshare.Head{Cost: ledger.Cost{1, 0}, Since: begin}
	backlog := fairshare.Head{Lane: fairshare.Backlog, Cost: ledger.Cost{1, 1}, Since: begin}
	for range 20 {
		if m.next(waiting, backlog).Lane == fairshare.Backlog {
			t.Fatal("the backlog was sent without a slot")
		}
	}
	m.must(m.book.Refund(1 << 40))
	order := ""
	for range 5 {
		order += []string{"w", "b"}[m.next(waiting, backlog).Lane]
	}
	if order != "wwwwb" {
		t.Errorf("then the order is %s, want wwwwb", order)
	}
}
