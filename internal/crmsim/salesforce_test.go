// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const salesforceData = "/services/data/v66.0"

func TestSalesforceUpsertHasOneEffectHoweverOftenItIsSent(t *testing.T) {
	inBubble(t, Config{CRM: "Salesforce"}, func(w world) {
		path := salesforceData + "/sobjects/Case/External_Id__c/x-1"
		w.wantStatus(w.do(http.MethodPatch, path, `{"Subject": "call"}`), http.StatusCreated)
		w.wantStatus(w.do(http.MethodPatch, path, `{"Subject": "call"}`), http.StatusOK)
		if got := w.sim.TicketsByExternalID()["x-1"]; len(got) != 1 {
			w.Errorf("there are %d cases", len(got))
		}
		for range 2 {
			w.wantStatus(w.do(http.MethodPost, salesforceData+"/sobjects/Case", `{"External_Id__c": "x-2"}`), http.StatusCreated)
		}
		w.wantStatus(w.do(http.MethodPatch, salesforceData+"/sobjects/Case/External_Id__c/x-2", `{"Subject": "which?"}`), http.StatusMultipleChoices)
	})
}

func TestSalesforceCollectionCountsOnceAndTellsOfEachRecord(t *testing.T) {
	config := Config{CRM: "Salesforce", Limits: limits("day=2/24h")}
	inBubble(t, config, func(w world) {
		parts := make([]string, 200)
		for i := range parts {
			parts[i] = fmt.Sprintf(`{"attributes": {"type": "Case"}, "External_Id__c": "c-%d"}`, i)
		}
		parts[7] = `{"attributes": {"type": "Contact"}, "Email": "nobody@example.test"}`
		got := w.do(http.MethodPost, salesforceData+"/composite/sobjects", `{"allOrNone": false, "records": [`+strings.Join(parts, ",")+`]}`)
		w.wantStatus(got, http.StatusOK)
		results := parse[[]struct {
			ID      string
			Success bool
			Errors  []struct{ StatusCode string }
		}](w, got)
		if len(results) != 200 || !results[6].Success || results[6].ID == "" || results[7].Success || results[7].Errors[0].StatusCode != "REQUIRED_FIELD_MISSING" {
			w.Errorf("got %d results, around the bad one %+v", len(results), results[6:8])
		}
		if info := got.header.Get("Sforce-Limit-Info"); info != "api-usage=1/2" {
			w.Errorf("Sforce-Limit-Info is %q", info)
		}
		rolledBack := w.do(http.MethodPost, salesforceData+"/composite/sobjects", `{"allOrNone": true, "records": [`+parts[8]+","+parts[7]+`]}`)
		if strings.Contains(rolledBack.body, `"success":true`) {
			w.Errorf("all or none answers %s", rolledBack.body)
		}
		refused := w.do(http.MethodGet, salesforceData+"/query?q=SELECT+Id+FROM+Case", "")
		w.wantStatus(refused, http.StatusForbidden)
		if !strings.Contains(refused.body, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED"`) || refused.header.Get("Retry-After") != "" {
			w.Errorf("refused with %v, %s", refused.header, refused.body)
		}
		if created := w.sim.Report().Tickets.Created; created != 199 {
			w.Errorf("%d records were created", created)
		}
	})
}

func TestSalesforceTellsTheFiguresOfFiveMinutesAgo(t *testing.T) {
	inBubble(t, Config{CRM: "Salesforce", Limits: limits("day=10/24h")}, func(w world) {
		type figures struct{ DailyAPIRequests struct{ Max, Remaining int } }
		read := func() figures { return parse[figures](w, w.do(http.MethodGet, salesforceData+"/limits", "")) }
		for range 3 {
			if got := read().DailyAPIRequests; got.Max != 10 || got.Remaining != 9 {
				w.Errorf("got %+v", got)
			}
		}
		w.sleep(5 * time.Minute)
		if got := read().DailyAPIRequests; got.Remaining != 6 {
			w.Errorf("after 5 min got %+v", got)
		}
	})
}

