// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// fill uses up the minute.
func (b *bench) fill() {
	b.t.Helper()
	for range 10 {
		b.do(read("/fill"), 0)
	}
}

func TestWaitingCallLeavesWhenTheWindowHasRoom(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.fill()
		began := time.Now()
		if status := b.do(read("/late"), 2*time.Minute); status != http.StatusOK {
			t.Errorf("the status is %d", status)
		}
		if waited := time.Since(began); waited != hold {
			t.Errorf("it waited %s, want %s to the nanosecond: nothing polls", waited, hold)
		}
	})
}

func TestRefusalsSayWhy(t *testing.T) {
	cases := map[string]struct {
		before func(b *bench)
		call   *call.Call
		wait   time.Duration
		want   call.Refusal
	}{
		"the licence is used up, by oneself": {
			before: (*bench).fill, call: read("/x"),
			want: call.Refusal{Code: contract.ReasonLimitReached, Limit: "minute", RetryAfter: hold, Detail: "used up: 10 of 10"},
		},
		"later, less time is left": {
			before: func(b *bench) { b.fill(); time.Sleep(20 * time.Second) }, call: read("/x"), wait: 20 * time.Second,
			want: call.Refusal{Code: contract.ReasonLimitReached, Limit: "minute", RetryAfter: hold - 20*time.Second, Detail: "used up: 10 of 10"},
		},
		"what is left is another's guarantee": {
			before: func(b *bench) {
				b.apply(plan(2, func(p *contract.Plan) {
					other := p.Integrations[0]
					other.Name, other.Share = "y", contract.Share{Part: contract.Part{GuaranteedPercent: 40, MaxPercent: 100}, Weight: 1}
					p.Integrations = append(p.Integrations, other)
				}))
				for range 6 {
					b.do(read("/fill"), 0)
				}
			},
			call: read("/x"),
			want: call.Refusal{Code: contract.ReasonLimitReached, Limit: "minute", RetryAfter: hold, Detail: "most of it for a/y"},
		},
		"the plan holds all calls": {
			before: func(b *bench) { b.apply(plan(2, func(p *contract.Plan) { p.Hold = true })) }, call: read("/x"), wait: time.Second,
			want: call.Refusal{Code: contract.ReasonHeld, Detail: "Hold"},
		},
		"the plan takes no new calls": {
			before: func(b *bench) { b.apply(plan(2, func(p *contract.Plan) { p.Drain = true })) }, call: read("/x"), wait: time.Second,
			want: call.Refusal{Code: contract.ReasonDraining, Detail: "Drain"},
		},
		"the plan does not know the integration": {
			before: func(*bench) {}, call: &call.Call{Integration: "b/z"},
			want: call.Refusal{Code: contract.ReasonNoPlan, Detail: "no plan that names this integration"},
		},
		"the CRM asked for a pause": {
			before: func(b *bench) {
				b.crm.script = []answer{{status: 429, header: http.Header{"Wait": {"30s"}}}}
				if status := b.do(read("/y"), 5*time.Second); status != 429 {
					b.t.Errorf("the CRM's refusal came back as %d", status)
				}
			},
			call: read("/x"), wait: 5 * time.Second,
			want: call.Refusal{Code: contract.ReasonCRMRefusing, RetryAfter: 30 * time.Second, Detail: "asked for a pause"},
		},
		"the CRM is down": {
			before: func(b *bench) { b.crm.script = []answer{{down: true}} }, call: read("/x"),
			want: call.Refusal{Code: contract.ReasonUpstreamFailed, Detail: "connection refused"},
		},
		"the CRM's address is not one to call": {
			before: func(b *bench) { b.crm.script = []answer{{elsewhere: true}} }, call: read("/x"),
			want: call.Refusal{Code: contract.ReasonAddressNotAllowed, Detail: "10.1.2.3 is an address of a private network"},
		},
		"a write was sent and no answer came": {
			before: func(b *bench) { b.crm.script = []answer{{broken: true}} }, call: write("/x", call.RepeatNever), wait: time.Minute,
			want: call.Refusal{Code: contract.ReasonUpstreamFailed, Detail: "broke"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				c.before(b)
				began := time.Now()
				got := *b.refused(c.call, c.wait)
				if waited := time.Since(began); waited > c.wait {
					t.Errorf("it waited %s", waited)
				}
				if !strings.Contains(got.Detail, c.want.Detail) {
					t.Errorf("it says %q, which lacks %q", got.Detail, c.want.Detail)
				}
				got.Detail, got.Rooms = c.want.Detail, nil // see TestRoomsOfAnAnswer
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestNothingIsChargedForWhatWasNotSent(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{down: true}}
		_ = b.refused(read("/x"), 0)
		s := b.snap()
		if s.Windows[0].Used != 0 || s.Integrations[0].Counters.Dispatched != 0 {
			t.Errorf("used %d, dispatched %d", s.Windows[0].Used, s.Integrations[0].Counters.Dispatched)
		}
	})
}

func TestReadIsSentAgainWhenItsAnswerIsLost(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{broken: true}, {status: 200}}
		if status := b.do(read("/x"), time.Second); status != 200 {
			t.Errorf("the status is %d", status)
		}
		if s := b.snap(); s.Windows[0].Used != 2 || s.Windows[0].InDoubt != 1 {
			t.Errorf("used %d, in doubt %d, want each sending charged, one in doubt", s.Windows[0].Used, s.Windows[0].InDoubt)
		}
	})
}

func TestRefusedCallWaitsForThePauseToEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{status: 429, header: http.Header{"Wait": {"3s"}}}}
		began := time.Now()
		if status := b.do(read("/x"), 5*time.Second); status != 200 || time.Since(began) != 3*time.Second {
			t.Errorf("status %d after %s, want 200 after 3s", status, time.Since(began))
		}
	})
}

func TestRefusedCallWhoseBodyIsGoneGetsTheRefusal(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{status: 429, header: http.Header{"Wait": {"3s"}}}}
		c := write("/x", call.RepeatNever)
		c.Body, c.Stream = nil, &call.Stream{Body: strings.NewReader("once"), Length: 4}
		if status := b.do(c, 5*time.Second); status != 429 || len(b.crm.targets()) != 1 {
			t.Errorf("status %d after %d requests, want the CRM's refusal of the only one", status, len(b.crm.targets()))
		}
	})
}

func TestOneCallProbesAfterAPause(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{status: 429, header: http.Header{"Wait": {"3s"}}}, {status: 200, after: time.Second}}
		for range 4 {
			go b.do(read("/x"), 10*time.Second)
			synctest.Wait()
		}
		time.Sleep(3500 * time.Millisecond)
		if n := len(b.crm.targets()); n != 2 {
			t.Errorf("%d requests were sent while the probe was out, want the refused one and the probe", n)
		}
		time.Sleep(time.Second)
		if n := len(b.crm.targets()); n != 5 {
			t.Errorf("%d requests were sent after the probe, want all", n)
		}
	})
}

func TestClientThatGoesWithdrawsItsCall(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.fill()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Do(ctx, read("/gone"), time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
		time.Sleep(2 * time.Minute)
		if s := b.snap(); s.Waiting != 0 || s.Integrations[0].Counters.Dispatched != 10 {
			t.Errorf("%d wait, %d were sent", s.Waiting, s.Integrations[0].Counters.Dispatched)
		}
	})
}

func TestClientThatGoesDoesNotEndACallInFlight(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{status: 200, after: 10 * time.Second}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Do(ctx, read("/gone"), time.Hour); err == nil {
			t.Error("the call was answered")
		}
		time.Sleep(10 * time.Second)
		if s := b.snap(); s.Windows[0].InDoubt != 0 || s.InFlight != 0 {
			t.Errorf("in doubt %d, in flight %d: the answer should have been read", s.Windows[0].InDoubt, s.InFlight)
		}
	})
}

func TestShadowForwardsAndCounts(t *testing.T) {
	shadows := map[string]func(*contract.Plan){
		"the CRM's":         func(p *contract.Plan) { p.Enforce = false },
		"the integration's": func(p *contract.Plan) { p.Integrations[0].Enforce = false },
		"bypass": func(p *contract.Plan) {
			p.BypassUntil = new(time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC))
		},
	}
	for name, shadow := range shadows {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.apply(plan(2, shadow))
				for range 13 {
					b.do(read("/x"), 0)
				}
				s := b.snap()
				if c := s.Integrations[0].Counters; c.Overheld != 3 || c.Forwarded != 13 || s.Windows[0].Used != 13 || s.Integrations[0].Enforcing {
					t.Errorf("counters %+v, used %d, enforcing %v", c, s.Windows[0].Used, s.Integrations[0].Enforcing)
				}
			})
		})
	}
}

func TestBypassEnds(t *testing.T) {
	inBubble(t, func(_ *testing.T, b *bench) {
		b.apply(plan(2, func(p *contract.Plan) { p.BypassUntil = new(time.Now().Add(time.Minute)) }))
		b.fill()
		b.do(read("/x"), 0)
		time.Sleep(time.Minute)
		_ = b.refused(read("/x"), 0)
	})
}

func TestStopLetsCallsInFlightEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{status: 200, after: 15 * time.Second}, {status: 200, after: time.Hour}}
		statuses := make(chan int, 1)
		go func() { statuses <- b.do(read("/short"), time.Minute) }()
		synctest.Wait()
		go func() { _ = b.refused(read("/long"), time.Minute) }()
		synctest.Wait()
		began := time.Now()
		b.stop()
		if took := time.Since(began); took != landing {
			t.Errorf("it took %s to stop, want %s", took, landing)
		}
		if status := <-statuses; status != 200 {
			t.Errorf("the call that could end has status %d", status)
		}
		b.start() // to be stopped again
	})
}
