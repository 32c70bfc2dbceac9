// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// everyCall is the cost of a call under the limits of licence.
var everyCall = ledger.Cost{1, 1, 1, 1}

// licence has the limits of a large Zendesk licence and a rolling day.
func licence(b *testing.B) *ledger.Ledger {
	b.Helper()
	l, err := ledger.New(begin, []limits.Limit{
		{Name: "minute", Kind: limits.Rolling, Max: 2500, Window: time.Minute},
		{Name: "rolling day", Kind: limits.Rolling, Max: 100_000, Window: 24 * time.Hour},
		{Name: "day", Kind: limits.Calendar, Period: limits.Day, Max: 100_000, Location: time.UTC},
		{Name: "slots", Kind: limits.Concurrent, Max: 20},
	}, limits.DefaultGuards())
	if err != nil {
		b.Fatal(err)
	}
	return l
}

// BenchmarkCall is the whole life of a call under four limits in the steady state: 100,000 calls are charged to the longest.
func BenchmarkCall(b *testing.B) {
	l := licence(b)
	owner, now := l.Owner("a"), begin
	call := func(id int) {
		now = now.Add(864 * time.Millisecond)
		if err := l.Charge(now, ledger.ID(id), owner, everyCall, ledger.NoRecord); err != nil {
			b.Fatal(err)
		}
		if err := l.Settle(ledger.ID(id), now); err != nil {
			b.Fatal(err)
		}
	}
	for id := range 110_000 {
		call(id)
	}
	b.ReportAllocs()
	id := 110_000
	for b.Loop() {
		call(id)
		id++
	}
}

// BenchmarkMemory reports the bytes that a call of the last 24 hours takes.
func BenchmarkMemory(b *testing.B) {
	const calls = 100_000
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		l := licence(b)
		owner := l.Owner("a")
		for id := range calls {
			at := begin.Add(time.Duration(id) * 800 * time.Millisecond)
			if err := l.Charge(at, ledger.ID(id), owner, everyCall, ledger.NoRecord); err != nil {
				b.Fatal(err)
			}
			if err := l.Settle(ledger.ID(id), at); err != nil {
				b.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(l)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/calls, "bytes/call")
}

// BenchmarkSetLimits is a change of the limits with 100,000 calls in the log.
func BenchmarkSetLimits(b *testing.B) {
	l := licence(b)
	owner := l.Owner("a")
	ls := make([]limits.Limit, l.Limits())
	for k := range ls {
		ls[k] = l.Limit(k)
	}
	for id := range 100_000 {
		if err := l.Charge(begin, ledger.ID(id), owner, everyCall, ledger.NoRecord); err != nil {
			b.Fatal(err)
		}
		if err := l.Settle(ledger.ID(id), begin); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if err := l.SetLimits(begin, ls); err != nil {
			b.Fatal(err)
		}
	}
}
