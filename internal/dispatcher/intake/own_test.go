// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

func TestListsOfCalls(t *testing.T) {
	f := &fake{plan: newPlan()}
	for i := range 120 {
		f.listed = append(f.listed, call.Result{ID: call.ID(fmt.Sprintf("%03d", i)), State: call.StateParked, Method: "POST", Target: "/x", Reason: "unknown"})
	}
	f.listed = append(f.listed, call.Result{ID: "900", State: call.StateDead})
	pages, seen := 0, 0
	for next := "/-/results?state=parked"; next != ""; pages++ {
		response := handle(f, request("GET", next, ""))
		body := decode(t, response)
		results := body["results"].([]any)
		seen += len(results)
		if first := results[0].(map[string]any); pages == 0 && (first["id"] != "000" || first["method"] != "POST" || first["target"] != "/x" || first["reason"] != "unknown") {
			t.Errorf("the first is %v", first)
		}
		next, _ = body["next"].(string)
		if next != "" {
			next = next[len(intakeURL):]
		}
	}
	if pages != 3 || seen != 120 {
		t.Errorf("%d pages with %d calls", pages, seen)
	}
	if body := decode(t, handle(f, request("GET", "/-/results/?state=dead&limit=500", ""))); len(body["results"].([]any)) != 1 {
		t.Errorf("dead: %v", body)
	}
	for _, query := range []string{"", "?state=queued", "?state=dead&limit=0", "?state=dead&limit=501", "?state=dead&limit=x"} {
		if response := handle(f, request("GET", "/-/results"+query, "")); response.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: status %d", query, response.StatusCode)
		}
	}
}

func TestOrdersOnCalls(t *testing.T) {
	for name, test := range map[string]struct {
		method, path string
		disobey      error
		status       int
		order        string
	}{
		"resend":                     {"POST", "/-/results/01J/resend", nil, 202, "resend 01J"},
		"drop":                       {"DELETE", "/-/results/01J", nil, 200, "drop 01J"},
		"of an unknown call":         {"DELETE", "/-/results/01J", call.ErrUnknown, 404, "drop 01J"},
		"in a state of no use":       {"POST", "/-/results/01J/resend", fmt.Errorf("it is sent: %w", call.ErrOtherState), 409, "resend 01J"},
		"of what is not kept":        {"POST", "/-/results/01J/resend", call.ErrBodyGone, 410, "resend 01J"},
		"to a queue that is full":    {"POST", "/-/results/01J/resend", &call.Refusal{Code: contract.ReasonQueueFull}, 429, "resend 01J"},
		"an order that is not known": {"POST", "/-/results/01J/burn", nil, 404, ""},
		"resending by reading":       {"GET", "/-/results/01J/resend", nil, 404, ""},
		"dropping all":               {"DELETE", "/-/results", nil, 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{plan: newPlan(), disobey: test.disobey, result: call.Result{ID: "01J", Integration: "contact-centre/ccai", State: call.StateQueued}}
			response := handle(f, request(test.method, test.path, ""))
			var want []string
			if test.order != "" {
				want = []string{test.order}
			}
			if diff := cmp.Diff(want, f.orders); diff != "" || response.StatusCode != test.status || len(f.calls) != 0 {
				t.Errorf("status %d, want %d; %d calls to the CRM; orders %s", response.StatusCode, test.status, len(f.calls), diff)
			}
		})
	}
}

func TestOrderingKeysAreTheDispatchersOwn(t *testing.T) {
	f := &fake{plan: newPlan()}
	handle(f, request("POST", "/api/v2/tickets", "{}", contract.HeaderOrderingKey, "ticket 7"))
	if c := f.queued[0]; c.OrderKey != "ticket 7" || c.Header.Get(contract.HeaderOrderingKey) != "" {
		t.Errorf("key %q, header to the CRM %q", c.OrderKey, c.Header.Get(contract.HeaderOrderingKey))
	}
	long := make([]byte, call.MaxOrderKey+1)
	for i := range long {
		long[i] = 'x'
	}
	if response := handle(f, request("POST", "/api/v2/tickets", "{}", contract.HeaderOrderingKey, string(long))); response.StatusCode != http.StatusBadRequest || len(f.queued) != 1 {
		t.Errorf("a key that is too long: status %d, %d queued", response.StatusCode, len(f.queued))
	}
}
