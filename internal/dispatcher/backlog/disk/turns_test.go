// SPDX-License-Identifier: Apache-2.0

package disk

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// TestTurnsAreCountedToABound, in a line as well as along references: clients ask for results again and again.
func TestTurnsAreCountedToABound(t *testing.T) {
	s := open(t, vfs.NewMem())
	defer s.Close() //nolint:errcheck // in memory
	chains := map[string]struct {
		integration string
		most        int
		follow      func(c *call.Call, before call.ID)
	}{
		"a line": {"a/x", backlog.MaxLine + 1, func(c *call.Call, _ call.ID) { c.OrderKey = "k" }}, // and the one whose turn it is
		"references": {"a/y", maxRead, func(c *call.Call, before call.ID) {
			if before != "" {
				c.References = []call.ID{before}
			}
		}},
	}
	for name, chain := range chains {
		t.Run(name, func(t *testing.T) {
			var before call.ID
			for n := range chain.most + 3 {
				e := entry(chain.integration, fmt.Sprint("/", n))
				chain.follow(e.Call, before)
				a, err := s.Append(e)
				if err != nil {
					t.Fatal(err)
				}
				before = a.ID
				r, err := s.Result(backlog.Ref{Integration: e.Call.Integration, ID: a.ID})
				want := int64(n)
				if want > int64(chain.most) {
					want = call.UnknownTurns
				}
				if err != nil || r.Turns != want {
					t.Fatalf("call %d has %d turns before it, want %d: %v", n, r.Turns, want, err)
				}
			}
		})
	}
	if n, err := s.Line("a/x", "k", 100); n != 100 || err != nil {
		t.Errorf("the line is counted to %d: %v", n, err)
	}
	if n, err := s.Line("a/x", "other", 100); n != 0 || err != nil {
		t.Errorf("a line without calls has %d: %v", n, err)
	}
}
