// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

func decode(t *testing.T, response *http.Response) map[string]any {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(bodyOf(t, response)), &body); err != nil {
		t.Fatal(err)
	}
	return body
}

// whenAccepted is long ago, also by the clock of a synctest bubble.
var whenAccepted = time.Date(1999, 11, 23, 12, 0, 0, 0, time.UTC)

func ccaiResult(state call.State, change func(*call.Result)) call.Result {
	r := call.Result{ID: "01J", Integration: "contact-centre/ccai", State: state, AcceptedAt: whenAccepted}
	if change != nil {
		change(&r)
	}
	return r
}

func TestAQueuedOperationGetsTheCRMsAnswerIfItsTurnIsNear(t *testing.T) {
	created := func(r *call.Result) {
		r.Status, r.Header, r.Body = 201, http.Header{"Content-Type": {"application/json"}, "Location": {crmURL + "/t/1"}}, []byte(`{"ticket":{"id":1}}`)
	}
	queued := func(ahead int64, in time.Duration) call.Result {
		return ccaiResult(call.StateQueued, func(r *call.Result) { r.Ahead, r.ETA = ahead, time.Now().Add(in) })
	}
	for name, test := range map[string]struct {
		first  func() call.Result
		prefer string
		waits  []time.Duration
		status int
	}{
		"it has ended already":        {func() call.Result { return ccaiResult(call.StateSucceeded, created) }, "", nil, 201},
		"it is on its way":            {func() call.Result { return ccaiResult(call.StateSent, nil) }, "", []time.Duration{8 * time.Second}, 201},
		"its turn is near":            {func() call.Result { return queued(3, 0) }, "", []time.Duration{time.Second}, 201},
		"it is new and the next":      {func() call.Result { r := queued(0, time.Minute); r.AcceptedAt = time.Now(); return r }, "", []time.Duration{time.Second}, 201},
		"it is the next for long":     {func() call.Result { return queued(0, time.Minute) }, "", nil, 202},
		"its turn is far":             {func() call.Result { return queued(3, time.Minute) }, "", nil, 202},
		"its turn is not known":       {func() call.Result { return ccaiResult(call.StateQueued, nil) }, "", nil, 202},
		"the client wants no answer":  {func() call.Result { return ccaiResult(call.StateSent, nil) }, "respond-async", nil, 202},
		"it waits for the answer":     {func() call.Result { return queued(3, time.Minute) }, "wait=5", []time.Duration{5 * time.Second}, 201},
		"for a while":                 {func() call.Result { return queued(3, time.Minute) }, "respond-async, wait=3", []time.Duration{3 * time.Second}, 201},
		"for no time":                 {func() call.Result { return ccaiResult(call.StateSent, nil) }, "respond-async, wait=0", nil, 202},
		"nor one that is there":       {func() call.Result { return ccaiResult(call.StateSucceeded, created) }, "respond-async", nil, 202},
		"it is parked":                {func() call.Result { return ccaiResult(call.StateParked, nil) }, "", nil, 202},
		"a key's first call was dead": {func() call.Result { return ccaiResult(call.StateDead, nil) }, "", nil, 202},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{plan: newPlan(), result: test.first(), end: ccaiResult(call.StateSucceeded, created)}
				response := handle(f, request("POST", "/api/v2/tickets", "{}", "Prefer", test.prefer))
				if diff := cmp.Diff(test.waits, f.lookups); diff != "" {
					t.Error(diff)
				}
				if response.StatusCode != test.status || len(f.queued) != 1 || len(f.calls) != 0 {
					t.Fatalf("status %d, %d queued, %d sent", response.StatusCode, len(f.queued), len(f.calls))
				}
				wantOrigin, wantLocation := "dispatcher", intakeURL+"/-/results/01J"
				if test.status == http.StatusCreated {
					wantOrigin, wantLocation = "crm", intakeURL+"/t/1"
				}
				if origin, location := response.Header.Get("Crmquota-Origin"), response.Header.Get("Location"); origin != wantOrigin || location != wantLocation {
					t.Errorf("origin %q, location %q", origin, location)
				}
			})
		})
	}
}

func TestAClientIsNotKeptByATurnThatDoesNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{plan: newPlan(), result: ccaiResult(call.StateQueued, func(r *call.Result) { r.Ahead, r.ETA = 3, time.Now() })}
		response := handle(f, request("POST", "/api/v2/tickets", "{}"))
		if took := time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)); took != time.Second || response.StatusCode != http.StatusAccepted {
			t.Errorf("status %d after %v, want 202 after a second", response.StatusCode, took)
		}
	})
}

