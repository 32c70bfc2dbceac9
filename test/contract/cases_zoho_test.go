// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"slices"
)

const zohoRoot = "/crm/v8/"

var zohoModules = []string{"Account", "Call", "Case", "Contact", "Deal", "Lead", "Task"}

func zohoPrepare() (all []prepared) {
	for _, one := range zohoModules {
		all = append(all, prepared{one, call{"", http.MethodPost, zohoRoot + one + "s", `{"data": [{"Last_Name": "x"}]}`, nil}, "data/*/details/id"})
	}
	return all
}

func zohoCalls() (calls []call) {
	for _, one := range zohoModules {
		many, path := one+"s", zohoRoot+one+"s"
		calls = append(calls,
			call{"Create" + many, http.MethodPost, path, `{"data": [{"Last_Name": "x", "External_Id": "{n}"}]}`, nil},
			call{"Get" + one, http.MethodGet, path + "/{" + one + "}", "", nil},
			call{"List" + many, http.MethodGet, path + "?fields=Last_Name&per_page=2", "", nil},
			call{"Search" + many, http.MethodGet, path + "/search?criteria=(Last_Name:equals:x)", "", nil},
			call{"Update" + one, http.MethodPut, path + "/{" + one + "}", `{"data": [{"Last_Name": "{n}"}]}`, nil},
			call{"Update" + many, http.MethodPut, path, `{"data": [{"id": "{` + one + `}", "Last_Name": "{n}"}]}`, nil},
			call{"Upsert" + many, http.MethodPost, path + "/upsert", `{"data": [{"Last_Name": "x", "External_Id": "{n}"}], "duplicate_check_fields": ["External_Id"]}`, nil},
			call{"Upsert" + many, http.MethodPost, path + "/upsert", `{"data": [{"Last_Name": "x", "External_Id": "{n}"}]}`, nil}, // may find nothing again
		)
	}
	return calls
}

var (
	zohoProbe  = call{"ListContacts", http.MethodGet, zohoRoot + "Contacts?fields=Last_Name&per_page=2", "", nil}
	zohoInsert = `{"Last_Name": "x", "External_Id": "{n}"}`
)

var zohoSuite = suite{
	provider: "ZohoCRM", probe: zohoProbe, prepare: zohoPrepare(),
	sign: func(r *http.Request, secret string) { r.Header.Set("Authorization", "Zoho-oauthtoken "+secret) },
	calls: slices.Concat(zohoCalls(), []call{
		{"Query", http.MethodPost, zohoRoot + "coql", `{"select_query": "select Last_Name from Contacts where Last_Name = 'User 7' limit 1"}`, nil},
		{"Composite", http.MethodPost, zohoRoot + "__composite_requests", `{"__composite_requests": [{"sub_request_id": "1", "method": "GET", "uri": "/crm/v8/Contacts"}]}`, nil},
	}),
	busy: http.StatusTooManyRequests,
	refusals: []refusal{
		{name: "credits", limit: "credits=1/2s", call: zohoProbe, status: http.StatusTooManyRequests},
	},
	shown: []string{"credits=3/24h"},
	shows: []string{"X-API-CREDITS-REMAINING"},
	bulks: []bulk{
		{call{"CreateContacts", http.MethodPost, zohoRoot + "Contacts", `{"data": [{items}]}`, nil}, zohoInsert, 100, 10, "data/*/details/id"},
		{call{"UpsertLeads", http.MethodPost, zohoRoot + "Leads/upsert", `{"data": [{items}], "duplicate_check_fields": ["External_Id"]}`, nil}, zohoInsert, 100, 10, "data/*/details/id"},
	},
}
