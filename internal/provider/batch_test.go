// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// TestBulkCalls: of three calls the second cannot be merged; of the two items the second fails. What the CRM answers is in its words.
func TestBulkCalls(t *testing.T) {
	cases := map[string]struct {
		provider, operation, target string
		// method is POST if it is absent, and targets are three times the target.
		method     string
		targets    [3]string
		bodies     [3]string
		bulk, body string
		// answer to the bulk call, or to the poll for job.
		answer, job string
		// own is the answer to the first member, status its status.
		own    string
		status int
	}{
		"Zendesk": {
			provider: "Zendesk", operation: "CreateTicket", target: "/api/v2/tickets.json",
			bodies: [3]string{`{"ticket":{"subject":"a","tags":["t"]}}`, `{"ticket":{"subject":"b"},"x":1}`, `{"ticket":{"subject":"c"}}`},
			bulk:   "/api/v2/tickets/create_many.json",
			body:   `{"tickets":[{"subject":"a","tags":["t","crmq-x","crmq-x-0"]},{"subject":"c","tags":["crmq-x","crmq-x-2"]}]}`,
			job:    "j",
			answer: `{"job_statuses":[{"id":"other","status":"queued"},{"id":"j","status":"completed","results":[{"index":1,"error":"E"},{"index":0,"id":245}]}]}`,
			own:    `{"ticket":{"id":245}}`, status: 201,
		},
		"Salesforce": {
			provider: "Salesforce", operation: "CreateCase", target: "/services/data/v60.0/sobjects/Case",
			bodies: [3]string{`{"Subject":"a"}`, `[]`, `{"Subject":"c"}`},
			bulk:   "/services/data/v60.0/composite/sobjects",
			body:   `{"allOrNone":false,"records":[{"attributes":{"type":"Case"},"Subject":"a"},{"attributes":{"type":"Case"},"Subject":"c"}]}`,
			answer: `[{"id":"500A","success":true,"errors":[]},{"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING"}]}]`,
			own:    `{"id":"500A","success":true,"errors":[]}`, status: 201,
		},
		"HubSpot": {
			provider: "HubSpot", operation: "CreateContact", target: "/crm/v3/objects/contacts",
			bodies: [3]string{`{"properties":{"email":"a"}}`, `{"properties":{},"x":1}`, `{"properties":{"email":"c"},"associations":[]}`},
			bulk:   "/crm/v3/objects/contacts/batch/create",
			body: `{"inputs":[{"objectWriteTraceId":"0","properties":{"email":"a"}},
				{"associations":[],"objectWriteTraceId":"1","properties":{"email":"c"}}]}`,
			answer: `{"status":"COMPLETE","results":[{"id":"7","properties":{"email":"a"},"objectWriteTraceId":"0"}],"numErrors":1,
				"errors":[{"category":"CONFLICT","context":{"objectWriteTraceId":["1"]}}]}`,
			own: `{"id":"7","properties":{"email":"a"}}`, status: 201,
		},
		"Zendesk's updates": {
			provider: "Zendesk", operation: "UpdateTicket", method: "PUT",
			targets: [3]string{"/api/v2/tickets/245.json", "/api/v2/tickets/246.json?x=1", "/api/v2/tickets/247"},
			bodies:  [3]string{`{"ticket":{"status":"open"}}`, `{"ticket":{"status":"open"}}`, `{"ticket":{"comment":{"body":"c"}}}`},
			bulk:    "/api/v2/tickets/update_many.json",
			body:    `{"tickets":[{"id":245,"status":"open"},{"id":247,"comment":{"body":"c"}}]}`,
			job:     "j",
			answer: `{"job_statuses":[{"id":"j","status":"completed","results":[{"id":1,"error":"TicketUpdateError","status":"Failed"},
				{"id":245,"action":"update","status":"Updated","success":true}]}]}`,
			own: `{"ticket":{"id":245}}`, status: 200,
		},
		"Salesforce's updates": {
			provider: "Salesforce", operation: "UpdateCase", method: "PATCH",
			targets: [3]string{"/services/data/v60.0/sobjects/Case/500A", "/services/data/v60.0/sobjects/Case/500B", "/services/data/v60.0/sobjects/Case/500C"},
			bodies:  [3]string{`{"Subject":"a"}`, `{"Id":"500B","Subject":"b"}`, `{"Subject":"c"}`},
			bulk:    "/services/data/v60.0/composite/sobjects",
			body: `{"allOrNone":false,"records":[{"attributes":{"type":"Case"},"id":"500A","Subject":"a"},
				{"attributes":{"type":"Case"},"id":"500C","Subject":"c"}]}`,
			answer: `[{"id":"500A","success":true,"errors":[]},{"success":false,"errors":[{"statusCode":"INVALID_CROSS_REFERENCE_KEY"}]}]`,
			status: 204,
		},
		"HubSpot's updates": {
			provider: "HubSpot", operation: "UpdateContact", method: "PATCH",
			targets: [3]string{"/crm/v3/objects/contacts/7", "/crm/v3/objects/contacts/a@example.test?idProperty=email", "/crm/v3/objects/contacts/9"},
			bodies:  [3]string{`{"properties":{"phone":"1"}}`, `{"properties":{"phone":"2"}}`, `{"properties":{"phone":"3"}}`},
			bulk:    "/crm/v3/objects/contacts/batch/update",
			body: `{"inputs":[{"id":"7","objectWriteTraceId":"0","properties":{"phone":"1"}},
				{"id":"9","objectWriteTraceId":"1","properties":{"phone":"3"}}]}`,
			answer: `{"status":"COMPLETE","results":[{"id":"7","properties":{"phone":"1"},"objectWriteTraceId":"0"}],"numErrors":1,
				"errors":[{"category":"OBJECT_NOT_FOUND","context":{"objectWriteTraceId":["1"]}}]}`,
			own: `{"id":"7","properties":{"phone":"1"}}`, status: 200,
		},
		"Kustomer": {
			provider: "Kustomer", operation: "CreateCustomer", target: "/v1/customers",
			bodies: [3]string{`{"name":"a"}`, `{"name":"b","_clientRef":"mine"}`, `{"name":"c"}`},
			bulk:   "/v1/customers/bulk",
			body:   `[{"name":"a","_clientRef":"0"},{"name":"c","_clientRef":"1"}]`,
			job:    "j",
			answer: `{"data":[{"attributes":{"successCount":1,"failureCount":1,"results":[{"success":false},{"success":true,"id":"5e","_clientRef":"0"}]}}]}`,
			own:    `{"data":{"type":"customer","id":"5e"}}`,
		},
		"ZohoCRM": {
			provider: "ZohoCRM", operation: "CreateLeads", target: "/crm/v8/Leads",
			bodies: [3]string{`{"data":[{"Last_Name":"a"}]}`, `{"data":[{"Last_Name":"b"},{"Last_Name":"B"}]}`, `{"data":[{"Last_Name":"c"}]}`},
			bulk:   "/crm/v8/Leads",
			body:   `{"data":[{"Last_Name":"a"},{"Last_Name":"c"}]}`,
			answer: `{"data":[{"code":"SUCCESS","status":"success","details":{"id":"57"}},{"code":"MANDATORY_NOT_FOUND","status":"error","details":{}}]}`,
			own:    `{"data":[{"code":"SUCCESS","status":"success","details":{"id":"57"}}]}`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p, _ := provider.ByName(c.provider)
			batch, ok := p.Batch(c.operation)
			if !ok {
				t.Fatal("there is no bulk call")
			}
			var members []dialect.Request
			for i, body := range c.bodies {
				members = append(members, dialect.Request{
					Operation: c.operation, Method: cmp.Or(c.method, "POST"), Target: cmp.Or(c.targets[i], c.target), Body: []byte(body),
				})
			}
			bulk, in := batch.Merge("crmq-x", members)
			if diff := gocmp.Diff([]int{0, 2}, in); diff != "" || bulk.Target != c.bulk {
				t.Errorf("to %s go (-want +got)\n%s", bulk.Target, diff)
			}
			wantSame(t, "the bulk call", c.body, bulk.Body)
			priced := batch.Bulk()
			if class := p.Classify(bulk.Method, bulk.Target, bulk.Body); class.Operation != priced.Operation || p.Canonical(bulk.Target) != p.Canonical(priced.Target) {
				t.Errorf("it is %s to %s, and priced as %s to %s", class.Operation, bulk.Target, priced.Operation, priced.Target)
			}
			of := []dialect.Request{members[0], members[2]}
			items := batch.Split(200, []byte(c.answer), of).Items
			if jobs, is := batch.(dialect.JobBatch); is {
				items, _ = jobs.ReadJob(c.job, []byte(c.answer), of)
			}
			if len(items) != 2 || items[0].Answer == nil || items[0].Failed || items[1].Answer != nil || !items[1].Failed {
				t.Fatalf("the items are %+v", items)
			}
			if items[0].Answer.Status != cmp.Or(c.status, http.StatusCreated) {
				t.Errorf("the first is answered with %d", items[0].Answer.Status)
			}
			if c.own != "" {
				wantSame(t, "its answer", c.own, items[0].Answer.Body)
			}
		})
	}
}

