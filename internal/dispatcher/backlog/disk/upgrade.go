// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/cockroachdb/pebble/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// upgradeBytes is the size of the batches in which an older volume is upgraded.
const upgradeBytes = 1 << 20

// upgrade brings a new volume or one of an older format into this one. Only its last batch changes the format and what older versions read: after a crash before
// that, either version can go on.
func (s *Store) upgrade() error {
	w := writer{batch: s.db.NewBatch(), from: s.db}
	for _, space := range []byte{spaceReady, spaceTurn, spaceLine, spaceState} { // an upgrade that did not end may have left some
		w.keep(w.batch.DeleteRange([]byte{space}, []byte{space + 1}, nil))
	}
	queued := map[string]*backlog.Tally{}
	err := s.scan([]byte{spaceRecord}, []byte{spaceRecord + 1}, func(key, value []byte) error {
		if w.err != nil || w.batch.Len() > upgradeBytes {
			if err := s.upgraded(&w, pebble.NoSync); err != nil {
				return err
			}
			w = writer{batch: s.db.NewBatch(), from: s.db}
		}
		return s.index(&w, key, value, queued)
	})
	w.keep(err)
	for integration, t := range queued {
		w.merge(tallyKey(integration), encodeTally(*t))
	}
	w.keep(w.batch.DeleteRange([]byte{spaceQueue}, []byte{spaceQueue + 1}, nil))
	w.set(keyFormat, strconv.AppendInt(nil, formatWithout, 10))
	return s.upgraded(&w, pebble.Sync)
}

// index writes the keys by which a call of an older format is found in its state, and the size of its body, which it adds to what is queued. It has no ordering key:
// there were none.
func (s *Store) index(w *writer, key, value []byte, queued map[string]*backlog.Tally) error {
	ref, err := parseRefKey(key)
	if err != nil {
		return err
	}
	r := &record{}
	if err := json.Unmarshal(value, r); err != nil {
		return fmt.Errorf("the store holds a malformed value under %q: %w", key, err)
	}
	if listed(r.State) {
		w.set(stateKey(r.State, ref), nil)
	}
	if r.State == call.StateSucceeded || r.State == call.StateFailed {
		return nil
	}
	body, err := s.get(refKey(spaceBody, ref))
	if err != nil && !errors.Is(err, pebble.ErrNotFound) { // dead calls did not keep it
		return err
	}
	r.Size = int64(len(body))
	if r.State == call.StateQueued {
		s.ready(w, ref, r)
		if queued[ref.Integration] == nil {
			queued[ref.Integration] = &backlog.Tally{}
		}
		queued[ref.Integration].QueuedBytes += r.Size
	}
	w.setJSON(refKey(spaceRecord, ref), r)
	return nil
}

func (s *Store) upgraded(w *writer, sync *pebble.WriteOptions) error {
	err := w.commit(sync)
	s.inEffect(w, err == nil)
	return err
}
