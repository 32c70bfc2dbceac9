// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"net/http"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

func TestWhoIsToldOfACall(t *testing.T) {
	both := &contract.Callbacks{Secret: "s", Endpoints: []contract.CallbackEndpoint{{Name: "one", URL: "https://one.test"}, {Name: "other", URL: "https://other.test"}}}
	for name, c := range map[string]struct {
		declared *contract.Callbacks
		header   string
		want     string
		refused  bool
	}{
		"nobody":                         {nil, "", "", false},
		"the first one":                  {both, "", "one", false},
		"the one that is named":          {both, "other", "other", false},
		"none of that name":              {both, "https://evil.test", "", true},
		"one is named where there is no": {nil, "one", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{plan: newPlan()}
			f.plan.Integrations[0].Callbacks = c.declared
			response := handle(f, request("POST", "/api/v2/tickets", "{}", "Prefer", "respond-async", contract.HeaderCallback, c.header))
			if c.refused {
				if response.StatusCode != http.StatusBadRequest || len(f.queued) > 0 {
					t.Errorf("status %d, %d queued", response.StatusCode, len(f.queued))
				}
				return
			}
			if len(f.queued) != 1 || f.queued[0].Callback != c.want || f.queued[0].Header.Get(contract.HeaderCallback) != "" {
				t.Errorf("status %d, queued %+v, want that %q is told", response.StatusCode, f.queued, c.want)
			}
		})
	}
}

// TestAWrongNameIsRefusedAtOnce, of a call that is not going to be queued, too.
func TestAWrongNameIsRefusedAtOnce(t *testing.T) {
	f := &fake{plan: newPlan()}
	if response := handle(f, request("GET", "/api/v2/users/1", "", contract.HeaderCallback, "app")); response.StatusCode != http.StatusBadRequest || len(f.calls) > 0 {
		t.Errorf("status %d, %d calls sent", response.StatusCode, len(f.calls))
	}
}
