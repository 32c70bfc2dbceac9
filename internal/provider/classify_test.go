// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"path"
	"testing"
)

// TestClassify holds each CRM's calls, as its clients make them, against their names and against what repeating them does.
func TestClassify(t *testing.T) {
	const guid = "0f8fad5b-d9cb-469f-a165-70867728950e"
	for _, test := range []struct {
		provider, method, path, body string
		operation                    string
		idempotent                   bool
	}{
		{"Salesforce", "POST", "/services/data/v59.0/sobjects/Case", "{}", "CreateCase", false},
		{"Salesforce", "POST", "/services/data/v59.0/sobjects/Case/", "{}", "CreateCase", false},
		{"Salesforce", "PATCH", "/services/data/v60.0/sobjects/Case/500xx", "{}", "UpdateCase", true},
		{"Salesforce", "PATCH", "/services/data/v60.0/sobjects/Contact/Ext__c/e1", "{}", "UpsertContact", true},
		{"Salesforce", "PATCH", "/services/data/v60.0/sobjects/Visit__c/a01", "{}", "", true},
		{"Salesforce", "POST", "/services/data/v60.0/sobjects/Visit__c", "{}", "", false},
		{"Salesforce", "GET", "/services/data/v60.0/query", "", "Query", true},
		{"Salesforce", "GET", "/services/data/v60.0/query/01gxx-2000", "", "QueryMore", true},
		{"Salesforce", "GET", "/services/data/v60.0/parameterizedSearch", "", "Search", true},
		{"Salesforce", "POST", "/services/data/v60.0/composite/sobjects", "{}", "CreateRecords", false},
		{"Salesforce", "PATCH", "/services/data/v60.0/composite/sobjects/Case/Ext__c", "{}", "UpsertRecords", true},
		{"Salesforce", "POST", "/services/data/v60.0/composite/batch", "{}", "CompositeBatch", false},
		{"Salesforce", "POST", "/services/apexrest/mine", "{}", "", false},

		{"HubSpot", "POST", "/crm/v3/objects/contacts", "{}", "CreateContact", false},
		{"HubSpot", "POST", "/crm/objects/2026-03/contacts", "{}", "CreateContact", false},
		{"HubSpot", "PATCH", "/crm/v3/objects/0-5/12", "{}", "UpdateTicket", true},
		{"HubSpot", "POST", "/crm/v3/objects/contacts/search", "{}", "SearchContacts", true},
		{"HubSpot", "POST", "/crm/v3/objects/contacts/batch/upsert", "{}", "UpsertContacts", true},
		{"HubSpot", "POST", "/crm/v3/objects/contacts/batch/create", "{}", "CreateContacts", false},
		{"HubSpot", "POST", "/crm/v3/objects/p_visits/batch/update", "{}", "", true},
		{"HubSpot", "POST", "/crm/v3/objects/p_visits", "{}", "", false},
		{"HubSpot", "POST", "/crm/v4/associations/contacts/tickets/batch/create", "{}", "CreateAssociations", true},
		{"HubSpot", "GET", "/account-info/v3/api-usage/daily/private-apps", "", "", true},

		{"Dynamics365", "POST", "/api/data/v9.2/incidents", `{"title":"a"}`, "CreateCase", false},
		{"Dynamics365", "POST", "/api/data/v9.2/incidents", `{"title":"a","incidentid":"` + guid + `"}`, "CreateCase", true},
		{"Dynamics365", "POST", "/api/data/v9.2/incidents", `{"incidentid":`, "CreateCase", false},
		{"Dynamics365", "PATCH", "/api/data/v9.2/contacts(" + guid + ")", "{}", "UpdateContact", true},
		{"Dynamics365", "PATCH", "/api/data/v9.2/cr1_visits(cr1_key='a')", "{}", "", true},
		{"Dynamics365", "GET", "/api/data/v9.2/contacts", "", "ListContacts", true},
		{"Dynamics365", "POST", "/api/data/v9.2/contacts/Microsoft.Dynamics.CRM.CreateMultiple", "{}", "CreateContacts", false},
		{"Dynamics365", "POST", "/api/data/v9.2/contacts/Microsoft.Dynamics.CRM.UpsertMultiple", "{}", "UpsertContacts", true},
		{"Dynamics365", "POST", "/api/data/v9.2/$batch", "--b", "Batch", false},

		{"ServiceNow", "POST", "/api/now/table/incident", "{}", "CreateIncident", false},
		{"ServiceNow", "POST", "/api/now/v2/table/incident", "{}", "CreateIncident", false},
		{"ServiceNow", "PATCH", "/api/now/table/incident/a1", `{"state":"6"}`, "UpdateIncident", true},
		{"ServiceNow", "PUT", "/api/now/table/incident/a1", `{"comments":"done"}`, "UpdateIncident", false},
		{"ServiceNow", "PUT", "/api/now/table/incident/a1", `not json`, "UpdateIncident", false},
		{"ServiceNow", "PATCH", "/api/now/table/u_visit/a1", `{"work_notes":"x"}`, "", false},
		{"ServiceNow", "POST", "/api/now/v1/batch", "{}", "Batch", false},
		{"ServiceNow", "POST", "/api/now/import/u_contacts/insertMultiple", "{}", "ImportRecords", false},

		{"Freshdesk", "POST", "/api/v2/tickets", "{}", "CreateTicket", false},
		{"Freshdesk", "PUT", "/api/v2/tickets/7", "{}", "UpdateTicket", true},
		{"Freshdesk", "POST", "/api/v2/tickets/bulk_update", "{}", "UpdateTickets", false},
		{"Freshdesk", "POST", "/api/v2/tickets/7/reply", "{}", "ReplyToTicket", false},
		{"Freshdesk", "GET", "/api/v2/search/tickets", "", "SearchTickets", true},

		{"ZohoCRM", "POST", "/crm/v8/Contacts", "{}", "CreateContacts", false},
		{"ZohoCRM", "PUT", "/crm/v2.1/Contacts/1", "{}", "UpdateContact", true},
		{"ZohoCRM", "POST", "/crm/v8/Contacts/upsert", `{"data":[],"duplicate_check_fields":["Email"]}`, "UpsertContacts", true},
		{"ZohoCRM", "POST", "/crm/v8/Cases/upsert", `{"data":[]}`, "UpsertCases", false},
		{"ZohoCRM", "GET", "/crm/v8/Contacts/search", "", "SearchContacts", true},
		{"ZohoCRM", "POST", "/crm/v8/coql", "{}", "Query", true},

		{"Pipedrive", "POST", "/v1/deals", "{}", "CreateDeal", false},
		{"Pipedrive", "PATCH", "/api/v2/persons/12", "{}", "UpdatePerson", true},
		{"Pipedrive", "PUT", "/api/v1/leads/" + guid, "{}", "UpdateLead", true},
		{"Pipedrive", "GET", "/api/v2/deals/search", "", "SearchDeals", true},
		{"Pipedrive", "GET", "/api/v2/itemSearch", "", "SearchItems", true},

		{"Intercom", "POST", "/contacts", "{}", "CreateContact", false},
		{"Intercom", "POST", "/contacts/search", "{}", "SearchContacts", true},
		{"Intercom", "POST", "/companies", "{}", "UpsertCompany", true},
		{"Intercom", "POST", "/events", "{}", "CreateEvent", false},
		{"Intercom", "PUT", "/tickets/1", "{}", "UpdateTicket", true},

		{"Kustomer", "POST", "/v1/customers", "{}", "CreateCustomer", false},
		{"Kustomer", "PUT", "/v1/customers/bulk", "[]", "UpdateCustomers", true},
		{"Kustomer", "PUT", "/v1/customers/5c", "{}", "UpdateCustomer", true},
		{"Kustomer", "POST", "/v1/customers/5c/messages", "{}", "CreateMessage", false},
		{"Kustomer", "POST", "/v1/customers/search", "{}", "SearchCustomers", true},

		{"Generic", "PUT", "/x", "", "", true},
		{"Generic", "PATCH", "/x", "", "", false},
	} {
		class := get(t, test.provider).Classify(test.method, test.path, []byte(test.body))
		if class.Operation != test.operation || class.Idempotent != test.idempotent {
			t.Errorf("%s: %s %s %s is %q, idempotent %t; want %q, %t",
				test.provider, test.method, test.path, test.body, class.Operation, class.Idempotent, test.operation, test.idempotent)
		}
		if (class.Key != nil) != (test.provider == "Zendesk" && test.operation == "CreateTicket") {
			t.Errorf("%s: %s %s has a key", test.provider, test.method, test.path)
		}
	}
}

