// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// FuzzStore: whatever one key of the volume holds, it is read or refused with an error; nothing panics.
func FuzzStore(f *testing.F) {
	ref := backlog.Ref{Integration: "a/x", ID: "01ARZ3NDEKTSV4RRFFQ69G5FAV"}
	f.Add(refKey(spaceRecord, ref), []byte(`{"state":"queued","method":"POST","target":"/x","expires":"2030-01-01T00:00:00Z"}`))
	f.Add(openKey(7), []byte(`{"id":7,"integration":"a/x","call":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}`))
	f.Add(endedKey(time.Second, 7), []byte(`{"id":7,"amounts":[{"n":-1}]}`))
	f.Add(tallyKey("a/x"), encodeTally(backlog.Tally{Queued: 1}))
	f.Add(dueKey(time.Unix(1, 0), ref), []byte{})
	f.Add(readyKey(ref, 3), []byte(`{}`))
	f.Add(tellKey(backlog.Callback{Ref: ref, Endpoint: "app", Number: 1, Due: time.Unix(1, 0)}), []byte(`{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","number":1,"due":"1970-01-01T00:00:01Z"}`))
	f.Add(keyClock, []byte(`{"store":1,"bootID":"b"}`))
	f.Add(keyFormat, []byte("1"))
	f.Add(dataKeyKey("a/x", "2026-12-01.0123abcd"), []byte(`{"by":"0123"}`))
	f.Add([]byte{spaceKey, '.'}, []byte{})
	f.Add([]byte{spaceEnded}, []byte{})
	f.Add([]byte{spaceRecord}, []byte("null"))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		fs := vfs.NewMem()
		s := open(t, fs)
		if err := s.db.Set(key, value, pebble.Sync); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s, err := Open(options(fs))
		if err != nil {
			return // refused
		}
		defer func() { _ = s.Close() }()
		readAll(s, ref)
		_, _, _ = s.KeepKeys(t.Context(), time.Now())
		_, _ = s.Erase(t.Context(), ref.Integration, time.Now())
	})
}

// readAll reads what the scheduler does. Each may fail.
func readAll(s *Store, ref backlog.Ref) {
	_, _ = s.Restore()
	_, _, _ = s.Due(time.Now(), 10)
	_, _ = s.Result(ref)
	queues, _ := s.CallbackQueues()
	for _, q := range queues {
		_, _ = s.Callbacks(q, 10)
	}
	_, _ = s.Call(ref)
	_, _ = s.List(ref.Integration, call.StateParked, "", 10)
	for _, kind := range s.Kinds(ref.Integration) {
		_, _ = s.Heads(ref.Integration, kind, "", 10)
	}
}
