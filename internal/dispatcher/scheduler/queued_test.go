// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

func TestQueuedCallsAreSentInOrderAsTheyFit(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) { p.Hold = true }))
		var want []string
		for n := range 3 * maxHeads {
			want = append(want, fmt.Sprintf("/%d", n))
			b.enqueue(write(want[n], call.RepeatKeyed))
		}
		if s := b.snap(); s.Backlog.Queued != 3*maxHeads || len(b.crm.targets()) != 0 {
			t.Errorf("on hold %d are queued, %d were sent", s.Backlog.Queued, len(b.crm.targets()))
		}
		b.apply(plan(3))
		time.Sleep(time.Hour)
		// Calls of one turn leave side by side.
		if got := b.crm.targets(); len(got) != len(want) || !slices.Equal(sortedTens(got), sortedTens(want)) {
			t.Errorf("sent were %v", got)
		}
	})
}

// sortedTens sorts within each window's ten.
func sortedTens(all []string) []string {
	sorted := slices.Clone(all)
	for ten := range slices.Chunk(sorted, 10) {
		slices.Sort(ten)
	}
	return sorted
}

func TestWhatBecomesOfAQueuedCall(t *testing.T) {
	type want struct {
		state call.State
		sent  int
		says  string
	}
	again := []answer{{broken: true}, {status: 200}}
	cases := map[string]struct {
		class  call.RepeatClass
		script []answer
		want   want
	}{
		"a good answer":                          {call.RepeatNever, []answer{{status: 201}}, want{call.StateSucceeded, 1, ""}},
		"the CRM's no":                           {call.RepeatKeyed, []answer{{status: 422}}, want{call.StateFailed, 1, ""}},
		"refused, then taken":                    {call.RepeatNever, []answer{{status: 429}, {status: 429}, {status: 200}}, want{call.StateSucceeded, 3, ""}},
		"down, then up":                          {call.RepeatNever, []answer{{down: true}, {status: 200}}, want{call.StateSucceeded, 2, ""}},
		"no answer, and a repeat would show":     {call.RepeatNever, again, want{call.StateParked, 1, "might take effect twice"}},
		"no answer, idempotent":                  {call.RepeatIdempotent, again, want{call.StateSucceeded, 2, ""}},
		"no answer, the CRM knows the key":       {call.RepeatKeyed, again, want{call.StateSucceeded, 2, ""}},
		"a gateway's error, idempotent":          {call.RepeatIdempotent, []answer{{status: 502}, {status: 503}, {status: 200}}, want{call.StateSucceeded, 3, ""}},
		"a gateway's error, a repeat would show": {call.RepeatNever, []answer{{status: 503}}, want{call.StateParked, 1, "might take effect twice"}},
		"the key is forgotten meanwhile": {
			call.RepeatKeyed, []answer{{broken: true}, {status: 429, header: http.Header{"Wait": {"110m"}}}},
			want{call.StateParked, 2, "may be forgotten by now"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.crm.script = c.script
				id := b.enqueue(write("/x", c.class))
				time.Sleep(3 * time.Hour)
				r := b.result(id)
				got := want{r.State, len(b.crm.targets()), r.Reason}
				if strings.Contains(r.Reason, c.want.says) {
					got.says = c.want.says
				}
				if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(want{})); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if string(b.crm.seen[0].Body) != "body of /x" {
					t.Errorf("the CRM saw %q", b.crm.seen[0].Body)
				}
				if r.State == call.StateSucceeded && string(r.Body) != "answer to /x" {
					t.Errorf("the result is %q", r.Body)
				}
			})
		})
	}
}

func TestTroubleHoldsTheBacklogBackNotWhoWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{status: 503}, {status: 404}}
		b.enqueue(write("/first", call.RepeatKeyed))
		synctest.Wait() // else the second may be on its way before the first has failed
		b.enqueue(write("/second", call.RepeatKeyed))
		synctest.Wait()
		if status := b.do(read("/waits"), 0); status != 404 {
			t.Errorf("the status is %d", status)
		}
		time.Sleep(time.Minute)
		if got := b.snap().Backlog.Queued; got != 0 {
			t.Errorf("%d are queued still", got)
		}
	})
}

func TestBacklogKeepsAFifthOfItsShare(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.fill()
		for n := range 20 {
			b.enqueue(write(fmt.Sprintf("/queued/%d", n), call.RepeatKeyed))
			go func() { _, _ = b.Do(context.Background(), read("/waits"), time.Hour) }()
		}
		time.Sleep(hold + time.Second)
		queued := 0
		sent := b.crm.targets()[10:]
		for _, target := range sent {
			if strings.HasPrefix(target, "/queued") {
				queued++
			}
		}
		if len(sent) != 10 || queued != 2 {
			t.Errorf("of %d calls %d were queued ones, want 2 of 10", len(sent), queued)
		}
	})
}

