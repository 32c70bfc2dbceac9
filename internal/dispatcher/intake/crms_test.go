// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// TestNoLinkOfACRMLeadsRoundTheDispatcher: answers as each CRM writes them. What is no navigation stays.
func TestNoLinkOfACRMLeadsRoundTheDispatcher(t *testing.T) {
	for name, test := range map[string]struct {
		provider, body string
	}{
		"Zendesk's pages":        {"Zendesk", `{"tickets":[{"url":"KEPT/api/v2/tickets/1.json"}],"next_page":"CRM/api/v2/tickets.json?page=2","links":{"next":"CRM/api/v2/tickets?page[after]=x"}}`},
		"Salesforce's next":      {"Salesforce", `{"done":false,"nextRecordsUrl":"CRM/services/data/v59.0/query/01g-2000","records":[{"attributes":{"url":"/services/data/v59.0/sobjects/Case/500"}}]}`},
		"Salesforce's path":      {"Salesforce", `{"nextRecordsUrl":"/services/data/v59.0/query/01g-2000"}`},
		"Salesforce's instance":  {"Salesforce", `{"access_token":"x","instance_url":"CRM"}`},
		"HubSpot's paging":       {"HubSpot", `{"results":[],"paging":{"next":{"after":"10","link":"CRM/crm/v3/objects/contacts?after=10"}}}`},
		"Dataverse's next":       {"Dynamics365", `{"@odata.context":"KEPT/api/data/v9.2/$metadata","value":[],"@odata.nextLink":"CRM/api/data/v9.2/contacts?$skiptoken=x"}`},
		"Dataverse's delta":      {"Dynamics365", `{"value":[],"@odata.deltaLink":"CRM/api/data/v9.2/contacts?$deltatoken=x"}`},
		"ServiceNow's reference": {"ServiceNow", `{"result":[{"caller_id":{"link":"KEPT/api/now/table/sys_user/1","value":"1"}}]}`},
		"Freshdesk's job":        {"Freshdesk", `{"job_id":"e4d","href":"CRM/api/v2/jobs/e4d"}`},
		"Intercom's pages":       {"Intercom", `{"data":[],"pages":{"type":"pages","next":"CRM/contacts?page=2"}}`},
		"Intercom's cursor":      {"Intercom", `{"data":[],"pages":{"next":{"starting_after":"x","page":2}}}`},
		"Kustomer's pages":       {"Kustomer", `{"data":[],"links":{"self":"KEPT/v1/customers","next":"CRM/v1/customers?page=2"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{plan: newPlan()}
			f.plan.CRM.Provider = test.provider
			sent := strings.NewReplacer("CRM/", crmURL+"/", `"CRM"`, `"`+crmURL+`"`, "KEPT", crmURL).Replace(test.body)
			want := strings.NewReplacer("CRM/", intakeURL+"/", `"CRM"`, `"`+intakeURL+`"`, "KEPT", crmURL).Replace(test.body)
			f.do = func(context.Context, *call.Call, time.Duration) (*call.Answer, error) {
				return answer(http.StatusOK, sent), nil
			}
			if got := bodyOf(t, handle(f, request("GET", "/x", ""))); got != want {
				t.Errorf("got\n%s, want\n%s", got, want)
			}
		})
	}
}

// TestWhatIsToldOfAnAPI: links, limit headers and keys of an API that no provider is for.
func TestWhatIsToldOfAnAPI(t *testing.T) {
	f := &fake{plan: newPlan()}
	f.plan.CRM.Provider = "Generic"
	f.plan.Generic = &contract.Generic{
		LimitHeaders: &contract.LimitHeaders{Limit: "X-Quota-Limit", Remaining: "X-Quota-Left"},
		Links:        [][]string{{"meta", "more"}},
		IdempotencyKey: &contract.IdempotencyKey{
			Header: "X-Request-Key", MaxLength: 32, ValidForSeconds: 3600, Match: []contract.CallMatch{{Methods: []string{"POST"}, Path: "/v1/invoices"}},
		},
	}
	f.do = func(_ context.Context, c *call.Call, _ time.Duration) (*call.Answer, error) {
		if key := c.Header.Get("X-Request-Key"); len(key) != 32 || c.Repeat.Class != call.RepeatKeyed || c.Repeat.KeyValidFor != time.Hour {
			t.Errorf("the call has the key %q and is %+v", key, c.Repeat)
		}
		a := answer(http.StatusOK, `{"meta":{"more":"`+crmURL+`/v1/invoices?page=2"}}`)
		a.Header.Set("X-Quota-Left", "99")
		a.Rooms = []call.Room{{Limit: "minute", Most: 60, Left: 7}}
		return a, nil
	}
	response := handle(f, request("POST", "/v1/invoices", "{}"))
	if got, want := bodyOf(t, response), `{"meta":{"more":"`+intakeURL+`/v1/invoices?page=2"}}`; got != want {
		t.Errorf("the answer is %s", got)
	}
	if limit, left := response.Header.Get("X-Quota-Limit"), response.Header.Get("X-Quota-Left"); limit != "60" || left != "7" {
		t.Errorf("the headers tell of %s and %s left, want 60 and 7", limit, left)
	}
}
