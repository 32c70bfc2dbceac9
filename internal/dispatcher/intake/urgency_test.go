// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"net/http"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

func TestUrgency(t *testing.T) {
	for _, test := range []struct {
		priority     string
		lower, whole int8
	}{
		{"", 0, 0}, {"u=3", 0, 0}, {"u=5", 2, 2}, {"u=7, i", 4, 4}, {"i,u=0", 0, -3}, {" i , u=1;x=2", 0, -2}, {"u=8", 0, 0}, {"u=-1", 0, 0}, {"u=12", 0, 0}, {"u", 0, 0},
		{"urgent", 0, 0}, {"u=7, u=1", 0, -2}, {`u="1"`, 0, 0},
	} {
		header := http.Header{"Priority": {test.priority}}
		for _, of := range []struct {
			most, least, want int8
		}{{0, 0, 0}, {0, 4, test.lower}, {-3, 4, test.whole}} {
			if got := urgency(header, &contract.Integration{MostUrgent: of.most, LeastUrgent: of.least}); got != of.want {
				t.Errorf("%q within %d and %d is %d, want %d", test.priority, of.most, of.least, got, of.want)
			}
		}
	}
}

// TestThePriorityHeaderReachesTheCall as far as the plan lets it.
func TestThePriorityHeaderReachesTheCall(t *testing.T) {
	f := &fake{plan: newPlan()}
	f.plan.Integrations[0].LeastUrgent = 4
	handle(f, request("POST", "/api/v2/tickets", "{}", "Priority", "u=5"))
	handle(f, request("GET", "/api/v2/users/search", "", "Priority", "u=0"))
	if f.queued[0].Urgency != 2 || f.calls[0].Urgency != 0 {
		t.Errorf("the steps are %d and %d", f.queued[0].Urgency, f.calls[0].Urgency)
	}
}
