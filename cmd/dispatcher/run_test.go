// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

const createTicket = `{"ticket":{"subject":"call log","external_id":"%s","comment":{"body":"hello"}}}`

func TestCallsGoThroughToTheCRMAndBack(t *testing.T) {
	crm := startCRM(t, crmsim.Config{Tokens: []string{crmToken}})
	d := newWorld(t, crm.url).start()

	found := d.call("GET", "/api/v2/users/search.json?query=User&per_page=1", "")
	if found.status != http.StatusOK || found.header.Get("Crmquota-Origin") != "crm" {
		t.Fatalf("%d %v %s", found.status, found.header, found.body)
	}
	// Page by page, by the links in the answers: none leads round the dispatcher.
	pages := 1
	for ; pages < 3; pages++ {
		var page struct {
			Next string `json:"next_page"`
		}
		if err := json.Unmarshal([]byte(found.body), &page); err != nil {
			t.Fatal(err)
		}
		path, isOurs := strings.CutPrefix(page.Next, d.intake)
		if !isOurs {
			t.Fatalf("the next page is %q, want it at %s", page.Next, d.intake)
		}
		found = d.call("GET", path, "")
	}
	created := d.call("POST", "/api/v2/tickets.json", fmt.Sprintf(createTicket, "t-1"))
	if created.status != http.StatusCreated || !strings.HasPrefix(created.header.Get("Location"), d.intake+"/api/v2/tickets/") {
		t.Errorf("%d %v %s", created.status, created.header, created.body)
	}
	refused := d.call("GET", "/api/v2/users/search.json", "", "Authorization", "Bearer "+crmToken)
	if refused.status != http.StatusUnauthorized || refused.header.Get("Crmquota-Reason") != "Unauthenticated" {
		t.Errorf("with the CRM's own token: %d %v", refused.status, refused.header)
	}
	if got := crm.sim.Report().Arrivals; got != pages+1 {
		t.Errorf("%d requests arrived, want %d", got, pages+1)
	}
	for _, series := range []string{
		`crmquota_dispatcher_forwarded_calls_total{integration="contact-centre/ccai"} 3`, `crmquota_dispatcher_used_calls{limit="minute"} 4`,
		`crmquota_dispatcher_intake_requests_total{integration="",operation="",outcome="Unauthenticated",status="4xx"} 1`, `crmquota_dispatcher_plan_sequence 1`,
	} {
		if metrics := d.metrics(); !strings.Contains(metrics, series) {
			t.Errorf("%s is missing in\n%s", series, metrics)
		}
	}
}

func TestAtTheLimitCallsAreRefusedOrQueuedAndNoneOverruns(t *testing.T) {
	crm := startCRM(t, crmsim.Config{Tokens: []string{crmToken}, Limits: []limit.Limit{must(limit.Parse("window=3/4s"))}})
	w := newWorld(t, crm.url)
	w.plan.Limits = []contract.Limit{{Name: "window", Calls: 3, WindowSeconds: 4}}
	d := w.start()

	var results []string
	statuses := map[int]int{}
	for i := range 7 {
		answer := d.call("POST", "/api/v2/tickets.json", fmt.Sprintf(createTicket, fmt.Sprint("t-", i)))
		statuses[answer.status]++
		if answer.status == http.StatusAccepted {
			results = append(results, strings.TrimPrefix(answer.header.Get("Location"), d.intake))
		}
	}
	if statuses[http.StatusCreated] != 3 || statuses[http.StatusAccepted] != 4 {
		t.Errorf("answers by status: %v; want 3 that fitted and 4 queued", statuses)
	}
	refused := d.call("GET", "/api/v2/exports/all", "")
	if refused.status != http.StatusTooManyRequests || refused.header.Get("Retry-After") == "" || !strings.Contains(refused.body, "APIRateLimitExceeded") {
		t.Errorf("a call that may not wait: %d %v %s", refused.status, refused.header, refused.body)
	}
	for _, path := range results {
		ended := d.call("GET", path+"?wait=20", "")
		var result struct {
			State  string
			Status int
		}
		if err := json.Unmarshal([]byte(ended.body), &result); err != nil || result.State != "succeeded" || result.Status != http.StatusCreated {
			t.Errorf("%s: %s (%v)", path, ended.body, err)
		}
	}
	report := crm.sim.Report()
	if report.Tickets.Created != 7 || report.Tickets.DuplicateCount != 0 {
		t.Errorf("tickets: %+v, want 7 and none twice", report.Tickets)
	}
	if got := report.Limits[0]; got.OverrunCount != 0 {
		t.Errorf("overruns: %+v", got)
	}
}

