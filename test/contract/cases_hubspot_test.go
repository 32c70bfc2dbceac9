// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"slices"
)

const hsObjects = "/crm/v3/objects/"

var hubspotObjects = []struct{ path, one, many string }{
	{"calls", "Call", "Calls"}, {"companies", "Company", "Companies"}, {"contacts", "Contact", "Contacts"}, {"deals", "Deal", "Deals"},
	{"notes", "Note", "Notes"}, {"tasks", "Task", "Tasks"}, {"tickets", "Ticket", "Tickets"},
}

func hubspotPrepare() (all []prepared) {
	for _, o := range hubspotObjects {
		create := call{"", http.MethodPost, hsObjects + o.path, `{"properties": {"subject": "x"}}`, nil}
		all = append(all, prepared{o.path, create, "id"}, prepared{o.path + "Gone", create, "id"})
	}
	return all
}

func hubspotCalls() (calls []call) {
	for _, o := range hubspotObjects {
		path, id := hsObjects+o.path, "{"+o.path+"}"
		calls = append(calls,
			call{"Create" + o.one, http.MethodPost, path, `{"properties": {"subject": "x", "external_id": "{n}"}}`, nil},
			call{"Get" + o.one, http.MethodGet, path + "/" + id, "", nil},
			call{"List" + o.many, http.MethodGet, path + "?limit=1", "", nil},
			call{"Search" + o.many, http.MethodPost, path + "/search", `{"filterGroups": [{"filters": [{"propertyName": "subject", "operator": "EQ", "value": "x"}]}]}`, nil},
			call{"Update" + o.one, http.MethodPatch, path + "/" + id, `{"properties": {"subject": "{n}"}}`, nil},
			call{"Create" + o.many, http.MethodPost, path + "/batch/create", `{"inputs": [{"properties": {"external_id": "{n}"}}]}`, nil},
			call{"Read" + o.many, http.MethodPost, path + "/batch/read", `{"inputs": [{"id": "` + id + `"}]}`, nil},
			call{"Update" + o.many, http.MethodPost, path + "/batch/update", `{"inputs": [{"id": "` + id + `", "properties": {"subject": "{n}"}}]}`, nil},
			call{"Upsert" + o.many, http.MethodPost, path + "/batch/upsert", `{"inputs": [{"idProperty": "external_id", "id": "{n}", "properties": {"subject": "x"}}]}`, nil},
			call{"Archive" + o.many, http.MethodPost, path + "/batch/archive", `{"inputs": [{"id": "{` + o.path + `Gone}"}]}`, nil},
		)
	}
	return calls
}

var hubspotProbe = call{"ListContacts", http.MethodGet, hsObjects + "contacts?limit=1", "", nil}

var hubspotSuite = suite{
	provider: "HubSpot", sign: bearer, probe: hubspotProbe, prepare: hubspotPrepare(),
	calls: slices.Concat(hubspotCalls(), []call{
		{"CreateAssociations", http.MethodPost, "/crm/v4/associations/contacts/tickets/batch/create", `{"inputs": [{"from": {"id": "{contacts}"}, "to": {"id": "{tickets}"}}]}`, nil},
		{"ReadAssociations", http.MethodPost, "/crm/v4/associations/contacts/tickets/batch/read", `{"inputs": [{"id": "{contacts}"}]}`, nil},
		{"CreateTicket", http.MethodPost, "/crm/objects/2026-03/tickets", `{"properties": {"subject": "x", "external_id": "{n}"}}`, nil},
		{"", http.MethodGet, "/account-info/v3/api-usage/daily/private-apps", "", nil},
		{"", http.MethodGet, "/account-info/v3/details", "", nil},
	}),
	refusals: []refusal{
		{name: "the burst", limit: "burst=1/2s", call: hubspotProbe, status: http.StatusTooManyRequests},
		{name: "the day", limit: "day=1/calendar:UTC", call: hubspotProbe, status: http.StatusTooManyRequests},
		{
			name: "searches", limit: "search=1/1s,operation=SearchObjects", status: http.StatusTooManyRequests,
			call: call{"SearchContacts", http.MethodPost, hsObjects + "contacts/search", `{"query": "x"}`, nil},
		},
	},
	shown: []string{"burst=190/10s,per=credential", "day=625000/calendar:UTC"},
	shows: []string{
		"X-HubSpot-RateLimit-Max", "X-HubSpot-RateLimit-Remaining", "X-HubSpot-RateLimit-Interval-Milliseconds",
		"X-HubSpot-RateLimit-Daily", "X-HubSpot-RateLimit-Daily-Remaining",
	},
	pages: []page{{hubspotProbe, "paging/next/link"}},
	bulks: []bulk{
		{call{"CreateTickets", http.MethodPost, hsObjects + "tickets/batch/create", `{"inputs": [{items}]}`, nil}, `{"properties": {"external_id": "{n}"}, "objectWriteTraceId": "{n}"}`, 100, 1, "results/*/objectWriteTraceId"},
		{call{"UpsertContacts", http.MethodPost, hsObjects + "contacts/batch/upsert", `{"inputs": [{items}]}`, nil}, `{"idProperty": "external_id", "id": "{n}", "properties": {"lastname": "x"}}`, 100, 1, "results/*/id"},
	},
}
