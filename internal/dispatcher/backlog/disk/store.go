// SPDX-License-Identifier: Apache-2.0

// Package disk is the backlog in Pebble, on one volume and for one process.
package disk

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/oklog/ulid/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/sealing"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Sizes chosen for an idle process of some 20 MiB: a licence is at most some hundred calls a second, and what was just written is read from the memtable.
const (
	cacheBytes    = 2 << 20
	memTableBytes = 4 << 20
	openFiles     = 128
)

// DefaultReserve is the free space, in bytes, below which no call is accepted: enough to end every call that is in the store, and for compactions.
const DefaultReserve = 64 << 20

// Options of a Store.
type Options struct {
	FS  vfs.FS
	Dir string
	// Entropy makes IDs unguessable.
	Entropy io.Reader
	Logger  *slog.Logger
	// Fatal is called when the store can no longer keep its promise, for example after a failed fsync. It must not return: nothing may become visible any more.
	Fatal func(reason string)
	// Reserve is the free space, in bytes, below which Append returns ErrStoreFull.
	Reserve uint64
	// Ring returns the wrapping keys, nil while contents of calls are not to be encrypted, or sealing.ErrNoKey; see sealing.Secret.
	Ring func() (*sealing.Ring, error)
}

// Store implements backlog.Store.
type Store struct {
	db    *pebble.DB
	fatal func(reason string)
	room  room
	// horizon was committed last. Only Commit uses it.
	horizon time.Duration

	mu      sync.Mutex
	ids     *ulid.MonotonicEntropy
	lastID  ulid.ULID
	tallies map[string]*backlog.Tally
	// ordinals count the calls handed in, stored or not.
	ordinals map[string]int64
	// arriving are the calls of an integration that Append is writing.
	arriving map[string]arriving
	// keys that Append is writing, by key of spaceDedupe; closed when it is done.
	keys   map[string]chan struct{}
	groups map[string]groups

	// turns is held while it is decided whose turn it is among calls with one ordering key, until that is in effect.
	turns sync.Mutex

	keyring dataKeys

	// format of the volume; raising has room for one who raises it.
	format  atomic.Int32
	raising chan struct{}

	// telling is held while a callback is changed. hidden are the keys, under mu, of those that a commit has stored and not made durable yet: nobody must be told of
	// what a crash could undo. told says that there are new ones.
	telling sync.Mutex
	hidden  map[string]bool
	told    chan struct{}
}

var _ backlog.Store = (*Store)(nil)

// arriving counts calls, and the bytes of their bodies.
type arriving struct{ calls, bytes int64 }

// Open opens the store in o.Dir, or makes it. It fails when the volume was written by a newer version, or is in use by another process.
func Open(o Options) (*Store, error) {
	cache := pebble.NewCache(cacheBytes)
	defer cache.Unref()
	options := &pebble.Options{
		FS:                         o.FS,
		Cache:                      cache,
		MemTableSize:               memTableBytes,
		MaxOpenFiles:               openFiles,
		FormatMajorVersion:         pebble.FormatTableFormatV6,
		Merger:                     tallyMerger,
		Logger:                     logger{o.Logger, o.Fatal},
		CompactionConcurrencyRange: func() (lower, upper int) { return 1, 1 },
	}
	options.Experimental.CompactionScheduler = &oneAtATime{}
	db, err := pebble.Open(o.Dir, options)
	if err != nil {
		return nil, fmt.Errorf("open the store in %s: %w", o.Dir, err)
	}
	s := &Store{
		db: db, fatal: o.Fatal, room: room{fs: o.FS, dir: o.Dir, reserve: o.Reserve},
		ids:     ulid.Monotonic(o.Entropy, 0),
		tallies: map[string]*backlog.Tally{}, ordinals: map[string]int64{}, arriving: map[string]arriving{},
		keys: map[string]chan struct{}{}, groups: map[string]groups{},
		keyring: dataKeys{ring: o.Ring, opened: map[string]*sealing.Key{}, today: map[string]string{}, making: make(chan struct{}, 1)},
		raising: make(chan struct{}, 1), hidden: map[string]bool{}, told: make(chan struct{}, 1),
	}
	if o.Ring == nil {
		s.keyring.ring = func() (*sealing.Ring, error) { return nil, nil }
	}
	if err := s.load(o.Entropy); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store in %s: %w", o.Dir, err), db.Close())
	}
	return s, nil
}

