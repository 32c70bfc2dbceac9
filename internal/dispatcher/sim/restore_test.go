// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
)

// restoreSeeds is how many worlds with a volume that was put back a test run lives through.
const restoreSeeds = 12

// TestAVolumeThatWasPutBack holds in worlds in which a snapshot of the volume is taken and put back minutes later what TestSimulation does, but for the calls that
// were accepted in between: these are gone.
func TestAVolumeThatWasPutBack(t *testing.T) {
	all := &sum{}
	t.Cleanup(func() { t.Log(all) })
	inWorlds(t, restoreSeeds, func(t *testing.T, seed uint64) {
		s := choose(seed)
		s.restores, s.outages, s.longOutage = 1+int(seed%2), 0, false //nolint:gosec // it is small
		v := run(t, seed, s)
		all.add(v)
		v.hold(t)
	})
}

// restore takes a snapshot of the volume, and some minutes later the power away; it puts the snapshot back and plays the manager, which has heard a report in between.
func (w *world) restore(ctx context.Context, random *rand.Rand) {
	m := w.machine.Load()
	before, _, heard := w.hear(ctx)
	if m == nil || !heard {
		return
	}
	synctest.Wait()
	w.mu.Lock()
	kept := len(w.promises)
	w.mu.Unlock()
	snapshot := m.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: random})
	sleep(ctx, upTo(random, 4*time.Minute))
	report, at, heard := w.hear(ctx)
	if !heard || report.Position <= before.Position+1 {
		return // nothing has been sent since: the snapshot is as good as the volume
	}
	sleep(ctx, time.Duration(random.IntN(15))*time.Second)
	synctest.Wait()
	if _, was := w.powerOff(100, random); !was {
		return // whoever ended the machine starts it again
	}
	w.mu.Lock()
	w.happened.restores++
	w.happened.forgotten += len(w.promises) - kept
	w.promises = w.promises[:kept]
	w.mu.Unlock()

	if w.unnoticed {
		w.powerOn(snapshot, w.boot, random) //nolint:contextcheck // a machine outlives the load
		return
	}
	w.plan.Ledger = contract.LedgerPast{AfterLoss: contract.LedgerBounded, Volume: report.Volume, Reached: report.Position, ReachedAt: at}
	w.applyAnew(ctx)                    // the plan that is mounted when the machine starts
	w.powerOn(snapshot, w.boot, random) //nolint:contextcheck // a machine outlives the load
	w.tellWhatWasUsed(ctx, report, at)
}

// hear is a report that the manager gets.
func (w *world) hear(ctx context.Context) (report scheduler.Snapshot, at time.Time, heard bool) {
	m := w.machine.Load()
	if m == nil {
		return report, at, false
	}
	report, err := m.Scheduler.Snapshot(context.WithoutCancel(ctx))
	return report, time.Now(), err == nil
}

// applyAnew puts the plan in force once more.
func (w *world) applyAnew(ctx context.Context) {
	next := w.plan
	next.Sequence = w.currentPlan().Sequence + 1
	w.apply(ctx, &next)
}

// tellWhatWasUsed is the manager: when the dispatcher reports that it waits on another volume, the plan says what was reported last, and then that this volume counts.
func (w *world) tellWhatWasUsed(ctx context.Context, last scheduler.Snapshot, at time.Time) {
	for range 100 {
		time.Sleep(5 * time.Second)
		now, _, heard := w.hear(ctx)
		switch {
		case !heard:
		case now.Ledger.Waiting:
			used := map[string]int64{}
			for _, limit := range last.Windows {
				used[limit.Name] = limit.Used
			}
			w.plan.Ledger.Lost = &contract.LedgerLost{Found: now.Volume, At: at, Used: used}
			w.applyAnew(context.WithoutCancel(ctx))
		case now.Volume != last.Volume:
			w.plan.Ledger = contract.LedgerPast{AfterLoss: contract.LedgerBounded, Volume: now.Volume}
			w.applyAnew(context.WithoutCancel(ctx))
			return
		default:
			w.t.Errorf("a volume that was put back is taken for %s at %d, which had reached %d", now.Volume, now.Position, last.Position)
			return
		}
	}
	w.t.Error("the dispatcher does not go on")
}
