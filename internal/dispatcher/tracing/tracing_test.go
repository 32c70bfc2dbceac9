// SPDX-License-Identifier: Apache-2.0

package tracing

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/intake"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/test/collector"
)

// What a client sends that traces its calls, and one that does not.
const (
	clientTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	clientSpan  = "00f067aa0ba902b7"
	recorded    = "00-" + clientTrace + "-" + clientSpan + "-01"
	unrecorded  = "00-" + clientTrace + "-" + clientSpan + "-00"
)

// traced is a Tracer under a plan that traces to endpoint.
func traced(t *testing.T, endpoint string, percent int64, o Options) *Tracer {
	t.Helper()
	o.Log, o.Version = slog.New(slog.DiscardHandler), "v1"
	tracer := New(o)
	tracer.apply(t.Context(), &contract.Plan{
		CRM: contract.CRMIdentity{Namespace: "contact-centre", Name: "zendesk"}, Endpoint: "https://acme.zendesk.com",
		Tracing: &contract.Tracing{Endpoint: endpoint, SamplingPercent: percent},
	})
	return tracer
}

// sent is a way to the CRM that answers with a status, and the header that was sent last.
type sent struct {
	status int
	header http.Header
}

func (s *sent) Send(_ context.Context, _ *upstream.Charge, _ upstream.Destination, what *call.Call) upstream.Outcome {
	s.header = what.Header
	if s.status == 0 {
		return upstream.Outcome{}
	}
	return upstream.Outcome{Sent: true, Answer: &call.Answer{Status: s.status}}
}

