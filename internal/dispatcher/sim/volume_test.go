// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// Each of Pebble's memtables, and so of its logs, is twice as large as the one before, within these bounds, in bytes.
const (
	smallestMemTable = 256 << 10
	largestMemTable  = 4 << 20
)

// volume is a disk whose fsync of the write-ahead log takes time, now and then a long one: machines can stall, or die, between any two steps. Its operations can fail.
type volume struct {
	vfs.FS
	*breakage
	mu     sync.Mutex
	random *rand.Rand
	// stall is how long the next fsync takes.
	stall time.Duration
	// lies: fsync does nothing.
	lies bool
	// written to the log in use, whose memtable has at least this many bytes.
	written, memTable int
	// syncing is how many fsyncs take their time.
	syncing int
}

// wait takes as long as an fsync does, and a stall that is due. A log that may soon be full is synced in no time: Pebble closes it under the lock of all
// commits, and virtual time stands still while another commit waits for a lock. A log is full when its memtable is, which holds more than it of many small
// records. The same holds while a store is opened.
func (v *volume) wait() {
	v.mu.Lock()
	if v.written >= v.memTable/4 || !v.running.Load() {
		v.mu.Unlock()
		return
	}
	took := 100*time.Microsecond + time.Duration(v.random.Int64N(int64(5*time.Millisecond))) + v.stall
	v.stall = 0
	v.syncing++
	v.mu.Unlock()
	time.Sleep(took)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.syncing--
}

// expectMuch is called before so much is written at once that the log in use is full by it: no fsync takes its time from then on.
func (v *volume) expectMuch() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.written = v.memTable; v.syncing > 0; {
		v.mu.Unlock()
		time.Sleep(time.Millisecond)
		v.mu.Lock()
	}
}

func (v *volume) stallOnce(d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stall = d
}

// newVolume has the disk fail as what says.
func newVolume(disk vfs.FS, what *breakage, random *rand.Rand, lies bool) *volume {
	return &volume{FS: errorfs.Wrap(disk, what), breakage: what, random: random, lies: lies}
}

// Create implements vfs.FS.
func (v *volume) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := v.FS.Create(name, category)
	if err != nil {
		return nil, err
	}
	return v.wrap(name, f), nil
}

// ReuseForWrite implements vfs.FS.
func (v *volume) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := v.FS.ReuseForWrite(from, to, category)
	if err != nil {
		return nil, err
	}
	return v.wrap(to, f), nil
}

func (v *volume) wrap(name string, f vfs.File) vfs.File {
	if !strings.HasSuffix(name, ".log") {
		return f
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.written, v.memTable = 0, min(max(2*v.memTable, smallestMemTable), largestMemTable)
	return &slowFile{File: f, volume: v}
}

// slowFile is the write-ahead log.
type slowFile struct {
	vfs.File
	volume *volume
}

// Write implements vfs.File.
func (f *slowFile) Write(p []byte) (int, error) {
	f.volume.mu.Lock()
	f.volume.written += len(p)
	f.volume.mu.Unlock()
	return f.File.Write(p)
}

// Sync implements vfs.File.
func (f *slowFile) Sync() error {
	f.volume.wait()
	if f.volume.lies {
		return nil
	}
	return f.File.Sync()
}

// SyncData implements vfs.File.
func (f *slowFile) SyncData() error { return f.Sync() }

// SyncTo implements vfs.File.
func (f *slowFile) SyncTo(int64) (fullSync bool, err error) { return true, f.Sync() }
