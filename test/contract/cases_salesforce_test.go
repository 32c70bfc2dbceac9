// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"slices"
)

const sfData = "/services/data/v66.0"

var (
	sfCase  = call{"CreateCase", http.MethodPost, sfData + "/sobjects/Case", `{"Subject": "call", "External_Id__c": "{n}"}`, nil}
	sfProbe = call{"Query", http.MethodGet, sfData + "/query?q=SELECT+Id+FROM+Contact+LIMIT+1", "", nil}
)

// sfObjects are the calls to single records of each object.
func sfObjects() (calls []call) {
	for _, object := range []string{"Account", "Case", "Contact", "Lead", "Opportunity", "Task"} {
		path, record := sfData+"/sobjects/"+object, "{"+object+"}"
		fields := `{"Name": "Acme", "LastName": "Doe", "External_Id__c": "{n}"}`
		calls = append(calls,
			call{"Create" + object, http.MethodPost, path, fields, nil},
			call{"Get" + object, http.MethodGet, path + "/" + record, "", nil},
			call{"Update" + object, http.MethodPatch, path + "/" + record, `{"Description": "{n}"}`, nil},
			call{"Upsert" + object, http.MethodPatch, path + "/External_Id__c/{n}", `{"Name": "Acme", "LastName": "Doe"}`, nil},
			call{"Delete" + object, http.MethodDelete, path + "/{" + object + "Gone}", "", nil},
		)
	}
	return calls
}

func sfPrepare() (all []prepared) {
	for _, object := range []string{"Account", "Case", "Contact", "Lead", "Opportunity", "Task"} {
		create := call{"", http.MethodPost, sfData + "/sobjects/" + object, `{"Name": "Acme", "LastName": "Doe"}`, nil}
		all = append(all, prepared{object, create, "id"}, prepared{object + "Gone", create, "id"})
	}
	return append(all, prepared{"Deleted", sfCase, "id"})
}

var salesforceSuite = suite{
	provider: "Salesforce", sign: bearer, probe: sfProbe, prepare: sfPrepare(),
	calls: slices.Concat(sfObjects(), []call{
		sfProbe,
		{"QueryMore", http.MethodGet, sfData + "/query/U0VMRUNUIElkIEZST00gQ29udGFjdA~200", "", nil},
		{"Limits", http.MethodGet, sfData + "/limits", "", nil},
		{"Search", http.MethodGet, sfData + "/search?q=FIND+%7Buser7%7D", "", nil},
		{"Search", http.MethodGet, sfData + "/parameterizedSearch?q=user7&sobject=Contact", "", nil},
		{"CreateRecords", http.MethodPost, sfData + "/composite/sobjects", `{"records": [{"attributes": {"type": "Case"}, "External_Id__c": "{n}"}]}`, nil},
		{"UpdateRecords", http.MethodPatch, sfData + "/composite/sobjects", `{"records": [{"attributes": {"type": "Case"}, "id": "{Case}", "Subject": "{n}"}]}`, nil},
		{"UpsertRecords", http.MethodPatch, sfData + "/composite/sobjects/Case/External_Id__c", `{"records": [{"attributes": {"type": "Case"}, "External_Id__c": "{n}"}]}`, nil},
		{"DeleteRecords", http.MethodDelete, sfData + "/composite/sobjects?ids={Deleted}", "", nil},
		{"CreateTree", http.MethodPost, sfData + "/composite/tree/Case", `{"records": [{"attributes": {"type": "Case", "referenceId": "a"}, "External_Id__c": "{n}"}]}`, nil},
		{"Composite", http.MethodPost, sfData + "/composite", `{"compositeRequest": [{"method": "POST", "url": "` + sfData + `/sobjects/Case", "referenceId": "a", "body": {"External_Id__c": "{n}"}}]}`, nil},
		{"CompositeBatch", http.MethodPost, sfData + "/composite/batch", `{"batchRequests": [{"method": "GET", "url": "v66.0/limits"}]}`, nil},
		{"CompositeGraph", http.MethodPost, sfData + "/composite/graph", `{"graphs": [{"graphId": "1", "compositeRequest": [{"method": "POST", "url": "` + sfData + `/sobjects/Case", "referenceId": "a", "body": {"External_Id__c": "{n}"}}]}]}`, nil},
	}),
	mixed: []call{{"", http.MethodPost, sfData + "/sobjects/Claim__c", `{"External_Id__c": "{n}"}`, nil}},
	busy:  http.StatusForbidden,
	refusals: []refusal{
		// Nobody tells when a call of the last 24 hours will have been made longer ago.
		{name: "the day", limit: "day=1/2s", call: sfProbe, status: http.StatusForbidden},
	},
	shown: []string{"day=100000/24h"},
	shows: []string{"Sforce-Limit-Info"},
	pages: []page{{call{"Query", http.MethodGet, sfData + "/query?q=SELECT+Id+FROM+Contact", "", []string{"Sforce-Query-Options", "batchSize=200"}}, "nextRecordsUrl"}},
	bulks: []bulk{
		{call{"CreateRecords", http.MethodPost, sfData + "/composite/sobjects", `{"allOrNone": false, "records": [{items}]}`, nil}, `{"attributes": {"type": "Case"}, "External_Id__c": "{n}"}`, 200, 1, "*/id"},
		{call{"UpsertRecords", http.MethodPatch, sfData + "/composite/sobjects/Case/External_Id__c", `{"records": [{items}]}`, nil}, `{"attributes": {"type": "Case"}, "External_Id__c": "{n}"}`, 200, 1, "*/id"},
		{call{"Composite", http.MethodPost, sfData + "/composite", `{"compositeRequest": [{items}]}`, nil}, `{"method": "POST", "url": "` + sfData + `/sobjects/Case", "referenceId": "r{n}", "body": {"External_Id__c": "{n}"}}`, 25, 1, "compositeResponse/*/body/id"},
		// Each part counts: nothing is saved.
		{call{"CompositeBatch", http.MethodPost, sfData + "/composite/batch", `{"batchRequests": [{items}]}`, nil}, `{"method": "POST", "url": "v66.0/sobjects/Case", "richInput": {"External_Id__c": "{n}"}}`, 25, 25, "results/*/result/id"},
	},
}
