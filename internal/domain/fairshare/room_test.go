// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// TestRoomAndEarliestSeeWhatWasJustCharged, without a decision in between.
func TestRoomAndEarliestSeeWhatWasJustCharged(t *testing.T) {
	o := newOffice(t, map[string]fairshare.Share{"a": percent(50), "b": percent(0)}, perMinute(10))
	room := func(owner string) int64 { return o.sharing.Room(0, o.book.Owner(owner)) }
	if a, b := room("a"), room("b"); a != 10 || b != 8 { // 2 of the 5 of a are never lent
		t.Errorf("%d are left to a, %d to b", a, b)
	}
	o.send("b", 6)
	if a, b := room("a"), room("b"); a != 4 || b != 2 {
		t.Errorf("after 6 calls of b, %d are left to a, %d to b", a, b)
	}
	if at := o.sharing.Earliest(0, o.book.Owner("b"), 1); !at.IsZero() {
		t.Errorf("a call that fits now is said to fit at %s", at)
	}
	o.sendAt(begin.Add(20*time.Second), "b", 4)
	first := begin.Add(time.Minute + time.Nanosecond)
	if at := o.sharing.Earliest(0, o.book.Owner("a"), 1); at.Sub(first).Abs() > time.Second {
		t.Errorf("a call of a is said to fit at %s, want about %s", at, first)
	}
	if room("a") != 0 || room("b") != 0 {
		t.Errorf("with all used up %d and %d are left", room("a"), room("b"))
	}
}

// TestRoomOfThoseWithoutAShare is none, and so is that of limits that nobody shares out.
func TestRoomOfThoseWithoutAShare(t *testing.T) {
	alert := limits.Limit{Name: "own", Kind: limits.Rolling, Max: 5, Window: time.Minute, AlertOnly: true}
	o := newOffice(t, map[string]fairshare.Share{"a": percent(0)}, perMinute(10), alert)
	stranger := o.book.Owner("stranger")
	if room, at := o.sharing.Room(0, stranger), o.sharing.Earliest(0, stranger, 1); room != 0 || !at.IsZero() {
		t.Errorf("%d are left to a stranger, who can have one at %s", room, at)
	}
	if room := o.sharing.Room(1, o.book.Owner("a")); room != 0 {
		t.Errorf("%d are left of a limit that only alerts", room)
	}
}
