// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
)

// TestBacklogLeavesRoomForLiveCalls drains a long backlog and counts how much of the limit it leaves to live calls of its own integration.
func TestBacklogLeavesRoomForLiveCalls(t *testing.T) {
	for name, tc := range map[string]struct {
		share          fairshare.Share
		expected, live int64
		sent           int
	}{
		"none are expected":                   {percent(60), 0, 0, 100},
		"what is expected is left":            {percent(60), 30, 0, 70},
		"at most four fifths of a guarantee":  {percent(60), 500, 0, 52},
		"what was sent is not left once more": {percent(60), 30, 20, 90},
		"nothing is left without a guarantee": {percent(0), 30, 0, 100},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, map[string]fairshare.Share{"a": tc.share}, perMinute(100))
			owner := o.book.Owner("a")
			o.sharing.SetLive(0, owner, tc.expected, tc.live)
			sent := 0
			for {
				choice, ok := o.sharing.Pick([]fairshare.Head{{Owner: owner, Lane: fairshare.Backlog, Cost: 1}})
				if !ok {
					break
				}
				o.nextID++
				if err := o.sharing.Charge(begin, o.nextID, choice); err != nil {
					t.Fatal(err)
				}
				sent++
			}
			if sent != tc.sent {
				t.Errorf("the backlog sent %d of 100, want %d", sent, tc.sent)
			}
			if _, ok := o.sharing.Admissible(owner, 1); ok != (tc.sent < 100) {
				t.Errorf("a live call is admissible: %t", ok)
			}
		})
	}
}