func incoming(header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/api/v2/tickets.json?secret-query", strings.NewReader("secret-body"))
	r.Header.Set("X-Secret", "secret-header")
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func ticket(header http.Header) *call.Call {
	return &call.Call{Integration: "cc/ccai", Operation: "CreateTicket", Method: http.MethodPost, Target: "/api/v2/tickets.json?secret-query", Header: header, Body: []byte("secret-body")}
}

// TestACallGoesOnWithItsClientsTrace: the request, what it waited for and the request to the CRM, which is told.
func TestACallGoesOnWithItsClientsTrace(t *testing.T) {
	c := collector.Start(t, nil)
	tracer := traced(t, c.URL, 0, Options{})
	r := incoming("Traceparent", recorded, "Tracestate", "vendor=1")
	span := tracer.Request(r, time.Now())
	what := ticket(r.Header.Clone())
	span.Carry(what.Header)
	tracer.Held(what, time.Minute, scheduler.Held{Cause: contract.CauseUsedUp, Limit: "minute"})
	crm := &sent{status: http.StatusCreated}
	tracer.Sender(crm).Send(t.Context(), upstream.Issue(), upstream.Destination{}, what)
	span.End(intake.Outcome{Integration: "cc/ccai", Operation: "CreateTicket", Code: intake.Forwarded, Status: http.StatusCreated})
	tracer.Close(t.Context())

	byKind := map[string]collector.Span{}
	for _, s := range c.Spans() {
		byKind[s.Kind] = s
		if s.Trace != clientTrace || s.Failed || len(s.Links) > 0 {
			t.Errorf("%+v is not a good part of the client's trace", s)
		}
		for key, value := range s.Attributes {
			if strings.Contains(key+value, "secret") {
				t.Errorf("%s = %q is in %s", key, value, s.Name)
			}
		}
	}
	server, wait, client := byKind["SPAN_KIND_SERVER"], byKind["SPAN_KIND_INTERNAL"], byKind["SPAN_KIND_CLIENT"]
	if len(c.Spans()) != 3 || server.Parent != clientSpan || wait.Parent != server.ID || client.Parent != server.ID {
		t.Errorf("the spans are %+v", c.Spans())
	}
	common := map[string]string{"crmquota.integration": "cc/ccai", "crmquota.operation": "CreateTicket", "http.request.method": "POST", "http.response.status_code": "201"}
	with := func(key, value string) map[string]string {
		all := map[string]string{key: value}
		maps.Copy(all, common)
		return all
	}
	for _, d := range []string{
		cmp.Diff([]string{"POST CreateTicket", "wait for quota", "POST CreateTicket"}, []string{server.Name, wait.Name, client.Name}),
		cmp.Diff(with("crmquota.outcome", intake.Forwarded), server.Attributes),
		cmp.Diff(map[string]string{"crmquota.cause": "UsedUp", "crmquota.limit": "minute"}, wait.Attributes),
		cmp.Diff(with("server.address", "acme.zendesk.com"), client.Attributes),
		cmp.Diff([]string{"00-" + clientTrace + "-" + client.ID + "-01"}, crm.header["Traceparent"]),
		cmp.Diff([]string{"vendor=1"}, crm.header["Tracestate"]),
		cmp.Diff(map[string]string{"service.name": "crmquota-dispatcher", "service.version": "v1", "k8s.namespace.name": "contact-centre", "crmquota.crm": "zendesk"}, c.Resource()),
	} {
		if d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
	if waited := server.Began.Sub(wait.Began); waited < 59*time.Second {
		t.Errorf("the wait began %v before the request, which was a minute ago by what it says", waited)
	}
	if what.Header.Get("Traceparent") == crm.header.Get("Traceparent") {
		t.Error("the call itself was changed: sent again, it would hang under the request that failed")
	}
}

// TestAQueuedCallIsATraceOfItsOwn that is linked to the requests that queued it, one or, of a bulk call, many.
func TestAQueuedCallIsATraceOfItsOwn(t *testing.T) {
	accepted := time.Now().Add(-time.Hour)
	one, bulk := ticket(http.Header{"Traceparent": {recorded}}), ticket(nil)
	one.ID, one.AcceptedAt = "01J", accepted
	bulk.AcceptedAt = accepted
	bulk.Members = []http.Header{{"Traceparent": {recorded}}, {}, {"Traceparent": {strings.Replace(recorded, clientSpan, "00f067aa0ba902b8", 1)}}}
	for name, test := range map[string]struct {
		what  *call.Call
		links []string
		count string
	}{
		"one": {one, []string{clientSpan}, "1"}, "a bulk call": {bulk, []string{clientSpan, "00f067aa0ba902b8"}, "3"},
	} {
		t.Run(name, func(t *testing.T) {
			c := collector.Start(t, nil)
			tracer := traced(t, c.URL, 0, Options{})
			crm := &sent{}
			tracer.Sender(crm).Send(t.Context(), upstream.Issue(), upstream.Destination{}, test.what)
			tracer.Close(t.Context())
			whole, client := c.Span("dispatch CreateTicket"), c.Span("POST CreateTicket")
			if whole.Trace == clientTrace || whole.Parent != "" || client.Parent != whole.ID || !whole.Began.Equal(accepted) {
				t.Errorf("the spans are %+v", c.Spans())
			}
			if diff := cmp.Diff(test.links, whole.Links); diff != "" || whole.Attributes["crmquota.members"] != test.count {
				t.Errorf("the links (-want +got):\n%s\nthe attributes are %v", diff, whole.Attributes)
			}
			if !client.Failed || client.Attributes["error.type"] != "no_answer" {
				t.Errorf("without an answer the span is %+v", client)
			}
			if got := crm.header.Get("Traceparent"); got != "00-"+whole.Trace+"-"+client.ID+"-01" {
				t.Errorf("the CRM gets %q", got)
			}
		})
	}
}

func TestWhoIsTraced(t *testing.T) {
	c := collector.Start(t, nil)
	for name, test := range map[string]struct {
		percent int64
		header  []string
		want    bool
	}{
		"the client's word counts":                   {0, []string{"Traceparent", recorded}, true},
		"the client's word against it":               {100, []string{"Traceparent", unrecorded}, false},
		"no word, none of 100":                       {0, nil, false},
		"no word, all of 100":                        {100, nil, true},
		"something that is no context":               {100, []string{"Traceparent", "1"}, false},
		"two contexts":                               {100, []string{"Traceparent", recorded, "Traceparent", recorded}, false},
		"a context of a later version of the format": {0, []string{"Traceparent", "cc" + recorded[2:] + "-more"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := traced(t, c.URL, test.percent, Options{})
			defer tracer.Close(t.Context())
			if span := tracer.Request(incoming(test.header...), time.Now()); (span != nil) != test.want {
				t.Errorf("traced: %v, want %v", span != nil, test.want)
			}
		})
	}
}

// TestSamplingKeepsToItsPercent within 5 standard deviations.
func TestSamplingKeepsToItsPercent(t *testing.T) {
	p := &pipeline{settings: settings{Tracing: contract.Tracing{SamplingPercent: 10}}}
	chosen := 0
	for range 100_000 {
		if p.chosen(http.Header{}) {
			chosen++
		}
	}
	if chosen < 10_000-475 || chosen > 10_000+475 {
		t.Errorf("%d of 100,000 are chosen, want 10 %%", chosen)
	}
}

// TestCallsThatAreNotTracedTakeNoMemory, with a collector or without.
func TestCallsThatAreNotTracedTakeNoMemory(t *testing.T) {
	c := collector.Start(t, nil)
	on := traced(t, c.URL, 0, Options{})
	defer on.Close(t.Context())
	for name, tracer := range map[string]*Tracer{"off": New(Options{}), "on": on} {
		t.Run(name, func(t *testing.T) {
			r, crm := incoming("Traceparent", unrecorded), tracer.Sender(&sent{})
			waiting, queued := ticket(r.Header), ticket(r.Header)
			queued.ID = "01J"
			allocations := testing.AllocsPerRun(100, func() {
				if tracer.Request(r, time.Time{}) != nil {
					t.Error("the request is traced")
				}
				tracer.Held(waiting, time.Second, scheduler.Held{})
				crm.Send(t.Context(), nil, upstream.Destination{}, waiting)
				crm.Send(t.Context(), nil, upstream.Destination{}, queued)
			})
			if allocations != 0 {
				t.Errorf("%v allocations", allocations)
			}
		})
	}
	if n := len(c.Spans()); n != 0 {
		t.Errorf("%d spans were exported", n)
	}
}

// TestACollectorThatDoesNotAnswerHoldsNobodyUp: if it did, this would not end, since it answers only afterwards.
func TestACollectorThatDoesNotAnswerHoldsNobodyUp(t *testing.T) {
	held := make(chan struct{})
	c := collector.Start(t, func(c *collector.Collector) { c.Hold = held })
	tracer := traced(t, c.URL, 100, Options{})
	for range 10_000 {
		tracer.Request(incoming(), time.Now()).End(intake.Outcome{})
	}
	close(held)
	tracer.Close(t.Context())
	if n := len(c.Spans()); n == 0 || n == 10_000 {
		t.Errorf("%d spans came through, want what was kept", n)
	}
}

func TestLostSpansAreCounted(t *testing.T) {
	c := collector.Start(t, func(c *collector.Collector) { c.Status = http.StatusBadRequest })
	var lost atomic.Int64
	tracer := traced(t, c.URL, 100, Options{Lost: func(n int) { lost.Add(int64(n)) }})
	for range 3 {
		tracer.Request(incoming(), time.Now()).End(intake.Outcome{})
	}
	tracer.Close(t.Context())
	if n := lost.Load(); n != 3 {
		t.Errorf("%d spans are counted as lost, want 3", n)
	}
}

// TestFollow has the plan in force turn tracing on and off.
func TestFollow(t *testing.T) {
	c := collector.Start(t, nil)
	tracer := New(Options{Log: slog.New(slog.DiscardHandler)})
	off := &contract.Plan{Endpoint: "https://acme.zendesk.com"}
	on := *off
	on.Tracing = &contract.Tracing{Endpoint: c.URL, SamplingPercent: 100}
	ctx, stop := context.WithCancel(t.Context())
	step := make(chan *contract.Plan)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tracer.Follow(ctx, func() (*contract.Plan, <-chan struct{}) {
			changed := make(chan struct{})
			close(changed)
			return <-step, changed
		})
	}()
	for _, c := range []struct {
		plan *contract.Plan
		want bool
	}{{nil, false}, {off, false}, {&on, true}, {&on, true}, {off, false}, {&on, true}} {
		step <- c.plan
		step <- c.plan // it has taken the first one now
		if span := tracer.Request(incoming(), time.Now()); (span != nil) != c.want {
			t.Errorf("traced: %v, want %v", span != nil, c.want)
		}
	}
	stop()
	for ended := false; !ended; {
		select {
		case step <- off:
		case <-done:
			ended = true
		}
	}
	tracer.Close(t.Context())
}
