// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
)

// recheckAfter is how many bytes may be appended between two looks at the free space.
const recheckAfter = 1 << 20

// room refuses new calls before the volume is full: a failed write would stop the process, and calls that were accepted could not end.
type room struct {
	fs      vfs.FS
	dir     string
	reserve uint64

	mu       sync.Mutex
	appended int
	full     bool
}

// take checks that there is room for size more bytes. A file system that cannot tell its free space has always room.
func (r *room) take(size int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.appended += size
	if r.full || r.appended >= recheckAfter || r.appended == size {
		usage, err := r.fs.GetDiskUsage(r.dir)
		if err != nil && !errors.Is(err, vfs.ErrUnsupported) {
			return fmt.Errorf("look at the free space of %s: %w", r.dir, err)
		}
		r.full = err == nil && usage.AvailBytes < r.reserve+uint64(size) //nolint:gosec // a size is not negative
		r.appended = size
	}
	if r.full {
		r.appended = 0
		return backlog.ErrStoreFull
	}
	return nil
}
