// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// TestFolding: two updates of one record become one that leaves what both would have left, or stay two.
func TestFolding(t *testing.T) {
	const ticket, record, contact = "/api/v2/tickets/12.json", "/services/data/v60.0/sobjects/Case/500A", "/crm/v3/objects/contacts/7"
	cases := map[string]struct {
		provider, operation, target, first, second string
		// want is empty if they stay two; other is the second target, if it is another.
		want, other string
	}{
		"Zendesk, the later field holds": {
			"Zendesk", "UpdateTicket", ticket, `{"ticket":{"status":"open","priority":"low"}}`, `{"ticket":{"status":"solved","assignee_id":null}}`,
			`{"ticket":{"status":"solved","priority":"low","assignee_id":null}}`, "",
		},
		"Zendesk, the same ticket by another path": {
			"Zendesk", "UpdateTicket", ticket, `{"ticket":{"status":"open"}}`, `{"ticket":{"status":"solved"}}`, `{"ticket":{"status":"solved"}}`, "/api/v2/tickets/012",
		},
		"Zendesk, another ticket":           {"Zendesk", "UpdateTicket", ticket, `{"ticket":{"status":"open"}}`, `{"ticket":{"status":"solved"}}`, "", "/api/v2/tickets/13"},
		"Zendesk, a comment first":          {"Zendesk", "UpdateTicket", ticket, `{"ticket":{"comment":{"body":"c"}}}`, `{"ticket":{"status":"open"}}`, "", ""},
		"Zendesk, a comment second":         {"Zendesk", "UpdateTicket", ticket, `{"ticket":{"status":"open"}}`, `{"ticket":{"comment":null}}`, "", ""},
		"Zendesk, custom fields add up":     {"Zendesk", "UpdateTicket", ticket, `{"ticket":{"custom_fields":[{"id":1,"value":"a"}]}}`, `{"ticket":{"status":"open"}}`, "", ""},
		"Zendesk, a status by two names":    {"Zendesk", "UpdateTicket", ticket, `{"ticket":{"status":"open"}}`, `{"ticket":{"custom_status_id":5}}`, "", ""},
		"Zendesk, more than a ticket":       {"Zendesk", "UpdateTicket", ticket, `{"ticket":{"status":"open"}}`, `{"ticket":{"status":"open"},"x":1}`, "", ""},
		"Zendesk, nothing after closing":    {"Zendesk", "UpdateTicket", ticket, `{"ticket":{"status":"closed"}}`, `{"ticket":{"subject":"s"}}`, "", ""},
		"Zendesk, no ticket":                {"Zendesk", "UpdateTicket", ticket, `{"ticket":null}`, `{"ticket":{"status":"open"}}`, "", ""},
		"Salesforce, the later field holds": {"Salesforce", "UpdateCase", record, `{"Status":"New","Origin":"Web"}`, `{"Status":"Closed"}`, `{"Status":"Closed","Origin":"Web"}`, ""},
		"Salesforce, another case":          {"Salesforce", "UpdateCase", record, `{"Status":"New"}`, `{"status":"Closed"}`, "", ""},
		"Salesforce, a relation":            {"Salesforce", "UpdateCase", record, `{"Status":"New"}`, `{"Owner":{"Ext__c":"x"}}`, "", ""},
		"Salesforce, another version":       {"Salesforce", "UpdateCase", record, `{"Status":"New"}`, `{"Status":"Closed"}`, "", "/services/data/v61.0/sobjects/Case/500A"},
		"Salesforce, no object":             {"Salesforce", "UpdateCase", record, `{"Status":"New"}`, `null`, "", ""},
		"HubSpot, the later property holds": {
			"HubSpot", "UpdateContact", contact, `{"properties":{"phone":"1","city":"A"}}`, `{"properties":{"phone":""}}`, `{"properties":{"phone":"","city":"A"}}`, "",
		},
		"HubSpot, more than properties": {"HubSpot", "UpdateContact", contact, `{"properties":{"phone":"1"}}`, `{"properties":{"phone":"2"},"associations":[]}`, "", ""},
		"HubSpot, another contact":      {"HubSpot", "UpdateContact", contact, `{"properties":{"phone":"1"}}`, `{"properties":{"phone":"2"}}`, "", "/crm/v3/objects/contacts/8"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p, _ := provider.ByName(c.provider)
			batch, _ := p.Batch(c.operation)
			records, is := batch.(dialect.RecordBatch)
			if !is {
				t.Fatal("it changes no records")
			}
			second := dialect.Request{Operation: c.operation, Target: c.target, Body: []byte(c.second)}
			if c.other != "" {
				second.Target = c.other
			}
			both, ok := records.Fold(dialect.Request{Operation: c.operation, Target: c.target, Body: []byte(c.first)}, second)
			if ok != (c.want != "") {
				t.Fatalf("folded: %v, %s", ok, both.Body)
			}
			if ok {
				wantSame(t, "both", c.want, both.Body)
			}
		})
	}
}
