// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"errors"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// errDevice is what a disk says that does not work.
var errDevice = errors.New("input/output error")

// breakable are the kinds of operations that can fail. Those of reading a file are among them: what cannot be read must not count as not there.
var breakable = []errorfs.OpKind{
	errorfs.OpCreate, errorfs.OpOpen, errorfs.OpOpenDir, errorfs.OpRemove, errorfs.OpRename, errorfs.OpReuseForWrite, errorfs.OpMkdirAll, errorfs.OpLock, errorfs.OpList,
	errorfs.OpStat, errorfs.OpGetDiskUsage, errorfs.OpFileClose, errorfs.OpFileRead, errorfs.OpFileReadAt, errorfs.OpFileWrite, errorfs.OpFileStat, errorfs.OpFileSync,
	errorfs.OpFileSyncData, errorfs.OpFileSyncTo,
}

// opening are the kinds of operations that can fail while a store is opened. Those that come late are not among them: a store that is given up then leaves work
// behind in Pebble that takes this process with it. A dispatcher ends anyway.
var opening = []errorfs.OpKind{
	errorfs.OpMkdirAll, errorfs.OpLock, errorfs.OpOpenDir, errorfs.OpOpen, errorfs.OpStat, errorfs.OpFileRead, errorfs.OpFileReadAt, errorfs.OpFileStat,
}

// shelf is what volumes have in common as long as nobody makes room: one life of the machine after the other.
type shelf struct {
	// low: less is free than what is kept for calls that are in the store. full: nothing can be written, not even what opening takes.
	low, full atomic.Bool
}

func (s *shelf) empty() {
	s.low.Store(false)
	s.full.Store(false)
}

// breakage has operations of a volume fail. It implements errorfs.Injector.
//
// Writes to the write-ahead log never do: Pebble panics then with its locks held, and virtual time stands still while anybody waits for a lock. What comes of those
// is shown by the tests of package disk.
type breakage struct {
	shelf *shelf
	// running: the store is open.
	running atomic.Bool
	// kind of the operation that fails next, as often as left says.
	kind atomic.Int64
	left atomic.Int64
	// failed is how many have.
	failed atomic.Int64
	count  func()
}

func (b *breakage) fail() {
	b.failed.Add(1)
	b.count()
}

// String implements errorfs.Injector.
func (*breakage) String() string { return "breakage" }

// next has the next n operations of a kind fail.
func (b *breakage) next(kind errorfs.OpKind, n int) {
	b.kind.Store(int64(kind))
	b.left.Store(int64(n))
}

func (b *breakage) mend() { b.left.Store(0) }

// MaybeError implements errorfs.Injector.
func (b *breakage) MaybeError(op errorfs.Op) error {
	isLog := strings.HasSuffix(op.Path, ".log") || op.Path == dataDir // which is synced when there is another log
	if isLog && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && op.Kind != errorfs.OpMkdirAll {
		return nil
	}
	if b.shelf.full.Load() && !b.running.Load() && op.Kind == errorfs.OpMkdirAll {
		b.fail()
		return syscall.ENOSPC
	}
	if b.left.Load() > 0 && op.Kind == errorfs.OpKind(b.kind.Load()) && b.left.Add(-1) >= 0 {
		b.fail()
		return errDevice
	}
	return nil
}

// GetDiskUsage implements vfs.FS.
func (v *volume) GetDiskUsage(path string) (vfs.DiskUsage, error) {
	if err := v.MaybeError(errorfs.Op{Kind: errorfs.OpGetDiskUsage, Path: path}); err != nil {
		return vfs.DiskUsage{}, err
	}
	u := vfs.DiskUsage{AvailBytes: 10 << 30, TotalBytes: 20 << 30}
	if v.shelf.low.Load() || v.shelf.full.Load() {
		u.AvailBytes = reserve - 1
	}
	u.UsedBytes = u.TotalBytes - u.AvailBytes
	return u, nil
}
