// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// spaceVault is a keyspace: name -> sealed secret. Versions that do not know it leave it alone.
const spaceVault = 't'

func vaultKey(name string) []byte { return append([]byte{spaceVault}, name...) }

// Keep implements backlog.Vault.
func (s *Store) Keep(name string, sealed []byte) error {
	defer s.endOnPanic()
	if err := s.db.Set(vaultKey(name), sealed, pebble.Sync); err != nil {
		return fmt.Errorf("keep a sealed secret: %w", err)
	}
	return nil
}

// Kept implements backlog.Vault.
func (s *Store) Kept(name string) ([]byte, error) {
	sealed, err := s.get(vaultKey(name))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a sealed secret: %w", err)
	}
	return sealed, nil
}
