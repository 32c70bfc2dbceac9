// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// TestTheFormatRisesWithTheFirstCallThatNeedsIt: until then an older dispatcher can have the volume back.
func TestTheFormatRisesWithTheFirstCallThatNeedsIt(t *testing.T) {
	for name, one := range map[string]struct {
		needs  func(c *call.Call, first call.ID)
		format string
	}{
		"a reference": {func(c *call.Call, first call.ID) { c.References = []call.ID{first} }, "5"},
		"an urgency":  {func(c *call.Call, _ call.ID) { c.Urgency = -1 }, "5"},
		"a callback":  {func(c *call.Call, _ call.ID) { c.Callback = "app" }, "6"},
	} {
		t.Run(name, func(t *testing.T) {
			fs := vfs.NewMem()
			s := open(t, fs)
			wantFormat := func(want string) {
				t.Helper()
				if got, err := s.get(keyFormat); err != nil || string(got) != want {
					t.Errorf("the volume has format %q, want %q: %v", got, want, err)
				}
			}
			add := func(change func(*call.Call)) call.ID {
				t.Helper()
				c := &call.Call{Integration: "a/x", Method: "POST", Target: "/t", AcceptedAt: time.Now(), Expires: time.Now().Add(time.Hour)}
				change(c)
				a, err := s.Append(backlog.Entry{Call: c, MaxQueued: 9})
				if err != nil {
					t.Fatal(err)
				}
				return a.ID
			}
			first := add(func(*call.Call) {})
			wantFormat("4")
			add(func(c *call.Call) { one.needs(c, first) })
			wantFormat(one.format)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, fs)
			defer s.Close() //nolint:errcheck // in memory
			wantFormat(one.format)
			add(func(c *call.Call) { c.Urgency = 1 })
			wantFormat(one.format)
		})
	}
}

// TestTheFormatRisesWithTheFirstSharedBulkCall, and does not fall with what needs less.
func TestTheFormatRisesWithTheFirstSharedBulkCall(t *testing.T) {
	s := open(t, vfs.NewMem())
	defer s.Close() //nolint:errcheck // in memory
	var bulk backlog.Bulk
	add := func(integration string, urgency int8) {
		t.Helper()
		c := &call.Call{Integration: integration, Method: "POST", Target: "/t", Urgency: urgency, AcceptedAt: time.Now(), Expires: time.Now().Add(time.Hour)}
		a, err := s.Append(backlog.Entry{Call: c, MaxQueued: 9})
		if err != nil {
			t.Fatal(err)
		}
		bulk.Members, bulk.Owners = append(bulk.Members, a.ID), append(bulk.Owners, integration)
	}
	add("a/x", 0)
	add("b/y", 0)
	send := &backlog.Batch{}
	for place := range bulk.Members {
		send.Transitions = append(send.Transitions, backlog.Transition{Ref: bulk.Ref(place), From: call.StateQueued, To: call.StateSent})
	}
	for id, want := range []string{"4", "6", "6"} {
		b := backlog.Bulk{ID: uint64(id), Integration: "a/x", Members: bulk.Members[:1]}
		if id > 0 {
			b = bulk
		}
		send.Bulks = []backlog.Bulk{b}
		if _, err := s.Commit(send); err != nil {
			t.Fatal(err)
		}
		send = &backlog.Batch{}
		if id == 1 {
			add("a/x", -1)
		}
		if got, err := s.get(keyFormat); err != nil || string(got) != want {
			t.Errorf("after commit %d the volume has format %q, want %q: %v", id, got, want, err)
		}
	}
}
