// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/sealing"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

func noKey() (*sealing.Ring, error) { return nil, sealing.ErrNoKey }

// oneKey returns the same wrapping key each time.
func oneKey() (*sealing.Ring, error) {
	w, err := sealing.ParseWrapping([]byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))))
	return &sealing.Ring{Newest: w}, err
}

// TestQueuedCallsWaitForTheirKey: after a restart without it none is sent, parked or dropped, no result is given out, and live calls go on. Once it is back all are
// sent.
func TestQueuedCallsWaitForTheirKey(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.ring = oneKey
		answered := b.enqueue(write("/answered", call.RepeatNever))
		time.Sleep(time.Minute)
		if r := b.result(answered); r.State != call.StateSucceeded {
			t.Fatalf("it is %s", r.State)
		}
		b.apply(plan(2, func(p *contract.Plan) { p.Hold = true }))
		ids := []call.ID{b.enqueue(write("/1", call.RepeatNever)), b.enqueue(ordered("/2", "k", call.RepeatNever)), b.enqueue(ordered("/3", "k", call.RepeatKeyed))}
		b.ring = noKey
		b.restart(time.Second)
		b.apply(plan(3))
		time.Sleep(10 * time.Minute)
		if b.do(read("/live"), 0) != 200 {
			t.Error("a live call is not answered")
		}
		for _, id := range ids {
			if r := b.result(id); r.State != call.StateQueued {
				t.Errorf("call %s is %s: %s", id, r.State, r.Reason)
			}
		}
		for name, err := range map[string]error{
			"a result":       second(b.Result(t.Context(), "a/x", answered, 0)),
			"a useless drop": b.Drop(t.Context(), "a/x", answered),
		} {
			if refusal, is := errors.AsType[*call.Refusal](err); !is || refusal.Code != contract.ReasonEncryptionKeyMissing {
				t.Errorf("%s: %v", name, err)
			}
		}
		b.ring = oneKey
		time.Sleep(2 * time.Minute)
		for _, id := range ids {
			if r := b.result(id); r.State != call.StateSucceeded {
				t.Errorf("call %s is %s: %s", id, r.State, r.Reason)
			}
		}
		if got := len(b.crm.targets()); got != 5 {
			t.Errorf("%d requests, want 5: %v", got, b.crm.targets())
		}
	})
}

func second[T any](_ T, err error) error { return err }
