// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

const (
	contact = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	ticket  = "01BX5ZZKBKACTAV9WEVGEMMVRZ"
)

func TestAQueuedCallRefersToOthers(t *testing.T) {
	f := &fake{plan: newPlan()}
	body := `{"ticket":{"requester_id":"(crmquota:` + contact + `:user.id)"}}`
	r := request("PUT", "/api/v2/tickets/(crmquota:"+ticket+":ticket.id).json", body, "Content-Type", "application/json",
		contract.HeaderReferences, contact+" , "+ticket+", "+contact, "Prefer", "respond-async")
	if response := handle(f, r); response.StatusCode != http.StatusAccepted || len(f.queued) != 1 {
		t.Fatalf("status %d: %s", response.StatusCode, bodyOf(t, response))
	}
	c := f.queued[0]
	if !slices.Equal(c.References, []call.ID{contact, ticket}) || c.Operation != "UpdateTicket" || c.Header.Get(contract.HeaderReferences) != "" {
		t.Errorf("the call is %+v", c)
	}
	if c.Target != r.RequestURI || string(c.Body) != body {
		t.Errorf("it was changed: %s %s", c.Target, c.Body)
	}
}

// TestWhatTheHeaderDoesNotName is not looked for: such a body is anybody's.
func TestWhatTheHeaderDoesNotName(t *testing.T) {
	f := &fake{plan: newPlan()}
	body := `{"ticket":{"subject":"(crmquota:` + contact + `:user.id)"}}`
	response := handle(f, request("POST", "/api/v2/tickets", body, "Content-Type", "application/json"))
	if response.StatusCode != http.StatusAccepted || len(f.queued) != 1 || f.queued[0].References != nil {
		t.Errorf("status %d, queued %+v", response.StatusCode, f.queued)
	}
}

func TestReferencesThatMakeNoSense(t *testing.T) {
	for name, test := range map[string]struct {
		method, target, body, header, want string
	}{
		"nobody's":   {"POST", "/api/v2/tickets", `"(crmquota:` + contact + `:id)"`, ticket, "which the header does not name"},
		"in a text":  {"POST", "/api/v2/tickets", `"a (crmquota:` + contact + `:id)"`, contact, "must be a whole string"},
		"a query":    {"POST", "/api/v2/tickets?id=(crmquota:" + contact + ":id)", `{}`, contact, "in the path"},
		"no JSON":    {"POST", "/api/v2/tickets", `{`, contact, "not JSON"},
		"not queued": {"GET", "/api/v2/tickets/(crmquota:" + contact + ":id)", ``, contact, "only a queued call"},
		"many":       {"POST", "/api/v2/tickets", `{}`, "1,2,3,4,5,6,7,8,9,10,11", "at most 10"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{plan: newPlan()}
			response := handle(f, request(test.method, test.target, test.body, "Content-Type", "application/json", contract.HeaderReferences, test.header))
			if reason := response.Header.Get(contract.HeaderReason); response.StatusCode != http.StatusBadRequest || reason != "BadRequest" {
				t.Errorf("status %d, %s", response.StatusCode, reason)
			}
			if detail := bodyOf(t, response); !strings.Contains(detail, test.want) || len(f.queued)+len(f.calls) != 0 {
				t.Errorf("it says %s", detail)
			}
		})
	}
}
