// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// referring is a call with places for the answers to others: the first one's in its path, all in its body.
func referring(target string, to ...call.ID) *call.Call {
	c := write(fmt.Sprintf("%s/(crmquota:%s:ticket.id)", target, to[0]), call.RepeatIdempotent)
	c.Method, c.References, c.Header = http.MethodPut, to, http.Header{"Content-Type": {"application/json"}}
	var places []string
	for _, id := range to {
		places = append(places, fmt.Sprintf(`"(crmquota:%s:ticket.id)"`, id))
	}
	c.Body = []byte("[" + strings.Join(places, ",") + "]")
	return c
}

// numbers has the CRM number what it is sent.
func (c *crm) numbers() {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	c.reply = func(*call.Call) answer {
		n++
		return answer{status: http.StatusCreated, body: fmt.Sprintf(`{"ticket":{"id":%d}}`, n), after: time.Second}
	}
}

// sent are the targets and bodies that the CRM has seen.
func (c *crm) sent() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, what := range c.seen {
		all = append(all, what.Target+" "+string(what.Body))
	}
	return all
}

func TestAReferenceIsFilledOnceItsAnswerIsThere(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.numbers()
		b.apply(plan(2, func(p *contract.Plan) { p.Hold = true }))
		first := b.enqueue(write("/a", call.RepeatKeyed))
		second := b.enqueue(referring("/b", first))
		third := b.enqueue(referring("/c", second, first))
		if r := b.result(third); r.State != call.StateQueued || r.Behind != second {
			t.Errorf("the third call is %+v", r)
		}
		b.restart(time.Second)
		b.apply(plan(3))
		time.Sleep(time.Minute)
		if got := b.crm.sent(); !slices.Equal(got, []string{"/a body of /a", "/b/1 [1]", "/c/2 [2,1]"}) {
			t.Errorf("sent were %q", got)
		}
		late := b.enqueue(referring("/d", third))
		time.Sleep(time.Minute)
		if got := b.crm.sent(); got[len(got)-1] != "/d/3 [3]" || b.result(late).State != call.StateSucceeded {
			t.Errorf("sent were %q", got)
		}
	})
}

// TestACallThatRefersToNothingGoodIsDead, and what refers to it, for reasons that name each other, without a request.
func TestACallThatRefersToNothingGoodIsDead(t *testing.T) {
	for name, test := range map[string]struct {
		first  answer
		ends   func(*bench, call.ID)
		reason string
	}{
		"it failed":          {answer{status: http.StatusUnprocessableEntity}, nil, "which is failed"},
		"it was dropped":     {answer{broken: true}, func(b *bench, first call.ID) { _ = b.Drop(b.t.Context(), "a/x", first) }, "which is dead"},
		"it has no such":     {answer{status: http.StatusCreated, body: `{"user":{"id":1}}`}, nil, "no text, number or truth value at ticket.id"},
		"it has a path's":    {answer{status: http.StatusCreated, body: `{"ticket":{"id":"../../1"}}`}, nil, "cannot stand in a path"},
		"it has another's":   {answer{status: http.StatusCreated, body: `{"ticket":{"id":"create_many"}}`}, nil, "cannot stand in a path"},
		"it is not even one": {answer{status: http.StatusNoContent}, nil, "no text, number or truth value at ticket.id"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.crm.script = []answer{test.first}
				b.apply(plan(2, func(p *contract.Plan) { p.Hold = true }))
				first := b.enqueue(write("/a", call.RepeatNever))
				second := b.enqueue(referring("/b", first))
				third := b.enqueue(referring("/c", second))
				b.apply(plan(3))
				time.Sleep(time.Minute)
				if test.ends != nil {
					if r := b.result(second); r.State != call.StateQueued || r.Behind != first {
						t.Fatalf("behind a parked one it is %+v", r)
					}
					test.ends(b, first)
					time.Sleep(time.Minute)
				}
				for id, of := range map[call.ID]call.ID{second: first, third: second} {
					r := b.result(id)
					if r.State != call.StateDead || !strings.Contains(r.Reason, "call "+string(of)) || id == second && !strings.Contains(r.Reason, test.reason) {
						t.Errorf("it is %s: %s", r.State, r.Reason)
					}
				}
				if got := b.crm.targets(); len(got) != 1 {
					t.Errorf("sent were %v", got)
				}
				_, _, err := b.Enqueue(context.Background(), referring("/d", second), "", [32]byte{})
				refusal, is := errors.AsType[*call.Refusal](err)
				if !is || refusal.Code != contract.ReasonBadReference || !strings.Contains(refusal.Detail, string(second)) {
					t.Errorf("a call that refers to a dead one: %v", err)
				}
			})
		})
	}
}

