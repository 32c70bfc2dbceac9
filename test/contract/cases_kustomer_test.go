// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"slices"
)

var kustomerRecords = []struct{ path, one, many string }{
	{"companies", "Company", "Companies"}, {"conversations", "Conversation", "Conversations"}, {"customers", "Customer", "Customers"}, {"messages", "Message", "Messages"},
}

func kustomerPrepare() (all []prepared) {
	for _, r := range kustomerRecords {
		create := call{"", http.MethodPost, "/v1/" + r.path, `{"name": "x"}`, nil}
		all = append(all, prepared{r.path, create, "data/id"}, prepared{r.path + "Gone", create, "data/id"})
	}
	return all
}

func kustomerCalls() (calls []call) {
	for _, r := range kustomerRecords {
		path := "/v1/" + r.path
		calls = append(calls,
			call{"Create" + r.one, http.MethodPost, path, `{"name": "x", "externalId": "{n}"}`, nil},
			call{"Get" + r.one, http.MethodGet, path + "/{" + r.path + "}", "", nil},
			call{"Update" + r.one, http.MethodPut, path + "/{" + r.path + "}", `{"name": "{n}"}`, nil},
			call{"Create" + r.many, http.MethodPost, path + "/bulk", `[{"name": "x", "externalId": "{n}"}]`, nil},
			call{"Update" + r.many, http.MethodPut, path + "/bulk", `[{"id": "{` + r.path + `}", "name": "{n}"}]`, nil},
			call{"Delete" + r.many, http.MethodDelete, path + "/bulk?ids={" + r.path + "Gone}", "", nil},
		)
	}
	return calls
}

var kustomerProbe = call{"", http.MethodGet, "/v1/customers?pageSize=2", "", nil}

var kustomerSuite = suite{
	provider: "Kustomer", sign: bearer, probe: kustomerProbe, prepare: kustomerPrepare(),
	calls: slices.Concat(kustomerCalls(), []call{
		kustomerProbe,
		{"CreateConversation", http.MethodPost, "/v1/customers/{customers}/conversations", `{"name": "x", "externalId": "{n}"}`, nil},
		{"CreateMessage", http.MethodPost, "/v1/conversations/{conversations}/messages", `{"preview": "x", "externalId": "{n}"}`, nil},
		{"CreateMessage", http.MethodPost, "/v1/customers/{customers}/messages", `{"preview": "x", "externalId": "{n}"}`, nil},
		{"SearchCustomers", http.MethodPost, "/v1/customers/search", `{"and": [{"customer_name": {"equals": "x"}}]}`, nil},
	}),
	refusals: []refusal{
		{name: "the minute", limit: "minute=1/2s:fixed", call: kustomerProbe, status: http.StatusTooManyRequests, told: true, unconfirmed: true},
	},
	shown: []string{"minute=1000/60s:fixed"},
	shows: []string{"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"},
	pages: []page{{kustomerProbe, "links/next"}},
	bulks: []bulk{{call{"CreateCustomers", http.MethodPost, "/v1/customers/bulk", `[{items}]`, nil}, `{"name": "x", "externalId": "{n}"}`, 100, 1, ""}},
}
