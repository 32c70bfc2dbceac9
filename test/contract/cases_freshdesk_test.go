// SPDX-License-Identifier: Apache-2.0

package contract

import "net/http"

var (
	createFreshdesk = call{"CreateTicket", http.MethodPost, "/api/v2/tickets", `{"subject": "x", "description": "x", "email": "a@example.test", "status": 2, "priority": 1}`, nil}
	freshdeskProbe  = call{"ListTickets", http.MethodGet, "/api/v2/tickets", "", nil}
)

var freshdeskSuite = suite{
	provider: "Freshdesk", sign: func(r *http.Request, secret string) { r.SetBasicAuth(secret, "X") }, probe: freshdeskProbe,
	prepare: []prepared{
		{"ticket", createFreshdesk, "id"}, {"gone", createFreshdesk, "id"},
		{"contact", call{"", http.MethodPost, "/api/v2/contacts", `{"name": "x", "email": "{n}@example.test"}`, nil}, "id"},
	},
	calls: []call{
		createFreshdesk,
		{"GetTicket", http.MethodGet, "/api/v2/tickets/{ticket}", "", nil},
		freshdeskProbe,
		{"UpdateTicket", http.MethodPut, "/api/v2/tickets/{ticket}", `{"status": 3}`, nil},
		{"AddNote", http.MethodPost, "/api/v2/tickets/{ticket}/notes", `{"body": "x"}`, nil},
		{"ReplyToTicket", http.MethodPost, "/api/v2/tickets/{ticket}/reply", `{"body": "x"}`, nil},
		{"SearchTickets", http.MethodGet, "/api/v2/search/tickets?query=%22status:2%22", "", nil},
		{"UpdateTickets", http.MethodPost, "/api/v2/tickets/bulk_update", `{"bulk_action": {"ids": [{ticket}], "properties": {"status": 3}}}`, nil},
		{"DeleteTickets", http.MethodPost, "/api/v2/tickets/bulk_delete", `{"bulk_action": {"ids": [{gone}]}}`, nil},
		{"CreateContact", http.MethodPost, "/api/v2/contacts", `{"name": "x", "email": "{n}@example.test", "unique_external_id": "{n}"}`, nil},
		{"GetContact", http.MethodGet, "/api/v2/contacts/{contact}", "", nil},
		{"ListContacts", http.MethodGet, "/api/v2/contacts?email=user7@example.test", "", nil},
		{"SearchContacts", http.MethodGet, "/api/v2/search/contacts?query=%22email:'user7@example.test'%22", "", nil},
		{"UpdateContact", http.MethodPut, "/api/v2/contacts/{contact}", `{"name": "y"}`, nil},
	},
	refusals: []refusal{
		{name: "the minute", limit: "minute=1/2s", call: freshdeskProbe, status: http.StatusTooManyRequests, told: true},
		{name: "an endpoint", limit: "list=1/1s,operation=ListTickets", call: freshdeskProbe, status: http.StatusTooManyRequests, told: true},
	},
	shown: []string{"minute=400/60s"},
	shows: []string{"X-RateLimit-Total", "X-RateLimit-Remaining"},
	pages: []page{
		{call{"ListContacts", http.MethodGet, "/api/v2/contacts?per_page=2", "", nil}, "Link"},
		{call{"UpdateTickets", http.MethodPost, "/api/v2/tickets/bulk_update", `{"bulk_action": {"ids": [{ticket}], "properties": {"status": 3}}}`, nil}, "href"},
	},
}
