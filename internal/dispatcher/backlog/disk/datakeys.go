// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/oklog/ulid/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/sealing"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// spaceKey is a keyspace: integration, name of a data key -> sealing.Wrapped. A name begins with the day of the calls that the key is for.
const spaceKey = 'e'

func dataKeyKey(integration, name string) []byte {
	return append(integrationKey(spaceKey, integration), name...)
}

// parseDataKeyKey reads a key that dataKeyKey made, and the day from the name.
func parseDataKeyKey(key []byte) (integration, name, day string, err error) {
	ref, err := parseRefKey(key)
	name = string(ref.ID)
	day, _, named := strings.Cut(name, ".")
	if err == nil && (!named || len(day) != len(time.DateOnly)) {
		err = malformed(key)
	}
	return ref.Integration, name, day, err
}

// dayOf is the day, in UTC, by which the calls of an ID are erased.
func dayOf(id ulid.ULID) string { return ulid.Time(id.Time()).UTC().Format(time.DateOnly) }

// dataKeys are the keys that encrypt contents, one for each integration and day.
type dataKeys struct {
	// ring returns the wrapping keys; nil while nothing is to be encrypted.
	ring func() (*sealing.Ring, error)

	// use is entered from before a call gets its ID until it is stored, and alone while keys are removed: no call is stored under a key that is gone.
	use doorway
	// making has room for one who makes a key.
	making chan struct{}

	mu sync.Mutex
	// opened by their keys in the store; today has the name of the key for an integration's prefix and a day.
	opened map[string]*sealing.Key
	today  map[string]string
	// trouble is why some key cannot be opened with the wrapping keys of these IDs; empty: look.
	troubleOf string
	trouble   error
}

// loadKeys finds the keys that there are, so that the first call after a restart does not make another one.
func (s *Store) loadKeys() error {
	return s.scan([]byte{spaceKey}, []byte{spaceKey + 1}, func(key, _ []byte) error {
		integration, name, day, err := parseDataKeyKey(key)
		s.keyring.today[string(dataKeyKey(integration, day))] = name
		return err
	})
}

