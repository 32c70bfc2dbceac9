// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"testing"

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
