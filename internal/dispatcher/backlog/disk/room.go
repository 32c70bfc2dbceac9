// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
)

// recheckAfter is how many bytes may be appended between two looks at the free space; the reserve is many times that.
const recheckAfter = 1 << 20

// room refuses new calls before the volume is full: a failed write would stop the process, and calls that were accepted could not end.
type room struct {
	fs      vfs.FS
	dir     string
	reserve uint64

	mu sync.Mutex
	// unchecked is how many bytes may still be appended before the next look.
	unchecked int
}

// take checks that there is room for size more bytes. A file system that cannot tell its free space always has room.
func (r *room) take(size int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.unchecked -= size; r.unchecked > 0 {
		return nil
	}
	usage, err := r.fs.GetDiskUsage(r.dir)
	switch {
	case errors.Is(err, vfs.ErrUnsupported):
	case err != nil:
		return fmt.Errorf("look at the free space of %s: %w", r.dir, err)
	case usage.AvailBytes < r.reserve+uint64(size): //nolint:gosec // a size is not negative
		return backlog.ErrStoreFull
	}
	r.unchecked = recheckAfter
	return nil
}

// Room returns backlog.ErrStoreFull while no call can be accepted.
func (s *Store) Room() error { return s.room.take(0) }
