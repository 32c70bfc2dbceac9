// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"sync/atomic"
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
		b.ring.Store(new(oneKey))
		answered := b.enqueue(write("/answered", call.RepeatNever))
		time.Sleep(time.Minute)
		if r := b.result(answered); r.State != call.StateSucceeded {
			t.Fatalf("it is %s", r.State)
		}
		b.apply(plan(2, func(p *contract.Plan) { p.Hold = true }))
		ids := []call.ID{b.enqueue(write("/1", call.RepeatNever)), b.enqueue(ordered("/2", "k", call.RepeatNever)), b.enqueue(ordered("/3", "k", call.RepeatKeyed))}
		b.ring.Store(new(noKey))
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
		b.ring.Store(new(oneKey))
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

// erasures counts the calls that were erased.
type erasures struct{ calls atomic.Int64 }

// Held implements Observer.
func (*erasures) Held(*call.Call, time.Duration, Held) {}

// Decided implements Observer.
func (*erasures) Decided(string, time.Duration) {}

// Exchanged implements Observer.
func (*erasures) Exchanged(string, string, time.Duration, int) {}

// Erased implements Observer.
func (e *erasures) Erased(_ string, calls int) { e.calls.Add(int64(calls)) }

// TestErase: what is queued and parked ends, in as many turns as it takes; what is on its way is answered and leaves nothing; what comes after goes on; what another
// integration has is not touched.
func TestErase(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.ring.Store(new(oneKey))
		seen := &erasures{}
		b.observer = seen
		b.restart(time.Second)
		encrypted := func(p *contract.Plan) {
			p.Encryption = &contract.Encryption{Current: "current", Former: "former"}
			p.Integrations[0].Queue.MaxCalls = 3 * maxErased
		}
		b.apply(plan(2, encrypted))
		b.crm.script = []answer{{broken: true}, {status: 200, after: 30 * time.Second}}
		parked := b.enqueue(ordered("/parked", "k", call.RepeatNever))
		time.Sleep(time.Second)
		behind := b.enqueue(ordered("/behind", "k", call.RepeatNever))
		sent := b.enqueue(write("/sent", call.RepeatNever))
		time.Sleep(10 * time.Second)
		b.states([]call.ID{parked, behind, sent}, "parked", "queued", "sent")
		b.apply(plan(3, encrypted, func(p *contract.Plan) { p.Hold = true }))
		queued := []call.ID{behind}
		for range 2*maxErased + 1 {
			queued = append(queued, b.enqueue(write("/queued", call.RepeatIdempotent)))
		}
		if _, err := b.Request(t.Context(), "a/x", parked); err != nil {
			t.Errorf("a stored request: %v", err)
		}
		sum, err := b.Erase(t.Context(), "a/x", time.Now().Add(24*time.Hour))
		if err != nil || sum.Queued != int64(len(queued)) || sum.Parked != 1 {
			t.Errorf("erased %+v: %v", sum, err)
		}
		b.erased(queued...)
		if want := int64(len(queued) + 1); seen.calls.Load() != want {
			t.Errorf("%d erased calls are counted, want %d", seen.calls.Load(), want)
		}
		if r := b.result(parked); r.State != call.StateDead || !strings.HasSuffix(r.Reason, "; erased by order") {
			t.Errorf("it is %s: %s", r.State, r.Reason)
		}
		for order, err := range map[string]error{
			"to send it again": b.Resend(t.Context(), "a/x", parked), "to read it": second(b.Request(t.Context(), "a/x", parked)),
		} {
			if !errors.Is(err, call.ErrBodyGone) {
				t.Errorf("%s: %v", order, err)
			}
		}
		if dead := b.snap().Backlog.Dead; dead != int64(len(queued)+1) {
			t.Errorf("%d are dead", dead)
		}
		after := b.enqueue(write("/after", call.RepeatNever))
		b.apply(plan(4, encrypted))
		time.Sleep(time.Minute)
		if r := b.result(sent); r.State != call.StateSucceeded || r.Status != 200 || r.Body != nil || r.Reason != "erased by order" {
			t.Errorf("what was on its way is %+v", r)
		}
		b.states([]call.ID{after}, "succeeded")
	})
}

// erased checks that calls were ended by the order to erase them.
func (b *bench) erased(ids ...call.ID) {
	b.t.Helper()
	for _, id := range ids {
		if r := b.result(id); r.State != call.StateDead || r.Reason != "erased by order" {
			b.t.Fatalf("call %s is %s: %s", id, r.State, r.Reason)
		}
	}
}

// states checks in which states calls are.
func (b *bench) states(ids []call.ID, want ...call.State) {
	b.t.Helper()
	for i, id := range ids {
		if r := b.result(id); r.State != want[i] {
			b.t.Errorf("call %d is %s, want %s: %s", i+1, r.State, want[i], r.Reason)
		}
	}
}

// TestEraseInterrupted: calls whose key is gone although they are queued end when it is their turn, and nothing is sent for them.
func TestEraseInterrupted(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.ring.Store(new(oneKey))
		b.apply(plan(2, func(p *contract.Plan) { p.Hold = true }))
		id := b.enqueue(write("/x", call.RepeatNever))
		if _, err := b.options.Store.Erase(t.Context(), "a/x", time.Now().Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		b.apply(plan(3))
		time.Sleep(time.Minute)
		if r := b.result(id); r.State != call.StateDead || r.Reason != "erased by order" || len(b.crm.targets()) != 0 {
			t.Errorf("it is %+v; sent were %v", r, b.crm.targets())
		}
		if w := b.snap().Windows[0]; w.Used != 0 {
			t.Errorf("%d were charged", w.Used)
		}
	})
}

func TestEraseNeedsEncryption(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		_, err := b.Erase(t.Context(), "a/x", time.Now())
		if refusal, is := errors.AsType[*call.Refusal](err); !is || refusal.Code != contract.ReasonNotEncrypted {
			t.Errorf("the error is %v", err)
		}
	})
}