func TestEnqueueRefusals(t *testing.T) {
	cases := map[string]struct {
		before func(b *bench)
		want   contract.Reason
	}{
		"the queue is full": {func(b *bench) {
			b.apply(plan(2, func(p *contract.Plan) { p.Hold, p.Integrations[0].Queue.MaxCalls = true, 1 }))
			b.enqueue(write("/1", call.RepeatKeyed))
		}, contract.ReasonQueueFull},
		"its body finds no room in the queue": {func(b *bench) {
			b.apply(plan(2, func(p *contract.Plan) { p.Hold, p.Integrations[0].Queue.MaxBytes = true, 19 }))
			b.enqueue(write("/1", call.RepeatKeyed))
		}, contract.ReasonQueueFull},
		"it would be too old before its turn": {func(b *bench) {
			for n := range 30 {
				b.enqueue(write(fmt.Sprint("/", n), call.RepeatKeyed))
			}
			b.apply(plan(2, func(p *contract.Plan) { p.Integrations[0].Queue.MaxAgeSeconds = 100 })) // at ten a minute
		}, contract.ReasonQueueTooSlow},
		"the volume is full": {func(b *bench) {
			b.fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1, TotalBytes: 1})
		}, contract.ReasonStoreFull},
		"the encryption key is missing": {func(b *bench) { b.ring.Store(new(noKey)) }, contract.ReasonEncryptionKeyMissing},
		"the plan takes no new calls":   {func(b *bench) { b.apply(plan(2, func(p *contract.Plan) { p.Drain = true })) }, contract.ReasonDraining},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				c.before(b)
				_, _, err := b.Enqueue(t.Context(), write("/x", call.RepeatKeyed), "", [32]byte{})
				if refusal, is := errors.AsType[*call.Refusal](err); !is || refusal.Code != c.want {
					t.Errorf("the error is %v, want %s", err, c.want)
				}
				if n := b.snap().Integrations[0].Counters.Refused; n != 1 {
					t.Errorf("%d were counted as refused", n)
				}
			})
		})
	}
}

func TestSameKeySameCall(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		first, seen, err := b.Enqueue(t.Context(), write("/x", call.RepeatKeyed), "k", [32]byte{1})
		if seen || err != nil {
			t.Fatal(seen, err)
		}
		if again, seen, err := b.Enqueue(t.Context(), write("/x", call.RepeatKeyed), "k", [32]byte{1}); again.ID != first.ID || !seen || err != nil {
			t.Errorf("%s %v %v, want %s again", again.ID, seen, err, first.ID)
		}
		if _, _, err := b.Enqueue(t.Context(), write("/y", call.RepeatKeyed), "k", [32]byte{2}); !errors.Is(err, call.ErrKeyReused) {
			t.Errorf("another request under the same key: %v", err)
		}
		if synctest.Wait(); len(b.crm.targets()) != 1 {
			t.Errorf("%v were sent", b.crm.targets())
		}
	})
}

func TestAge(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) { p.Hold = true }))
		id := b.enqueue(write("/x", call.RepeatKeyed))
		time.Sleep(24*time.Hour - time.Second)
		if r := b.result(id); r.State != call.StateQueued {
			t.Errorf("before its age it is %s", r.State)
		}
		time.Sleep(2 * time.Second)
		if r := b.result(id); r.State != call.StateDead || !strings.Contains(r.Reason, "maximum age") {
			t.Errorf("after its age it is %s: %s", r.State, r.Reason)
		}
		time.Sleep(24 * time.Hour)
		if _, err := b.Result(t.Context(), "a/x", id, 0); !errors.Is(err, call.ErrUnknown) {
			t.Errorf("a day later: %v", err)
		}
		if diff := cmp.Diff(contract.BacklogReport{}, b.snap().Backlog, cmpopts.IgnoreFields(contract.BacklogReport{}, "DrainSeconds")); diff != "" {
			t.Errorf("the backlog (-want +got):\n%s", diff)
		}
	})
}

func TestResultWaitsForTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{status: 200, after: 7 * time.Second}}
		id := b.enqueue(write("/x", call.RepeatKeyed))
		began := time.Now()
		if r, err := b.Result(t.Context(), "a/x", id, 5*time.Second); err != nil || r.State != call.StateSent || time.Since(began) != 5*time.Second {
			t.Errorf("%s %v after %s, want sent after 5s", r.State, err, time.Since(began))
		}
		if r, err := b.Result(t.Context(), "a/x", id, time.Minute); err != nil || r.State != call.StateSucceeded || time.Since(began) != 7*time.Second {
			t.Errorf("%s %v after %s, want succeeded after 7s", r.State, err, time.Since(began))
		}
		if _, err := b.Result(t.Context(), "b/y", id, 0); !errors.Is(err, call.ErrUnknown) {
			t.Errorf("another integration sees it: %v", err)
		}
	})
}

func TestQueuedCallsWaitForTheirIntegrationToComeBack(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.fill()
		id := b.enqueue(write("/x", call.RepeatKeyed))
		b.apply(plan(2, func(p *contract.Plan) { p.Integrations = nil }))
		time.Sleep(10 * time.Minute)
		if r := b.result(id); r.State != call.StateQueued {
			t.Errorf("without its integration it is %s", r.State)
		}
		b.apply(plan(3))
		if r := b.result(id); r.State != call.StateSucceeded {
			t.Errorf("with its integration back it is %s", r.State)
		}
	})
}