// Close waits for what is being written. No other method may be called afterwards.
func (s *Store) Close() error { return s.db.Close() }

// load reads what is kept in memory. The tallies name the integrations for what comes after them.
func (s *Store) load(entropy io.Reader) error {
	for _, step := range []func() error{s.checkFormat, func() error { return s.identify(entropy) }, s.loadTallies, s.loadLastID, s.loadGroups, s.loadKeys} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// identify gives the volume an identity if it has none.
func (s *Store) identify(entropy io.Reader) error {
	_, err := s.get(keyVolume)
	if errors.Is(err, pebble.ErrNotFound) {
		var random [16]byte
		if _, err := io.ReadFull(entropy, random[:]); err != nil {
			return fmt.Errorf("make the volume's identity: %w", err)
		}
		err = s.db.Set(keyVolume, hex.AppendEncode(nil, random[:]), pebble.Sync)
	}
	return err
}

func (s *Store) loadTallies() error {
	return s.scan([]byte{spaceTally}, []byte{spaceTally + 1}, func(key, value []byte) error {
		t, err := decodeTally(value)
		if err != nil {
			return err
		}
		integration := string(key[1:])
		s.tallies[integration] = &t
		s.ordinals[integration] = t.Accepted
		return nil
	})
}

// loadLastID finds the newest ID, so that later ones are above it although the clock may have been set back.
func (s *Store) loadLastID() error {
	for integration := range s.tallies {
		first := integrationKey(spaceRecord, integration)
		iter, err := s.db.NewIter(&pebble.IterOptions{LowerBound: first, UpperBound: integrationEnd(spaceRecord, integration)})
		if err != nil {
			return err
		}
		if iter.Last() {
			if id, err := ulid.ParseStrict(string(iter.Key()[len(first):])); err == nil && id.Compare(s.lastID) > 0 {
				s.lastID = id
			}
		}
		if err := iter.Close(); err != nil {
			return err
		}
	}
	return nil
}

// nextID returns an ID above all others. The caller holds the lock.
func (s *Store) nextID(accepted time.Time) (call.ID, error) {
	millis := max(s.lastID.Time(), ulid.Timestamp(accepted))
	id, err := ulid.New(millis, s.ids)
	if err == nil && id.Compare(s.lastID) <= 0 { // the first one after a restart within the same millisecond
		id, err = ulid.New(millis+1, s.ids)
	}
	if err != nil {
		return "", fmt.Errorf("make a call's ID: %w", err)
	}
	s.lastID = id
	return call.ID(id.String()), nil
}

// Tally implements backlog.Store.
func (s *Store) Tally(integration string) backlog.Tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tallies[integration]; t != nil {
		return *t
	}
	return backlog.Tally{}
}

// Tallies implements backlog.Store.
func (s *Store) Tallies() map[string]backlog.Tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]backlog.Tally, len(s.tallies))
	for integration, t := range s.tallies {
		all[integration] = *t
	}
	return all
}

// tally returns an integration's tally. The caller holds the lock.
func (s *Store) tally(integration string) *backlog.Tally {
	t := s.tallies[integration]
	if t == nil {
		t = &backlog.Tally{}
		s.tallies[integration] = t
	}
	return t
}

// endOnPanic, deferred by what writes, ends the process when Pebble panics: it does that, with its locks held, once its log could not be written. An HTTP server
// would take the panic for one of a request, and the process would live on without ever writing again.
func (s *Store) endOnPanic() {
	if reason := recover(); reason != nil {
		s.fatal(fmt.Sprint("pebble: ", reason))
		panic(reason)
	}
}

// logger passes on what needs a person, and ends the process when Pebble can no longer keep its promise.
type logger struct {
	to    *slog.Logger
	fatal func(string)
}

func (logger) Infof(string, ...any) {}

func (l logger) Errorf(format string, args ...any) {
	l.to.Error("The store reported a problem", "detail", fmt.Sprintf(format, args...))
}

func (l logger) Fatalf(format string, args ...any) { l.fatal(fmt.Sprintf(format, args...)) }