// TestAClientIsNotKeptUnderHold, when no call's turn comes.
func TestAClientIsNotKeptUnderHold(t *testing.T) {
	plan := newPlan()
	plan.Hold = true
	f := &fake{plan: plan, result: ccaiResult(call.StateQueued, func(r *call.Result) { r.AcceptedAt = time.Now() })}
	response := handle(f, request("POST", "/api/v2/tickets", "{}"))
	if len(f.lookups) != 0 || response.StatusCode != http.StatusAccepted {
		t.Errorf("status %d, want 202 at once: %v", response.StatusCode, f.lookups)
	}
}

func TestAQueuedOperationIsAcknowledged(t *testing.T) {
	f := &fake{plan: newPlan(), result: ccaiResult(call.StateQueued, func(r *call.Result) { r.Ahead, r.ETA = 7, time.Date(2126, 11, 23, 12, 1, 0, 0, time.UTC) })}
	response := handle(f, request("POST", "/api/v2/tickets", `{"ticket":{}}`))
	if response.StatusCode != http.StatusAccepted {
		t.Fatalf("status %d", response.StatusCode)
	}
	for header, want := range map[string]string{
		"Location": intakeURL + "/-/results/01J", "Crmquota-Origin": "dispatcher", "Content-Type": "application/json", "Preference-Applied": "",
	} {
		if got := response.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	want := map[string]any{"id": "01J", "state": "queued", "acceptedAt": "1999-11-23T12:00:00Z", "ahead": 7.0, "eta": "2126-11-23T12:01:00Z"}
	if diff := cmp.Diff(want, decode(t, response)); diff != "" {
		t.Error(diff)
	}
	queued := f.queued[0]
	if queued.Repeat.Class != call.RepeatKeyed || queued.Repeat.KeyValidFor != 2*time.Hour || len(queued.Header.Get("Idempotency-Key")) != 64 {
		t.Errorf("repeat %+v with the key %q", queued.Repeat, queued.Header.Get("Idempotency-Key"))
	}
}

func TestAStoredCallIsAcknowledgedEvenIfItCannotBeLookedUp(t *testing.T) {
	response := handle(&fake{plan: newPlan()}, request("POST", "/api/v2/tickets", "{}"))
	if body := decode(t, response); response.StatusCode != http.StatusAccepted || body["id"] != "01J" || body["state"] != "queued" {
		t.Errorf("%d %v", response.StatusCode, body)
	}
}

func TestAPreferenceIsApplied(t *testing.T) {
	f := &fake{plan: newPlan()}
	response := handle(f, request("PATCH", "/a", "{}", "Prefer", "respond-async"))
	if response.StatusCode != http.StatusAccepted || response.Header.Get("Preference-Applied") != "respond-async" || len(f.calls) != 0 {
		t.Errorf("%d %v, %d sent", response.StatusCode, response.Header, len(f.calls))
	}
}

func TestRefusalsOfTheQueue(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
		reason string
	}{
		"full":           {&call.Refusal{Code: contract.ReasonQueueFull}, 429, "QueueFull"},
		"too slow":       {&call.Refusal{Code: contract.ReasonQueueTooSlow}, 429, "QueueTooSlow"},
		"store full":     {&call.Refusal{Code: contract.ReasonStoreFull}, 507, "StoreFull"},
		"the key reused": {call.ErrKeyReused, 422, "KeyReused"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{plan: newPlan(), stored: func(*call.Call) (bool, error) { return false, test.err }}
			response := handle(f, request("POST", "/api/v2/tickets", "{}"))
			if response.StatusCode != test.status || response.Header.Get("Crmquota-Reason") != test.reason {
				t.Errorf("%d %v", response.StatusCode, response.Header)
			}
		})
	}
}

