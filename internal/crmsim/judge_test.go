// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
)

func TestCallIsRecordedInFull(t *testing.T) {
	inBubble(t, Config{Stamp: AtAnswer, Latency: time.Second}, func(w world) {
		begun := time.Now()
		w.create("a", "Idempotency-Key", "k", "Authorization", "Basic YWdlbnRAYWNtZS50ZXN0L3Rva2VuOnNlY3JldA==")
		want := []judge.Arrival{{
			Method: http.MethodPost, Path: "/api/v2/tickets.json", Operation: "CreateTicket", Credential: "agent@acme.test", IdempotencyKey: "k",
			Received: begun, Earliest: begun.Add(time.Second), Latest: begun.Add(time.Second), Released: begun.Add(time.Second),
			Outcome: judge.Answered, Status: http.StatusCreated,
		}}
		if diff := cmp.Diff(want, w.sim.Arrivals()); diff != "" {
			w.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestStampDecidesWhenACallCounts(t *testing.T) {
	// All calls take 10 s; of those that are given up, the client goes after 4 s and the CRM may take 30 s more.
	tests := map[Stamp]struct{ earliest, latest, earliestGone, latestGone time.Duration }{
		AtArrival: {0, 0, 0, 0},
		AtAnswer:  {10 * time.Second, 10 * time.Second, 34 * time.Second, 34 * time.Second},
		Random:    {0, 10 * time.Second, 0, 34 * time.Second},
		Anywhere:  {0, 10 * time.Second, 0, 34 * time.Second},
	}
	for stamp, test := range tests {
		t.Run(string(stamp), func(t *testing.T) {
			inBubble(t, Config{Stamp: stamp, Latency: 10 * time.Second, LateBy: 30 * time.Second}, func(w world) {
				for range 20 {
					w.create("x")
					ctx, cancel := context.WithTimeout(w.Context(), 4*time.Second)
					if _, err := w.try(ctx, http.MethodPost, "/api/v2/tickets", ticketJSON("x")); err == nil {
						w.Error("the client did not give up")
					}
					cancel()
					w.sleep(time.Minute)
				}
				for _, a := range w.sim.Arrivals() {
					earliest, latest := test.earliest, test.latest
					if a.ClientGone {
						earliest, latest = test.earliestGone, test.latestGone
					}
					from, to := a.Earliest.Sub(a.Received), a.Latest.Sub(a.Received)
					exact := stamp != Random
					if from < earliest || to > latest || exact && (from != earliest || to != latest) {
						w.Errorf("counted %v to %v after its receipt, gone %v", from, to, a.ClientGone)
					}
				}
				r := w.sim.Report()
				if r.ClientGone != 20 || r.Tickets.Created != 40 {
					w.Errorf("%d clients gone, %d tickets: the CRM executes what nobody waits for", r.ClientGone, r.Tickets.Created)
				}
			})
		})
	}
}

// fault is what a careless sender does: it releases a call a window after its sending, or that much too early, or takes a call
// that it has given up for ended.
type fault struct {
	fromSending bool
	early       time.Duration
	forgetsLate bool
}

// patience is how long a sender waits for an answer, and lateBy how long it then expects the CRM to count the call yet.
const (
	patience = 4 * time.Second
	lateBy   = 10 * time.Second
)

// sender keeps to a rolling limit by its own book: a call is booked from its sending until its end plus the window.
// The end of a call that was given up is as late as the CRM may count it.
type sender struct {
	calls  int
	window time.Duration
	fault  fault

	mu     sync.Mutex
	booked []time.Time // when each charge ends; zero while the call is in service
}

// charge books a call if there is room. Otherwise retry is when to ask again: the moment the next charge ends, or soon.
func (s *sender) charge(now time.Time) (id int, retry time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	live := 0
	retry = 100 * time.Millisecond
	for _, end := range s.booked {
		switch {
		case end.IsZero():
			live++
		case now.Before(end):
			live++
			retry = min(retry, end.Sub(now))
		}
	}
	if live >= s.calls {
		return 0, retry
	}
	end := time.Time{}
	if s.fault.fromSending {
		end = now.Add(s.window)
	}
	s.booked = append(s.booked, end)
	return len(s.booked) - 1, 0
}

// send makes the call that was charged and settles the charge when it has an answer or has given up.
func (s *sender) send(w world, id int) {
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	_, err := w.try(ctx, http.MethodPost, "/api/v2/tickets", ticketJSON("x"))
	end := time.Now().Add(s.window)
	if err != nil && !s.fault.forgetsLate {
		end = end.Add(lateBy)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fault.fromSending {
		s.booked[id] = end.Add(-s.fault.early)
	}
}

// saturate sends as many calls as the sender's book allows for a while, and returns how many those were.
func (s *sender) saturate(w world, random *rand.Rand, length time.Duration) int {
	var calls sync.WaitGroup
	defer calls.Wait()
	sent := 0
	for begun := time.Now(); time.Since(begun) < length; {
		id, retry := s.charge(time.Now())
		if retry > 0 {
			time.Sleep(retry)
			continue
		}
		sent++
		calls.Go(func() { s.send(w, id) })
		time.Sleep(time.Duration(random.Int64N(3)) * time.Second)
	}
	return sent
}

func TestJudgeClearsACarefulSenderAndConvictsACarelessOne(t *testing.T) {
	tests := map[string]struct {
		fault    fault
		convicts bool
	}{
		"a charge until the end of the call plus the window": {fault{}, false},
		"a charge from the sending on":                       {fault{fromSending: true}, true},
		"a charge that ends a nanosecond early":              {fault{early: 1}, true},
		"a charge that ends when the sender gives up":        {fault{forgetsLate: true}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			convicted := 0
			for seed := range uint64(20) {
				config := Config{Limits: limits("l=3/20s"), Latency: time.Second, Jitter: 4 * time.Second, LateBy: lateBy, Seed: seed}
				inBubble(t, config, func(w world) {
					s := &sender{calls: 3, window: 20 * time.Second, fault: test.fault}
					if sent := s.saturate(w, rand.New(rand.NewPCG(seed, 1)), 5*time.Minute); sent < 30 {
						w.Errorf("only %d calls were sent: the world is too quiet to prove anything", sent)
					}
					if judge.Overran(w.sim.Report().Limits) {
						convicted++
					}
				})
			}
			if !test.convicts && convicted > 0 || test.convicts && convicted == 0 {
				t.Errorf("convicted in %d of 20 worlds", convicted)
			}
			t.Logf("convicted in %d of 20 worlds", convicted)
		})
	}
}

func TestEnforcementKeepsWhatTheJudgeDemands(t *testing.T) {
	// The counters that refuse and the scan that judges share no code: calls that were taken must pass the scan, for every kind.
	kinds := []string{
		"l=3/7s", "l=3/7s:fixed:2s", "l=3/7s:bucket:2", "l=3/7s:weighted:2s", "l=3/8s:stepped:2s", "l=30/hour:Europe/Berlin", "l=30/calendar:Europe/Berlin",
		"l=30/month:Europe/Berlin", "l=12/7s,cost=CreateTicket:4",
	}
	for _, text := range kinds {
		t.Run(text, func(t *testing.T) {
			inBubble(t, Config{Limits: limits(text), Stamp: Random, Jitter: 3 * time.Second, Seed: 7}, func(w world) {
				var calls sync.WaitGroup
				for range 200 {
					calls.Go(func() { w.create("x") })
					time.Sleep(time.Second)
				}
				calls.Wait()
				var taken []judge.Arrival
				for _, a := range w.sim.Arrivals() {
					if a.Outcome == judge.Answered {
						taken = append(taken, a)
					}
				}
				v := judge.Judge(limits(text)[0], taken)
				if v.OverrunCount > 0 || v.Peak.Calls != v.Allowed || len(taken) == 200 {
					w.Errorf("of 200 calls %d were taken, at most %d of %d in a window", len(taken), v.Peak.Calls, v.Allowed)
				}
			})
		})
	}
}

func TestReportIsHonestAboutItsBounds(t *testing.T) {
	inBubble(t, Config{MaxRecords: 2}, func(w world) {
		for i := range 3 {
			w.create(fmt.Sprint(i))
		}
		r := w.sim.Report()
		if r.Arrivals != 3 || r.Unjudged != 1 || r.Tickets.Created != 2 {
			w.Errorf("got %d arrivals, %d of them not judged, %d tickets", r.Arrivals, r.Unjudged, r.Tickets.Created)
		}
		if diff := cmp.Diff([]string{"1 arrivals were not judged, for want of memory"}, r.Problems()); diff != "" {
			w.Errorf("problems (-want +got):\n%s", diff)
		}
	})
}

func TestCallsInServiceAreJudged(t *testing.T) {
	inBubble(t, Config{Limits: limits("l=1/10s"), Latency: time.Hour}, func(w world) {
		var calls sync.WaitGroup
		for range 2 {
			calls.Go(func() { w.create("x") })
		}
		w.sleep(time.Minute)
		if r := w.sim.Report(); r.InService != 2 || r.Limits[0].Peak.Calls != 2 {
			w.Errorf("%d in service, peak %d", r.InService, r.Limits[0].Peak.Calls)
		}
		calls.Wait()
	})
}

func TestCloseEndsCallsInService(t *testing.T) {
	inBubble(t, Config{Latency: time.Hour}, func(w world) {
		var call sync.WaitGroup
		begun := time.Now()
		call.Go(func() { w.wantStatus(w.create("x"), http.StatusServiceUnavailable) })
		w.sleep(time.Second)
		w.sim.Close()
		call.Wait()
		if took := time.Since(begun); took != time.Second {
			w.Errorf("took %v", took)
		}
		w.wantStatus(w.create("y"), http.StatusServiceUnavailable)
	})
}
