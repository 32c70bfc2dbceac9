// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// idTold is the ID of the record that a caller was told of.
func idTold(t *testing.T, p *promise) string {
	t.Helper()
	var body struct {
		ID     string `json:"id"`
		Ticket struct {
			ID json.Number `json:"id"`
		} `json:"ticket"`
	}
	if err := json.Unmarshal(p.final.Body, &body); err != nil {
		t.Fatalf("%d %s", p.final.Status, p.final.Body)
	}
	return body.ID + body.Ticket.ID.String()
}

// TestAThousandUpdates is TestAThousandCreations for changes of 1,000 records, each of another one.
func TestAThousandUpdates(t *testing.T) {
	const records = 1000
	cases := map[string]struct {
		provider, create, made string
		method, target, body   string
		most                   int
	}{
		"Zendesk": {
			"Zendesk", "/api/v2/tickets.json", `{"ticket":{"subject":"s","comment":{"body":"b"},"external_id":"%d"}}`,
			http.MethodPut, "/api/v2/tickets/%s.json", `{"ticket":{"status":"solved"}}`, 25,
		},
		"Salesforce": {
			"Salesforce", "/services/data/v60.0/sobjects/Case", `{"Subject":"s%d","Status":"New","Origin":"Web"}`,
			http.MethodPatch, "/services/data/v60.0/sobjects/Case/%s", `{"Status":"Closed"}`, 6,
		},
		"HubSpot": {
			"HubSpot", "/crm/v3/objects/contacts", `{"properties":{"email":"c%d@example.test"}}`,
			http.MethodPatch, "/crm/v3/objects/contacts/%s", `{"properties":{"phone":"1"}}`, 10,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			oneByOne, together := oneByOneAndTogether(t, c.provider, func(t *testing.T, w *world) (calls int, took time.Duration) {
				created := w.queueAll(records, "c", func(n int) request {
					return request{method: http.MethodPost, target: c.create, body: fmt.Sprintf(c.made, n)}
				})
				w.letGo(false)
				w.awaitAll(created)
				w.letGo(true)
				time.Sleep(5 * time.Minute)
				before := w.server.Report()
				all := w.queueAll(records, "u", func(n int) request {
					return request{method: c.method, target: fmt.Sprintf(c.target, idTold(t, created[n])), body: c.body}
				})
				w.letGo(false)
				took = w.awaitAll(all)
				after := w.server.Report()
				if changed := after.Tickets.Updates - before.Tickets.Updates; changed != records {
					t.Errorf("%d records were changed", changed)
				}
				return after.Arrivals - before.Arrivals, took
			})
			if oneByOne != records || together > c.most {
				t.Errorf("it took %d calls one by one, and %d in bulk calls", oneByOne, together)
			}
		})
	}
}
