// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// ordered is a call with an ordering key.
func ordered(target, key string, class call.RepeatClass) *call.Call {
	c := write(target, class)
	c.OrderKey = key
	return c
}

func TestOneAtATimeInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = slices.Repeat([]answer{{status: 200, after: 2 * time.Second}}, 8)
		for n := range 3 {
			b.enqueue(ordered(fmt.Sprintf("/a%d", n), "a", call.RepeatKeyed))
			b.enqueue(ordered(fmt.Sprintf("/b%d", n), "b", call.RepeatKeyed))
		}
		b.enqueue(write("/free1", call.RepeatKeyed))
		b.enqueue(write("/free2", call.RepeatKeyed))
		time.Sleep(time.Second)
		if got := slices.Sorted(slices.Values(b.crm.targets())); !slices.Equal(got, []string{"/a0", "/b0", "/free1", "/free2"}) {
			t.Errorf("at first %v were sent", got)
		}
		time.Sleep(10 * time.Second)
		checkOrder(t, b.crm)
		if got := len(b.crm.targets()); got != 8 {
			t.Errorf("%d of 8 were sent", got)
		}
	})
}

// TestACallHoldsBackItsKeyOnly: one that is refused, or of which it is not known what became, goes first, and others do not wait for it.
func TestACallHoldsBackItsKeyOnly(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{status: http.StatusTooManyRequests}}
		b.enqueue(ordered("/a0", "a", call.RepeatKeyed))
		b.enqueue(ordered("/a1", "a", call.RepeatKeyed))
		time.Sleep(time.Minute)
		if got := b.crm.targets(); !slices.Equal(got, []string{"/a0", "/a0", "/a1"}) {
			t.Fatalf("sent were %v", got)
		}
		b.crm.script = []answer{{broken: true}}
		parked := b.enqueue(ordered("/c0", "c", call.RepeatNever))
		time.Sleep(time.Minute)
		behind := b.enqueue(ordered("/c1", "c", call.RepeatNever))
		b.enqueue(ordered("/d0", "d", call.RepeatKeyed))
		time.Sleep(10 * time.Minute)
		if got := b.crm.targets()[3:]; !slices.Equal(got, []string{"/c0", "/d0"}) {
			t.Fatalf("sent were %v", got)
		}
		if r := b.result(behind); r.State != call.StateQueued || r.Behind != parked || !r.ETA.IsZero() {
			t.Errorf("the call behind a parked one is %+v", r)
		}
		b.restart(time.Second)
		time.Sleep(10 * time.Minute)
		if r := b.result(behind); r.State != call.StateQueued {
			t.Errorf("after a restart it is %s", r.State)
		}
		if err := b.Resend(t.Context(), "a/x", parked); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := b.crm.targets()[5:]; !slices.Equal(got, []string{"/c0", "/c1"}) {
			t.Errorf("after the resend %v were sent", got)
		}
	})
}

// TestAnEndFreesTheKey, whatever it is.
func TestAnEndFreesTheKey(t *testing.T) {
	ends := map[string]func(b *bench, first call.ID){
		"its age": func(*bench, call.ID) { time.Sleep(25 * time.Hour) },
		"an order": func(b *bench, first call.ID) {
			if err := b.Drop(b.t.Context(), "a/x", first); err != nil {
				b.t.Error(err)
			}
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.crm.script = []answer{{broken: true}}
				first := b.enqueue(ordered("/0", "k", call.RepeatNever))
				time.Sleep(time.Hour)
				b.enqueue(ordered("/1", "k", call.RepeatKeyed))
				time.Sleep(time.Minute)
				if got := b.crm.targets(); len(got) != 1 {
					t.Fatalf("sent were %v", got)
				}
				end(b, first)
				time.Sleep(time.Minute)
				if r := b.result(first); r.State != call.StateDead || !strings.Contains(r.Reason, "might take effect twice") {
					t.Errorf("the first is %s: %s", r.State, r.Reason)
				}
				if got := b.crm.targets(); !slices.Equal(got, []string{"/0", "/1"}) {
					t.Errorf("sent were %v", got)
				}
			})
		})
	}
}

