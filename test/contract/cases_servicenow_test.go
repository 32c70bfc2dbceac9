// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/base64"
	"net/http"
	"slices"
)

const snTable = "/api/now/table/"

var serviceNowTables = []struct{ table, one, many string }{
	{"customer_contact", "Contact", "Contacts"}, {"incident", "Incident", "Incidents"}, {"interaction", "Interaction", "Interactions"},
	{"sn_customerservice_case", "Case", "Cases"}, {"sys_user", "User", "Users"},
}

func servicenowPrepare() (all []prepared) {
	for _, t := range serviceNowTables {
		all = append(all, prepared{t.table, call{"", http.MethodPost, snTable + t.table, `{"short_description": "x"}`, nil}, "result/sys_id"})
	}
	return all
}

func servicenowCalls() (calls []call) {
	for _, t := range serviceNowTables {
		path, record := snTable+t.table, snTable+t.table+"/{"+t.table+"}"
		calls = append(calls,
			call{"Create" + t.one, http.MethodPost, path, `{"correlation_id": "{n}"}`, nil},
			call{"Get" + t.one, http.MethodGet, record, "", nil},
			call{"List" + t.many, http.MethodGet, path + "?sysparm_limit=1&sysparm_query=correlation_id=x", "", nil},
			call{"Update" + t.one, http.MethodPatch, record, `{"short_description": "{n}"}`, nil},
			call{"Update" + t.one, http.MethodPut, record, `{"short_description": "{n}"}`, nil},
		)
	}
	return calls
}

var (
	serviceNowProbe = call{"ListUsers", http.MethodGet, snTable + "sys_user?sysparm_limit=1", "", nil}
	// snBatched is the body of a creation inside a batch, which has to be in base64 before {n} is known: external ids are not told apart there.
	snBatched = base64.StdEncoding.EncodeToString([]byte(`{"short_description": "batched"}`))
)

// signServiceNow signs by a person's password, if the secret names the person, or by a bearer token.
func signServiceNow(r *http.Request, secret string) {
	if user, password := userOf(secret); password != secret {
		r.SetBasicAuth(user, password)
		return
	}
	bearer(r, secret)
}

var servicenowSuite = suite{
	provider: "ServiceNow", sign: signServiceNow, probe: serviceNowProbe, prepare: servicenowPrepare(),
	calls: slices.Concat(servicenowCalls(), []call{
		{"CreateIncident", http.MethodPost, "/api/now/v2/table/incident", `{"correlation_id": "{n}"}`, nil},
		{"Batch", http.MethodPost, "/api/now/v1/batch", `{"batch_request_id": "1", "rest_requests": [{"id": "1", "method": "GET", "url": "/api/now/table/incident"}]}`, nil},
		{"ImportRecord", http.MethodPost, "/api/now/import/u_staging", `{"correlation_id": "{n}"}`, nil},
		{"ImportRecords", http.MethodPost, "/api/now/import/u_staging/insertMultiple", `{"records": [{"correlation_id": "{n}"}]}`, nil},
	}),
	busy: http.StatusTooManyRequests,
	refusals: []refusal{
		{name: "a rule", limit: "rule=1/hour:UTC,per=credential", call: serviceNowProbe, status: http.StatusTooManyRequests, told: true},
	},
	shown: []string{"rule=10000/hour:UTC"},
	shows: []string{"X-RateLimit-Limit", "X-RateLimit-Reset"},
	pages: []page{{serviceNowProbe, "Link"}},
	bulks: []bulk{
		// Nobody says that a batch counts less than what is in it.
		{call{"Batch", http.MethodPost, "/api/now/v1/batch", `{"batch_request_id": "1", "rest_requests": [{items}]}`, nil}, `{"id": "{n}", "method": "POST", "url": "/api/now/table/incident", "body": "` + snBatched + `"}`, 0, usual, "serviced_requests/*/id"},
	},
}