func TestSalesforceQueryLeadsOnAndCompositesRefer(t *testing.T) {
	inBubble(t, Config{CRM: "Salesforce", Users: 450, Limits: limits("day=100/24h")}, func(w world) {
		type page struct {
			TotalSize      int
			Done           bool
			NextRecordsURL string
			Records        []struct{ LastName string }
		}
		next, seen := salesforceData+"/query?q=SELECT+LastName+FROM+Contact", 0
		for next != "" {
			got := parse[page](w, w.do(http.MethodGet, next, "", "Sforce-Query-Options", "batchSize=200"))
			seen += len(got.Records)
			if next = got.NextRecordsURL; got.Done != (next == "") {
				w.Fatalf("done is %v, the next page %q", got.Done, next)
			}
		}
		if seen != 450 {
			w.Errorf("read %d contacts", seen)
		}
		got := w.do(http.MethodPost, salesforceData+"/composite", `{"compositeRequest": [
			{"method": "POST", "url": "/services/data/v66.0/sobjects/Account", "referenceId": "acme", "body": {"Name": "Acme"}},
			{"method": "POST", "url": "/services/data/v66.0/sobjects/Case", "referenceId": "case", "body": {"AccountId": "@{acme.id}", "External_Id__c": "x"}}]}`)
		w.wantStatus(got, http.StatusOK)
		found := w.do(http.MethodGet, salesforceData+"/query?q=SELECT+AccountId+FROM+Case+WHERE+External_Id__c='x'", "")
		if !strings.Contains(found.body, `"AccountId":"001`) {
			w.Errorf("the case does not know its account: %s", found.body)
		}
		before := w.sim.Report().Limits[0].Peak.Calls
		w.do(http.MethodPost, salesforceData+"/composite", `{"compositeRequest": [
			{"method": "GET", "url": "/services/data/v66.0/limits", "referenceId": "a"}, {"method": "GET", "url": "/services/data/v66.0/limits", "referenceId": "b"}]}`)
		if took := w.sim.Report().Limits[0].Peak.Calls - before; took != 1 {
			w.Errorf("a composite of two counts %d times", took)
		}
		before = w.sim.Report().Limits[0].Peak.Calls
		w.do(http.MethodPost, salesforceData+"/composite/batch", `{"batchRequests": [{"method": "GET", "url": "v66.0/limits"}, {"method": "GET", "url": "v66.0/limits"}]}`)
		if took := w.sim.Report().Limits[0].Peak.Calls - before; took != 2 {
			w.Errorf("a batch of two counts %d times", took)
		}
	})
}

// goodAndBad are writes of a case, and of a contact without a name, which fails.
const goodAndBad = `{"method": "POST", "url": "/services/data/v66.0/sobjects/Case", "referenceId": "good", "body": {"External_Id__c": "g"}},
	{"method": "POST", "url": "/services/data/v66.0/sobjects/Contact", "referenceId": "bad", "body": {}}`

func TestSalesforceCompositesFailInParts(t *testing.T) {
	cases := map[string]struct {
		body     string
		statuses []int
		made     int
	}{
		"each by itself": {`{"compositeRequest": [` + goodAndBad + `]}`, []int{201, 400}, 1},
		"all or none":    {`{"allOrNone": true, "compositeRequest": [` + goodAndBad + `]}`, []int{400, 400}, 0},
		"one that refers to one that has failed": {`{"compositeRequest": [` + goodAndBad + `,
			{"method": "POST", "url": "/services/data/v66.0/sobjects/Case", "referenceId": "third", "body": {"ContactId": "@{bad.id}"}}]}`, []int{201, 400, 400}, 1},
		"names that are not unique":  {`{"compositeRequest": [` + goodAndBad + "," + goodAndBad + `]}`, nil, 0},
		"a header that is inherited": {`{"compositeRequest": [{"method": "GET", "url": "/services/data/v66.0/limits", "referenceId": "a", "httpHeaders": {"Accept": "*/*"}}]}`, nil, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{CRM: "Salesforce"}, func(w world) {
				got := w.do(http.MethodPost, salesforceData+"/composite", c.body)
				if c.statuses == nil {
					w.wantStatus(got, http.StatusBadRequest)
					return
				}
				results := parse[struct {
					CompositeResponse []struct {
						HTTPStatusCode int
						HTTPHeaders    map[string]string
					}
				}](w, got).CompositeResponse
				for i, want := range c.statuses {
					if r := results[i]; r.HTTPStatusCode != want || (want == http.StatusCreated) != (r.HTTPHeaders["Location"] != "") {
						w.Errorf("subrequest %d is answered %+v", i, r)
					}
				}
				if made := len(w.sim.TicketsByExternalID()["g"]); made != c.made {
					w.Errorf("%d cases were made", made)
				}
			})
		})
	}
}

// TestSalesforceCompositesKeepTheirOrderIfTheyAreTold: from version 49 on they do not by themselves.
func TestSalesforceCompositesKeepTheirOrderIfTheyAreTold(t *testing.T) {
	inBubble(t, Config{CRM: "Salesforce"}, func(w world) {
		path := "/sobjects/Case/External_Id__c/x"
		w.wantStatus(w.do(http.MethodPatch, salesforceData+path, `{"Subject": "none"}`), http.StatusCreated)
		for _, c := range []struct{ version, collate, last string }{{"v66.0", "", "first"}, {"v66.0", `"collateSubrequests": false,`, "second"}, {"v48.0", "", "second"}} {
			w.wantStatus(w.do(http.MethodPost, "/services/data/"+c.version+"/composite", fmt.Sprintf(`{%s "compositeRequest": [
				{"method": "PATCH", "url": "/services/data/%[2]s%[3]s", "referenceId": "a", "body": {"Subject": "first"}},
				{"method": "PATCH", "url": "/services/data/%[2]s%[3]s", "referenceId": "b", "body": {"Subject": "second"}}]}`, c.collate, c.version, path)), http.StatusOK)
			if got := w.do(http.MethodGet, salesforceData+path, ""); !strings.Contains(got.body, `"Subject":"`+c.last+`"`) {
				w.Errorf("with %s %s it is %s", c.version, c.collate, got.body)
			}
		}
	})
}
