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