// wantSame compares JSON.
func wantSame(t *testing.T, what, want string, got []byte) {
	t.Helper()
	var w, g any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &g); err != nil {
		t.Errorf("%s: %v in %s", what, err, got)
	}
	if diff := gocmp.Diff(w, g); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestBulkAnswersThatSayNothing must not be taken for outcomes.
func TestBulkAnswersThatSayNothing(t *testing.T) {
	for _, operation := range []struct{ provider, name, target string }{
		{"Zendesk", "CreateTicket", ""}, {"Salesforce", "CreateCase", ""}, {"HubSpot", "CreateContact", ""}, {"ZohoCRM", "CreateLeads", ""},
		{"Kustomer", "CreateCustomer", ""}, {"Zendesk", "UpdateTicket", "/api/v2/tickets/1"},
		{"Salesforce", "UpdateCase", "/services/data/v60.0/sobjects/Case/1"}, {"HubSpot", "UpdateContact", "/crm/v3/objects/contacts/1"},
	} {
		of := []dialect.Request{{Operation: operation.name, Target: operation.target}}
		p, _ := provider.ByName(operation.provider)
		batch, _ := p.Batch(operation.name)
		for _, body := range []string{``, `null`, `{}`, `[]`, `[{}]`, `{"results":[{}]}`, `{"results":[{"id":"1"}]}`, `{"data":[{"status":"success","details":{}}]}`,
			`{"data":[{"attributes":{"successCount":1,"results":[{"success":true,"id":"5e"}]}}]}`, `{"job_statuses":[{"id":"j","status":"failed"}]}`, `<html>`} {
			t.Run(fmt.Sprintf("%s %s", operation.provider, body), func(t *testing.T) {
				split := batch.Split(200, []byte(body), of)
				items := split.Items
				if jobs, is := batch.(dialect.JobBatch); is {
					more, _ := jobs.ReadJob("j", []byte(body), of)
					items = append(items, more...)
				}
				if found, is := batch.(dialect.FoundBatch); is {
					more, _ := found.ReadFound("m", []byte(body), 1)
					items = append(items, more...)
				}
				for _, i := range items {
					if i.Answer != nil || i.Failed || split.Job != "" {
						t.Errorf("it says %+v, %q", i, split.Job)
					}
				}
			})
		}
	}
}
