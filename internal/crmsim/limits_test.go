// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

func limits(texts ...string) []limit.Limit { return limit.MustParse(texts...) }

func TestLimitsRefuseTheFirstCallTooMany(t *testing.T) {
	tests := map[string]struct {
		limit string
		fit   int
		retry string
	}{
		"rolling":        {"l=3/60s", 3, "60"},
		"fixed":          {"l=3/60s:fixed:20s", 3, "20"},
		"token bucket":   {"l=60/60s:bucket:4", 4, "1"},
		"weighted":       {"l=3/60s:weighted:30s", 3, "50"}, // 30 s to the next window, which 3 calls are carried over into; then until 2 are
		"stepped":        {"l=3/60s:stepped:4s", 3, "64"},
		"calendar day":   {"l=3/calendar:Europe/Berlin", 3, "82800"}, // synctest begins at 1:00 in Berlin
		"calendar hour":  {"l=3/hour:Asia/Kolkata", 3, "1800"},       // and at 5:30 in Kolkata
		"calendar month": {"l=3/month:UTC", 3, "2678400"},
		"with a cost":    {"l=9/60s,cost=CreateTicket:3", 3, "60"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{Limits: limits(test.limit)}, func(w world) {
				for i := range test.fit {
					w.wantStatus(w.create(fmt.Sprint(i)), http.StatusCreated)
				}
				refused := w.create("too many")
				if refused.status != http.StatusTooManyRequests || refused.header.Get("Retry-After") != test.retry {
					w.Errorf("got %d, Retry-After %q; want 429 and %s", refused.status, refused.header.Get("Retry-After"), test.retry)
				}
				if want := `{"error":"APIRateLimitExceeded","description":"Number of allowed API requests per minute exceeded"}`; refused.body != want {
					w.Errorf("body %s", refused.body)
				}
				wait, err := strconv.Atoi(test.retry)
				if err != nil {
					w.Fatal(err)
				}
				w.sleep(time.Duration(wait) * time.Second)
				w.wantStatus(w.create("later"), http.StatusCreated)

				r := w.sim.Report()
				if r.Refusals != 1 || r.ByOutcome[judge.Refused] != 1 || r.Tickets.Created != test.fit+1 {
					w.Errorf("report counts %d refusals, %d tickets", r.Refusals, r.Tickets.Created)
				}
				taken := limits(test.limit)[0].UnitsOf(limit.Call{Operation: "CreateTicket"})
				if v := r.Limits[0]; v.OverrunCount != 1 || v.Overruns[0].Calls != (test.fit+1)*taken {
					w.Errorf("the judge found %+v", v)
				}
			})
		})
	}
}

func TestConcurrentLimitRefusesWhatDoesNotFitBesidesTheOthers(t *testing.T) {
	inBubble(t, Config{Limits: limits("inflight=2/concurrent"), Latency: time.Second}, func(w world) {
		var mu sync.Mutex
		statuses := map[int]int{}
		var calls sync.WaitGroup
		for range 3 {
			calls.Go(func() {
				got := w.create("x")
				mu.Lock()
				defer mu.Unlock()
				statuses[got.status]++
			})
		}
		calls.Wait()
		w.wantStatus(w.create("alone"), http.StatusCreated)
		if diff := cmp.Diff(map[int]int{http.StatusCreated: 2, http.StatusTooManyRequests: 1}, statuses); diff != "" {
			w.Errorf("statuses (-want +got):\n%s", diff)
		}
		if v := w.sim.Report().Limits[0]; v.OverrunCount != 1 || v.Peak.Calls != 3 {
			w.Errorf("the judge found %+v", v)
		}
	})
}

func TestHeadersShowTheLicencesMainLimit(t *testing.T) {
	config := Config{Limits: limits("inflight=9/concurrent", "update=1/60s,operation=UpdateTicket", "minute=3/60s", "day=9/calendar:UTC")}
	inBubble(t, config, func(w world) {
		w.create("a")
		w.sleep(15 * time.Second)
		got := w.create("b")
		want := map[string]string{
			"X-Rate-Limit": "3", "X-Rate-Limit-Remaining": "1", "Ratelimit-Limit": "3", "Ratelimit-Remaining": "1", "Ratelimit-Reset": "45",
		}
		for name, value := range want {
			if got.header.Get(name) != value {
				w.Errorf("%s is %q, want %q", name, got.header.Get(name), value)
			}
		}
	})
}

func TestNarrowedLimitsRefuseOnlyWhatTheyAreAbout(t *testing.T) {
	inBubble(t, Config{Limits: limits("update=1/60s,operation=UpdateTicket", "mine=2/60s,credential=me@acme.test")}, func(w world) {
		w.wantStatus(w.create("a"), http.StatusCreated)
		update := func(user string) answer {
			r := http.Request{Header: http.Header{}}
			r.SetBasicAuth(user+"/token", "")
			return w.do(http.MethodPut, "/api/v2/tickets/1", `{"ticket": {"status": "open"}}`, "Authorization", r.Header.Get("Authorization"))
		}
		w.wantStatus(update("me@acme.test"), http.StatusOK)
		w.wantStatus(update("you@acme.test"), http.StatusTooManyRequests)
		w.wantStatus(w.create("b"), http.StatusCreated)
		counts := map[string]int{}
		for _, v := range w.sim.Report().Limits {
			counts[v.Limit.Name] = v.Arrivals
		}
		if diff := cmp.Diff(map[string]int{"update": 2, "mine": 1}, counts); diff != "" {
			w.Errorf("judged (-want +got):\n%s", diff)
		}
	})
}

