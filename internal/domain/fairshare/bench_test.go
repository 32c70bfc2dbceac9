// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// crowd is a licence with four limits and 100 integrations that all have calls waiting in both lanes.
func crowd(b *testing.B, most int64) (*ledger.Ledger, *fairshare.Sharing, []fairshare.Head) {
	b.Helper()
	book, err := ledger.New(begin, []limits.Limit{
		{Name: "minute", Kind: limits.Rolling, Max: most, Window: time.Minute},
		{Name: "hour", Kind: limits.Rolling, Max: 50 * most, Window: time.Hour},
		{Name: "day", Kind: limits.CalendarDay, Max: 500 * most, Location: time.UTC},
		{Name: "slots", Kind: limits.Concurrent, Max: most},
	}, limits.DefaultGuards())
	if err != nil {
		b.Fatal(err)
	}
	shares, heads := map[string]fairshare.Share{}, []fairshare.Head(nil)
	for i := range 100 {
		shares[fmt.Sprintf("%03d", i)] = fairshare.Share{GuaranteedPercent: int64(i % 2), Weight: int64(1 + i%7), MaxPercent: 100, LendPercent: 50}
	}
	sharing := fairshare.New(book)
	sharing.SetShares(shares)
	for o := range ledger.Owner(100) {
		heads = append(heads, fairshare.Head{Owner: o, Lane: fairshare.Waiting, Cost: 1}, fairshare.Head{Owner: o, Lane: fairshare.Backlog, Cost: 1})
	}
	return book, sharing, heads
}

// BenchmarkDecision picks one of 200 heads, charges it and ends it: every decision sees other amounts.
func BenchmarkDecision(b *testing.B) {
	book, sharing, heads := crowd(b, 1<<40)
	b.ReportAllocs()
	id, now := ledger.ID(0), begin
	for b.Loop() {
		id, now = id+1, now.Add(25*time.Millisecond)
		choice, ok := sharing.Pick(heads)
		if !ok {
			b.Fatal("nothing fits")
		}
		if err := sharing.Charge(now, id, choice); err != nil {
			b.Fatal(err)
		}
		if err := book.Settle(id, now); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNothingFits is what the dispatcher asks most often at the limit.
func BenchmarkNothingFits(b *testing.B) {
	book, sharing, heads := crowd(b, 1)
	if err := book.Charge(begin, 1, 0, 1); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := sharing.Pick(heads); ok {
			b.Fatal("something fits")
		}
	}
}

// BenchmarkAdmissible is the decision for one head after amounts have changed.
func BenchmarkAdmissible(b *testing.B) {
	book, sharing, _ := crowd(b, 1<<40)
	b.ReportAllocs()
	id := ledger.ID(0)
	for b.Loop() {
		id++
		if err := book.Charge(begin, id, 7, 1); err != nil {
			b.Fatal(err)
		}
		if _, ok := sharing.Admissible(3, 1); !ok {
			b.Fatal("does not fit")
		}
		if err := book.Refund(id); err != nil {
			b.Fatal(err)
		}
	}
}
