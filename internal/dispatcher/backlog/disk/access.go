// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
)

// get returns a copy of a value, or pebble.ErrNotFound.
func (s *Store) get(key []byte) ([]byte, error) { return getFrom(s.db, key) }

func getFrom(from pebble.Reader, key []byte) ([]byte, error) {
	value, closer, err := from.Get(key)
	if err != nil {
		return nil, err
	}
	return slices.Clone(value), closer.Close()
}

func (s *Store) getJSON(key []byte, into any) error { return getJSON(s.db, key, into) }

func getJSON(from pebble.Reader, key []byte, into any) error {
	value, closer, err := from.Get(key)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(value, into); err != nil {
		return errors.Join(fmt.Errorf("the store holds a malformed value under %q: %w", key, err), closer.Close())
	}
	return closer.Close()
}

// errStop ends a scan without an error.
var errStop = errors.New("stop")

// scan calls visit for each key in [lower, upper), until it returns an error.
func (s *Store) scan(lower, upper []byte, visit func(key, value []byte) error) error {
	return scan(s.db, lower, upper, visit)
}

func scan(from pebble.Reader, lower, upper []byte, visit func(key, value []byte) error) error {
	iter, err := from.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	for valid := iter.First(); valid; valid = iter.Next() {
		value, err := iter.ValueAndErr()
		if err == nil {
			err = visit(iter.Key(), value)
		}
		if errors.Is(err, errStop) {
			break
		}
		if err != nil {
			return errors.Join(err, iter.Close())
		}
	}
	return iter.Close()
}

// writer fills a batch and keeps the first error.
type writer struct {
	batch *pebble.Batch
	// from is what is read while the batch is filled: the batch over the store, if it is indexed, else the store.
	from pebble.Reader
	err  error
	// readied are the calls that the batch makes ready.
	readied []backlog.Ready
	// departed are those that it makes ready no more.
	departed []backlog.Ready
	// told are the keys of the callbacks that it stores.
	told []string
}

func (w *writer) keep(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *writer) set(key, value []byte)   { w.keep(w.batch.Set(key, value, nil)) }
func (w *writer) merge(key, value []byte) { w.keep(w.batch.Merge(key, value, nil)) }
func (w *writer) del(key []byte)          { w.keep(w.batch.Delete(key, nil)) }

func (w *writer) setJSON(key []byte, value any) {
	encoded, err := json.Marshal(value)
	w.keep(err)
	w.set(key, encoded)
}

// commit writes the batch, or drops it after an error.
func (w *writer) commit(sync *pebble.WriteOptions) error {
	if w.err != nil {
		return errors.Join(w.err, w.batch.Close())
	}
	return errors.Join(w.batch.Commit(sync), w.batch.Close())
}
