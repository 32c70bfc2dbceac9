// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// fakeDB asks for compactions as Pebble does: once one was refused, it waits to be asked.
type fakeDB struct {
	t          *testing.T
	compaction *oneAtATime

	mu                     sync.Mutex
	due, running, finished int
	waiting                bool
	// answered, if set, is called when nothing waits.
	answered func()
}

// want has one more compaction be due.
func (d *fakeDB) want() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.due++
	d.schedule()
}

func (d *fakeDB) schedule() {
	for d.due > 0 && !d.waiting {
		granted, _ := d.compaction.TrySchedule()
		if d.waiting = !granted; granted {
			d.run()
		}
	}
}

func (d *fakeDB) run() {
	d.due--
	if d.running++; d.running > 1 {
		d.t.Errorf("%d compactions run at a time", d.running)
	}
	go func() {
		time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
		d.mu.Lock()
		d.running--
		d.finished++
		d.mu.Unlock()
		d.compaction.Done()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.schedule()
	}()
}

// GetAllowedWithoutPermission implements pebble.DBForCompaction.
func (*fakeDB) GetAllowedWithoutPermission() int { return 1 }

// GetWaitingCompaction implements pebble.DBForCompaction.
func (d *fakeDB) GetWaitingCompaction() (bool, pebble.WaitingCompaction) {
	d.mu.Lock()
	d.waiting = d.waiting && d.due > 0
	waiting, answered := d.waiting, d.answered
	d.mu.Unlock()
	if !waiting && answered != nil {
		d.answered = nil
		answered()
	}
	return waiting, pebble.WaitingCompaction{}
}

// Schedule implements pebble.DBForCompaction.
func (d *fakeDB) Schedule(pebble.CompactionGrantHandle) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting = d.waiting && d.due > 0; d.waiting {
		d.run()
	}
	return d.waiting
}

// TestCompactionsRunOneAfterTheOther: never two at a time, and none waits for ever.
func TestCompactionsRunOneAfterTheOther(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			d := &fakeDB{t: t, compaction: &oneAtATime{}}
			d.compaction.Register(1, d)
			const each, clients = 50, 4
			for range clients {
				go func() {
					for range each {
						d.want()
						time.Sleep(time.Duration(rand.IntN(8)) * time.Millisecond)
					}
				}()
			}
			time.Sleep(time.Minute)
			d.compaction.Unregister()
			if d.finished != clients*each {
				t.Errorf("%d compactions were finished of %d", d.finished, clients*each)
			}
		})
	}
}

// TestACompactionThatComesWhileAnotherEnds is one that is refused when it has just been said that none waits.
func TestACompactionThatComesWhileAnotherEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDB{t: t, compaction: &oneAtATime{}}
		d.compaction.Register(1, d)
		d.answered = d.want
		d.want()
		time.Sleep(time.Minute)
		synctest.Wait()
		if d.finished != 2 {
			t.Errorf("%d compactions were finished of 2", d.finished)
		}
	})
}

// TestNoCompactionBeginsWhileAStoreCloses: the one that runs may end, and that starts none.
func TestNoCompactionBeginsWhileAStoreCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDB{t: t, compaction: &oneAtATime{}}
		d.compaction.Register(1, d)
		d.want()
		d.want()
		d.compaction.Unregister()
		time.Sleep(time.Minute)
		synctest.Wait()
		if d.finished != 1 || d.due != 1 {
			t.Errorf("%d compactions were finished, and %d are due", d.finished, d.due)
		}
	})
}
