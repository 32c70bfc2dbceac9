// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/disk"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// BenchmarkTurn measures what a call that fits costs the loop, two turns, beside so many other integrations: idle ones, or ones of which each has a caller that waits
// for a limit that is used up. The volume is in memory.
func BenchmarkTurn(b *testing.B) {
	for _, waiting := range []bool{false, true} {
		for _, n := range []int{10, 100, 1000} {
			b.Run(fmt.Sprintf("waiting=%t/integrations=%d", waiting, n), func(b *testing.B) {
				s := newLoop(b, n)
				if waiting {
					for i := range n {
						c := read("/exports")
						c.Integration = fmt.Sprintf("a/x%d", i)
						s.admit(&waiter{call: c, answered: make(chan reply, 1)}, time.Hour)
					}
					s.turnOnce(b)
					s.land1(b)
				}
				began, n := cpuTime(b), 0
				for b.Loop() {
					n++
					w := &waiter{call: read("/x"), answered: make(chan reply, 1)}
					w.call.Integration = "a/x0"
					s.admit(w, time.Minute)
					s.turnOnce(b)
					s.land1(b)
					<-w.answered
				}
				b.ReportMetric(float64((cpuTime(b)-began).Microseconds())/float64(n), "cpu-µs/op")
			})
		}
	}
}

// cpuTime is what the process has taken of the processors: on a busy machine, that is steadier than the time of day.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkFullTurn measures a call in a turn that sends as many as it can, beside so many idle integrations.
func BenchmarkFullTurn(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("integrations=%d", n), func(b *testing.B) {
			s := newLoop(b, n)
			began, calls := cpuTime(b), 0
			for b.Loop() {
				var all []*waiter
				for i := range maxSends {
					w := &waiter{call: read("/x"), answered: make(chan reply, 1)}
					w.call.Integration = fmt.Sprintf("a/x%d", i%n)
					s.admit(w, time.Minute)
					all = append(all, w)
				}
				s.turnOnce(b)
				for range all {
					(<-s.commands)()
				}
				s.turnOnce(b)
				calls += len(all)
			}
			b.ReportMetric(float64((cpuTime(b)-began).Microseconds())/float64(calls), "cpu-µs/call")
		})
	}
}

// loop is a scheduler whose turns the benchmark takes itself.
type loop struct{ *Scheduler }

func newLoop(b *testing.B, n int) loop {
	b.Helper()
	store, err := disk.Open(disk.Options{
		FS: vfs.NewMem(), Dir: "data", Entropy: rand.Reader, Logger: slog.New(slog.DiscardHandler), Fatal: func(reason string) { panic(reason) },
	})
	if err != nil {
		b.Fatal(err)
	}
	c := &clock{sent: make(chan time.Time, 1024)}
	go discard(c.sent)
	b.Cleanup(func() {
		close(c.sent)
		_ = store.Close() // in memory
	})
	made, err := New(Options{
		Store: store, Upstream: c, Now: time.Now, Guards: limits.DefaultGuards(), Logger: slog.New(slog.DiscardHandler),
		Provider: func(*contract.Plan) (Provider, bool) { return testDialect{}, true },
		Machine:  func() backlog.Machine { return backlog.Machine{BootID: "boot"} },
		Random:   mathrand.New(mathrand.NewPCG(1, 1)), //nolint:gosec // repeatable on purpose
	})
	if err != nil {
		b.Fatal(err)
	}
	s := loop{made}
	s.apply(plan(1, func(p *contract.Plan) {
		p.Limits = []contract.Limit{
			{Name: "minute", Calls: 1e9, WindowSeconds: 60}, {Name: "day", Calls: 1e9, WindowSeconds: 86400}, {Name: "at-a-time", Concurrent: 1000},
			{Name: "exports", Calls: 1, WindowSeconds: 86400, Match: &contract.Match{Path: "/exports"}},
		}
		one := p.Integrations[0]
		one.Share = contract.Share{Part: contract.Part{MaxPercent: 100}, Weight: 1}
		p.Integrations = nil
		for i := range n {
			one.Name = fmt.Sprint("x", i)
			p.Integrations = append(p.Integrations, one)
		}
	}), make(chan error, 1))
	s.turnOnce(b)
	return s
}

func (s loop) turnOnce(b *testing.B) {
	b.Helper()
	if _, err := s.turn(); err != nil {
		b.Fatal(err)
	}
}

// land1 takes the outcome of a call, with a turn.
func (s loop) land1(b *testing.B) {
	b.Helper()
	(<-s.commands)()
	s.turnOnce(b)
}
