// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestRefusedCallsAreCharged: the CRM may have counted a call that it refused.
func TestRefusedCallsAreCharged(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{status: http.StatusTooManyRequests}}
		if status := b.do(read("/a"), 0); status != http.StatusTooManyRequests {
			t.Fatalf("the call is answered with %d", status)
		}
		if used := b.snap().Windows[0].Used; used != 1 {
			t.Errorf("used are %d after a refusal, want 1", used)
		}
		time.Sleep(hold)
		if used := b.snap().Windows[0].Used; used != 0 {
			t.Errorf("used are %d a window later, want none", used)
		}
	})
}

// TestClientThatGoesIsChargedForItsCall: a call that was sent arrives, whether or not anybody waits for its answer.
func TestClientThatGoesIsChargedForItsCall(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{status: http.StatusOK, after: 5 * time.Second}}
		ctx, leave := context.WithCancel(context.Background())
		go func() { _, _ = b.Do(ctx, read("/a"), 0) }()
		synctest.Wait()
		leave()
		for _, after := range []time.Duration{0, 5 * time.Second, hold - time.Second} {
			time.Sleep(after)
			if used := b.snap().Windows[0].Used; used != 1 {
				t.Errorf("used are %d, want the call whose client has gone", used)
			}
		}
		time.Sleep(2 * time.Second)
		if used := b.snap().Windows[0].Used; used != 0 {
			t.Errorf("used are %d a window after the answer, want none", used)
		}
	})
}
