// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/disk"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// BenchmarkDrainStart measures, in real time and with real fsyncs, how long after the window has room the next queued call leaves. An iteration takes a second.
func BenchmarkDrainStart(b *testing.B) {
	s, sent, stop := newBenchmark(b, contract.Limit{Name: "second", Calls: 1, WindowSeconds: 1})
	defer stop()
	for range 10_000 {
		if _, _, err := s.Enqueue(b.Context(), write("/x", call.RepeatKeyed), "", [32]byte{}); err != nil {
			b.Fatal(err)
		}
	}
	hold := limits.DefaultGuards().Hold(limits.Limit{Kind: limits.Rolling, Window: time.Second})
	var late []time.Duration
	last := <-sent
	for b.Loop() {
		at := <-sent
		late = append(late, at.Sub(last)-hold)
		last = at
	}
	slices.Sort(late)
	b.ReportMetric(float64(late[len(late)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(late[len(late)*99/100].Microseconds())/1000, "ms-p99")
}

// BenchmarkDo measures a call that fits, from Do to its answer by a CRM that takes no time: the scheduler's turn and one fsync.
func BenchmarkDo(b *testing.B) {
	s, sent, stop := newBenchmark(b, contract.Limit{Name: "minute", Calls: 1e9, WindowSeconds: 60})
	defer stop()
	go discard(sent)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			a, err := s.Do(context.Background(), read("/x"), time.Minute)
			if err != nil {
				b.Error(err)
				return
			}
			_ = a.Body.Close() // in memory
		}
	})
}

// BenchmarkEnqueue measures a durable acknowledgement with many clients at a time.
func BenchmarkEnqueue(b *testing.B) {
	s, sent, stop := newBenchmark(b, contract.Limit{Name: "minute", Calls: 1e9, WindowSeconds: 60})
	defer stop()
	go discard(sent)
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, _, err := s.Enqueue(context.Background(), write("/x", call.RepeatKeyed), "", [32]byte{}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// clock is a CRM that tells when calls arrive.
type clock struct {
	sent chan time.Time
}

// Send implements Sender.
func (c *clock) Send(context.Context, *upstream.Charge, upstream.Destination, *call.Call) upstream.Outcome {
	now := time.Now()
	c.sent <- now
	return upstream.Outcome{Sent: true, Began: now, Ended: now, Answer: &call.Answer{Status: http.StatusOK, Body: http.NoBody}}
}

func discard(sent <-chan time.Time) {
	for range sent {
	}
}

// newBenchmark runs a scheduler on the disk. What it sends is told on the channel, which must be read.
func newBenchmark(b *testing.B, limit contract.Limit) (s *Scheduler, sent <-chan time.Time, stop func()) {
	b.Helper()
	store, err := disk.Open(disk.Options{
		FS: vfs.Default, Dir: b.TempDir(), Entropy: rand.Reader, Logger: slog.New(slog.DiscardHandler), Fatal: func(reason string) { panic(reason) },
	})
	if err != nil {
		b.Fatal(err)
	}
	c := &clock{sent: make(chan time.Time, 1024)}
	s, err = New(Options{
		Store: store, Upstream: c, Now: time.Now, Guards: limits.DefaultGuards(), Logger: slog.New(slog.DiscardHandler),
		Provider: func(*contract.Plan) (Provider, bool) { return testDialect{}, true },
		Machine:  func() backlog.Machine { return backlog.Machine{BootID: "boot"} },
		Random:   mathrand.New(mathrand.NewPCG(1, 1)), //nolint:gosec // repeatable on purpose
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	p := plan(1, func(p *contract.Plan) {
		p.Limits, p.Integrations[0].Queue.MaxCalls = []contract.Limit{limit}, 1e9
	})
	if err := s.Apply(ctx, p); err != nil {
		b.Fatal(err)
	}
	return s, c.sent, func() {
		cancel()
		if err := errors.Join(<-ended, store.Close()); err != nil {
			b.Error(err)
		}
	}
}
