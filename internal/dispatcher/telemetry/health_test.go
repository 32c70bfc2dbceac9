// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/intake"
)

func probe(h *Health, path string) (status int, body string) {
	w := httptest.NewRecorder()
	h.Handler(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestHealth(t *testing.T) {
	fine := func(context.Context) error { return nil }
	full := func(context.Context) error { return backlog.ErrStoreFull }
	broken := func(context.Context) error { return errors.New("no plan is in force yet") }
	stuck := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, test := range map[string]struct {
		accepting, ready func(context.Context) error
		stop             bool
		alive, readiness string // "ok" or what is said
	}{
		"all is well":          {fine, fine, false, "ok", "ok"},
		"the volume is full":   {full, full, false, "ok", "ok"},
		"there is no plan":     {fine, broken, false, "ok", "no plan is in force yet"},
		"the loop is stuck":    {stuck, stuck, false, "the scheduler's loop is stuck", "context deadline exceeded"},
		"the process is ended": {fine, fine, true, "ok", "stopping"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(nil)
				f.accepting = test.accepting
				h := &Health{Scheduler: f, Ready: test.ready}
				if test.stop {
					h.Stop()
				}
				for path, want := range map[string]string{"/healthz": test.alive, "/readyz": test.readiness} {
					wantStatus := http.StatusServiceUnavailable
					if want == "ok" {
						wantStatus = http.StatusOK
					}
					if status, body := probe(h, path); status != wantStatus || body != want {
						t.Errorf("%s: %d %q, want %d %q", path, status, body, wantStatus, want)
					}
				}
			})
		})
	}
}

// state of one integration, as a scheduler would show it.
func watched() *fake {
	f := newFake(planWith(7, ""))
	oldest, until := time.Unix(1000, 0), time.Unix(2000, 500e6)
	f.snapshot.Enforcing, f.snapshot.Waiting, f.snapshot.InFlight, f.snapshot.RefusedUntil = true, 2, 3, &until
	f.snapshot.Windows = []contract.WindowReport{{
		Name: "minute", Limit: 400, Used: 30, InDoubt: 1, External: new(int64(40)), KeptFree: 20, Reported: new(int64(200)), Lent: 50, Borrowed: 6, DemandP50: 300, DemandP95: 350,
		Exhaustion: &contract.ExhaustionForecast{P50: &until, P95: &oldest},
	}}
	f.snapshot.Refusals = map[contract.Verdict]int64{contract.VerdictExternalUse: 3}
	f.snapshot.Advice = &contract.LicenceAdvice{Adequate: true}
	f.snapshot.Answering, f.snapshot.UsageCalls = contract.AnsweringReport{Known: true, Trouble: contract.CRMFailing}, 18
	f.snapshot.Integrations = []contract.IntegrationReport{{
		Namespace: "n", Name: "a", Windows: []contract.ShareReport{{Name: "minute", Guaranteed: 240, Used: 20, Lent: 7, Borrowed: 8, Demand: 90}},
		Backlog:                contract.BacklogReport{Queued: 5, QueuedBytes: 6, Sent: 1, Parked: 2, Dead: 3, OldestQueued: &oldest, DrainSeconds: new(int64(60)), DrainP95Seconds: new(int64(90))},
		GuaranteeMissedSeconds: 4,
		Callbacks:              &contract.CallbacksReport{Waiting: 21, Delivered: 22, GivenUp: 23},
		Counters:               contract.IntegrationCounters{Accepted: 11, Dispatched: 12, Drained: 13, Refused: 14, Forwarded: 15, Overheld: 16, Saved: 17},
	}}
	return f
}

