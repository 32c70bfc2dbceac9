// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"encoding/json"
	"fmt"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// setBulks writes bulk calls, and forgets those that have no members any more.
func (s *Store) setBulks(w *writer, all []backlog.Bulk) {
	for _, b := range all {
		if b.Empty() {
			w.del(bulkKey(b.ID))
			continue
		}
		if len(b.Owners) > 0 {
			w.keep(s.raise(format))
		}
		w.setJSON(bulkKey(b.ID), b)
	}
}

// bulks are those that have members, with what is known of these.
func (s *Store) bulks() (all []backlog.SentBulk, err error) {
	err = s.scan([]byte{spaceBulk}, []byte{spaceBulk + 1}, func(key, value []byte) error {
		var b backlog.SentBulk
		if err := json.Unmarshal(value, &b.Bulk); err != nil {
			return fmt.Errorf("the store holds a malformed value under %q: %w", key, err)
		}
		b.Heads = make([]backlog.Head, len(b.Members))
		for i, id := range b.Members {
			if id == "" {
				continue
			}
			r, err := s.record(b.Ref(i))
			if err != nil {
				return err
			}
			if r.State != call.StateSent {
				return fmt.Errorf("call %s is %s, and a member of a bulk call: %w", id, r.State, backlog.ErrConflict)
			}
			b.Heads[i] = r.head(id)
		}
		all = append(all, b)
		return nil
	})
	return all, err
}
