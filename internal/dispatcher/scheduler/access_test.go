// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// TestCredentialsThatAreNotTakenLoseNoCall: queued calls stay, are tried one at a time, and are all sent once the credentials are mended.
func TestCredentialsThatAreNotTakenLoseNoCall(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for range 1000 {
			b.crm.script = append(b.crm.script, answer{status: http.StatusUnauthorized})
		}
		var ids []call.ID
		for n := range 5 {
			ids = append(ids, b.enqueue(write(fmt.Sprint("/", n), call.RepeatNever)))
		}
		time.Sleep(time.Hour)
		if s := b.snap(); s.Backlog.Queued != 5 || !s.CredentialsRefused {
			t.Errorf("%d are queued, refused %t", s.Backlog.Queued, s.CredentialsRefused)
		}
		if tried := len(b.crm.targets()); tried > 240 {
			t.Errorf("%d tries in an hour", tried)
		}
		b.crm.mu.Lock()
		b.crm.script = nil
		b.crm.mu.Unlock()
		time.Sleep(5 * time.Minute)
		for _, id := range ids {
			if r := b.result(id); r.State != call.StateSucceeded {
				t.Errorf("a call is %s", r.State)
			}
		}
		if b.snap().CredentialsRefused {
			t.Error("the credentials are still said to be refused")
		}
	})
}

// TestOneCallThatTheCredentialsDoNotAllow does not hold up the others for long, and is not said to show that they are wrong.
func TestOneCallThatTheCredentialsDoNotAllow(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{status: http.StatusUnauthorized}}
		b.enqueue(write("/forbidden", call.RepeatNever))
		synctest.Wait()
		other := b.enqueue(write("/other", call.RepeatNever))
		time.Sleep(2 * time.Minute)
		if r := b.result(other); r.State != call.StateSucceeded || b.snap().CredentialsRefused {
			t.Errorf("the other call is %s, refused %t", r.State, b.snap().CredentialsRefused)
		}
	})
}
