// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// TestOutsideIsCharged to one limit, and stays so through edits, until it is set again.
func TestOutsideIsCharged(t *testing.T) {
	minute := limits.Limit{Name: "minute", Kind: limits.Rolling, Max: 400, Window: time.Minute}
	day := limits.Limit{Name: "day", Kind: limits.Calendar, Max: 2500, Period: limits.Day, Location: time.UTC}
	l, err := ledger.New(begin, []limits.Limit{minute, day}, limits.DefaultGuards())
	if err != nil {
		t.Fatal(err)
	}
	us, they := l.Owner("us"), l.Owner("they")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	expect := func(when string, k int, used, outside, settled, open int64) {
		t.Helper()
		gotSettled, gotOpen := l.Own(k)
		if l.Used(k) != used || l.UsedBy(k, they) != outside || l.Outside(k) != outside || gotSettled != settled || gotOpen != open {
			t.Errorf("%s: limit %d has %d used, %d by them, %d outside, %d settled and %d open; want %d, %d, %d, %d", when, k,
				l.Used(k), l.UsedBy(k, they), l.Outside(k), gotSettled, gotOpen, used, outside, settled, open)
		}
	}
	for id := range ledger.ID(3) {
		must(l.Charge(begin, id, us, ledger.Cost{1, 1}, ledger.NoRecord))
	}
	must(l.Settle(0, begin))
	must(l.Abandon(1, begin))
	l.SetOutside(0, they, 120)
	expect("set", 0, 123, 120, 1, 2)
	expect("set", 1, 3, 0, 1, 2)
	l.SetOutside(0, they, 100)
	expect("set again", 0, 103, 100, 1, 2)

	minute.Max = 200
	must(l.SetLimits(begin, []limits.Limit{minute, day}))
	expect("made smaller", 0, 103, 100, 1, 2)
	l.SetOutside(1, they, 7)
	l.Advance(begin.Add(25 * time.Hour))
	expect("a day later", 1, 8, 7, 0, 1)
	l.SetOutside(0, they, 0)
	l.SetOutside(1, they, 0)
	expect("set to nothing", 0, 1, 0, 0, 1)
}
