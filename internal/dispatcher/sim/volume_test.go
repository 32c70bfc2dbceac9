// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// volume is a disk whose fsync of the write-ahead log takes time, now and then a long one: machines can stall, or die, between any two steps.
type volume struct {
	vfs.FS
	mu     sync.Mutex
	random *rand.Rand
	// stall is how long the next fsync takes.
	stall time.Duration
	// lies: fsync does nothing.
	lies bool
}

func (v *volume) fsync() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	took := 100*time.Microsecond + time.Duration(v.random.Int64N(int64(5*time.Millisecond))) + v.stall
	v.stall = 0
	return took
}

func (v *volume) stallOnce(d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stall = d
}

// Create implements vfs.FS.
func (v *volume) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := v.FS.Create(name, category)
	return v.wrap(name, f), err
}

// ReuseForWrite implements vfs.FS.
func (v *volume) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := v.FS.ReuseForWrite(from, to, category)
	return v.wrap(to, f), err
}

func (v *volume) wrap(name string, f vfs.File) vfs.File {
	if f == nil || !strings.HasSuffix(name, ".log") {
		return f
	}
	return &slowFile{File: f, volume: v}
}

// slowFile is the write-ahead log.
type slowFile struct {
	vfs.File
	volume *volume
}

// Sync implements vfs.File.
func (f *slowFile) Sync() error {
	if fromFlushLoop() {
		time.Sleep(f.volume.fsync())
	}
	if f.volume.lies {
		return nil
	}
	return f.File.Sync()
}

// SyncData implements vfs.File.
func (f *slowFile) SyncData() error { return f.Sync() }

// SyncTo implements vfs.File.
func (f *slowFile) SyncTo(int64) (fullSync bool, err error) { return true, f.Sync() }

// fromFlushLoop says whether it is the log's own goroutine that syncs. When the log is full, another one does so under the lock of all commits; to sleep there
// would stop virtual time, since those who wait for a lock do not wait for time.
func fromFlushLoop() bool {
	callers := make([]uintptr, 16)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, ".flushLoop") {
			return true
		}
		if !more {
			return false
		}
	}
}