// TestANarrowLimitHidesNoOtherKind: however many calls wait for it.
func TestANarrowLimitHidesNoOtherKind(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		narrow := func(p *contract.Plan) {
			p.Limits = append(p.Limits, contract.Limit{Name: "updates", Calls: 1, WindowSeconds: 3600, Match: &contract.Match{Methods: []string{"PUT"}, Path: "/**"}})
		}
		b.apply(plan(2, narrow, func(p *contract.Plan) { p.Hold = true }))
		for n := range 5 * maxHeads {
			c := write(fmt.Sprintf("/tickets/%d", n), call.RepeatIdempotent)
			c.Method = http.MethodPut
			b.enqueue(c)
		}
		b.enqueue(write("/tickets", call.RepeatKeyed))
		b.apply(plan(3, narrow))
		time.Sleep(time.Second)
		if got := b.crm.targets(); len(got) != 2 || !slices.Contains(got, "/tickets") {
			t.Errorf("sent were %v", got)
		}
	})
}

func TestOrdersOnCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{broken: true}}
		parked := b.enqueue(write("/parked", call.RepeatNever))
		synctest.Wait()
		b.apply(plan(2, func(p *contract.Plan) { p.Hold = true }))
		dead, queued := b.enqueue(write("/dead", call.RepeatKeyed)), b.enqueue(write("/queued", call.RepeatKeyed))
		time.Sleep(time.Hour)
		list := func(state call.State, want ...call.ID) {
			t.Helper()
			all, err := b.List(t.Context(), "a/x", state, "", 10)
			var got []call.ID
			for _, r := range all {
				got = append(got, r.ID)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s are %v, want %v: %v", state, got, want, err)
			}
		}
		give := func(what func() error, want error) {
			t.Helper()
			if err := what(); !errors.Is(err, want) {
				t.Errorf("the error is %v, want %v", err, want)
			}
		}
		resend := func(id call.ID) func() error { return func() error { return b.Resend(t.Context(), "a/x", id) } }
		drop := func(id call.ID) func() error { return func() error { return b.Drop(t.Context(), "a/x", id) } }
		give(resend(queued), call.ErrOtherState)
		give(resend("nobody"), call.ErrUnknown)
		give(func() error { return b.Drop(t.Context(), "b/y", dead) }, call.ErrUnknown)
		give(drop(dead), nil)
		give(drop(dead), call.ErrOtherState)
		if r := b.result(dead); r.State != call.StateDead || r.Reason != "dropped by order" {
			t.Errorf("the dropped call is %s: %s", r.State, r.Reason)
		}
		list(call.StateParked, parked)
		list(call.StateDead, dead)
		give(resend(parked), nil)
		give(resend(dead), nil)
		list(call.StateParked)
		list(call.StateDead)
		time.Sleep(23*time.Hour + time.Minute) // what was not resent has reached its age, what was has not
		list(call.StateDead, queued)
		b.apply(plan(3))
		time.Sleep(time.Minute)
		if got := b.crm.targets(); len(got) != 3 || !slices.Contains(got[1:], "/parked") || !slices.Contains(got[1:], "/dead") {
			t.Errorf("sent were %v", got)
		}
		if r := b.result(parked); r.State != call.StateSucceeded || r.Reason != "" {
			t.Errorf("the resent call is %s: %s", r.State, r.Reason)
		}
		b.crm.script = []answer{{status: http.StatusUnprocessableEntity}}
		failed := b.enqueue(write("/failed", call.RepeatKeyed))
		time.Sleep(time.Minute)
		give(resend(failed), call.ErrOtherState)
		give(drop(failed), call.ErrOtherState)
	})
}