func TestEachRecordHasALimitPerRecordForItself(t *testing.T) {
	inBubble(t, Config{Limits: limits("edits=2/10m,method=PUT,path=/api/v2/tickets/*,per=record")}, func(w world) {
		w.create("a")
		w.create("b")
		update := func(id string) answer {
			return w.do(http.MethodPut, "/api/v2/tickets/"+id, `{"ticket": {"status": "open"}}`)
		}
		for range 2 {
			w.wantStatus(update("1"), http.StatusOK)
			w.wantStatus(update("2.json"), http.StatusOK)
		}
		w.wantStatus(update("1.json"), http.StatusTooManyRequests)
		w.wantStatus(w.do(http.MethodGet, "/api/v2/tickets/1", ""), http.StatusOK)
		r := w.sim.Report()
		if v := r.Limits[0]; v.Arrivals != 5 || v.OverrunCount != 1 || v.Peak.Calls != 3 || v.Peak.Of != "1" {
			w.Errorf("the judge found %+v", v)
		}
		want := []string{"limit edits was overrun 1 times; the worst was 3 of 2 from 2000-01-01T00:00:00Z for record 1"}
		if diff := cmp.Diff(want, r.Problems()); diff != "" {
			w.Errorf("problems (-want +got):\n%s", diff)
		}
	})
}

func TestJobsAreInFlightUntilTheyEnd(t *testing.T) {
	config := Config{Limits: limits("jobs=2/jobs,operation=CreateManyTickets"), JobDuration: 10 * time.Second}
	inBubble(t, config, func(w world) {
		start := func() answer {
			return w.do(http.MethodPost, "/api/v2/tickets/create_many", `{"tickets": [{"description": "x"}]}`)
		}
		w.wantStatus(start(), http.StatusOK)
		w.sleep(4 * time.Second)
		w.wantStatus(start(), http.StatusOK)
		if v := w.sim.Report().Limits[0]; v.OverrunCount != 0 || v.Peak.Calls != 2 {
			w.Errorf("the judge found %+v", v)
		}
		refused := start()
		w.wantStatus(refused, http.StatusTooManyRequests)
		if got := parse[struct{ Error string }](w, refused).Error; got != "TooManyJobs" {
			w.Errorf("refused with %q", got)
		}
		w.sleep(6 * time.Second)
		w.wantStatus(start(), http.StatusOK)
		if v := w.sim.Report().Limits[0]; v.Arrivals != 4 || v.Peak.Calls > 2 {
			w.Errorf("the judge found %+v: refused at once, the third was never in flight", v)
		}
	})
}

func TestFleetRefusesASenderThatKeepsToTheBareWindow(t *testing.T) {
	tests := map[string]struct {
		limit string
		guard time.Duration
	}{
		"skewed clocks": {"l=3/20s,skew=1s", 2 * time.Second},
		"late counting": {"l=3/20s,late=3s", 3 * time.Second},
		"steps":         {"l=3/20s:stepped:2s", 2 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, guard := range []time.Duration{0, test.guard} {
				inBubble(t, Config{Limits: limits(test.limit), Stamp: Random, Seed: 3}, func(w world) {
					w.sleep(300 * time.Millisecond) // steps and senders keep no common time
					for i := range 100 {
						w.create(fmt.Sprint(i))
						if i%3 == 2 {
							w.sleep(20*time.Second + guard)
						}
					}
					if r := w.sim.Report(); (r.Refusals > 0) != (guard == 0) || judge.Overran(r.Limits) != (guard == 0) {
						w.Errorf("guarded by %v: %d refusals, peak %v", guard, r.Refusals, r.Limits[0].Peak)
					}
				})
			}
		})
	}
}

func TestRefusedCallsUseUpNoOtherLimit(t *testing.T) {
	inBubble(t, Config{Limits: limits("day=3/calendar:UTC", "minute=1/60s")}, func(w world) {
		for i := range 3 {
			w.wantStatus(w.create(fmt.Sprint(i)), http.StatusCreated)
			w.wantStatus(w.create("refused"), http.StatusTooManyRequests)
			w.sleep(time.Minute)
		}
		w.wantStatus(w.create("refused by the day"), http.StatusTooManyRequests)
	})
}

func TestJudgeOnlyLimitIsReportedButNotEnforced(t *testing.T) {
	inBubble(t, Config{Limits: limits("minute=1/60s:rolling,judge")}, func(w world) {
		w.wantStatus(w.create("a"), http.StatusCreated)
		w.wantStatus(w.create("b"), http.StatusCreated)
		if r := w.sim.Report(); r.Limits[0].OverrunCount != 1 || r.Refusals != 0 {
			w.Errorf("got %+v", r.Limits[0])
		}
	})
}

func TestLimitsAreJudgedWhileTheyAreInForce(t *testing.T) {
	inBubble(t, Config{Limits: limits("minute=2/60s", "day=9/calendar:UTC")}, func(w world) {
		w.create("a")
		w.create("b")
		w.sleep(time.Second)
		if err := w.sim.SetLimits(limits("minute=1/60s", "day=9/calendar:UTC")); err != nil {
			w.Fatal(err)
		}
		w.wantStatus(w.create("c"), http.StatusCreated)
		w.wantStatus(w.create("d"), http.StatusTooManyRequests)
		type term struct {
			Limit              string
			Arrivals, Overruns int
		}
		var got []term
		for _, v := range w.sim.Report().Limits {
			got = append(got, term{v.Limit.String(), v.Arrivals, v.OverrunCount})
		}
		want := []term{{"minute=2/1m0s:rolling", 2, 0}, {"minute=1/1m0s:rolling", 2, 1}, {"day=9/calendar:UTC", 4, 0}}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("(-want +got):\n%s", diff)
		}
		if err := w.sim.SetLimits(append(limits("a=1/1s"), limits("a=2/1s")...)); err == nil {
			w.Error("one name for two limits is accepted")
		}
	})
}