// sealingKey returns the key for a new call, made and durable if it is the first one of its day, with its name. Without encryption it is nil. The error is
// sealing.ErrNoKey while the Secret does not hold what is needed, though the key may be open: after a restart it could not be opened.
func (s *Store) sealingKey(integration string, day string) (*sealing.Key, string, error) {
	ring, err := s.keyring.ring()
	if ring == nil || err != nil {
		return nil, "", err
	}
	if key, name, err := s.todaysKey(ring, integration, day); key != nil || err != nil {
		return key, name, err
	}
	k := &s.keyring
	k.making <- struct{}{}
	defer func() { <-k.making }()
	if key, name, err := s.todaysKey(ring, integration, day); key != nil || err != nil { // somebody else has made it
		return key, name, err
	}
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	name := day + "." + hex.EncodeToString(random[:])
	place := dataKeyKey(integration, name)
	key, wrapped, err := ring.Newest.NewKey(place)
	if err == nil {
		err = s.keepKey(place, wrapped, pebble.Sync)
	}
	if err != nil {
		return nil, "", err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.today[string(dataKeyKey(integration, day))], k.opened[string(place)] = name, key
	return key, name, nil
}

// todaysKey returns the key for new calls of a day with its name, nil if it is yet to be made, or why none must be stored.
func (s *Store) todaysKey(ring *sealing.Ring, integration, day string) (*sealing.Key, string, error) {
	k := &s.keyring
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := s.troubleLocked(ring); err != nil {
		return nil, "", err
	}
	name, found := k.today[string(dataKeyKey(integration, day))]
	if !found {
		return nil, "", nil
	}
	key, err := s.openLocked(dataKeyKey(integration, name), ring)
	return key, name, err
}

func (s *Store) keepKey(place []byte, wrapped sealing.Wrapped, sync *pebble.WriteOptions) error {
	encoded, err := json.Marshal(wrapped)
	if err == nil {
		err = s.db.Set(place, encoded, sync)
	}
	if err != nil {
		return fmt.Errorf("keep a data key: %w", err)
	}
	return nil
}

// dataKey returns the key of that name, backlog.ErrErased if it is gone, or sealing.ErrNoKey if the wrapping key is. One that was opened stays so until it is
// removed: what is queued goes on being sent while the Secret is away.
func (s *Store) dataKey(integration, name string) (*sealing.Key, error) {
	place := dataKeyKey(integration, name)
	k := &s.keyring
	k.mu.Lock()
	defer k.mu.Unlock()
	if key := k.opened[string(place)]; key != nil {
		return key, nil
	}
	ring, err := k.ring()
	if err != nil {
		return nil, err
	}
	return s.openLocked(place, ring)
}

// openLocked opens a key. The caller holds the lock.
func (s *Store) openLocked(place []byte, ring *sealing.Ring) (*sealing.Key, error) {
	if key := s.keyring.opened[string(place)]; key != nil {
		return key, nil
	}
	var wrapped sealing.Wrapped
	if err := s.getJSON(place, &wrapped); errors.Is(err, pebble.ErrNotFound) {
		return nil, backlog.ErrErased
	} else if err != nil {
		return nil, err
	}
	key, err := ring.Open(wrapped, place)
	if err == nil {
		s.keyring.opened[string(place)] = key
	}
	return key, err
}

// CheckKeys implements backlog.Store.
func (s *Store) CheckKeys() error {
	ring, err := s.keyring.ring()
	if err != nil {
		return err
	}
	s.keyring.mu.Lock()
	defer s.keyring.mu.Unlock()
	return s.troubleLocked(ring)
}

// troubleLocked says which wrapping key is missing for a key that is stored. The caller holds the lock.
func (s *Store) troubleLocked(ring *sealing.Ring) error {
	k := &s.keyring
	if ids := ring.IDs(); k.troubleOf != ids {
		k.trouble = s.scan([]byte{spaceKey}, []byte{spaceKey + 1}, func(key, value []byte) error {
			_, err := unwrapped(ring, key, value)
			return err
		})
		k.troubleOf = ids
	}
	return k.trouble
}

// unwrapped reads a data key that is stored, and says whether it could be opened.
func unwrapped(ring *sealing.Ring, key, value []byte) (wrapped sealing.Wrapped, err error) {
	if err := json.Unmarshal(value, &wrapped); err != nil {
		return wrapped, fmt.Errorf("the store holds a malformed value under %q: %w", key, err)
	}
	if !ring.Holds(wrapped) {
		return wrapped, fmt.Errorf("%w: stored calls are encrypted with one of which the hash begins with %s", sealing.ErrNoKey, wrapped.By)
	}
	return wrapped, nil
}

// KeepKeys implements backlog.Store.
func (s *Store) KeepKeys(ctx context.Context, now time.Time) (rewrapped, dropped int, err error) {
	dropped, err = s.dropUnneeded(ctx, now.UTC().Format(time.DateOnly))
	rewrapped, errRewrap := s.rewrap(ctx)
	return rewrapped, dropped, errors.Join(err, errRewrap)
}

// dropUnneeded removes the keys of days before today of which no call is known any more.
func (s *Store) dropUnneeded(ctx context.Context, today string) (int, error) {
	s.keyring.use.enterAlone()
	defer s.keyring.use.leaveAlone()
	oldest := map[string]string{}
	return s.dropKeys(ctx, []byte{spaceKey}, []byte{spaceKey + 1}, func(integration, day string) (bool, error) {
		if _, known := oldest[integration]; !known {
			first, err := s.oldestDay(integration)
			if err != nil {
				return false, err
			}
			oldest[integration] = first
		}
		needed := oldest[integration]
		return day < today && (needed == "" || day < needed), nil
	})
}

// rewrap wraps all data keys with the newest wrapping key, so that the former one is not needed any more.
func (s *Store) rewrap(ctx context.Context) (n int, err error) {
	ring, err := s.keyring.ring()
	if ring == nil || err != nil {
		return 0, err
	}
	s.keyring.use.enterAlone() // a key that is being removed must not come back
	defer s.keyring.use.leaveAlone()
	err = s.scan([]byte{spaceKey}, []byte{spaceKey + 1}, func(key, value []byte) error {
		wrapped, err := unwrapped(ring, key, value)
		if err != nil {
			return err
		}
		again, changed, err := ring.Rewrap(wrapped, key)
		if err == nil && changed {
			n++
			err = s.keepKey(bytes.Clone(key), again, pebble.NoSync)
		}
		return err
	})
	if n > 0 && err == nil {
		err = s.removed(ctx)
	}
	return n, err
}

// oldestDay is that of the integration's oldest call that is known, or empty.
func (s *Store) oldestDay(integration string) (day string, err error) {
	first := integrationKey(spaceRecord, integration)
	err = s.scan(first, integrationEnd(spaceRecord, integration), func(key, _ []byte) error {
		id, err := ulid.ParseStrict(string(key[len(first):]))
		if err != nil {
			return malformed(key)
		}
		day = dayOf(id)
		return errStop
	})
	return day, err
}

// Erase implements backlog.Store.
func (s *Store) Erase(ctx context.Context, integration string, before time.Time) (until call.ID, err error) {
	s.keyring.use.enterAlone()
	defer s.keyring.use.leaveAlone()
	s.mu.Lock()
	until = call.ID(s.lastID.String())
	s.mu.Unlock()
	day := before.UTC().Format(time.DateOnly)
	if err := s.eraseCallbacks(integration, day); err != nil {
		return until, err
	}
	_, err = s.dropKeys(ctx, integrationKey(spaceKey, integration), integrationEnd(spaceKey, integration), func(_, of string) (bool, error) {
		return of < day, nil
	})
	return until, err
}

// dropKeys removes the data keys in [lower, upper) that are unneeded. The caller holds use.
func (s *Store) dropKeys(ctx context.Context, lower, upper []byte, unneeded func(integration, day string) (bool, error)) (n int, err error) {
	w := writer{batch: s.db.NewBatch(), from: s.db}
	var gone [][]byte
	w.keep(s.scan(lower, upper, func(key, _ []byte) error {
		integration, _, day, err := parseDataKeyKey(key)
		if err != nil {
			return err
		}
		drop, err := unneeded(integration, day)
		if drop && err == nil {
			w.del(key)
			gone = append(gone, bytes.Clone(key))
		}
		return err
	}))
	if w.err == nil && len(gone) == 0 {
		return 0, w.batch.Close()
	}
	if err := w.commit(pebble.Sync); err != nil {
		return 0, err
	}
	s.keyring.mu.Lock()
	for _, key := range gone {
		delete(s.keyring.opened, string(key))
		delete(s.keyring.today, string(key[:bytes.LastIndexByte(key, '.')]))
	}
	s.keyring.troubleOf = ""
	s.keyring.mu.Unlock()
	return len(gone), s.removed(ctx)
}

// removed has the tables rewritten that hold what keys were before, so that it does not wait in them for a compaction.
func (s *Store) removed(ctx context.Context) error {
	if err := s.db.Flush(); err != nil {
		return fmt.Errorf("flush removed data keys: %w", err)
	}
	if err := s.db.Compact(ctx, []byte{spaceKey}, []byte{spaceKey + 1}, false); err != nil {
		return fmt.Errorf("rewrite removed data keys: %w", err)
	}
	return nil
}
