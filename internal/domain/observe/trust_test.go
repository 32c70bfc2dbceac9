// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"testing"
	"time"
)

// TestTrust is lost by three contradictions in a row, and comes back after a while.
func TestTrust(t *testing.T) {
	var trusted trust
	now := time.Unix(0, 0)
	for n, contradicts := range []bool{true, true, false, true, true} {
		if trusted.strike(contradicts, now); trusted.lost(now) {
			t.Fatalf("trust is lost by word %d", n)
		}
	}
	trusted.strike(true, now)
	if !trusted.lost(now) || !trusted.lost(now.Add(distrust-1)) || trusted.lost(now.Add(distrust)) {
		t.Errorf("words are listened to again at %s, want %s", trusted.again, now.Add(distrust))
	}
	later := now.Add(distrust)
	trusted.strike(true, later)
	if trusted.lost(later) {
		t.Error("one contradiction is enough after trust was lost once")
	}
}

func TestImpossible(t *testing.T) {
	for name, test := range map[string]struct {
		limit, left int64
		want        bool
	}{
		"all is left":                 {400, 400, false},
		"more than all":               {400, 401, true},
		"nothing":                     {400, 0, false},
		"less than nothing":           {400, -1, true},
		"of a limit that is not told": {0, 401, false},
		"of less than no limit":       {-1, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (Word{Limit: test.limit, Remaining: &test.left}).impossible(); got != test.want {
				t.Errorf("impossible: %t", got)
			}
		})
	}
	if (Word{}).impossible() {
		t.Error("who says nothing says nothing impossible")
	}
}
