// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/cockroachdb/pebble/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Formats are versions of what the keys and values mean. Version 1 had charges of one cost in place of amounts, version 2 one queue of all queued calls. Version 3
// had no data keys, and would send what is encrypted as it is; nor bulk calls, whose members it would never end. Its keys are as they are now.
const (
	formatInOrder = 3
	// formatWithout references and urgencies is what a new volume has. A dispatcher that knows no more would send references as they are, and not find calls of their
	// own urgency again.
	formatWithout = 4
	// formatReferences has those, but no callbacks, and no bulk calls of several integrations. A dispatcher that knows no more would tell nobody, and look for the
	// members of a bulk call in one integration.
	formatReferences = 5
	// format is the newest. A volume is raised to what it needs with the first call that needs it, and can go back to an older dispatcher until then.
	format = 6
)

func (s *Store) checkFormat() error {
	value, err := s.get(keyFormat)
	if err != nil && !errors.Is(err, pebble.ErrNotFound) {
		return err
	}
	found := 0
	if err == nil {
		if found, err = strconv.Atoi(string(value)); err != nil || found > format {
			return fmt.Errorf("the volume has format %q and this version reads up to %d: run the version that wrote it, or a newer one", value, format)
		}
	}
	s.format.Store(int32(max(found, formatWithout))) //nolint:gosec // at most format
	switch {
	case found >= formatWithout:
		return nil
	case found == formatInOrder:
		return s.db.Set(keyFormat, strconv.AppendInt(nil, formatWithout, 10), pebble.Sync)
	default:
		return s.upgrade()
	}
}

// needs is the format that a volume with such a call must have.
func needs(c *call.Call) int32 {
	switch {
	case c.Callback != "":
		return format
	case len(c.References) > 0 || c.Urgency != 0:
		return formatReferences
	default:
		return formatWithout
	}
}

// raise makes the volume one of that format, durably, unless it is already. Two calls that need different ones cannot leave the lower.
func (s *Store) raise(to int32) error {
	if s.format.Load() >= to {
		return nil
	}
	s.raising <- struct{}{}
	defer func() { <-s.raising }()
	if s.format.Load() >= to { // somebody else has done it
		return nil
	}
	if err := s.db.Set(keyFormat, strconv.AppendInt(nil, int64(to), 10), pebble.Sync); err != nil {
		return fmt.Errorf("raise the volume's format: %w", err)
	}
	s.format.Store(to)
	return nil
}
