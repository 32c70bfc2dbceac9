// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing/fstest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/intake"
)

// machine is one life of the dispatcher, from power on to power off.
type machine struct {
	*dispatcher.Dispatcher
	intake http.Handler
	disk   *vfs.MemFS
	volume *volume
	link   *link
	// dead: nothing that comes out of it any more has happened.
	dead  atomic.Bool
	stop  context.CancelFunc
	ended chan struct{}
}

// powerOn starts a dispatcher on a disk, on the boot named.
func (w *world) powerOn(ctx context.Context, disk *vfs.MemFS, boot string, random *rand.Rand) {
	w.t.Helper()
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(random.Uint32())
	}
	m := &machine{
		disk:   disk,
		volume: &volume{FS: disk, random: rand.New(rand.NewPCG(random.Uint64(), 2)), lies: w.lyingDisk}, //nolint:gosec // repeatable on purpose
		link:   &link{network: w.network},
		ended:  make(chan struct{}),
	}
	var wrong time.Duration
	if w.wallError > 0 {
		wrong = time.Duration(random.Int64N(int64(2*w.wallError))) - w.wallError
	}
	logger := slog.New(slog.DiscardHandler)
	if verbose() {
		logger = slog.New(slog.NewTextHandler(w.t.Output(), nil))
	}
	d, err := dispatcher.New(dispatcher.Options{
		FS: m.volume, DataDir: "data", Dial: m.link.dial, Guards: w.guards, Seed: seed, Logger: logger,
		Secret: fstest.MapFS{"token": {Data: []byte(secret + "\n")}, "client-id": {Data: []byte("app")}},
		Machine: func() backlog.Machine {
			return backlog.Machine{BootID: boot, Boot: time.Since(w.began), Wall: time.Now().Add(wrong), WallError: w.wallError}
		},
		Fatal: func(reason string) { panic(reason) },
	})
	if err != nil {
		w.t.Fatalf("the dispatcher does not start: %v", err)
	}
	m.Dispatcher = d
	calls := intake.Calls(d.Scheduler)
	if w.unordered {
		calls = unordered{d.Scheduler}
	}
	m.intake = intake.New(intake.Options{Calls: calls, Log: logger, Rand: rand.NewChaCha8(seed)})
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = stop
	go func() {
		defer close(m.ended)
		if err := d.Run(ctx); err != nil && !m.dead.Load() {
			w.t.Errorf("the dispatcher ended: %v", err)
		}
	}()
	if err := d.Scheduler.Apply(ctx, w.currentPlan()); err != nil {
		w.t.Errorf("the plan is not accepted: %v", err)
	}
	w.machine.Store(m)
}

// powerOff ends the machine at a moment at which all of it waits for time to pass, and returns what its disk holds then. unsynced percent of what was not
// synced survives.
func (w *world) powerOff(unsynced int, random *rand.Rand) *vfs.MemFS {
	m := w.machine.Swap(nil)
	left := m.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: random})
	m.dead.Store(true)
	m.link.cut()
	m.stop()
	return left
}

// shutDown ends the machine as SIGTERM does.
func (w *world) shutDown() {
	if m := w.machine.Swap(nil); m != nil {
		m.stop()
		<-m.ended
	}
}
