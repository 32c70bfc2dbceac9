// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing/fstest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/guard"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/intake"
)

const (
	dataDir = "data"
	// reserve of the volume, in bytes.
	reserve = 64 << 20
	// backOff is at most how long it takes until a machine that ended by itself is started again.
	backOff = 30 * time.Second
)

// machine is one life of the dispatcher, from power on to power off.
type machine struct {
	*dispatcher.Dispatcher
	intake http.Handler
	disk   *vfs.MemFS
	boot   string
	volume *volume
	link   *link
	random *rand.Rand
	// dead: nothing that comes out of it any more has happened.
	dead  atomic.Bool
	stop  context.CancelFunc
	ended chan struct{}
}

// powerOn starts a dispatcher on a disk, on the boot named. It tries again while the disk fails.
func (w *world) powerOn(disk *vfs.MemFS, boot string, random *rand.Rand, trouble ...errorfs.OpKind) {
	w.t.Helper()
	for {
		err := w.start(disk, boot, random, trouble)
		if err == nil {
			return
		}
		if len(trouble) == 0 && !w.shelf.full.Load() {
			w.t.Errorf("the dispatcher does not start: %v", err)
			return
		}
		w.count(func(h *happened) { h.failedStarts++ })
		trouble = nil
		time.Sleep(time.Second + time.Duration(random.Int64N(int64(backOff))))
	}
}

func (w *world) start(disk *vfs.MemFS, boot string, random *rand.Rand, trouble []errorfs.OpKind) error {
	w.t.Helper()
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(random.Uint32())
	}
	broken := &breakage{shelf: &w.shelf, count: func() { w.count(func(h *happened) { h.diskErrors++ }) }}
	for _, kind := range trouble {
		broken.next(kind, 1)
	}
	own := func() *rand.Rand { return rand.New(rand.NewPCG(random.Uint64(), 2)) } //nolint:gosec // repeatable on purpose
	m := &machine{
		disk: disk, boot: boot, volume: newVolume(disk, broken, own(), w.lyingDisk), link: &link{network: w.network}, random: own(), ended: make(chan struct{}),
	}
	d, err := dispatcher.New(w.options(m, seed))
	if err != nil {
		return err
	}
	m.Dispatcher = d
	broken.running.Store(true)
	calls := intake.Calls(d.Scheduler)
	if w.calls != nil {
		calls = w.calls(d.Scheduler)
	}
	m.intake = intake.New(intake.Options{Calls: calls, Log: w.logger(), Rand: rand.NewChaCha8(seed)})
	ctx, stop := context.WithCancel(context.Background())
	m.stop = func() {
		broken.running.Store(false) // Pebble closes a log under a lock, too
		stop()
	}
	go func() {
		defer close(m.ended)
		if err := d.Run(ctx); err != nil {
			w.fall(m, err.Error())
		}
	}()
	w.machine.Store(m)
	if err := d.Scheduler.Apply(ctx, w.currentPlan()); err != nil && !m.dying() {
		w.t.Errorf("the plan is not accepted: %v", err)
	}
	return nil
}

func (w *world) options(m *machine, seed [32]byte) dispatcher.Options {
	var wrong time.Duration
	if w.wallError > 0 {
		wrong = time.Duration(m.random.Int64N(int64(2*w.wallError))) - w.wallError
	}
	return dispatcher.Options{
		FS: m.volume, DataDir: dataDir, Reserve: reserve, Dialer: func(contract.Network) guard.Dial { return m.link.dial }, TLS: w.trust, Guards: w.guards, Seed: seed, Logger: w.logger(), Past: w.currentPlan().Ledger,
		Secret: fstest.MapFS{"token": {Data: []byte(secret + "\n")}, "client-id": {Data: []byte("app")}},
		Machine: func() backlog.Machine {
			wall := time.Now().Add(wrong + time.Duration(w.wallStep.Load()))
			return backlog.Machine{BootID: m.boot, Boot: time.Since(w.began), Wall: wall, WallError: w.wallError}
		},
		OwnSecrets: receiverKeys,
		Fatal:      func(reason string) { w.fall(m, reason) },
		Between:    w.between,
	}
}

func (w *world) logger() *slog.Logger {
	if verbose() {
		return slog.New(slog.NewTextHandler(w.t.Output(), nil))
	}
	return slog.New(slog.DiscardHandler)
}

// fall is the end of a process that does not trust its disk any more: from this moment on nothing that it does is seen. It is started again on what the disk holds.
func (w *world) fall(m *machine, reason string) {
	if m.dead.Swap(true) {
		return
	}
	if m.volume.failed.Load() == 0 {
		w.t.Errorf("the dispatcher ended, and its disk had not failed: %s", reason)
	}
	if verbose() {
		w.t.Logf("the dispatcher ends by itself: %s", reason)
	}
	w.count(func(h *happened) { h.ends++ })
	m.link.cut()
	left := m.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: m.random}) // the machine goes on
	m.volume.mend()
	w.restarts.Go(func() {
		m.end()
		time.Sleep(time.Duration(m.random.Int64N(int64(backOff))))
		w.powerOn(left, m.boot, m.random)
	})
	w.machine.CompareAndSwap(m, nil)
}

// dying says whether the machine is dead, or about to be: its work ends before it does.
func (m *machine) dying() bool {
	for range 10 {
		if m.dead.Load() {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// end lets what is left of a dead machine end.
func (m *machine) end() {
	m.stop()
	<-m.ended
}

// powerOff ends the machine at a moment at which all of it waits for time to pass, and returns what its disk holds then. unsynced percent of what was not
// synced survives. There is no machine to be ended while one that ended by itself has not been started again.
func (w *world) powerOff(unsynced int, random *rand.Rand) (left *vfs.MemFS, was bool) {
	m := w.machine.Load()
	if m == nil || m.dead.Swap(true) {
		return nil, false
	}
	w.machine.Store(nil)
	left = m.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: random})
	m.link.cut()
	m.volume.mend()
	m.stop()
	return left, true
}

// shutDown ends the machine as SIGTERM does.
func (w *world) shutDown() {
	if m := w.machine.Swap(nil); m != nil {
		m.end()
	}
}

// later names what a machine is called after it was started anew.
func later(boot string, random *rand.Rand) string {
	if random.IntN(3) < 2 {
		return boot
	}
	return fmt.Sprint("boot ", random.Uint32())
}
