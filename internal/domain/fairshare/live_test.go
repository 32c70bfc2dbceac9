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
			backlog := o.head("a")
			backlog.Lane = fairshare.Backlog
			sent := len(o.drain(backlog))
			if sent != tc.sent {
				t.Errorf("the backlog sent %d of 100, want %d", sent, tc.sent)
			}
			if _, ok := o.admissible("a"); ok != (tc.sent < 100) {
				t.Errorf("a live call is admissible: %t", ok)
			}
		})
	}
}

// TestExpectationsCountAtOnce, also for a head that is offered already.
func TestExpectationsCountAtOnce(t *testing.T) {
	o := newOffice(t, map[string]fairshare.Share{"a": percent(60)}, perMinute(100))
	owner, backlog := o.book.Owner("a"), o.head("a")
	backlog.Lane = fairshare.Backlog
	o.sharing.SetLive(0, owner, 30, 0)
	if sent := len(o.drain(backlog)); sent != 70 || o.sharing.Live(0, owner) != 30 {
		t.Fatalf("the backlog sent %d of 100 while %d live calls are expected", sent, o.sharing.Live(0, owner))
	}
	o.sharing.SetLive(0, owner, 30, 10)
	if sent := len(o.drain()); sent != 10 {
		t.Errorf("after ten live calls the backlog sent %d more, want 10", sent)
	}
	o.sharing.SetLive(0, owner, 0, 0)
	if sent := len(o.drain()); sent != 20 {
		t.Errorf("when none are expected the backlog sent %d more, want 20", sent)
	}
}
