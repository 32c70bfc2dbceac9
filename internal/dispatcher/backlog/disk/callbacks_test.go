// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// endWithCallback has a call end that somebody is told of.
func endWithCallback(t *testing.T, s *Store, accepted time.Time) backlog.Ref {
	t.Helper()
	c := &call.Call{Integration: "a/x", Method: "POST", Target: "/t", Callback: "app", AcceptedAt: accepted, Expires: accepted.Add(time.Hour)}
	a, err := s.Append(backlog.Entry{Call: c, MaxQueued: 9})
	if err != nil {
		t.Fatal(err)
	}
	ref := backlog.Ref{Integration: "a/x", ID: a.ID}
	_, err = s.Commit(&backlog.Batch{Transitions: []backlog.Transition{{
		Ref: ref, From: call.StateQueued, To: call.StateDead, At: accepted.Add(time.Minute), Reason: "a reason", KeepUntil: accepted.Add(time.Hour),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func waiting(t *testing.T, s *Store) []backlog.Callback {
	t.Helper()
	all, err := s.Callbacks(backlog.CallbackQueue{Integration: "a/x", Endpoint: "app"}, 10)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Tally("a/x").CallbacksWaiting; n != int64(len(all)) {
		t.Errorf("%d callbacks are counted, and %d wait", n, len(all))
	}
	return all
}

// TestNobodyIsToldOfWhatIsNotDurable: a crash could undo it, and the call could end in another way.
func TestNobodyIsToldOfWhatIsNotDurable(t *testing.T) {
	s := open(t, vfs.NewMem())
	defer s.Close() //nolint:errcheck // in memory
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	a, err := s.Append(backlog.Entry{MaxQueued: 9, Call: &call.Call{
		Integration: "a/x", Method: "POST", Target: "/t", Callback: "app", AcceptedAt: now, Expires: now.Add(time.Hour),
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.writeInOrder(&backlog.Batch{Transitions: []backlog.Transition{{
		Ref: backlog.Ref{Integration: "a/x", ID: a.ID}, From: call.StateQueued, To: call.StateDead, At: now, KeepUntil: now.Add(time.Hour),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	q := backlog.CallbackQueue{Integration: "a/x", Endpoint: "app"}
	if all, err := s.Callbacks(q, 10); len(all) > 0 || err != nil {
		t.Errorf("before it is synced, %+v can be told: %v", all, err)
	}
	if err := s.sync(); err != nil {
		t.Fatal(err)
	}
	s.reveal()
	if all, err := s.Callbacks(q, 10); len(all) != 1 || err != nil {
		t.Errorf("when it is durable, %+v can be told: %v", all, err)
	}
}

func TestErasureGivesUpCallbacks(t *testing.T) {
	s := open(t, vfs.NewMem())
	defer s.Close() //nolint:errcheck // in memory
	day := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	endWithCallback(t, s, day)
	kept := endWithCallback(t, s, day.Add(24*time.Hour))
	tried := waiting(t, s)[0]
	if _, err := s.Erase(t.Context(), "a/x", day.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.PostponeCallback(tried, day.Add(25*time.Hour)); err != nil { // an attempt that was under way comes back
		t.Fatal(err)
	}
	left := waiting(t, s)
	if len(left) != 1 || left[0].Ref != kept {
		t.Errorf("%+v are left, want that of call %s", left, kept.ID)
	}
	if n := s.Tally("a/x").CallbacksGivenUp; n != 1 {
		t.Errorf("%d callbacks are counted as given up, want 1", n)
	}
}

func TestCallbacksOverTheBoundAreGivenUp(t *testing.T) {
	s := open(t, vfs.NewMem())
	defer s.Close() //nolint:errcheck // in memory
	s.tally("a/x").CallbacksWaiting = backlog.MaxCallbacks - 1
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	first := endWithCallback(t, s, now)
	endWithCallback(t, s, now)
	all, err := s.Callbacks(backlog.CallbackQueue{Integration: "a/x", Endpoint: "app"}, 10)
	if err != nil || len(all) != 1 || all[0].Ref != first {
		t.Errorf("%+v wait, want that of call %s: %v", all, first.ID, err)
	}
	if n := s.Tally("a/x").CallbacksGivenUp; n != 1 {
		t.Errorf("%d callbacks are counted as given up, want 1", n)
	}
}
