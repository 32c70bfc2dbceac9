// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// TestRoomsOfAnAnswer are what is left after the call itself, and what a refusal is about.
func TestRoomsOfAnAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		want := []call.Room{{Limit: "minute", Most: 10, Left: 9, Window: time.Minute, Renews: time.Minute}}
		first, err := b.Do(t.Context(), read("/x"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, first.Rooms); diff != "" {
			t.Error(diff)
		}
		for range 9 {
			b.do(read("/x"), 0)
		}
		r := b.refused(read("/x"), 0)
		want[0].Left, want[0].Renews = 0, r.RetryAfter
		if diff := cmp.Diff(want, r.Rooms); diff != "" {
			t.Error(diff)
		}
	})
}

// TestNoWaitingInVain: a call that cannot be sent before its deadline is refused at once, one that can waits.
func TestNoWaitingInVain(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.fill()
		began := time.Now()
		_, err := b.Do(t.Context(), read("/x"), hold-time.Second)
		if r, is := errors.AsType[*call.Refusal](err); !is || r.Code != contract.ReasonLimitReached || time.Since(began) != 0 {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		b.do(read("/x"), hold+time.Second)
		if time.Since(began) != hold {
			t.Errorf("it waited %s, want %s", time.Since(began), hold)
		}
	})
}
