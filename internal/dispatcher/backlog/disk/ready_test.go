// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// add appends an entry that must be taken.
func add(t *testing.T, s *Store, e backlog.Entry) backlog.Appended {
	t.Helper()
	a, err := s.Append(e)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// move commits one transition of a/x that must be possible.
func move(t *testing.T, s *Store, id call.ID, from, to call.State) []backlog.Ready {
	t.Helper()
	ready, err := s.Commit(&backlog.Batch{Transitions: []backlog.Transition{{
		Ref: backlog.Ref{Integration: "a/x", ID: id}, From: from, To: to, At: time.Now(), Reason: "r", KeepUntil: time.Now().Add(time.Hour),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return ready
}

func shut(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// of is an entry of an operation.
func of(operation string) backlog.Entry {
	e := entry("a/x", "/")
	e.Call.Operation = operation
	return e
}

// manyKinds appends calls of ten operations more than are told apart.
func manyKinds(t *testing.T, s *Store) (all []backlog.Appended) {
	t.Helper()
	for n := range backlog.MaxKinds + 10 {
		a := add(t, s, of("Operation"+strconv.Itoa(n)))
		if others := a.Kind == backlog.Others; others != (n >= backlog.MaxKinds-1) {
			t.Errorf("call %d is of kind %d", n, a.Kind)
		}
		all = append(all, a)
	}
	return all
}

// TestMoreKindsThanAreToldApart: those that find no room share one, also after the store was opened again.
func TestMoreKindsThanAreToldApart(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	all := manyKinds(t, s)
	for range 2 { // before and after it is opened again
		if kinds := s.Kinds("a/x"); len(kinds) != backlog.MaxKinds || kinds[0] != backlog.Others {
			t.Fatalf("the kinds are %v", kinds)
		}
		if heads, err := s.Heads("a/x", backlog.Others, "", 64); err != nil || len(heads) != 11 || heads[0].ID != all[backlog.MaxKinds-1].ID || heads[0].Kind != backlog.Others {
			t.Errorf("of no kind of their own are %v: %v", heads, err)
		}
		shut(t, s)
		s = open(t, fs)
	}
	shut(t, s)
}

// TestAKindWithoutCallsGivesItsRoomToAnother, and when a call of it is queued again there is none for that.
func TestAKindWithoutCallsGivesItsRoomToAnother(t *testing.T) {
	s := open(t, vfs.NewMem())
	defer shut(t, s)
	all := manyKinds(t, s)
	move(t, s, all[3].ID, call.StateQueued, call.StateSent)
	if heads, err := s.Heads("a/x", all[3].Kind, "", 64); err != nil || len(heads) != 0 {
		t.Errorf("of the kind of the sent call are %v: %v", heads, err)
	}
	if a := add(t, s, of("Another")); a.Kind == backlog.Others {
		t.Error("a kind that has no call any more keeps another from being told apart")
	}
	if ready := move(t, s, all[3].ID, call.StateSent, call.StateQueued); len(ready) != 1 || ready[0].Kind != backlog.Others {
		t.Errorf("the call whose kind was given away is ready as %+v", ready)
	}
	// What was of no kind of its own and is sent is found by nobody.
	move(t, s, all[3].ID, call.StateQueued, call.StateSent)
	move(t, s, all[backlog.MaxKinds].ID, call.StateQueued, call.StateDead)
	if heads, err := s.Heads("a/x", backlog.Others, "", 64); err != nil || len(heads) != 10 {
		t.Errorf("of no kind of their own are %v: %v", heads, err)
	}
}

func TestKindOf(t *testing.T) {
	kind := backlog.KindOf
	same := [][2]backlog.Kind{
		{kind("Op", "GET", "/a"), kind("Op", "PUT", "/b")},
		{kind("", "PUT", "/t/1.json?x=1"), kind("", "PUT", "/t/22.json")},
	}
	for n, pair := range same {
		if pair[0] != pair[1] {
			t.Errorf("pair %d differs", n)
		}
	}
	all := []backlog.Kind{
		backlog.Others, kind("Op", "", ""), kind("", "Op", ""), kind("", "PUT", "/t/1"), kind("", "POST", "/t/1"), kind("", "PUT", "/t"), kind("", "PUT", "/u/1"), kind("", "PUT", "/t/1/2"),
	}
	if len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
		t.Errorf("some of %v are the same", all)
	}
}

// TestVolumeOfFormat2: its queue becomes ready calls, its parked ones can be listed, and what is queued is measured, also when the first upgrade did not come to its end.
func TestVolumeOfFormat2(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	const calls = 5000 // more than one batch of the upgrade
	var ids []call.ID
	for n := range calls {
		e := entry("a/x", fmt.Sprintf("/%d/%s", n, strings.Repeat("x", 300)))
		ids = append(ids, add(t, s, e).ID)
	}
	parked := ids[7]
	move(t, s, parked, call.StateQueued, call.StateParked)
	before := s.Tally("a/x").QueuedBytes
	toFormat2(t, s, slices.DeleteFunc(slices.Clone(ids), func(id call.ID) bool { return id == parked }))
	shut(t, s)
	s = open(t, fs)
	defer shut(t, s)
	checkFormat3(t, s, ids, parked, before)
}

// toFormat2 makes of the store what format 2 had, with what an interrupted upgrade has left.
func toFormat2(t *testing.T, s *Store, queued []call.ID) {
	t.Helper()
	w := writer{batch: s.db.NewBatch(), from: s.db}
	for _, space := range []byte{spaceReady, spaceState} {
		w.keep(w.batch.DeleteRange([]byte{space}, []byte{space + 1}, nil))
	}
	for _, id := range queued {
		ref := backlog.Ref{Integration: "a/x", ID: id}
		w.set(refKey(spaceQueue, ref), nil)
		r, err := s.record(ref)
		w.keep(err)
		r.Size = 0
		w.setJSON(refKey(spaceRecord, ref), r)
	}
	w.set(readyKey(backlog.Ref{Integration: "a/x", ID: "left"}, 5), nil)
	w.merge(tallyKey("a/x"), encodeTally(backlog.Tally{QueuedBytes: -s.Tally("a/x").QueuedBytes})) // it was not counted
	w.set(keyFormat, []byte("2"))
	if err := w.commit(pebble.Sync); err != nil {
		t.Fatal(err)
	}
}

// checkFormat3 looks at a store of which all calls but the parked one are queued; their bodies have so many bytes.
func checkFormat3(t *testing.T, s *Store, ids []call.ID, parked call.ID, bytes int64) {
	t.Helper()
	kinds := s.Kinds("a/x")
	heads, err := s.Heads("a/x", kinds[0], "", len(ids))
	if len(kinds) != 1 || len(heads) != len(ids)-1 || heads[0].ID != ids[0] || err != nil {
		t.Errorf("of the kinds %v %d are ready: %v", kinds, len(heads), err)
	}
	if listed, err := s.List("a/x", call.StateParked, "", 10); err != nil || len(listed) != 1 || listed[0].ID != parked {
		t.Errorf("parked are %v: %v", listed, err)
	}
	if format, err := s.get(keyFormat); string(format) != "4" {
		t.Errorf("the volume has format %q: %v", format, err)
	}
	if after := s.Tally("a/x").QueuedBytes; after != bytes {
		t.Errorf("the bodies have %d bytes, want %d", after, bytes)
	}
	if move(t, s, ids[0], call.StateQueued, call.StateSent); s.Tally("a/x").QueuedBytes >= bytes {
		t.Error("the size of a body is not known")
	}
	err = s.scan([]byte{spaceQueue}, []byte{spaceQueue + 1}, func(key, _ []byte) error { return fmt.Errorf("%q is left", key) })
	if err != nil {
		t.Error(err)
	}
}

// TestTurnsWhileCallsArrive: writers that share keys overtake each other while calls end. Of each key one call is ready at a time, in the order of the IDs, and in the
// end each was.
func TestTurnsWhileCallsArrive(t *testing.T) {
	s := open(t, vfs.NewMem())
	defer shut(t, s)
	const writers, each, keys = 8, 150, 3
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				e := entry("a/x", "/x")
				e.Call.OrderKey = strconv.Itoa((w + n) % keys)
				if _, err := s.Append(e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	finished := make(chan struct{})
	go func() {
		wg.Wait()
		close(finished)
	}()
	kind := backlog.KindOf("", "POST", "/x")
	last, taken := map[string]call.ID{}, 0
	for over := false; ; {
		heads, err := s.Heads("a/x", kind, "", 16)
		if err != nil {
			t.Fatal(err)
		}
		if len(heads) > keys {
			t.Fatalf("%d calls of %d keys are ready", len(heads), keys)
		}
		for _, h := range heads {
			c, err := s.Call(backlog.Ref{Integration: "a/x", ID: h.ID})
			if err != nil {
				t.Fatal(err)
			}
			if h.ID <= last[c.OrderKey] {
				t.Fatalf("%s is ready after %s", h.ID, last[c.OrderKey])
			}
			last[c.OrderKey] = h.ID
			move(t, s, h.ID, call.StateQueued, call.StateSent)
			move(t, s, h.ID, call.StateSent, call.StateSucceeded)
			taken++
		}
		if over && len(heads) == 0 {
			break
		}
		select {
		case <-finished:
			over = true
		default:
		}
	}
	if taken != writers*each {
		t.Errorf("%d calls were ready, want %d", taken, writers*each)
	}
	for _, space := range []byte{spaceTurn, spaceLine, spaceReady} {
		if err := s.scan([]byte{space}, []byte{space + 1}, func(key, _ []byte) error { return fmt.Errorf("%q is left", key) }); err != nil {
			t.Error(err)
		}
	}
}
