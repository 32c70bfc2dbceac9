// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

func TestTheCallIsWhatTheClientSentWithoutWhatIsNotTheCRMs(t *testing.T) {
	f := &fake{plan: newPlan()}
	f.plan.Credentials.Header = &contract.HeaderKeys{Header: "X-Api-Key", Value: "key"}
	r := request("PUT", "/api/v2/tickets/12.json?a=%2e.", `{"ticket":{"status":"open"}}`)
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Accept": "application/json", "X-Custom": "kept", "If-Match": `"1"`,
		"Cookie": "session=1", "X-Api-Key": ccaiKey, "X-On-Behalf-Of": "boss@acme.com", "Accept-Encoding": "br", "Prefer": "handling=strict",
		"Connection": "keep-alive, X-Hop", "X-Hop": "1", "Keep-Alive": "5", "Te": "trailers", "Upgrade": "h2c", "Proxy-Authorization": "Basic x",
		"X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1", "X-Original-Url": "/admin", "Crmquota-Origin": "crm", "Expect": "100-continue",
	} {
		r.Header.Set(name, value)
	}
	if response := handle(f, r); response.StatusCode != http.StatusOK {
		t.Fatalf("status %d", response.StatusCode)
	}
	want := &call.Call{
		Integration: "contact-centre/ccai", Client: "adapter", Operation: "UpdateTicket", Method: "PUT", Target: "/api/v2/tickets/12.json?a=%2e.",
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "X-Custom": {"kept"}, "If-Match": {`"1"`}},
		Body:   []byte(`{"ticket":{"status":"open"}}`), Repeat: call.Repeat{Class: call.RepeatIdempotent},
	}
	got := *f.calls[0]
	got.AcceptedAt = time.Time{}
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Error(diff)
	}
}

func TestTheCRMsAnswerComesBackWithLinksToTheIntake(t *testing.T) {
	f := &fake{plan: newPlan()}
	f.do = func(context.Context, *call.Call, time.Duration) (*call.Answer, error) {
		a := answer(http.StatusCreated, `{"ticket":{"url":"`+crmURL+`/api/v2/tickets/1.json"}, "next_page": "`+crmURL+`/api/v2/tickets.json?page=2"}`)
		a.Header["Location"] = []string{crmURL + "/api/v2/tickets/1.json"}
		a.Header["Link"] = []string{"<" + crmURL + "/a>; rel=next"}
		a.Header["Odata-Entityid"] = []string{crmURL + "/api/data/v9.2/contacts(1)"}
		a.Header["X-Request-Id"] = []string{"7"}
		a.Header["Content-Length"] = []string{"9"}
		for _, hidden := range []string{"Set-Cookie", "Alt-Svc", "Crmquota-Reason"} {
			a.Header[hidden] = []string{"x"}
		}
		return a, nil
	}
	response := handle(f, request("GET", "/api/v2/tickets.json", ""))
	want := http.Header{
		"Content-Type": {"application/json"}, "X-Request-Id": {"7"}, "Crmquota-Origin": {"crm"},
		"Location": {intakeURL + "/api/v2/tickets/1.json"}, "Link": {"<" + intakeURL + "/a>; rel=next"},
		"Odata-Entityid": {intakeURL + "/api/data/v9.2/contacts(1)"},
	}
	if diff := cmp.Diff(want, response.Header); diff != "" || response.StatusCode != http.StatusCreated {
		t.Errorf("status %d, %s", response.StatusCode, diff)
	}
	wantBody := `{"ticket":{"url":"` + crmURL + `/api/v2/tickets/1.json"}, "next_page": "` + intakeURL + `/api/v2/tickets.json?page=2"}`
	if diff := cmp.Diff(wantBody, bodyOf(t, response)); diff != "" {
		t.Error(diff)
	}
}

