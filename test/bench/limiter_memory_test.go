// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

const (
	dayCalls        = 1_000_000
	dayIntegrations = 100
	// mostDayBytes is what a ledger may take that remembers a full day.
	mostDayBytes = 8 << 20
)

var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// fullDay returns a ledger with a million calls of the last 24 hours in a rolling day, each by an integration at random, and what it takes of the heap.
func fullDay(tb testing.TB) (book *ledger.Ledger, bytes int64) {
	tb.Helper()
	random := rand.New(rand.NewPCG(1, 1))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	book, err := ledger.New(began, []limits.Limit{
		{Name: "minute", Kind: limits.Rolling, Max: 2500, Window: time.Minute},
		{Name: "day", Kind: limits.Rolling, Max: dayCalls, Window: 24 * time.Hour},
	}, limits.DefaultGuards())
	if err != nil {
		tb.Fatal(err)
	}
	owners := make([]ledger.Owner, dayIntegrations)
	for i := range owners {
		owners[i] = book.Owner(string(rune('A' + i)))
	}
	cost := ledger.Cost{1, 1}
	for id := range ledger.ID(dayCalls) {
		at := began.Add(time.Duration(id) * (24 * time.Hour / dayCalls))
		if err := book.Charge(at, id, owners[random.IntN(dayIntegrations)], cost, ledger.NoRecord); err != nil {
			tb.Fatal(err)
		}
		if err := book.Settle(id, at.Add(300*time.Millisecond)); err != nil {
			tb.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	return book, int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// TestLedgerMemory holds the bound that the benchmark prints.
func TestLedgerMemory(t *testing.T) {
	book, bytes := fullDay(t)
	if used := book.Used(1); used != dayCalls {
		t.Errorf("the day has %d calls, want %d: the ledger forgot some", used, dayCalls)
	}
	if bytes > mostDayBytes {
		t.Errorf("the ledger takes %.1f MiB, want at most %d", float64(bytes)/(1<<20), mostDayBytes>>20)
	}
}

// BenchmarkLedgerMemory is a million calls charged and ended, and the heap that is left of them.
func BenchmarkLedgerMemory(b *testing.B) {
	bytes, most := int64(0), int64(0)
	for b.Loop() {
		book, taken := fullDay(b)
		bytes, most = taken, max(most, taken)
		runtime.KeepAlive(book)
	}
	b.ReportMetric(float64(bytes)/(1<<20), "MiB")
	b.ReportMetric(float64(most)/mostDayBytes, "of-8-MiB")
}
