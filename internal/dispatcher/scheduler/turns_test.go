// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// slowly is how long a CRM takes that is in no hurry.
const slowly = 2 * time.Second

// slow has a CRM that takes its time, known by one call, and a limit that is never reached.
func slow(b *bench, change ...func(*contract.Plan)) {
	b.t.Helper()
	b.crm.reply = func(*call.Call) answer { return answer{status: http.StatusOK, after: slowly} }
	b.apply(plan(2, append(change, func(p *contract.Plan) { p.Limits[0].Calls = 10_000 })...))
	if status := b.do(read("/first"), time.Minute); status != http.StatusOK {
		b.t.Fatalf("the first call got %d", status)
	}
}

// TestWhoWaitsForATurnIsToldSo: the limits have room for all, so what is foreseen is nothing but the turns before, and it comes true.
func TestWhoWaitsForATurnIsToldSo(t *testing.T) {
	const calls = 12
	waiting := map[string]func(b *bench) []call.ID{
		"behind an ordering key": func(b *bench) (all []call.ID) {
			for n := range calls {
				all = append(all, b.enqueue(ordered(fmt.Sprint("/", n), "k", call.RepeatKeyed)))
			}
			return all
		},
		"behind what it refers to": func(b *bench) []call.ID {
			all := []call.ID{b.enqueue(write("/0", call.RepeatKeyed))}
			for n := range calls - 1 {
				all = append(all, b.enqueue(referring(fmt.Sprint("/", n+1), all[n])))
			}
			return all
		},
	}
	for name, enqueue := range waiting {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				slow(b)
				b.crm.reply = func(*call.Call) answer { return answer{status: http.StatusOK, after: slowly, body: `{"id":7}`} }
				began := time.Now()
				all := enqueue(b)
				for n, id := range all[1:] {
					r := b.result(id)
					want := time.Duration(n+1) * slowly
					if off := r.ETA.Sub(began.Add(want)).Abs(); r.State != call.StateQueued || off > 100*time.Millisecond {
						t.Errorf("call %d is %s and foreseen after %s, want %s", n+1, r.State, r.ETA.Sub(began), want)
					}
				}
				time.Sleep(calls*slowly + time.Second)
				b.crm.mu.Lock()
				defer b.crm.mu.Unlock()
				for n, at := range b.crm.at[1:] {
					if off := at.Sub(began.Add(time.Duration(n) * slowly)).Abs(); off > 100*time.Millisecond {
						t.Errorf("call %d was sent after %s", n, at.Sub(began))
					}
				}
			})
		})
	}
}

// TestATurnIsNotForeseenBeforeACallHasEnded: how long they take is not known after a restart, and nothing else holds them back.
func TestATurnIsNotForeseenBeforeACallHasEnded(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.reply = func(*call.Call) answer { return answer{status: http.StatusOK, after: slowly} }
		b.enqueue(ordered("/0", "k", call.RepeatKeyed))
		second := b.enqueue(ordered("/1", "k", call.RepeatKeyed))
		third := b.enqueue(ordered("/2", "k", call.RepeatKeyed))
		if r := b.result(second); !r.ETA.IsZero() {
			t.Errorf("it is foreseen for %s", r.ETA)
		}
		time.Sleep(slowly + time.Second)
		if r := b.result(third); r.ETA.IsZero() {
			t.Error("it is not foreseen afterwards")
		}
	})
}

// TestALineThatIsTooLongTakesNoCall whose turn would come too late, while calls of other keys and without any are taken.
func TestALineThatIsTooLongTakesNoCall(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		slow(b, func(p *contract.Plan) { p.Integrations[0].Queue.MaxAgeSeconds = 60 })
		taken := 0
		var refused error
		for ; taken < 100 && refused == nil; taken++ {
			_, _, refused = b.Enqueue(t.Context(), ordered(fmt.Sprint("/", taken), "k", call.RepeatKeyed), "", [32]byte{})
		}
		taken--
		refusal, is := errors.AsType[*call.Refusal](refused)
		if !is || refusal.Code != contract.ReasonQueueTooSlow || refusal.RetryAfter != slowly || taken != 31 {
			t.Errorf("%d were taken, then came %v", taken, refused)
		}
		if n := b.snap().Integrations[0].Counters.Refused; n != 1 {
			t.Errorf("%d refusals were counted", n)
		}
		b.enqueue(ordered("/other", "other", call.RepeatKeyed))
		b.enqueue(write("/free", call.RepeatKeyed))
		time.Sleep(time.Minute + slowly)
		if dead := b.snap().Integrations[0].Backlog.Dead; dead > 1 {
			t.Errorf("%d of those that were taken became too old", dead)
		}
	})
}