// TestPatternsMeanPaths: what manifests match by, in whatever version they are written, matches what clients send in another.
func TestPatternsMeanPaths(t *testing.T) {
	for _, test := range []struct{ provider, pattern, path string }{
		{"Zendesk", "/api/v2/tickets/*.json", "/api/v2/tickets/0012"},
		{"Salesforce", "/services/data/v59.0/sobjects/Case", "/services/data/v61.0/sobjects/Case/"},
		{"Salesforce", "/services/data/*/sobjects/Case/*", "/services/data/v61.0/sobjects/Case/500xx"},
		{"HubSpot", "/crm/v3/objects/contacts/*", "/crm/objects/2026-03/0-1/12"},
		{"HubSpot", "/crm/*/objects/contacts/*", "/crm/v3/objects/contacts/12"},
		{"Dynamics365", "/api/data/v9.2/contacts(*)", "/api/data/v9.1/contacts({0F8FAD5B-D9CB-469F-A165-70867728950E})"},
		{"ServiceNow", "/api/now/*/table/incident", "/api/now/table/incident"},
		{"ServiceNow", "/api/now/table/incident", "/api/now/v2/table/incident"},
		{"ZohoCRM", "/crm/*/Contacts", "/crm/v8/Contacts"},
		{"Pipedrive", "/v1/deals", "/api/v1/deals/"},
		{"Intercom", "/contacts/*", "/contacts/12/"},
		{"Kustomer", "/v1/customers/*", "/v1/customers/5c/"},
	} {
		p := get(t, test.provider)
		if matches, err := path.Match(p.Canonical(test.pattern), p.Canonical(test.path)); err != nil || !matches {
			t.Errorf("%s: %s does not match %s: %v", test.provider, test.pattern, test.path, err)
		}
	}
}
