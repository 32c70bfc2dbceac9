// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/sealing"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// ringOf returns the wrapping keys made of these bytes; 0 is none.
func ringOf(tb testing.TB, newest, former byte) func() (*sealing.Ring, error) {
	tb.Helper()
	of := func(b byte) *sealing.Wrapping {
		if b == 0 {
			return nil
		}
		w, err := sealing.ParseWrapping([]byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))))
		if err != nil {
			tb.Fatal(err)
		}
		return w
	}
	ring := &sealing.Ring{Newest: of(newest), Former: of(former)}
	return func() (*sealing.Ring, error) { return ring, nil }
}

func noKey() (*sealing.Ring, error) { return nil, sealing.ErrNoKey }

func openWith(t *testing.T, fs vfs.FS, ring func() (*sealing.Ring, error)) *Store {
	t.Helper()
	o := options(fs)
	o.Ring = ring
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// onDay is a call with personal data in header and body.
func onDay(integration string, at time.Time) backlog.Entry {
	e := entry(integration, "/tickets")
	e.Call.Header, e.Call.Body, e.Call.AcceptedAt = http.Header{"X-Requester": {"erika-in-the-header"}}, []byte("erika-in-the-body"), at
	return e
}

var monday = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// answer takes a queued call to its end, as the scheduler does.
func answer(t *testing.T, s *Store, id call.ID) {
	t.Helper()
	move(t, s, id, call.StateQueued, call.StateSent)
	ref := backlog.Ref{Integration: "a/x", ID: id}
	_, err := s.Commit(&backlog.Batch{Transitions: []backlog.Transition{{
		Ref: ref, From: call.StateSent, To: call.StateSucceeded, At: monday, KeepUntil: monday.Add(24 * time.Hour),
		Answer: &backlog.Answer{Status: 201, Header: http.Header{"X-Requester": {"erika-in-the-answers-header"}}, Body: []byte("erika-in-the-answer")},
	}}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNothingReadableIsOnTheVolume looks at every byte of it; what the store holds is what was put in.
func TestNothingReadableIsOnTheVolume(t *testing.T) {
	for name, ring := range map[string]func() (*sealing.Ring, error){"in clear text": nil, "encrypted": ringOf(t, 1, 0)} {
		t.Run(name, func(t *testing.T) {
			fs := vfs.NewMem()
			s := openWith(t, fs, ring)
			queued, answered := add(t, s, onDay("a/x", monday)).ID, add(t, s, onDay("a/x", monday)).ID
			answer(t, s, answered)
			if err := s.db.Flush(); err != nil {
				t.Fatal(err)
			}
			shut(t, s)
			found := bytes.Contains(allBytes(t, fs), []byte("erika"))
			if want := ring == nil; found != want {
				t.Errorf("personal data on the volume: %v, want %v", found, want)
			}
			s = openWith(t, fs, ring)
			defer shut(t, s)
			c, err := s.Call(backlog.Ref{Integration: "a/x", ID: queued})
			if err != nil || string(c.Body) != "erika-in-the-body" || c.Header.Get("X-Requester") != "erika-in-the-header" {
				t.Errorf("the call is %+v: %v", c, err)
			}
			r, err := s.Result(backlog.Ref{Integration: "a/x", ID: answered})
			if err != nil || r.Status != 201 || string(r.Body) != "erika-in-the-answer" || r.Header.Get("X-Requester") != "erika-in-the-answers-header" {
				t.Errorf("the result is %+v: %v", r, err)
			}
		})
	}
}

func allBytes(t *testing.T, fs vfs.FS) (all []byte) {
	t.Helper()
	names, err := fs.List("data")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := fs.Open(fs.PathJoin("data", name))
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	return all
}

// TestContentsAreBoundToTheirCall: exchanged on the volume, they are not taken for each other's.
func TestContentsAreBoundToTheirCall(t *testing.T) {
	s := openWith(t, vfs.NewMem(), ringOf(t, 1, 0))
	defer shut(t, s)
	one, other := add(t, s, onDay("a/x", monday)).ID, add(t, s, onDay("a/x", monday)).ID
	body, err := s.get(refKey(spaceBody, backlog.Ref{Integration: "a/x", ID: other}))
	if err != nil {
		t.Fatal(err)
	}
	ref := backlog.Ref{Integration: "a/x", ID: one}
	if err := s.db.Set(refKey(spaceBody, ref), body, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Call(ref); !errors.Is(err, sealing.ErrDamaged) {
		t.Errorf("the error is %v", err)
	}
}

// TestAMissingKeyLosesNothing: no call is taken, none is dropped, and when the key is back all goes on. Another key in its place is as good as none.
func TestAMissingKeyLosesNothing(t *testing.T) {
	for name, missing := range map[string]func() (*sealing.Ring, error){"none": noKey, "another": ringOf(t, 2, 0), "not encrypted any more": nil} {
		t.Run(name, func(t *testing.T) {
			fs := vfs.NewMem()
			s := openWith(t, fs, ringOf(t, 1, 0))
			id, done := add(t, s, onDay("a/x", monday)).ID, add(t, s, onDay("a/x", monday)).ID
			answer(t, s, done)
			shut(t, s)

			s = openWith(t, fs, missing)
			if err := s.CheckKeys(); !errors.Is(err, sealing.ErrNoKey) {
				t.Errorf("the keys: %v", err)
			}
			if _, err := s.Append(onDay("a/y", monday)); missing != nil && !errors.Is(err, sealing.ErrNoKey) {
				t.Errorf("another call: %v", err)
			}
			if _, err := s.Call(backlog.Ref{Integration: "a/x", ID: id}); !errors.Is(err, sealing.ErrNoKey) {
				t.Errorf("the call: %v", err)
			}
			if _, err := s.Result(backlog.Ref{Integration: "a/x", ID: done}); !errors.Is(err, sealing.ErrNoKey) {
				t.Errorf("the result: %v", err)
			}
			if _, dropped, _ := s.KeepKeys(t.Context(), monday); dropped != 0 {
				t.Errorf("%d keys were dropped", dropped)
			}
			shut(t, s)

			s = openWith(t, fs, ringOf(t, 1, 0))
			defer shut(t, s)
			if c, err := s.Call(backlog.Ref{Integration: "a/x", ID: id}); err != nil || string(c.Body) != "erika-in-the-body" {
				t.Errorf("the call is %+v: %v", c, err)
			}
			if tally := s.Tally("a/x"); tally.Queued != 1 {
				t.Errorf("%d queued", tally.Queued)
			}
			if _, err := s.Append(onDay("a/x", monday)); err != nil || s.CheckKeys() != nil {
				t.Errorf("another call: %v", err)
			}
		})
	}
}

// TestTheSecretGoesAwayWhileWeRun: the intake closes, what is queued can still be sent.
func TestTheSecretGoesAwayWhileWeRun(t *testing.T) {
	ring := ringOf(t, 1, 0)
	s := openWith(t, vfs.NewMem(), func() (*sealing.Ring, error) { return ring() })
	defer shut(t, s)
	id := add(t, s, onDay("a/x", monday)).ID
	ring = noKey
	if _, err := s.Append(onDay("a/x", monday)); !errors.Is(err, sealing.ErrNoKey) {
		t.Errorf("another call: %v", err)
	}
	if queued := s.arriving["a/x"]; queued != (arriving{}) {
		t.Errorf("%+v are still arriving", queued)
	}
	if _, err := s.Call(backlog.Ref{Integration: "a/x", ID: id}); err != nil {
		t.Errorf("the call: %v", err)
	}
}

// TestRotation: with both keys all data keys come to be wrapped with the new one; then the former can go.
func TestRotation(t *testing.T) {
	fs := vfs.NewMem()
	s := openWith(t, fs, ringOf(t, 1, 0))
	id := add(t, s, onDay("a/x", monday)).ID
	add(t, s, onDay("a/y", monday))
	old, err := s.get(dataKeyKey("a/x", s.keyring.today[string(dataKeyKey("a/x", "2026-11-23"))]))
	if err != nil {
		t.Fatal(err)
	}
	shut(t, s)

	s = openWith(t, fs, ringOf(t, 2, 1))
	add(t, s, onDay("a/z", monday))
	for _, want := range []int{2, 0} {
		if n, _, err := s.KeepKeys(t.Context(), monday); n != want || err != nil {
			t.Errorf("%d keys were wrapped, want %d: %v", n, want, err)
		}
	}
	shut(t, s)

	s = openWith(t, fs, ringOf(t, 2, 0))
	defer shut(t, s)
	if c, err := s.Call(backlog.Ref{Integration: "a/x", ID: id}); err != nil || string(c.Body) != "erika-in-the-body" {
		t.Errorf("the call is %+v: %v", c, err)
	}
	if now, err := s.get(dataKeyKey("a/x", s.keyring.today[string(dataKeyKey("a/x", "2026-11-23"))])); err != nil || bytes.Equal(now, old) {
		t.Errorf("the key is wrapped as before: %v", err)
	}
	if err := s.CheckKeys(); err != nil {
		t.Error(err)
	}
}

// keys are the names of an integration's data keys, without what makes them unique.
func keys(t *testing.T, s *Store, integration string) (days []string) {
	t.Helper()
	prefix := integrationKey(spaceKey, integration)
	err := s.scan(prefix, integrationEnd(spaceKey, integration), func(key, _ []byte) error {
		day, _, _ := strings.Cut(string(key[len(prefix):]), ".")
		days = append(days, day)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return days
}

// TestKeysGoWithTheirCalls: a day's key is removed once no call of the day is known, and not before.
func TestKeysGoWithTheirCalls(t *testing.T) {
	s := openWith(t, vfs.NewMem(), ringOf(t, 1, 0))
	defer shut(t, s)
	tuesday, wednesday := monday.Add(24*time.Hour), monday.Add(48*time.Hour)
	first := add(t, s, onDay("a/x", monday)).ID
	add(t, s, onDay("a/x", tuesday))
	for _, step := range []struct {
		now  time.Time
		do   func()
		want []string
	}{
		{wednesday, func() {}, []string{"2026-11-23", "2026-11-24"}},
		{wednesday, func() {
			answer(t, s, first)
			if _, err := s.Commit(&backlog.Batch{ForgetCalls: []backlog.Ref{{Integration: "a/x", ID: first}}}); err != nil {
				t.Fatal(err)
			}
		}, []string{"2026-11-24"}},
		{monday, func() {}, []string{"2026-11-24"}},
	} {
		step.do()
		if _, _, err := s.KeepKeys(t.Context(), step.now); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, keys(t, s, "a/x")); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	}
}

// TestErase: what was erased cannot be read, by nobody and at no time; what is not of the days, or of another integration, can.
func TestErase(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := openWith(t, fs, ringOf(t, 1, 0))
	tuesday := monday.Add(24 * time.Hour)
	old, done, other, next := add(t, s, onDay("a/x", monday)).ID, add(t, s, onDay("a/x", monday)).ID, add(t, s, onDay("b/y", monday)).ID, add(t, s, onDay("a/x", tuesday)).ID
	answer(t, s, done)
	until, err := s.Erase(t.Context(), "a/x", tuesday)
	if err != nil {
		t.Fatal(err)
	}
	fs = fs.CrashClone(vfs.CrashCloneCfg{})
	shut(t, s)
	s = openWith(t, fs, ringOf(t, 1, 0)) // it survives power loss
	defer shut(t, s)
	if _, err := s.Call(backlog.Ref{Integration: "a/x", ID: old}); !errors.Is(err, backlog.ErrErased) {
		t.Errorf("the call: %v", err)
	}
	if _, held, err := s.Holds(backlog.Ref{Integration: "a/x", ID: old}); held || err != nil {
		t.Errorf("it is held: %v %v", held, err)
	}
	r, err := s.Result(backlog.Ref{Integration: "a/x", ID: done})
	if err != nil || r.Status != 201 || len(r.Body)+len(r.Header) > 0 || r.Reason != backlog.Erased {
		t.Errorf("the result is %+v: %v", r, err)
	}
	checkReadable(t, s, backlog.Ref{Integration: "b/y", ID: other}, backlog.Ref{Integration: "a/x", ID: next})
	erased, last, err := s.Erased("a/x", "", until, 10)
	if diff := cmp.Diff([]backlog.Due{{Ref: backlog.Ref{Integration: "a/x", ID: old}, State: call.StateQueued}}, erased); diff != "" || err != nil || last != next {
		t.Errorf("erased %+v, last %s: %v", erased, last, err)
	}
	if _, err := s.Append(onDay("a/x", monday)); err != nil {
		t.Errorf("a call after it: %v", err)
	}
}

// TestAKeyOfACallThatWasErased is known still: the call is not done twice. With which request it came is not.
func TestAKeyOfACallThatWasErased(t *testing.T) {
	s := openWith(t, vfs.NewMem(), ringOf(t, 1, 0))
	defer shut(t, s)
	keyed := onDay("a/x", monday)
	keyed.DedupeKey, keyed.Fingerprint = "k", [32]byte{1}
	id := add(t, s, keyed).ID
	if _, err := s.Erase(t.Context(), "a/x", monday.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	keyed.Fingerprint = [32]byte{2}
	if a, err := s.Append(keyed); err != nil || !a.Seen || a.ID != id {
		t.Errorf("a known key: %+v: %v", a, err)
	}
}

func checkReadable(t *testing.T, s *Store, refs ...backlog.Ref) {
	t.Helper()
	for _, ref := range refs {
		if _, err := s.Call(ref); err != nil {
			t.Errorf("%v: %v", ref, err)
		}
	}
}

// TestKeysAreKnownAgain: a client's key with another request is found out though what is stored of the request does not tell which it was.
func TestKeysAreKnownAgain(t *testing.T) {
	s := openWith(t, vfs.NewMem(), ringOf(t, 1, 0))
	defer shut(t, s)
	e := onDay("a/x", monday)
	e.DedupeKey, e.Fingerprint = "k", [32]byte{1}
	first := add(t, s, e).ID
	if stored, err := s.get(dedupeKey("a/x", dedupeHash("k"))); err != nil || bytes.Contains(stored, []byte("AQAAAAAA")) {
		t.Errorf("the hash of the request is on the volume: %s: %v", stored, err)
	}
	if a, err := s.Append(e); err != nil || !a.Seen || a.ID != first {
		t.Errorf("%+v: %v", a, err)
	}
	e.Fingerprint = [32]byte{2}
	if _, err := s.Append(e); !errors.Is(err, call.ErrKeyReused) {
		t.Errorf("another request: %v", err)
	}
}

// TestEraseWhileCallsArrive: a call that was acknowledged is either erased, and then not after until, or can be read.
func TestEraseWhileCallsArrive(t *testing.T) {
	s := openWith(t, vfs.NewMem(), ringOf(t, 1, 0))
	defer shut(t, s)
	var mu sync.Mutex
	var ids []call.ID
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 200 {
				a, err := s.Append(onDay("a/x", monday))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				ids = append(ids, a.ID)
				mu.Unlock()
			}
		})
	}
	var until call.ID
	for range 20 {
		var err error
		if until, err = s.Erase(t.Context(), "a/x", monday.Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	writers.Wait()
	for _, id := range ids {
		_, err := s.Call(backlog.Ref{Integration: "a/x", ID: id})
		if gone := errors.Is(err, backlog.ErrErased); gone != (id <= until) || err != nil && !gone {
			t.Errorf("call %s, erased up to %s: %v", id, until, err)
		}
	}
}

// TestVolumeOfFormat3 is taken as it is, and refused by that version from then on.
func TestVolumeOfFormat3(t *testing.T) {
	fs := vfs.NewMem()
	s := openWith(t, fs, nil)
	e := onDay("a/x", monday)
	e.Call.OrderKey = "o"
	first, second := add(t, s, e).ID, add(t, s, e).ID
	if err := s.db.Set(keyFormat, []byte("3"), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	s = openWith(t, fs, ringOf(t, 1, 0))
	defer shut(t, s)
	if format, err := s.get(keyFormat); string(format) != "4" {
		t.Errorf("the volume has format %q: %v", format, err)
	}
	third := add(t, s, e).ID
	for _, id := range []call.ID{first, second, third} {
		c, err := s.Call(backlog.Ref{Integration: "a/x", ID: id})
		if err != nil || string(c.Body) != "erika-in-the-body" || c.Header.Get("X-Requester") != "erika-in-the-header" {
			t.Errorf("call %s is %+v: %v", id, c, err)
		}
	}
	if ready := move(t, s, first, call.StateQueued, call.StateSent); len(ready) != 0 {
		t.Errorf("%v are ready before their turn", ready)
	}
}
