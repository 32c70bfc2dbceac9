// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

// An answer is an answer: the CRM's 401 is passed on, and ends a queued call, while the dispatcher says that it has credentials.
func TestCredentialsThatTheCRMDoesNotTake(t *testing.T) {
	crm := startCRM(t, crmsim.Config{Tokens: []string{"another-token"}})
	d := newWorld(t, crm.url).start()
	if got := d.call("GET", "/api/v2/users/search.json?query=ada", ""); got.status != http.StatusUnauthorized || got.header.Get("Crmquota-Origin") != "crm" {
		t.Errorf("a call that waits: %d %v", got.status, got.header)
	}
	queued := d.call("POST", "/api/v2/tickets.json", fmt.Sprintf(createTicket, "t-1"), "Prefer", "respond-async")
	result := d.call("GET", strings.TrimPrefix(queued.header.Get("Location"), d.intake)+"?wait=20", "")
	if !strings.Contains(result.body, `"state":"failed"`) || !strings.Contains(result.body, `"status":401`) {
		t.Errorf("a queued call: %d %s", result.status, result.body)
	}
	if got := d.report(0, 0).Credentials; !got.Resolved {
		t.Errorf("the report says %+v", got)
	}
}
