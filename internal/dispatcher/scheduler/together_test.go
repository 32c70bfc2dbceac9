// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// alike is a call that has the same answer as others of the same number.
func alike(number byte) *call.Call {
	c := read("/alike")
	c.Identity[0] = number
	return c
}

// readers wait for equal calls, each in its own goroutine.
type readers struct {
	b       *bench
	group   sync.WaitGroup
	mu      sync.Mutex
	bodies  map[string]int
	refused int
}

func (r *readers) ask(ctx context.Context, c *call.Call, wait time.Duration) {
	r.group.Go(func() {
		a, err := r.b.Do(ctx, c, wait)
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil {
			if _, refusal := errors.AsType[*call.Refusal](err); refusal {
				r.refused++
			}
			return
		}
		body, _ := io.ReadAll(a.Body)
		_ = a.Body.Close()
		r.bodies[string(body)]++
	})
	synctest.Wait()
}

func newReaders(b *bench) *readers { return &readers{b: b, bodies: map[string]int{}} }

// TestEqualCallsAreOneWhileTheyWait: one is sent for all, and each gets the whole answer.
func TestEqualCallsAreOneWhileTheyWait(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.fill()
		b.crm.script = []answer{{status: 200, body: "first", after: time.Second}, {status: 200, body: "second"}}
		sent, r := len(b.crm.targets()), newReaders(b)
		for range 5 {
			r.ask(t.Context(), alike(1), 2*time.Minute)
		}
		time.Sleep(hold + 500*time.Millisecond)
		r.ask(t.Context(), alike(1), 2*time.Minute) // after the first was sent
		r.group.Wait()
		if got := len(b.crm.targets()) - sent; got != 2 || r.bodies["first"] != 5 || r.bodies["second"] != 1 {
			t.Errorf("%d calls were sent, answers %v", got, r.bodies)
		}
		if saved := b.snap().Integrations[0].Counters.Saved; saved != 4 {
			t.Errorf("%d calls are said to be saved", saved)
		}
	})
}

func TestCallsThatAreNotEqualAreSentEach(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.fill()
		sent, r := len(b.crm.targets()), newReaders(b)
		r.ask(t.Context(), alike(1), 2*time.Minute)
		r.ask(t.Context(), alike(2), 2*time.Minute)
		r.ask(t.Context(), read("/x"), 2*time.Minute)
		r.ask(t.Context(), read("/x"), 2*time.Minute)
		r.group.Wait()
		if got := len(b.crm.targets()) - sent; got != 4 {
			t.Errorf("%d calls were sent", got)
		}
	})
}

func TestEqualCallsUnderShadowAreSentEach(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) { p.Enforce, p.Hold = false, true })) // held, so that they wait
		sent, r := len(b.crm.targets()), newReaders(b)
		for range 3 {
			r.ask(t.Context(), alike(1), 2*time.Minute)
		}
		b.apply(plan(3, func(p *contract.Plan) { p.Enforce = false }))
		r.group.Wait()
		if got := len(b.crm.targets()) - sent; got != 3 {
			t.Errorf("%d calls were sent", got)
		}
	})
}

// TestFollowersDoNotDependOnTheFirst: when its client goes or gives up, theirs still get an answer.
func TestFollowersDoNotDependOnTheFirst(t *testing.T) {
	for name, first := range map[string]func(r *readers){
		"its client goes": func(r *readers) {
			ctx, cancel := context.WithCancel(r.b.t.Context())
			r.ask(ctx, alike(1), 2*time.Minute)
			time.AfterFunc(10*time.Second, cancel)
		},
		"its client goes when it was sent": func(r *readers) {
			ctx, cancel := context.WithCancel(r.b.t.Context())
			r.ask(ctx, alike(1), 2*time.Minute)
			time.AfterFunc(hold+500*time.Millisecond, cancel)
		},
		"it gives up": func(r *readers) {
			r.b.apply(plan(2, func(p *contract.Plan) { p.Hold = true })) // else it would be refused at once
			r.ask(r.b.t.Context(), alike(1), 20*time.Second)
			time.AfterFunc(10*time.Second, func() { r.b.apply(plan(3)) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.fill()
				b.crm.script = []answer{{status: 200, body: "all", after: time.Second}}
				sent, r := len(b.crm.targets()), newReaders(b)
				first(r)
				for range 3 {
					r.ask(t.Context(), alike(1), 2*time.Minute)
				}
				r.group.Wait()
				if got := len(b.crm.targets()) - sent; got != 1 || r.bodies["all"] != 3 {
					t.Errorf("%d calls were sent, answers %v, %d refused", got, r.bodies, r.refused)
				}
			})
		})
	}
}

// TestAnImpatientCallDoesNotFollow: it would be told too late that there is no answer.
func TestAnImpatientCallDoesNotFollow(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) { p.Hold = true }))
		r := newReaders(b)
		r.ask(t.Context(), alike(1), time.Minute)
		r.ask(t.Context(), alike(1), time.Second)
		time.Sleep(2 * time.Second)
		r.mu.Lock()
		if r.refused != 1 {
			t.Errorf("%d were refused after two seconds", r.refused)
		}
		r.mu.Unlock()
		r.group.Wait()
	})
}
