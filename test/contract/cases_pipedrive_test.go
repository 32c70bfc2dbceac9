// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"slices"
)

var pipedriveRecords = []struct{ path, one, many string }{
	{"activities", "Activity", "Activities"}, {"deals", "Deal", "Deals"}, {"leads", "Lead", "Leads"}, {"notes", "Note", "Notes"},
	{"organizations", "Organization", "Organizations"}, {"persons", "Person", "Persons"},
}

func pipedrivePrepare() (all []prepared) {
	for _, r := range pipedriveRecords {
		create := call{"", http.MethodPost, "/v1/" + r.path, `{"name": "x", "title": "x", "content": "x"}`, nil}
		all = append(all, prepared{r.path, create, "data/id"}, prepared{r.path + "Gone1", create, "data/id"}, prepared{r.path + "Gone2", create, "data/id"})
	}
	return all
}

func pipedriveCalls() (calls []call) {
	for _, r := range pipedriveRecords {
		for version, change := range map[string]string{"1": http.MethodPut, "2": http.MethodPatch} {
			path, id := "/api/v"+version+"/"+r.path, "/{"+r.path+"}"
			calls = append(calls,
				call{"Create" + r.one, http.MethodPost, path, `{"name": "x", "title": "x", "external_id": "{n}"}`, nil},
				call{"Get" + r.one, http.MethodGet, path + id, "", nil},
				call{"List" + r.many, http.MethodGet, path + "?limit=2", "", nil},
				call{"Search" + r.many, http.MethodGet, path + "/search?term=user", "", nil},
				call{"Update" + r.one, change, path + id, `{"name": "{n}"}`, nil},
				call{"Delete" + r.one, http.MethodDelete, path + "/{" + r.path + "Gone" + version + "}", "", nil},
			)
		}
	}
	return calls
}

var pipedriveProbe = call{"", http.MethodGet, "/v1/users/me", "", nil}

var pipedriveSuite = suite{
	provider: "Pipedrive", probe: pipedriveProbe, prepare: pipedrivePrepare(),
	sign: func(r *http.Request, secret string) {
		if r.Header.Get("Authorization") == "" {
			r.Header.Set("X-Api-Token", secret)
		}
	},
	calls: slices.Concat(pipedriveCalls(), []call{
		pipedriveProbe,
		{"GetPerson", http.MethodGet, "/v1/persons/{persons}", "", nil},
		{"SearchItems", http.MethodGet, "/api/v2/itemSearch?term=user", "", nil},
	}),
	refusals: []refusal{
		{name: "the burst", limit: "burst=1/2s", call: pipedriveProbe, status: http.StatusTooManyRequests, told: true, unconfirmed: true},
		{name: "an API token that goes on", limit: "burst=1/2s", pushes: 10, call: pipedriveProbe, status: http.StatusForbidden, strange: true},
		{name: "the day", limit: "day=1/calendar:UTC", call: pipedriveProbe, status: http.StatusTooManyRequests, unconfirmed: true},
	},
	shown: []string{"burst=40/2s"},
	shows: []string{"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"},
}
