// SPDX-License-Identifier: Apache-2.0

package forecast_test

import (
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

var month = limits.Limit{Name: "month", Kind: limits.Calendar, Max: 30_000, Period: limits.Month, Location: time.UTC}

// BenchmarkAsk is what one call costs in a History, and in a Demand of each kind, with a call every 50 ms; slots are closed as they pass.
func BenchmarkAsk(b *testing.B) {
	for name, l := range map[string]limits.Limit{"minute": minute, "rollingDay": rollingDay, "day": day, "slots": slots} {
		b.Run(name, func(b *testing.B) {
			h := forecast.NewHistory(time.UTC)
			d, now := forecast.NewDemand(l, h), begin
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(50 * time.Millisecond)
				d.Ask(now, 1)
			}
		})
	}
	b.Run("history", func(b *testing.B) {
		h, now := forecast.NewHistory(time.UTC), begin
		b.ReportAllocs()
		for b.Loop() {
			now = now.Add(50 * time.Millisecond)
			h.Ask(now, 1)
		}
	})
}

func BenchmarkSend(b *testing.B) {
	d, now := forecast.NewDemand(minute, nil), begin
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(50 * time.Millisecond)
		d.Send(now, 1)
	}
}

// BenchmarkUntil is one forecast after a month of office hours.
func BenchmarkUntil(b *testing.B) {
	for _, l := range []limits.Limit{minute, rollingDay, day, month, slots} {
		b.Run(l.Kind.String()+" "+l.Name, func(b *testing.B) {
			in := newIntegration(1, l)
			now := in.weeksOfOfficeHours(4).Add(10 * time.Hour)
			p := forecast.Present{Used: 40, Left: 14 * time.Hour}
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Millisecond)
				in.demands[0].Until(now, p)
			}
		})
	}
}

// BenchmarkHalfHour is what an integration costs each half hour: the History learns, scores and foresees.
func BenchmarkHalfHour(b *testing.B) {
	h, now := forecast.NewHistory(time.UTC), begin
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(30 * time.Minute)
		h.Ask(now, 7)
	}
}

func BenchmarkAhead(b *testing.B) {
	in := newIntegration(1, day)
	now := in.weeksOfOfficeHours(4)
	b.ReportAllocs()
	for b.Loop() {
		ahead := in.demands[0].Ahead(now)
		ahead.At(time.Hour)
	}
}

// BenchmarkDrain is the time for one queued call's answer: behind a backlog that takes minutes, and one that takes days.
func BenchmarkDrain(b *testing.B) {
	ahead := steadily(100)
	capacities := []forecast.Capacity{
		{Kind: limits.Rolling, Max: 400, Share: 40, Most: 400, Free: 10, Reserved: 20, PerCall: 1, Window: time.Minute, Ahead: ahead},
		{Kind: limits.Calendar, Max: 20_000, Share: 2000, Most: 20_000, Free: 9000, PerCall: 1, Window: 24 * time.Hour, Reset: 3 * time.Hour, Ahead: ahead},
		{Kind: limits.Concurrent, Max: 20, Share: 2, Most: 20, Free: 5, PerCall: 1, Hold: 400 * time.Millisecond, Ahead: ahead},
	}
	for name, calls := range map[string]int64{"minutes": 1500, "days": 50_000} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, ok := forecast.Drain(calls, capacities); !ok {
					b.Fatal("cannot be foreseen")
				}
			}
		})
	}
}

func BenchmarkExhaust(b *testing.B) {
	e := forecast.Exhaustion{Free: 2000, Renewal: 24 * time.Hour, Ahead: steadily(100)}
	for i := range 16 {
		e.Releases = append(e.Releases, forecast.Release{After: time.Duration(i) * 90 * time.Minute, Units: 20})
	}
	b.ReportAllocs()
	for b.Loop() {
		forecast.Exhaust(begin, e)
	}
}

// BenchmarkAdvisor is a call every 50 ms in the limit of a minute, with its share of the steps that pass.
func BenchmarkAdvisor(b *testing.B) {
	a, now := forecast.NewAdvisor(minute, targets), begin
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(50 * time.Millisecond)
		a.Ask(now, 1, false)
	}
}

// BenchmarkMemory is what 1,000 integrations with 16 limits take: half of them rolling, half calendar, which is more than any licence has.
func BenchmarkMemory(b *testing.B) {
	var all []*integration
	for b.Loop() {
		all = all[:0]
		for range 1000 {
			ls := make([]limits.Limit, 0, 16)
			for range 8 {
				ls = append(ls, minute, day)
			}
			all = append(all, newIntegration(1, ls...))
		}
	}
	b.ReportAllocs()
	b.ReportMetric(float64(len(all)), "integrations")
}

func BenchmarkSnapshot(b *testing.B) {
	in := newIntegration(1, day)
	in.weeksOfOfficeHours(2)
	stored := in.history.Snapshot(nil)
	b.ReportAllocs()
	for b.Loop() {
		stored = in.history.Snapshot(stored[:0])
	}
	b.ReportMetric(float64(len(stored)), "bytes")
}