func TestIdempotencyKeys(t *testing.T) {
	f := &fake{plan: newPlan()}
	in := New(Options{Calls: f, Log: newIntake(f).Log, Rand: bytes.NewReader(make([]byte, 64))})
	send := func(key, body, integrationKey, target string) *call.Call {
		t.Helper()
		r := request("POST", target, body, "Authorization", "Bearer "+integrationKey, "Prefer", "respond-async")
		if key != "" {
			r.Header.Set("Idempotency-Key", key)
		}
		recorder := httptest.NewRecorder()
		in.ServeHTTP(recorder, r)
		if recorder.Code != http.StatusAccepted {
			t.Fatalf("status %d: %s", recorder.Code, recorder.Body)
		}
		return f.queued[len(f.queued)-1]
	}
	upstream := func(c *call.Call) string { return c.Header.Get("Idempotency-Key") }

	first := send("order-1", `{"a":1}`, ccaiKey, "/api/v2/tickets")
	again := send("order-1", `{"a":1}`, ccaiKey, "/api/v2/tickets")
	other := send("order-1", `{"a":2}`, ccaiKey, "/api/v2/tickets")
	foreign := send("order-1", `{"a":1}`, etlKey, "/api/v2/tickets")
	without := send("", `{"a":1}`, ccaiKey, "/api/v2/tickets")
	notKeyed := send("order-1", `{"a":1}`, etlKey, "/api/v2/users")
	quoted := send(`"order-1"`, `{"a":1}`, etlKey, "/api/v2/users")

	if diff := cmp.Diff([]string{"order-1", "order-1", "order-1", "order-1", "", "order-1", `"order-1"`}, f.keys); diff != "" {
		t.Error(diff)
	}
	if f.prints[0] != f.prints[1] || f.prints[0] == f.prints[2] {
		t.Error("the fingerprint must be the same for the same request only")
	}
	if upstream(first) != upstream(again) || upstream(first) == "order-1" {
		t.Errorf("keys for the CRM: %q, %q", upstream(first), upstream(again))
	}
	if upstream(first) != upstream(other) {
		t.Error("the CRM shall see that the key was reused")
	}
	if upstream(first) == upstream(foreign) {
		t.Error("two integrations share a key")
	}
	if upstream(without) == "" || upstream(without) == upstream(first) {
		t.Errorf("without a key: %q", upstream(without))
	}
	if notKeyed.Repeat.Class != call.RepeatNever || upstream(notKeyed) != upstream(foreign) {
		t.Errorf("where the CRM knows no keys: %+v with %q", notKeyed.Repeat, upstream(notKeyed))
	}
	if got := upstream(quoted); !strings.HasPrefix(got, `"`) || !strings.HasSuffix(got, `"`) {
		t.Errorf("a quoted key became %q", got)
	}
}