// TestAParkedCallIsWaitedFor until somebody decides.
func TestAParkedCallIsWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{broken: true}, {status: http.StatusCreated, body: `{"ticket":{"id":7}}`}}
		first := b.enqueue(write("/a", call.RepeatNever))
		second := b.enqueue(referring("/b", first))
		time.Sleep(time.Hour)
		if r := b.result(second); r.State != call.StateQueued {
			t.Fatalf("behind a parked one it is %+v", r)
		}
		if err := b.Resend(t.Context(), "a/x", first); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := b.crm.targets(); !slices.Equal(got, []string{"/a", "/a", "/b/7"}) {
			t.Errorf("sent were %v", got)
		}
	})
}

// TestReferencesKeepOrder: who waits for an answer holds up those behind it with its ordering key, and no others.
func TestReferencesKeepOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{broken: true}}
		first := b.enqueue(write("/a", call.RepeatNever))
		time.Sleep(time.Minute)
		b.crm.numbers()
		second := referring("/b", first)
		second.OrderKey = "k"
		b.enqueue(second)
		b.enqueue(ordered("/c", "k", call.RepeatKeyed))
		b.enqueue(ordered("/d", "l", call.RepeatKeyed))
		time.Sleep(time.Hour)
		if got := b.crm.targets(); !slices.Equal(got, []string{"/a", "/d"}) {
			t.Fatalf("sent were %v", got)
		}
		if err := b.Resend(t.Context(), "a/x", first); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := b.crm.targets(); !slices.Equal(got, []string{"/a", "/d", "/a", "/b/2", "/c"}) {
			t.Errorf("sent were %v", got)
		}
	})
}

// TestAnAnswerIsKeptForWhoRefersToIt beyond the day for which others are.
func TestAnAnswerIsKeptForWhoRefersToIt(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.numbers()
		long := func(p *contract.Plan) { p.Integrations[0].Queue.MaxAgeSeconds = 5 * 86400 }
		b.apply(plan(2, long))
		first, other := b.enqueue(write("/a", call.RepeatKeyed)), b.enqueue(write("/other", call.RepeatKeyed))
		time.Sleep(time.Minute)
		b.apply(plan(3, long, func(p *contract.Plan) { p.Hold = true }))
		b.enqueue(referring("/b", first))
		time.Sleep(3 * 24 * time.Hour)
		if _, err := b.Result(t.Context(), "a/x", other, 0); !errors.Is(err, call.ErrUnknown) {
			t.Errorf("a result that nobody refers to: %v", err)
		}
		b.apply(plan(4, long))
		time.Sleep(time.Minute)
		if got := b.crm.targets(); !slices.Contains(got, "/b/1") && !slices.Contains(got, "/b/2") {
			t.Errorf("sent were %v", got)
		}
		time.Sleep(7 * 24 * time.Hour)
		if _, err := b.Result(t.Context(), "a/x", first, 0); !errors.Is(err, call.ErrUnknown) {
			t.Errorf("a result that nobody refers to any more: %v", err)
		}
	})
}

// TestAFilledCallIsHeldToItsRecordsLimit: three calls to one record, of which the limit allows two.
func TestAFilledCallIsHeldToItsRecordsLimit(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.reply = func(*call.Call) answer { return answer{status: http.StatusOK, body: `{"ticket":{"id":42}}`} }
		b.apply(plan(2, func(p *contract.Plan) {
			p.Limits = append(p.Limits, contract.Limit{Name: "record", Calls: 2, WindowSeconds: 600, PerRecord: true, Match: &contract.Match{Methods: []string{"PUT"}, Path: "/t/*"}})
		}))
		first := b.enqueue(write("/t", call.RepeatKeyed))
		for range 3 {
			b.enqueue(referring("/t", first))
		}
		time.Sleep(time.Minute)
		if got := b.crm.targets(); !slices.Equal(got, []string{"/t", "/t/42", "/t/42"}) {
			t.Fatalf("sent were %v", got)
		}
		time.Sleep(11 * time.Minute)
		if got := b.crm.targets(); len(got) != 4 {
			t.Errorf("sent were %v", got)
		}
	})
}

