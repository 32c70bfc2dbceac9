// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// byRecords are credits in a minute: a call takes one for each ten records that it writes.
func byRecords(sequence, credits int64) *contract.Plan {
	return limited(sequence, contract.Limit{
		Name: "credits", Calls: credits, WindowSeconds: 60,
		Costs: []contract.Cost{{
			Match: contract.Match{Methods: []string{http.MethodPost}, Path: "/records/*"}, Cost: 1, Per: &contract.Per{BodyArray: "data", Items: 10, Most: 100},
		}},
	})
}

func records(n int, of int64) *call.Call {
	c := write(fmt.Sprint("/records/", n), call.RepeatKeyed)
	c.Counts = map[string]int64{"data": of}
	return c
}

// TestAQueuedCallKeepsItsPrice over a restart and a change of plan, although nobody reads its body again.
func TestAQueuedCallKeepsItsPrice(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(limited(2, contract.Limit{Name: "credits", Calls: 20, WindowSeconds: 60}))
		b.apply(plan(3, func(p *contract.Plan) { p.Hold = true }))
		for n, of := range []int64{100, 50, 41, 1} {
			b.enqueue(records(n, of))
		}
		unknown := write("/records/4", call.RepeatKeyed)
		b.enqueue(unknown)
		b.restart(time.Second)
		b.apply(byRecords(4, 20))
		synctest.Wait()
		if used := b.snap().Windows[1].Used; used != 10+5+5 { // and the last one alone fits no more
			t.Errorf("%d credits are used, want 20", used)
		}
		if got := len(b.crm.targets()); got != 3 {
			t.Errorf("%d calls were sent, want 3: %v", got, b.crm.targets())
		}
		time.Sleep(hold + time.Second)
		synctest.Wait()
		if used := b.snap().Windows[1].Used; used != 1+10 {
			t.Errorf("a window later %d credits are used, want 1 and 10 for the call of which nothing is known", used)
		}
	})
}

// TestACallThatExceedsALimitIsRefusedAtOnce: it could never be sent, however long it waits.
func TestACallThatExceedsALimitIsRefusedAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(byRecords(2, 5))
		began := time.Now()
		r := b.refused(records(1, 51), time.Hour)
		if r.Code != contract.ReasonExceedsLimit || r.Limit != "credits" || !time.Now().Equal(began) {
			t.Errorf("the call was refused after %v by %+v", time.Since(began), r)
		}
		want := `the call takes 6 of limit "credits", which allows 5: make several smaller calls of it`
		if r.Detail != want {
			t.Errorf("the detail is %q, want %q", r.Detail, want)
		}
		var refusal *call.Refusal
		if _, _, err := b.Enqueue(context.Background(), records(2, 100), "", [32]byte{}); !errors.As(err, &refusal) || refusal.Code != contract.ReasonExceedsLimit {
			t.Errorf("a call to be queued was answered by %v", err)
		}
		if status := b.do(records(3, 50), 0); status != http.StatusOK {
			t.Errorf("a call that fits was answered by %d", status)
		}
		if got := len(b.crm.targets()); got != 1 {
			t.Errorf("%d calls were sent, want 1", got)
		}
	})
}

// TestAPlanThatLeavesNoRoomForAQueuedCall parks it: it would be in nobody's way, and wait until it is too old. Whoever waits is told.
func TestAPlanThatLeavesNoRoomForAQueuedCall(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		p := byRecords(2, 100)
		p.Hold = true
		b.apply(p)
		large, small := b.enqueue(records(1, 100)), b.enqueue(records(2, 10))
		refused := make(chan error, 1)
		go func() {
			_, err := b.Do(context.Background(), records(3, 100), time.Minute)
			refused <- err
		}()
		synctest.Wait()
		b.apply(byRecords(3, 5))
		if r := b.result(large); r.State != call.StateParked || r.Reason == "" {
			t.Errorf("the call that does not fit is %s, %q", r.State, r.Reason)
		}
		if r := b.result(small); r.State != call.StateSucceeded {
			t.Errorf("the call that fits is %s", r.State)
		}
		var refusal *call.Refusal
		if err := <-refused; !errors.As(err, &refusal) || refusal.Code != contract.ReasonExceedsLimit {
			t.Errorf("who waited was answered by %v", err)
		}
	})
}

// TestABulkCallIsPricedByItsItems: merged, calls take what as many of them in one call take.
func TestABulkCallIsPricedByItsItems(t *testing.T) {
	onDesk(t, &desk{takes: time.Second}, func(t *testing.T, b *bench) {
		priced := func(p *contract.Plan) {
			p.Limits = append(p.Limits, contract.Limit{
				Name: "credits", Calls: 10, WindowSeconds: 60,
				Costs: []contract.Cost{{
					Match: contract.Match{Path: "/api/v2/tickets/create_many.json"}, Cost: 1, Per: &contract.Per{BodyArray: "tickets", Items: 10, Most: 100},
				}},
			})
		}
		b.apply(merging100(3, priced, held))
		for n := range 25 {
			b.enqueue(create(fmt.Sprint(n)))
		}
		b.apply(merging100(4, priced))
		synctest.Wait()
		if polls := len(b.crm.targets()) - 1; b.snap().Windows[1].Used != int64(3+polls) {
			t.Errorf("25 tickets and %d polls took %d credits, want 3 for the tickets", polls, b.snap().Windows[1].Used)
		}
	})
}
