// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"slices"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/test/collector"
)

// TestTraces: a call that was queued in one life and sent in the next is linked to its request; one that waits, and one that is refused, go on with the trace of
// their client.
func TestTraces(t *testing.T) {
	const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	spans, crm := collector.Start(t, nil), startCRM(t, crmsim.Config{Tokens: []string{crmToken}})
	w := newWorld(t, crm.url)
	w.plan.Tracing = &contract.Tracing{Endpoint: spans.URL}
	w.plan.Limits = []contract.Limit{{Name: "hour", Calls: 2, WindowSeconds: 3600}}
	w.plan.Hold = true
	d := w.start()
	if a := d.call(http.MethodPost, "/api/v2/tickets.json", `{"ticket":{}}`, "Traceparent", traceparent, "Prefer", "respond-async"); a.status != http.StatusAccepted {
		t.Fatalf("the call gets %d %s", a.status, a.body)
	}
	d.call(http.MethodPost, "/api/v2/tickets.json", `{"ticket":{}}`, "Authorization", "Bearer wrong", "Traceparent", traceparent)
	d.stop()
	w.plan.Sequence, w.plan.Hold = 2, false
	d = w.start()
	eventually(t, func() bool { return crm.sim.Report().Arrivals == 1 })
	for _, want := range []int{http.StatusOK, http.StatusTooManyRequests} {
		if a := d.call(http.MethodGet, "/api/v2/users/search.json?query=ada", "", "Traceparent", traceparent, "Prefer", "wait=0"); a.status != want {
			t.Fatalf("the call gets %d %s, want %d", a.status, a.body, want)
		}
	}
	d.stop()

	of := func(name, outcome string) collector.Span {
		t.Helper()
		all := spans.Spans()
		i := slices.IndexFunc(all, func(s collector.Span) bool { return s.Name == name && s.Attributes["crmquota.outcome"] == outcome })
		if i < 0 {
			t.Fatalf("no span %q has the outcome %q, of %+v", name, outcome, all)
		}
		return all[i]
	}
	queued, forwarded := of("POST CreateTicket", "Accepted"), of("GET SearchUsers", "Forwarded")
	refused := of("GET SearchUsers", string(contract.ReasonLimitReached))
	if sent := spans.Span("dispatch CreateTicket"); !slices.Equal(sent.Links, []string{queued.ID}) || sent.Trace == queued.Trace {
		t.Errorf("the queued call was sent as %+v, its request was %+v", sent, queued)
	}
	if wait := spans.Span("wait for quota"); wait.Parent != forwarded.ID || wait.Attributes["crmquota.cause"] != string(contract.CauseTurn) {
		t.Errorf("the wait is %+v", wait)
	}
	if refused.Attributes["crmquota.limit"] != "hour" || refused.Attributes["http.response.status_code"] != "429" || refused.Parent != forwarded.Parent {
		t.Errorf("the refused request is %+v", refused)
	}
	// Two requests to the CRM, three of the client, a wait and a dispatch; nothing of who has no key.
	if n := len(spans.Spans()); n != 7 {
		t.Errorf("there are %d spans: %+v", n, spans.Spans())
	}
}
