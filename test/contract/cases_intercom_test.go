// SPDX-License-Identifier: Apache-2.0

package contract

import "net/http"

var intercomProbe = call{"", http.MethodGet, "/me", "", nil}

func intercomCreate(path, body string) call { return call{"", http.MethodPost, path, body, nil} }

const intercomSearch = `{"query": {"field": "email", "operator": "=", "value": "user7@example.test"}}`

var intercomSuite = suite{
	provider: "Intercom", sign: bearer, probe: intercomProbe,
	prepare: []prepared{
		{"contact", intercomCreate("/contacts", `{"role": "user", "email": "{n}@example.test"}`), "id"},
		{"conversation", intercomCreate("/conversations", `{"from": {"type": "user", "id": "{contact}"}, "body": "x"}`), "id"},
		{"ticket", intercomCreate("/tickets", `{"ticket_type_id": "1", "contacts": [{"id": "{contact}"}]}`), "id"},
	},
	calls: []call{
		intercomProbe,
		{"CreateContact", http.MethodPost, "/contacts", `{"role": "user", "external_id": "{n}"}`, nil},
		{"CreateContacts", http.MethodPost, "/contacts/bulk", `{"contacts": [{"external_id": "{n}"}]}`, nil},
		{"GetContact", http.MethodGet, "/contacts/{contact}", "", nil},
		{"UpdateContact", http.MethodPut, "/contacts/{contact}", `{"name": "{n}"}`, nil},
		{"SearchContacts", http.MethodPost, "/contacts/search", intercomSearch, nil},
		{"CreateNote", http.MethodPost, "/contacts/{contact}/notes", `{"body": "x"}`, nil},
		{"CreateConversation", http.MethodPost, "/conversations", `{"from": {"type": "user", "id": "{contact}"}, "body": "x"}`, nil},
		{"GetConversation", http.MethodGet, "/conversations/{conversation}", "", nil},
		{"UpdateConversation", http.MethodPut, "/conversations/{conversation}", `{"read": true}`, nil},
		{"SearchConversations", http.MethodPost, "/conversations/search", intercomSearch, nil},
		{"ReplyToConversation", http.MethodPost, "/conversations/{conversation}/reply", `{"type": "user", "intercom_user_id": "{contact}", "message_type": "comment", "body": "x"}`, nil},
		{"CreateTicket", http.MethodPost, "/tickets", `{"ticket_type_id": "1", "ticket_attributes": {"external_id": "{n}"}}`, nil},
		{"GetTicket", http.MethodGet, "/tickets/{ticket}", "", nil},
		{"UpdateTicket", http.MethodPut, "/tickets/{ticket}", `{"state": "resolved"}`, nil},
		{"SearchTickets", http.MethodPost, "/tickets/search", intercomSearch, nil},
		{"CreateEvent", http.MethodPost, "/events", `{"event_name": "called", "id": "{contact}"}`, nil},
		{"UpsertCompany", http.MethodPost, "/companies", `{"company_id": "{n}", "name": "x"}`, nil},
		{"UpsertCompanies", http.MethodPost, "/companies/bulk", `{"companies": [{"company_id": "{n}", "name": "x"}]}`, nil},
	},
	refusals: []refusal{
		{name: "ten seconds", limit: "app=1/10s:fixed,per=credential", call: intercomProbe, status: http.StatusTooManyRequests, told: true},
	},
	shown: []string{"app=1667/10s:fixed"},
	shows: []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"},
	bulks: []bulk{
		{call{"CreateContacts", http.MethodPost, "/contacts/bulk", `{"contacts": [{items}]}`, nil}, `{"external_id": "{n}"}`, 100, 1, ""},
		{call{"UpsertCompanies", http.MethodPost, "/companies/bulk", `{"companies": [{items}]}`, nil}, `{"company_id": "{n}"}`, 100, 1, ""},
	},
}
