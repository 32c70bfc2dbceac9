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
		"rolling":      {"l=3/60s", 3, "60"},
		"fixed":        {"l=3/60s:fixed:20s", 3, "20"},
		"token bucket": {"l=60/60s:bucket:4", 4, "1"},
		"calendar day": {"l=3/calendar:Europe/Berlin", 3, "82800"}, // synctest begins at 1:00 in Berlin
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
				if v := r.Limits[0]; v.OverrunCount != 1 || v.Overruns[0].Calls != test.fit+1 {
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
