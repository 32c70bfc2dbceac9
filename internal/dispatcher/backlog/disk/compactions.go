// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// oneAtATime has compactions run one after the other. Pebble's own scheduler wakes up ten times a second to see whether more may run at a time than before, which here
// is never so: without it the process of an idle store sleeps.
type oneAtATime struct {
	db pebble.DBForCompaction
	// asking counts those who ask db what waits. They hold no lock: db has its own, under which it calls.
	asking sync.WaitGroup

	mu              sync.Mutex
	running, closed bool
	// refused: one was told to wait since what waits was asked for last.
	refused bool
}

var (
	_ pebble.CompactionScheduler   = (*oneAtATime)(nil)
	_ pebble.CompactionGrantHandle = (*oneAtATime)(nil)
)

// Register implements pebble.CompactionScheduler. Nothing else is called before.
func (o *oneAtATime) Register(_ int, db pebble.DBForCompaction) { o.db = db }

// Unregister implements pebble.CompactionScheduler.
func (o *oneAtATime) Unregister() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.asking.Wait()
}

// TrySchedule implements pebble.CompactionScheduler.
func (o *oneAtATime) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.running || o.closed {
		o.refused = true
		return false, nil
	}
	o.running = true
	return true, o
}

// UpdateGetAllowedWithoutPermission implements pebble.CompactionScheduler: one is allowed at any time.
func (*oneAtATime) UpdateGetAllowedWithoutPermission() {}

// Done implements pebble.CompactionGrantHandle: the next one that waits takes the place of the one that has ended.
func (o *oneAtATime) Done() {
	if !o.begin() {
		return
	}
	defer o.asking.Done()
	for {
		if waiting, _ := o.db.GetWaitingCompaction(); waiting && o.db.Schedule(o) {
			return
		}
		if o.leave() {
			return
		}
	}
}

// begin says whether what waits is to be asked for.
func (o *oneAtATime) begin() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		o.running = false
		return false
	}
	o.asking.Add(1)
	o.refused = false
	return true
}

// leave gives the place up, unless one was told to wait meanwhile, which then waits.
func (o *oneAtATime) leave() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running = o.refused && !o.closed
	o.refused = false
	return !o.running
}

// Started implements pebble.CompactionGrantHandle.
func (*oneAtATime) Started() {}

// MeasureCPU implements pebble.CompactionGrantHandle.
func (*oneAtATime) MeasureCPU(pebble.CompactionGoroutineKind) {}

// CumulativeStats implements pebble.CompactionGrantHandle.
func (*oneAtATime) CumulativeStats(pebble.CompactionGrantHandleStats) {}
