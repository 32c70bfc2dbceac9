// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// TestUnderObserveNoCallIsTaken, whoever makes it: it may well be that no client is declared. What was queued before can be asked for.
func TestUnderObserveNoCallIsTaken(t *testing.T) {
	f := &fake{plan: newPlan(), result: call.Result{ID: "01J", Integration: "contact-centre/ccai", State: call.StateQueued}}
	f.plan.Observe, f.plan.Enforce = true, false
	anonymous := func(method, target string) *http.Request { return httptest.NewRequest(method, target, nil) }
	for name, test := range map[string]struct {
		request *http.Request
		status  int
		reason  contract.Reason
	}{
		"of a client":  {request(http.MethodGet, "/api/v2/tickets", ""), http.StatusServiceUnavailable, contract.ReasonObserving},
		"of anybody":   {anonymous(http.MethodPost, "/api/v2/tickets"), http.StatusServiceUnavailable, contract.ReasonObserving},
		"out of it":    {anonymous(http.MethodGet, "/api/../../etc"), http.StatusBadRequest, contract.ReasonBadTarget},
		"our own":      {request(http.MethodGet, "/-/results/01J", ""), http.StatusAccepted, ""},
		"our own, but": {anonymous(http.MethodGet, "/-/results/01J"), http.StatusUnauthorized, contract.ReasonUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			w := handle(f, test.request)
			if got := contract.Reason(w.Header.Get(contract.HeaderReason)); got != test.reason || w.StatusCode != test.status {
				t.Errorf("got %d %s, want %d %s", w.StatusCode, got, test.status, test.reason)
			}
		})
	}
	if len(f.calls)+len(f.queued) > 0 {
		t.Errorf("%d calls were sent and %d queued", len(f.calls), len(f.queued))
	}
}