func TestAKeyTooLongIsRefused(t *testing.T) {
	f := &fake{plan: newPlan()}
	response := handle(f, request("POST", "/api/v2/tickets", "{}", "Idempotency-Key", strings.Repeat("k", maxKey+1)))
	if response.StatusCode != http.StatusBadRequest || len(f.queued)+len(f.calls) != 0 {
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestResults(t *testing.T) {
	answered := func(contentType, body string) call.Result {
		return ccaiResult(call.StateSucceeded, func(r *call.Result) {
			r.EndedAt, r.Status, r.Header, r.Body = whenAccepted.Add(time.Second), 201, http.Header{"Content-Type": {contentType}, "Set-Cookie": {"x"}}, []byte(body)
		})
	}
	ended := map[string]any{"id": "01J", "state": "succeeded", "acceptedAt": "1999-11-23T12:00:00Z", "endedAt": "1999-11-23T12:00:01Z", "status": 201.0}
	and := func(more map[string]any) map[string]any {
		all := map[string]any{}
		for _, part := range []map[string]any{ended, more} {
			maps.Copy(all, part)
		}
		return all
	}
	for name, test := range map[string]struct {
		result call.Result
		status int
		want   map[string]any
	}{
		"queued": {ccaiResult(call.StateQueued, nil), 202, map[string]any{"id": "01J", "state": "queued", "acceptedAt": "1999-11-23T12:00:00Z", "ahead": 0.0}},
		"sent":   {ccaiResult(call.StateSent, nil), 202, map[string]any{"id": "01J", "state": "sent", "acceptedAt": "1999-11-23T12:00:00Z"}},
		"parked": {ccaiResult(call.StateParked, func(r *call.Result) { r.Reason = "unknown" }), 202, map[string]any{"id": "01J", "state": "parked", "reason": "unknown", "acceptedAt": "1999-11-23T12:00:00Z"}},
		"dead": {ccaiResult(call.StateDead, func(r *call.Result) { r.Reason, r.EndedAt = "too old", whenAccepted.Add(time.Second) }), 200,
			map[string]any{"id": "01J", "state": "dead", "reason": "too old", "acceptedAt": "1999-11-23T12:00:00Z", "endedAt": "1999-11-23T12:00:01Z"}},
		"answered with JSON": {answered("application/json", `{"next_page":"`+crmURL+`/a"}`), 200, and(map[string]any{
			"headers": map[string]any{"Content-Type": []any{"application/json"}}, "body": map[string]any{"next_page": intakeURL + "/a"},
		})},
		"answered with text": {answered("text/plain", "fine"), 200, and(map[string]any{
			"headers": map[string]any{"Content-Type": []any{"text/plain"}}, "body": "fine",
		})},
		"answered with what is no JSON": {answered("application/json", "{"), 200, and(map[string]any{
			"headers": map[string]any{"Content-Type": []any{"application/json"}}, "body": "{",
		})},
		"answered with bytes": {answered("image/png", "\xff\x00"), 200, and(map[string]any{
			"headers": map[string]any{"Content-Type": []any{"image/png"}}, "body": "/wA=", "bodyEncoding": "base64",
		})},
		"answered with nothing": {answered("text/plain", ""), 200, and(map[string]any{"headers": map[string]any{"Content-Type": []any{"text/plain"}}})},
	} {
		t.Run(name, func(t *testing.T) {
			response := handle(&fake{plan: newPlan(), result: test.result}, request("GET", "/-/results/01J", ""))
			if response.StatusCode != test.status {
				t.Errorf("status %d, want %d", response.StatusCode, test.status)
			}
			if diff := cmp.Diff(test.want, decode(t, response)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestResultsAreTheirOwnersOnly(t *testing.T) {
	f := &fake{plan: newPlan(), result: call.Result{ID: "01J", Integration: "contact-centre/ccai", State: call.StateSent}}
	for name, r := range map[string]*http.Request{
		"another integration": request("GET", "/-/results/01J", "", "Authorization", "Bearer "+etlKey),
		"another id":          request("GET", "/-/results/01K", ""),
		"another order":       request("POST", "/-/results/01J", ""),
		"a deeper path":       request("GET", "/-/results/01J/x", ""),
		"another resource":    request("GET", "/-/metrics", ""),
		"the prefix alone":    request("GET", "/-", ""),
	} {
		if response := handle(f, r); response.StatusCode != http.StatusNotFound || response.Header.Get("Crmquota-Reason") != "UnknownResult" {
			t.Errorf("%s: %d %v", name, response.StatusCode, response.Header)
		}
	}
	if len(f.calls) != 0 {
		t.Error("a path of the dispatcher's own was sent to the CRM")
	}
}

func TestWaitingForAResult(t *testing.T) {
	synctest.Test(t, waitForResults)
}

func waitForResults(t *testing.T) {
	t.Helper()
	for query, test := range map[string]struct {
		status int
		waits  []time.Duration
	}{
		"":            {202, []time.Duration{0}},
		"?wait=20":    {202, []time.Duration{20 * time.Second}},
		"?wait=65000": {202, []time.Duration{time.Minute}},
		"?wait=-1":    {400, nil},
		"?wait=soon":  {400, nil},
	} {
		f := &fake{plan: newPlan(), result: call.Result{ID: "01J", Integration: "contact-centre/ccai", State: call.StateSent}}
		if response := handle(f, request("GET", "/-/results/01J"+query, "")); response.StatusCode != test.status {
			t.Errorf("%s: status %d, want %d", query, response.StatusCode, test.status)
		}
		if diff := cmp.Diff(test.waits, f.lookups); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

// TestWhoseAnswerItIs: of a call that went together with others, the dispatcher has made the answer.
func TestWhoseAnswerItIs(t *testing.T) {
	f := &fake{plan: newPlan(), result: ccaiResult(call.StateSucceeded, func(r *call.Result) {
		r.Status, r.Header, r.Composed = http.StatusCreated, http.Header{"Content-Type": {"application/json"}}, true
		r.Body = []byte(`{"ticket":{"id":7}}`)
	})}
	response := handle(f, request("POST", "/api/v2/tickets", "{}", "Prefer", "wait=5"))
	if response.StatusCode != http.StatusCreated || response.Header.Get("Crmquota-Origin") != "dispatcher" {
		t.Errorf("status %d, origin %q", response.StatusCode, response.Header.Get("Crmquota-Origin"))
	}
	response = handle(f, request("GET", "/-/results/01J", ""))
	if got := decode(t, response); got["composed"] != true || got["status"] != 201.0 {
		t.Errorf("the result is %v", got)
	}
}
