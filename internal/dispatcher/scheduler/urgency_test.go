// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// urgent is a queued call that is by so many steps less urgent than others.
func urgent(target string, steps int8) *call.Call {
	c := write(target, call.RepeatKeyed)
	c.Urgency = steps
	return c
}

// oneAMinute lets one call through at a time, some 61 s apart.
func oneAMinute(p *contract.Plan) { p.Limits[0].Calls = 1 }

func onHold(p *contract.Plan) { p.Hold = true }

// TestAnUrgentCallGoesFirst, however many others were queued before it.
func TestAnUrgentCallGoesFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, oneAMinute, onHold))
		b.enqueue(urgent("/later", 2))
		for n := range 3 * maxHeads {
			b.enqueue(write(fmt.Sprintf("/%d", n), call.RepeatKeyed))
		}
		b.enqueue(urgent("/soon", -1))
		b.enqueue(urgent("/now", -3))
		b.restart(time.Second)
		b.apply(plan(3, oneAMinute))
		time.Sleep(5 * time.Minute)
		if got := b.crm.targets(); len(got) < 4 || !slices.Equal(got[:4], []string{"/now", "/soon", "/0", "/1"}) {
			t.Errorf("sent were %v", got)
		}
	})
}

// TestWaitingMakesUpForUrgency: an hour for each step, or less where calls may not wait for long.
func TestWaitingMakesUpForUrgency(t *testing.T) {
	for maxAge, before := range map[int64]time.Duration{86400: time.Hour, 1600: 200 * time.Second} {
		inBubble(t, func(t *testing.T, b *bench) {
			queue := func(p *contract.Plan) { p.Integrations[0].Queue.MaxAgeSeconds = maxAge }
			b.apply(plan(2, oneAMinute, onHold, queue))
			b.enqueue(urgent("/old", 1))
			time.Sleep(before - time.Second)
			b.enqueue(write("/ordinary", call.RepeatKeyed))
			time.Sleep(2 * time.Second)
			b.enqueue(write("/young", call.RepeatKeyed))
			b.apply(plan(3, oneAMinute, queue))
			time.Sleep(5 * time.Minute)
			if got := b.crm.targets(); !slices.Equal(got, []string{"/ordinary", "/old", "/young"}) {
				t.Errorf("of calls that may wait for %d s were sent %v", maxAge, got)
			}
		})
	}
}

// TestUrgencyKeepsTheOrderOfAKey.
func TestUrgencyKeepsTheOrderOfAKey(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, oneAMinute, onHold))
		b.enqueue(ordered("/k0", "k", call.RepeatKeyed))
		second := ordered("/k1", "k", call.RepeatKeyed)
		second.Urgency = -3
		b.enqueue(second)
		b.enqueue(write("/other", call.RepeatKeyed))
		b.apply(plan(3, oneAMinute))
		time.Sleep(5 * time.Minute)
		if got := b.crm.targets(); !slices.Equal(got, []string{"/k0", "/k1", "/other"}) {
			t.Errorf("sent were %v", got)
		}
	})
}

// TestAnUrgentCallThatSomebodyWaitsForGoesFirst.
func TestAnUrgentCallThatSomebodyWaitsForGoesFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, oneAMinute, func(p *contract.Plan) { p.Integrations[0].WaitSeconds = 300 }))
		if b.do(read("/first"), 0) != 200 {
			t.Fatal("nothing is sent")
		}
		var all sync.WaitGroup
		for n, steps := range []int8{0, 1, 0, -1} {
			c := read(fmt.Sprintf("/%d", n))
			c.Urgency = steps
			all.Go(func() {
				if a, err := b.Do(context.Background(), c, 5*time.Minute); err != nil {
					t.Errorf("%s: %v", c.Target, err)
				} else {
					_ = a.Body.Close() // in memory
				}
			})
			synctest.Wait()
			time.Sleep(time.Second)
		}
		all.Wait()
		if got := b.crm.targets(); !slices.Equal(got, []string{"/first", "/3", "/0", "/2", "/1"}) {
			t.Errorf("sent were %v", got)
		}
	})
}

// TestUrgencyTakesNothingFromOthers: an integration all of whose calls are urgent gets what it would get otherwise.
func TestUrgencyTakesNothingFromOthers(t *testing.T) {
	sentOf := func(t *testing.T, steps int8) (x int) {
		inBubble(t, func(_ *testing.T, b *bench) {
			two := func(p *contract.Plan) {
				other := p.Integrations[0]
				other.Name, other.UID = "y", "y"
				p.Integrations[0].Share.GuaranteedPercent, other.Share.GuaranteedPercent = 0, 0
				p.Integrations[0].Priority, other.Priority = contract.PriorityStandard, contract.PriorityStandard
				p.Integrations = append(p.Integrations, other)
			}
			b.apply(plan(2, two, onHold))
			for n := range 100 {
				b.enqueue(urgent(fmt.Sprintf("/x/%d", n), steps*int8(n%2)))
				c := write(fmt.Sprintf("/y/%d", n), call.RepeatKeyed)
				c.Integration = "a/y"
				b.enqueue(c)
			}
			b.apply(plan(3, two))
			time.Sleep(5 * time.Minute)
			for _, target := range b.crm.targets() {
				if target[:2] == "/x" {
					x++
				}
			}
		})
		return x
	}
	if with, without := sentOf(t, -3), sentOf(t, 0); with != without || without == 0 {
		t.Errorf("%d calls were sent with urgencies, %d without", with, without)
	}
}
