// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"slices"
)

const (
	dvData     = "/api/data/v9.2/"
	dvMultiple = "/Microsoft.Dynamics.CRM."
)

var dynamicsTables = []struct{ set, one, many, key string }{
	{"accounts", "Account", "Accounts", "accountid"}, {"contacts", "Contact", "Contacts", "contactid"}, {"incidents", "Case", "Cases", "incidentid"},
	{"leads", "Lead", "Leads", "leadid"}, {"phonecalls", "PhoneCall", "PhoneCalls", "activityid"}, {"tasks", "Task", "Tasks", "activityid"},
}

func dynamicsPrepare() (all []prepared) {
	for _, t := range dynamicsTables {
		create := call{"", http.MethodPost, dvData + t.set, `{"description": "x"}`, []string{"Prefer", "return=representation"}}
		all = append(all, prepared{t.set, create, t.key}, prepared{t.set + "Gone", create, t.key})
	}
	return all
}

func dynamicsCalls() (calls []call) {
	for _, t := range dynamicsTables {
		path, record := dvData+t.set, dvData+t.set+"({"+t.set+"})"
		target := `{"@odata.type": "Microsoft.Dynamics.CRM.` + t.set + `", `
		calls = append(calls,
			call{"Create" + t.one, http.MethodPost, path, `{"crmq_externalid": "{n}"}`, nil},
			call{"Create" + t.one, http.MethodPost, path, `{"` + t.key + `": "{n}", "crmq_externalid": "{n}"}`, nil}, // a key of the caller's own
			call{"Get" + t.one, http.MethodGet, record, "", nil},
			call{"List" + t.many, http.MethodGet, path + "?$top=1", "", nil},
			call{"Update" + t.one, http.MethodPatch, record, `{"description": "{n}"}`, nil},
			call{"Update" + t.one, http.MethodPatch, path + "(crmq_externalid='{n}')", `{"description": "x"}`, nil},
			call{"Delete" + t.one, http.MethodDelete, path + "({" + t.set + "Gone})", "", nil},
			call{"Create" + t.many, http.MethodPost, path + dvMultiple + "CreateMultiple", `{"Targets": [` + target + `"crmq_externalid": "{n}"}]}`, nil},
			call{"Update" + t.many, http.MethodPost, path + dvMultiple + "UpdateMultiple", `{"Targets": [` + target + `"` + t.key + `": "{` + t.set + `}", "description": "{n}"}]}`, nil},
			call{"Upsert" + t.many, http.MethodPost, path + dvMultiple + "UpsertMultiple", `{"Targets": [` + target + `"@odata.id": "` + t.set + `(crmq_externalid='{n}')", "description": "x"}]}`, nil},
		)
	}
	return calls
}

var dynamicsProbe = call{"", http.MethodGet, dvData + "WhoAmI", "", nil}

var dynamicsSuite = suite{
	provider: "Dynamics365", sign: bearer, probe: dynamicsProbe, prepare: dynamicsPrepare(),
	calls: slices.Concat(dynamicsCalls(), []call{
		dynamicsProbe,
		{"Search", http.MethodPost, "/api/search/v1.0/query", `{"search": "user7"}`, nil},
		{
			"Batch", http.MethodPost, dvData + "$batch",
			"--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET " + dvData + "contacts?$top=1 HTTP/1.1\r\n\r\n\r\n--b--\r\n",
			[]string{"Content-Type", "multipart/mixed; boundary=b"},
		},
	}),
	busy: http.StatusTooManyRequests,
	refusals: []refusal{
		{name: "requests", limit: "requests=1/2s,per=credential", call: dynamicsProbe, status: http.StatusTooManyRequests, told: true},
		{name: "requests, again and again", limit: "requests=1/2s,per=credential", pushes: 3, call: dynamicsProbe, status: http.StatusTooManyRequests, told: true},
	},
	pages:  []page{{call{"ListContacts", http.MethodGet, dvData + "contacts", "", []string{"Prefer", "odata.maxpagesize=2"}}, "@odata.nextLink"}},
	stored: []string{"@odata.context"},
	bulks: []bulk{
		{call{"CreateContacts", http.MethodPost, dvData + "contacts" + dvMultiple + "CreateMultiple", `{"Targets": [{items}]}`, nil}, `{"@odata.type": "Microsoft.Dynamics.CRM.contact", "crmq_externalid": "{n}"}`, 0, 1, "Ids/*"},
	},
}