func TestAnIdempotencyKeyGetsOneResult(t *testing.T) {
	crm := startCRM(t, crmsim.Config{Tokens: []string{crmToken}})
	d := newWorld(t, crm.url).start()
	send := func(id string) answer {
		return d.call("POST", "/api/v2/tickets.json", fmt.Sprintf(createTicket, id), "Idempotency-Key", "order-1", "Prefer", "respond-async")
	}
	first, again, other := send("t-1"), send("t-1"), send("t-2")
	if first.status != http.StatusAccepted || again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("first %d %v, again %d %v", first.status, first.header, again.status, again.header)
	}
	if other.status != http.StatusUnprocessableEntity || other.header.Get("Crmquota-Reason") != "KeyReused" {
		t.Errorf("another body: %d %v", other.status, other.header)
	}
	d.call("GET", strings.TrimPrefix(first.header.Get("Location"), d.intake)+"?wait=20", "")
	if got := crm.sim.Report().Tickets.Created; got != 1 {
		t.Errorf("%d tickets, want 1", got)
	}
}

func TestThePlanIsFollowedAndReported(t *testing.T) {
	crm := startCRM(t, crmsim.Config{Tokens: []string{crmToken}})
	w := newWorld(t, crm.url)
	d := w.start()
	first := d.report(0, 0)
	if !first.Ready || first.Sequence != 1 || first.CRMUID != "u" || !first.Credentials.Resolved || !first.Endpoint.Resolved || first.Certificate.CAPEM == "" {
		t.Errorf("report: %+v", first)
	}

	w.plan.Sequence, w.plan.Integrations[0].Generation = 2, 5
	w.writePlan()
	second := d.report(2, 20)
	if second.Sequence != 2 || second.Rejected != nil || second.Integrations[0].Generation != 5 {
		t.Errorf("report: %+v", second)
	}

	w.plan.Sequence = 1
	w.writePlan()
	var rejected *contract.RejectedPlan
	eventually(t, func() bool { rejected = d.report(0, 0).Rejected; return rejected != nil })
	want := &contract.RejectedPlan{Sequence: 1, Reason: "sequence 1 is older than 2, which is in force"}
	if diff := cmp.Diff(want, rejected); diff != "" {
		t.Error(diff)
	}
	if got := d.report(0, 0).Sequence; got != 2 {
		t.Errorf("sequence %d is in force, want 2", got)
	}
}

func TestQueuedCallsOutliveARestart(t *testing.T) {
	crm := startCRM(t, crmsim.Config{Tokens: []string{crmToken}})
	w := newWorld(t, crm.url)
	w.plan.Hold = true
	d := w.start()
	accepted := d.call("POST", "/api/v2/tickets.json", fmt.Sprintf(createTicket, "t-1"))
	if accepted.status != http.StatusAccepted {
		t.Fatalf("%d %s", accepted.status, accepted.body)
	}
	location := strings.TrimPrefix(accepted.header.Get("Location"), d.intake)
	ca := d.report(0, 0).Certificate.CAPEM
	d.stop()
	if got := crm.sim.Report().Arrivals; got != 0 {
		t.Errorf("%d requests arrived under Hold", got)
	}

	w.plan.Sequence, w.plan.Hold = 2, false
	d = w.start()
	if got := d.report(2, 20); got.Certificate.CAPEM != ca {
		t.Error("the CA is another one after the restart")
	}
	if ended := d.call("GET", location+"?wait=20", ""); !strings.Contains(ended.body, `"state":"succeeded"`) {
		t.Errorf("%d %s", ended.status, ended.body)
	}
	if got := crm.sim.Report().Tickets.Created; got != 1 {
		t.Errorf("%d tickets, want 1", got)
	}
}

func TestStoppingServesUntilNobodyComes(t *testing.T) {
	crm := startCRM(t, crmsim.Config{Tokens: []string{crmToken}})
	w := newWorld(t, crm.url)
	w.options.shutdownDelay = time.Second
	d := w.start()
	d.cancel()
	eventually(t, func() bool { status, _ := d.health("/readyz"); return status == http.StatusServiceUnavailable })
	if got := d.call("GET", "/api/v2/users/me.json", ""); got.status != http.StatusOK {
		t.Errorf("while it is still announced: %d %s", got.status, got.body)
	}
	if err := <-d.ended; err != nil {
		t.Error(err)
	}
}

func TestRunSaysWhatKeepsItFromStarting(t *testing.T) {
	w := newWorld(t, "http://127.0.0.1:1")
	w.options.healthAddress = "127.0.0.1:99999"
	err := run(context.Background(), w.options, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err == nil || !strings.Contains(err.Error(), "99999") {
		t.Errorf("got %v, want an error that names the address", err)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
