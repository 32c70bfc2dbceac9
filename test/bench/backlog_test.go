// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/disk"
	calls "github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// millionCalls is the backlog of BenchmarkMillion.
const millionCalls = 1_000_000

// BenchmarkMillion reports, for a backlog of a million calls of 200 bytes, what it adds to the resident memory of a dispatcher on hold, how long one that was
// killed takes to be ready again, and after that, with the hold ended, to send the first call. All of a million ordering keys can be sent; of one whose first call is parked, none
// can, and the call that is sent is the last one.
func BenchmarkMillion(b *testing.B) {
	for name, key := range map[string]func(n int) string{
		"keys": strconv.Itoa,
		"blocked": func(n int) string {
			if n == millionCalls-1 {
				return ""
			}
			return "one"
		},
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				million(b, key)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func million(b *testing.B, key func(n int) string) {
	b.Helper()
	crm := startStub(b)
	hold := func(p *contract.Plan) { p.Hold = true }
	empty := start(b, crm.url, hold)
	time.Sleep(2 * time.Second)
	base := residentMiB(b, empty.command.Process.Pid)
	empty.kill(b)

	p := prepare(b, crm.url, hold)
	b.ReportMetric(fill(b, p.dataDir(), key), "appends/s")
	p.run(b)
	time.Sleep(2 * time.Second)
	b.ReportMetric(residentMiB(b, p.command.Process.Pid)-base, "MiB-over-empty")
	p.kill(b)

	p.plan.Sequence, p.plan.Hold = 2, false
	p.plan.Limits = []contract.Limit{{Name: "minute", Calls: 1, WindowSeconds: 60}}
	p.writePlan(b)
	crm.listen.Store(true)
	began := time.Now()
	p.run(b)
	first := <-crm.arrived
	b.ReportMetric(float64(p.startedToReady.Milliseconds()), "ready-ms")
	b.ReportMetric(float64(max(0, first.Sub(began)-p.startedToReady).Microseconds())/1000, "first-after-ready-ms")
	b.ReportMetric(float64(first.Sub(began).Milliseconds()), "first-after-exec-ms")
	reportMillis(b, "fdatasync", syncTimes(b, p.dir))
	p.kill(b)
}

// fill stores the backlog and returns how many calls a second that took. The first call is parked if the second one has the same key.
func fill(b *testing.B, dir string, key func(n int) string) float64 {
	b.Helper()
	store, err := disk.Open(disk.Options{
		FS: vfs.Default, Dir: filepath.Join(dir, "store"), Entropy: rand.Reader, Logger: slog.New(slog.DiscardHandler), Fatal: func(reason string) { panic(reason) },
	})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // the benchmark opens it again
	began := time.Now()
	add := func(n int) calls.ID {
		a, err := store.Append(backlog.Entry{
			Call: &calls.Call{
				Integration: "bench/app", Client: "app", Operation: "CreateTicket", Method: "POST", Target: "/api/v2/tickets.json", Body: make([]byte, 200),
				OrderKey: key(n), Repeat: calls.Repeat{Class: calls.RepeatKeyed, KeyValidFor: 2 * time.Hour}, AcceptedAt: time.Now(), Expires: began.Add(24 * time.Hour),
			},
			MaxQueued: millionCalls,
		})
		if err != nil {
			b.Error(err)
		}
		return a.ID
	}
	first := backlog.Ref{Integration: "bench/app", ID: add(0)}
	if key(0) == key(1) {
		park := backlog.Transition{Ref: first, From: calls.StateQueued, To: calls.StateParked, At: began, Reason: "the benchmark parks it"}
		if _, err := store.Commit(&backlog.Batch{Transitions: []backlog.Transition{park}}); err != nil {
			b.Fatal(err)
		}
	}
	var next atomic.Int64
	var writers sync.WaitGroup
	for range 128 {
		writers.Go(func() {
			for n := next.Add(1); n < millionCalls-1; n = next.Add(1) {
				add(int(n))
			}
		})
	}
	writers.Wait()
	add(millionCalls - 1)
	return millionCalls / time.Since(began).Seconds()
}

// syncTimes are those of the disk itself: a page written and synced.
func syncTimes(b *testing.B, dir string) []time.Duration {
	b.Helper()
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // nobody reads it
	times := make([]time.Duration, 0, 500)
	page := make([]byte, 4096)
	for range cap(times) {
		began := time.Now()
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(began))
	}
	return times
}