// TestAResendNeedsRoom in the queue, as a new call does.
func TestAResendNeedsRoom(t *testing.T) {
	for name, narrow := range map[string]func(*contract.Queue){
		"of calls": func(q *contract.Queue) { q.MaxCalls = 1 },
		"of bytes": func(q *contract.Queue) { q.MaxBytes = 19 },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.apply(plan(2, func(p *contract.Plan) {
					p.Hold = true
					narrow(&p.Integrations[0].Queue)
				}))
				first := b.enqueue(write("/1", call.RepeatKeyed))
				if err := b.Drop(t.Context(), "a/x", first); err != nil {
					t.Fatal(err)
				}
				second := b.enqueue(write("/2", call.RepeatKeyed))
				err := b.Resend(t.Context(), "a/x", first)
				if refusal, is := errors.AsType[*call.Refusal](err); !is || refusal.Code != contract.ReasonQueueFull {
					t.Errorf("the error is %v", err)
				}
				if err := errors.Join(b.Drop(t.Context(), "a/x", second), b.Resend(t.Context(), "a/x", first)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestOrdersAtTheSameTime: of two equal ones, the first is carried out and the second finds the call in another state.
func TestOrdersAtTheSameTime(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) { p.Hold = true }))
		id := b.enqueue(write("/x", call.RepeatKeyed))
		errs := make(chan error)
		for range 8 {
			go func() { errs <- b.Drop(t.Context(), "a/x", id) }()
		}
		carriedOut := 0
		for range 8 {
			switch err := <-errs; {
			case err == nil:
				carriedOut++
			case !errors.Is(err, call.ErrOtherState):
				t.Error(err)
			}
		}
		if carriedOut != 1 {
			t.Errorf("%d orders were carried out", carriedOut)
		}
	})
}

// checkOrder holds what a CRM saw against the promise: of calls with one key one is sent at a time, and none after a later one.
func checkOrder(t *testing.T, c *crm) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	last := map[string]int{}
	for n, what := range c.seen {
		if what.OrderKey == "" {
			continue
		}
		before, some := last[what.OrderKey]
		if last[what.OrderKey] = n; !some {
			continue
		}
		if c.seen[before].ID > what.ID {
			t.Errorf("of key %s %s was sent after %s, which was accepted later", what.OrderKey, what.Target, c.seen[before].Target)
		}
		if c.ended[before].IsZero() || c.ended[before].After(c.at[n]) {
			t.Errorf("of key %s %s was sent at %s, and %s was on its way until %s", what.OrderKey, what.Target, c.at[n], c.seen[before].Target, c.ended[before])
		}
	}
}

// TestOrderInAnyCase: random calls, answers and losses of power; parked calls are resent or dropped. What the CRM sees is in order, and everything ends.
func TestOrderInAnyCase(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) { anyCase(t, b, rand.New(rand.NewPCG(seed, 5))) }) //nolint:gosec // repeatable on purpose
		})
	}
}

func anyCase(t *testing.T, b *bench, random *rand.Rand) {
	t.Helper()
	b.apply(plan(2, func(p *contract.Plan) { p.Limits[0].Calls = int64(2 + random.IntN(40)) }))
	var all []call.ID
	for range 120 {
		b.crm.mu.Lock()
		b.crm.script = append(b.crm.script, []answer{
			{status: 200}, {status: 200, after: 30 * time.Second}, {status: 422}, {status: 429}, {status: 503}, {broken: true}, {down: true},
		}[random.IntN(7)])
		b.crm.mu.Unlock()
		class := []call.RepeatClass{call.RepeatNever, call.RepeatIdempotent, call.RepeatKeyed}[random.IntN(3)]
		all = append(all, b.enqueue(ordered(fmt.Sprintf("/%d", len(all)), []string{"", "a", "b", "c"}[random.IntN(4)], class)))
		time.Sleep(time.Duration(random.IntN(8000)) * time.Millisecond)
		if random.IntN(15) == 0 {
			b.restart(time.Duration(random.IntN(20)) * time.Second)
		}
		if random.IntN(10) == 0 {
			settle(t, b, random)
		}
	}
	for range 30 {
		time.Sleep(10 * time.Minute)
		settle(t, b, random)
	}
	checkOrder(t, b.crm)
	for _, id := range all {
		if r := b.result(id); r.State == call.StateQueued || r.State == call.StateSent || r.State == call.StateParked {
			t.Errorf("%s is %s still: %+v", r.Target, r.State, r)
		}
	}
}

// settle resends or drops what is parked.
func settle(t *testing.T, b *bench, random *rand.Rand) {
	t.Helper()
	parked, err := b.List(t.Context(), "a/x", call.StateParked, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range parked {
		decide := b.Drop
		if random.IntN(2) == 0 {
			decide = b.Resend
		}
		if err := decide(t.Context(), "a/x", r.ID); err != nil && !errors.Is(err, call.ErrOtherState) {
			t.Errorf("%s: %v", r.Target, err)
		}
	}
}