// TestAReferenceToWhatIsEncrypted waits for the key, and is not filled with what was erased.
func TestAReferenceToWhatIsEncrypted(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		encrypted := func(p *contract.Plan) { p.Encryption = &contract.Encryption{Current: "current"} }
		b.ring.Store(new(oneKey))
		b.crm.numbers()
		b.apply(plan(2, encrypted))
		first := b.enqueue(write("/a", call.RepeatKeyed))
		time.Sleep(time.Minute)
		b.apply(plan(3, encrypted, func(p *contract.Plan) { p.Hold = true }))
		second := b.enqueue(referring("/b", first))
		b.ring.Store(new(noKey)) // before the start, which may read what is referred to
		b.restart(time.Second)
		b.apply(plan(4, encrypted))
		time.Sleep(time.Minute)
		if got := b.crm.targets(); len(got) != 1 {
			t.Fatalf("without the key %v were sent", got)
		}
		b.ring.Store(new(oneKey))
		time.Sleep(time.Minute)
		if got := b.crm.targets(); len(got) != 2 || got[1] != "/b/1" {
			t.Fatalf("sent were %v", got)
		}
		b.apply(plan(5, encrypted, func(p *contract.Plan) { p.Hold = true }))
		time.Sleep(24*time.Hour - 2*time.Minute) // to the next day, before the result is forgotten
		third := b.enqueue(referring("/c", second))
		if _, err := b.Erase(t.Context(), "a/x", time.Now()); err != nil {
			t.Fatal(err)
		}
		b.apply(plan(6, encrypted))
		time.Sleep(time.Minute)
		if r := b.result(third); r.State != call.StateDead || !strings.Contains(r.Reason, "erased by order") {
			t.Errorf("it is %s: %s", r.State, r.Reason)
		}
	})
}

// TestReferencesInBulkCalls: each of 20 tickets names the one of 20 others that it refers to; both lots go together.
func TestReferencesInBulkCalls(t *testing.T) {
	const n = 20
	d := &desk{takes: 20 * time.Second}
	onDesk(t, d, func(t *testing.T, b *bench) {
		b.apply(merging100(3, held))
		var ids []call.ID
		for i := range n {
			ids = append(ids, b.enqueue(create(fmt.Sprintf("s%d", i))))
		}
		for i := range n {
			c := create("")
			c.References, c.Header = []call.ID{ids[i]}, http.Header{"Content-Type": {"application/json"}}
			c.Body = fmt.Appendf(nil, `{"ticket":{"subject":"s%d","problem_id":"(crmquota:%s:ticket.id)"}}`, n+i, ids[i])
			ids = append(ids, b.enqueue(c))
		}
		synctest.Wait() // the last one is known, too
		b.apply(merging100(4))
		time.Sleep(10 * time.Minute)
		b.wantOwnTickets(d, ids)
		filled := 0
		for _, what := range b.crm.sent() {
			_, body, _ := strings.Cut(what, " ")
			var bulk struct {
				Tickets []struct {
					Subject string
					Problem int `json:"problem_id"`
				}
			}
			_ = json.Unmarshal([]byte(body), &bulk) // others are no bulk calls
			for _, ticket := range bulk.Tickets {
				if ticket.Problem == 0 {
					continue
				}
				filled++
				var of int
				if _, err := fmt.Sscanf(d.tickets[ticket.Problem-1].Subject, "s%d", &of); err != nil || ticket.Subject != fmt.Sprintf("s%d", n+of) {
					t.Errorf("%s names %s", ticket.Subject, d.tickets[ticket.Problem-1].Subject)
				}
			}
		}
		if filled != n || d.bulks > 4 {
			t.Errorf("%d references in %d bulk calls", filled, d.bulks)
		}
	})
}