func TestAnswersThatAreNoJSONKeepTheirLength(t *testing.T) {
	f := &fake{plan: newPlan()}
	f.do = func(context.Context, *call.Call, time.Duration) (*call.Answer, error) {
		body := `"next_page":"` + crmURL + `"`
		return &call.Answer{Status: 200, Header: http.Header{"Content-Type": {"text/plain"}, "Content-Length": {"37"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
	response := handle(f, request("GET", "/a", ""))
	if got := bodyOf(t, response); got != `"next_page":"`+crmURL+`"` || response.Header.Get("Content-Length") != "37" {
		t.Errorf("%v %s", response.Header, got)
	}
}

func TestAnAnswerThatBreaksOffIsNotTakenForAWholeOne(t *testing.T) {
	f := &fake{plan: newPlan()}
	f.do = func(context.Context, *call.Call, time.Duration) (*call.Answer, error) {
		body := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF))
		return &call.Answer{Status: 200, Header: http.Header{}, Body: io.NopCloser(body)}, nil
	}
	in, code := newIntake(f), ""
	in.Observe = func(o Outcome) { code += o.Code }
	defer func() {
		if fault, _ := recover().(error); !errors.Is(fault, http.ErrAbortHandler) || code != CutShort {
			t.Errorf("recovered %v, want http.ErrAbortHandler; observed %q", fault, code)
		}
	}()
	in.ServeHTTP(httptest.NewRecorder(), request("GET", "/a", ""))
}

func TestRoutes(t *testing.T) {
	hour := time.Now().Add(time.Hour)
	for name, test := range map[string]struct {
		change         func(*contract.Plan)
		request        *http.Request
		want           route
		forOtherCaller bool
	}{
		"the default waits":                     {nil, request("GET", "/api/v2/search", ""), route{wait: 8 * time.Second}, false},
		"the default rejects":                   {nil, request("GET", "/api/v2/search", ""), route{}, true},
		"a named operation is queued":           {nil, request("POST", "/api/v2/tickets.json", ""), route{queue: true, wait: 8 * time.Second}, false},
		"and at once if the client prefers it":  {nil, request("POST", "/api/v2/tickets.json", "", "Prefer", "respond-async"), route{queue: true, async: true, wait: 8 * time.Second, applied: []string{"respond-async"}}, false},
		"a path is matched":                     {nil, request("GET", "/api/v2/exports/tickets/7", ""), route{}, false},
		"a method is matched":                   {nil, request("HEAD", "/api/v2/exports/tickets/7", ""), route{wait: 8 * time.Second}, false},
		"the client prefers the queue":          {nil, request("PATCH", "/a", "", "Prefer", "wait=5, Respond-Async; x"), route{queue: true, wait: 5 * time.Second, patient: true, applied: []string{"respond-async", "wait=5"}}, false},
		"the client waits for less":             {nil, request("GET", "/a", "", "Prefer", "wait=2"), route{wait: 2 * time.Second, applied: []string{"wait=2"}}, false},
		"it cannot wait for more":               {nil, request("GET", "/a", "", "Prefer", "wait=9"), route{wait: 8 * time.Second}, false},
		"for a queued call neither":             {nil, request("POST", "/api/v2/tickets", "", "Prefer", "wait=9"), route{queue: true, wait: 8 * time.Second, patient: true}, false},
		"a preference that makes no sense":      {nil, request("GET", "/a", "", "Prefer", "wait=soon"), route{wait: 8 * time.Second}, false},
		"another preference changes nothing":    {nil, request("PATCH", "/a", "", "Prefer", "return=minimal"), route{wait: 8 * time.Second}, false},
		"reads are not queued by preference":    {nil, request("GET", "/a", "", "Prefer", "respond-async"), route{wait: 8 * time.Second}, false},
		"reads are not queued by mistake":       {func(p *contract.Plan) { p.Integrations[0].Operations[1].Policy = contract.Queued }, request("GET", "/api/v2/exports/x", ""), route{wait: 8 * time.Second}, false},
		"an operation goes before a preference": {func(p *contract.Plan) { p.Integrations[0].Operations[0].Policy = contract.Reject }, request("POST", "/api/v2/tickets", "", "Prefer", "respond-async"), route{}, false},
		"nothing is queued under Shadow":        {func(p *contract.Plan) { p.Enforce = false }, request("POST", "/api/v2/tickets", ""), route{}, false},
		"nor for an integration under Shadow":   {func(p *contract.Plan) { p.Integrations[0].Enforce = false }, request("POST", "/api/v2/tickets", ""), route{}, false},
		"nor under bypass":                      {func(p *contract.Plan) { p.BypassUntil = &hour }, request("POST", "/api/v2/tickets", ""), route{}, false},
		"a bypass that is over is none":         {func(p *contract.Plan) { p.BypassUntil = new(hour.Add(-2 * time.Hour)) }, request("POST", "/api/v2/tickets", ""), route{queue: true, wait: 8 * time.Second}, false},
	} {
		t.Run(name, func(t *testing.T) {
			plan := newPlan()
			if test.change != nil {
				test.change(plan)
			}
			v, err := newView(plan)
			if err != nil {
				t.Fatal(err)
			}
			integration := &plan.Integrations[0]
			if test.forOtherCaller {
				integration = &plan.Integrations[1]
			}
			r := test.request
			class := v.provider.Classify(r.Method, r.URL.Path, nil)
			got := v.route(integration, class, r, r.URL.Path, time.Now())
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(route{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	quota := &call.Refusal{Code: contract.ReasonLimitReached, Limit: "minute", RetryAfter: 41 * time.Second, Detail: "limit minute has no room"}
	for name, test := range map[string]struct {
		err         error
		accept      string
		status      int
		reason      string
		retryAfter  string
		contentType string
		body        string
	}{
		"quota, in the CRM's words":     {quota, "application/json", 429, "LimitReached", "41", "application/json; charset=utf-8", `{"error":"APIRateLimitExceeded","description":"limit minute has no room"}`},
		"quota, as a problem":           {quota, "application/problem+json, */*", 429, "LimitReached", "41", "application/problem+json", `{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Quota exceeded","status":429,"detail":"limit minute has no room","reason":"LimitReached","violated-policies":["minute"]}`},
		"the store is full":             {&call.Refusal{Code: contract.ReasonStoreFull, Detail: "full"}, "", 507, "StoreFull", "30", "application/problem+json", `{"type":"about:blank","title":"Insufficient Storage","status":507,"detail":"full","reason":"StoreFull"}`},
		"draining":                      {&call.Refusal{Code: contract.ReasonDraining, Detail: "draining"}, "", 503, "Draining", "30", "application/problem+json", `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"draining","reason":"Draining"}`},
		"the CRM cannot be reached":     {&call.Refusal{Code: contract.ReasonUpstreamFailed, Detail: "no connection"}, "", 502, "UpstreamFailed", "", "application/problem+json", `{"type":"about:blank","title":"Bad Gateway","status":502,"detail":"no connection","reason":"UpstreamFailed"}`},
		"a reason that is not expected": {errors.New("secret details"), "", 500, "Internal", "", "application/problem+json", `{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"a fault of the dispatcher","reason":"Internal"}`},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{plan: newPlan()}
			f.do = func(context.Context, *call.Call, time.Duration) (*call.Answer, error) { return nil, test.err }
			response := handle(f, request("GET", "/api/v2/search", "", "Accept", test.accept))
			if response.StatusCode != test.status {
				t.Errorf("status %d, want %d", response.StatusCode, test.status)
			}
			for header, want := range map[string]string{
				"Crmquota-Origin": "dispatcher", "Crmquota-Reason": test.reason, "Retry-After": test.retryAfter, "Content-Type": test.contentType,
			} {
				if got := response.Header.Get(header); got != want {
					t.Errorf("%s: %q, want %q", header, got, want)
				}
			}
			if diff := cmp.Diff(test.body+"\n", bodyOf(t, response)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryReasonHasAnAnswer(t *testing.T) {
	dialect := []contract.Reason{
		contract.ReasonLimitReached, contract.ReasonCRMRefusing, contract.ReasonHeld, contract.ReasonQueueFull, contract.ReasonQueueTooSlow,
	}
	for _, reason := range dialect {
		if _, own := statuses[reason]; own {
			t.Errorf("%s is not in the CRM's dialect", reason)
		}
	}
	for reason, status := range statuses {
		if status < 400 || status == http.StatusTooManyRequests {
			t.Errorf("%s has the status %d", reason, status)
		}
	}
}

func TestWithoutAPlanNothingIsServed(t *testing.T) {
	response := handle(&fake{}, request("GET", "/a", ""))
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Crmquota-Reason") != "NoPlan" {
		t.Errorf("%d %v", response.StatusCode, response.Header)
	}
}

func TestAPanicIsAnsweredAndDoesNotEndTheProcess(t *testing.T) {
	f := &fake{plan: newPlan()}
	f.do = func(context.Context, *call.Call, time.Duration) (*call.Answer, error) { panic("a bug") }
	response := handle(f, request("GET", "/a", ""))
	if response.StatusCode != http.StatusInternalServerError || response.Header.Get("Crmquota-Reason") != "Internal" {
		t.Errorf("%d %v", response.StatusCode, response.Header)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	f := &fake{plan: newPlan()}
	for name, do := range map[string]func(context.Context, *call.Call, time.Duration) (*call.Answer, error){
		"an answer": nil, "a refusal": refuse(&call.Refusal{Code: contract.ReasonLimitReached}),
	} {
		f.do = do
		if body := bodyOf(t, handle(f, request("HEAD", "/a", ""))); body != "" {
			t.Errorf("%s has the body %q", name, body)
		}
	}
}
