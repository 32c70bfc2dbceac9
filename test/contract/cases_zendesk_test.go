// SPDX-License-Identifier: Apache-2.0

package contract

import "net/http"

// signZendesk signs by an API token, with the user before a colon; in the simulated one anybody.
func signZendesk(r *http.Request, secret string) {
	user, token := userOf(secret)
	r.SetBasicAuth(user+"/token", token)
}

var (
	createZendesk = call{"CreateTicket", http.MethodPost, "/api/v2/tickets.json", `{"ticket": {"subject": "call", "comment": {"body": "x"}, "external_id": "{n}"}}`, nil}
	zendeskMe     = call{"", http.MethodGet, "/api/v2/users/me.json", "", nil}
)

var zendeskSuite = suite{
	provider: "Zendesk", sign: signZendesk, probe: zendeskMe,
	prepare: []prepared{{"ticket", createZendesk, "ticket/id"}, {"other", createZendesk, "ticket/id"}},
	calls: []call{
		createZendesk,
		{"CreateTickets", http.MethodPost, "/api/v2/tickets/create_many.json", `{"tickets": [{"comment": {"body": "x"}, "external_id": "{n}"}]}`, nil},
		{"Search", http.MethodGet, "/api/v2/search.json?query=type:ticket+external_id:x", "", nil},
		{"SearchUsers", http.MethodGet, "/api/v2/users/search?query=user", "", nil},
		{"UpdateTicket", http.MethodPut, "/api/v2/tickets/{ticket}.json", `{"ticket": {"status": "open"}}`, nil},
		{"CreateUsers", http.MethodPost, "/api/v2/users/create_many.json", `{"users": [{"name": "x", "email": "a{n}@x.test"}]}`, nil},
		{"UpsertUsers", http.MethodPost, "/api/v2/users/create_or_update_many", `{"users": [{"name": "x", "email": "b{n}@x.test"}]}`, nil},
		{"UpdateUsers", http.MethodPut, "/api/v2/users/update_many.json", `{"users": [{"id": 1, "name": "y"}]}`, nil},
		{"UpdateTickets", http.MethodPut, "/api/v2/tickets/update_many.json", `{"tickets": [{"id": {ticket}, "priority": "high"}]}`, nil},
		{"CreateOrganizations", http.MethodPost, "/api/v2/organizations/create_many.json", `{"organizations": [{"name": "x{n}"}]}`, nil},
		{"UpdateOrganizations", http.MethodPut, "/api/v2/organizations/update_many.json", `{"organizations": [{"id": 1, "notes": "y"}]}`, nil},
		{"DestroyOrganizations", http.MethodDelete, "/api/v2/organizations/destroy_many.json?ids=1", "", nil},
		{"DestroyUsers", http.MethodDelete, "/api/v2/users/destroy_many.json?ids=1", "", nil},
		{"ImportTickets", http.MethodPost, "/api/v2/imports/tickets/create_many.json", `{"tickets": [{"comments": [{"value": "x"}], "external_id": "{n}"}]}`, nil},
		{"MarkTicketsAsSpam", http.MethodPut, "/api/v2/tickets/mark_many_as_spam.json?ids={other}", "", nil},
		{"DestroyTickets", http.MethodDelete, "/api/v2/tickets/destroy_many.json?ids={other}", "", nil},
		zendeskMe,
	},
	busy: http.StatusTooManyRequests,
	refusals: []refusal{
		{name: "the minute", limit: "minute=1/2s", call: zendeskMe, status: http.StatusTooManyRequests, told: true},
		{name: "an endpoint", limit: "create=1/1s:fixed,operation=CreateTicket", call: createZendesk, status: http.StatusTooManyRequests, told: true},
		{
			name: "jobs", limit: "jobs=1/jobs,operation=CreateManyTickets", status: http.StatusTooManyRequests, told: true, strange: true,
			call: call{"CreateTickets", http.MethodPost, "/api/v2/tickets/create_many.json", `{"tickets": [{"comment": {"body": "x"}}]}`, nil},
		},
	},
	shown: []string{"minute=400/60s"},
	shows: []string{"X-Rate-Limit", "X-Rate-Limit-Remaining", "Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"},
	pages: []page{
		{call{"", http.MethodGet, "/api/v2/tickets.json?per_page=1", "", nil}, "next_page"},
		{call{"", http.MethodGet, "/api/v2/tickets.json?page[size]=1", "", nil}, "links/next"},
		{call{"SearchUsers", http.MethodGet, "/api/v2/users/search.json?query=user&per_page=2", "", nil}, "next_page"},
		{call{"", http.MethodGet, "/api/v2/incremental/tickets/cursor.json?start_time=0&per_page=1", "", nil}, "after_url"},
		{call{"CreateTickets", http.MethodPost, "/api/v2/tickets/create_many.json", `{"tickets": [{"comment": {"body": "x"}, "external_id": "{n}"}]}`, nil}, "job_status/url"},
		{call{"", http.MethodGet, "/api/v2/job_statuses.json", "", nil}, "job_statuses/*/url"},
	},
	stored: []string{"url"},
	bulks: []bulk{{
		call{"CreateTickets", http.MethodPost, "/api/v2/tickets/create_many.json", `{"tickets": [{items}]}`, nil},
		`{"comment": {"body": "x"}, "external_id": "{n}"}`, 100, 1, "",
	}},
}

// genericSuite is an adapter that knows no CRM, before one that keeps to HTTP.
var genericSuite = suite{
	provider: "Generic", sim: "Zendesk", sign: signZendesk, probe: zendeskMe,
	prepare: zendeskSuite.prepare,
	calls:   []call{zendeskMe, {"", http.MethodGet, "/api/v2/tickets/{ticket}", "", nil}},
	refusals: []refusal{
		{name: "the minute", limit: "minute=1/2s", call: zendeskMe, status: http.StatusTooManyRequests, told: true, strange: true},
	},
	pages:  []page{{call{"", http.MethodGet, "/api/v2/tickets.json?per_page=1", "", nil}, "next_page"}},
	stored: []string{"url"},
}