func TestMetricsShowTheSnapshot(t *testing.T) {
	m := NewMetrics()
	m.Watch(watched())
	w := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	var got []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "crmquota_") {
			got = append(got, strings.TrimSpace(strings.TrimPrefix(line, "crmquota_dispatcher_")))
		}
	}
	want := []string{
		`accepted_calls_total{integration="n/a"} 11`,
		`backlog_bytes{integration="n/a"} 6`, `backlog_calls{integration="n/a",state="dead"} 3`, `backlog_calls{integration="n/a",state="parked"} 2`,
		`backlog_calls{integration="n/a",state="queued"} 5`, `backlog_calls{integration="n/a",state="sent"} 1`,
		`backlog_drain_seconds{chance="p50",integration="n/a"} 60`, `backlog_drain_seconds{chance="p95",integration="n/a"} 90`, `backlog_oldest_timestamp_seconds{integration="n/a"} 1000`,
		`borrowed_calls{limit="minute"} 6`, `callbacks_delivered_total{integration="n/a"} 22`, `callbacks_given_up_total{integration="n/a"} 23`,
		`callbacks_waiting{integration="n/a"} 21`, `crm_answering 0`, `crm_refusals_total{verdict="ExternalUse"} 3`, `demand_calls{chance="p50",limit="minute"} 300`, `demand_calls{chance="p95",limit="minute"} 350`,
		`dispatched_requests_total{integration="n/a"} 12`, `drained_calls_total{integration="n/a"} 13`, `enforcing 1`,
		`exhaustion_timestamp_seconds{chance="p50",limit="minute"} 2000.5`, `exhaustion_timestamp_seconds{chance="p95",limit="minute"} 1000`,
		`external_calls{limit="minute"} 40`,
		`forwarded_calls_total{integration="n/a"} 15`, `in_doubt_calls{limit="minute"} 1`, `in_flight_requests 3`,
		`integration_borrowed_calls{integration="n/a",limit="minute"} 8`, `integration_demand_calls{integration="n/a",limit="minute"} 90`,
		`integration_guarantee_missed_seconds{integration="n/a"} 4`, `integration_guaranteed_calls{integration="n/a",limit="minute"} 240`,
		`integration_lent_calls{integration="n/a",limit="minute"} 7`, `integration_used_calls{integration="n/a",limit="minute"} 20`,
		`kept_free_calls{limit="minute"} 20`,
		`ledger_waiting 0`, `lent_calls{limit="minute"} 50`, `licence_adequate 1`, `limit_calls{limit="minute"} 400`, `overheld_calls_total{integration="n/a"} 16`, `plan_sequence 7`, `refused_calls_total{integration="n/a"} 14`,
		`refused_until_timestamp_seconds 2000.5`, `reported_limit_calls{limit="minute"} 200`, `saved_calls_total{integration="n/a"} 17`, "trace_spans_lost_total 0", `usage_calls_total 18`, `used_calls{limit="minute"} 30`, `waiting_calls 2`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMetricsOfAnIntegrationGoWithIt(t *testing.T) {
	f, m := watched(), NewMetrics()
	m.Watch(f)
	observe := func(integration string) {
		m.Decided(integration, time.Second)
		m.Served(intake.Outcome{Integration: integration, Operation: "Search", Code: intake.Forwarded, Status: 503, Took: time.Second})
		m.Erased(integration, 3)
	}
	observe("n/a")
	observe("n/b")
	m.Exchanged("n/a", "Search", time.Second, 200)
	scrape := func() {
		t.Helper()
		if _, err := m.registry.Gather(); err != nil {
			t.Fatal(err)
		}
	}
	scrape()
	f.snapshot.Integrations[0].Name = "b"
	scrape()
	for name, got := range map[string]int{
		"decision_wait": testutil.CollectAndCount(m.waited), "intake_requests": testutil.CollectAndCount(m.requests), "erased_calls": testutil.CollectAndCount(m.erased),
		"intake_request_seconds": testutil.CollectAndCount(m.served),
	} {
		if got != 1 {
			t.Errorf("%s: %d series, want that of n/b", name, got)
		}
	}
	want := `# HELP crmquota_dispatcher_intake_requests_total Requests of clients: Forwarded, Kept, Accepted (202), ClientGone, CutShort, or the reason of their refusal; with the class of the answer's status.
# TYPE crmquota_dispatcher_intake_requests_total counter
crmquota_dispatcher_intake_requests_total{integration="n/b",operation="Search",outcome="Forwarded",status="5xx"} 1
`
	if err := testutil.CollectAndCompare(m.requests, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func TestMetricsKeepToTheConventions(t *testing.T) {
	m := NewMetrics()
	m.Watch(watched())
	m.Decided("n/a", time.Second)
	m.Exchanged("n/a", "", time.Second, 0)
	m.Served(intake.Outcome{Code: intake.Forwarded})
	m.Erased("n/a", 1)
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestASchedulerThatDoesNotAnswerLeavesWhatWasObserved(t *testing.T) {
	f, m := watched(), NewMetrics()
	f.err = context.DeadlineExceeded
	m.Watch(f)
	m.Decided("n/a", time.Second)
	w := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusOK || !strings.Contains(string(body), "decision_wait_seconds_count") || strings.Contains(string(body), "plan_sequence") {
		t.Errorf("%d %s", w.Code, body)
	}
}
