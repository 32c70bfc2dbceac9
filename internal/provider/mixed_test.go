// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"fmt"
	"net/http"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/salesforce"
)

const sobjects = "/services/data/v60.0/sobjects/"

// member is a call to a record or for a new one.
func member(method, path, body string, header ...string) dialect.Request {
	r := dialect.Request{Method: method, Target: sobjects + path, Header: http.Header{}}
	if body != "" {
		r.Body = []byte(body)
	}
	for _, name := range header {
		r.Header.Set(name, "x")
	}
	return r
}

// TestMixedCalls: the first and the last call go together, whatever they are, and the one between them does not.
func TestMixedCalls(t *testing.T) {
	create, remove := member("POST", "Claim__c", `{"Name":"a <b>"}`), member("DELETE", "Case/500A", "")
	older := member("PATCH", "Case/500A", `{"Subject":"s"}`)
	older.Target = "/services/data/v59.0/sobjects/Case/500A"
	for name, left := range map[string]dialect.Request{
		"a read":                        member("GET", "Case/500A", ""),
		"a query in the path":           member("POST", "Case?_HttpMethod=PATCH", `{"Subject":"s"}`),
		"an encoded path":               member("PATCH", "Case/Ext__c/%40%7Br0.id%7D", `{"Subject":"s"}`),
		"a path inside a record":        member("PATCH", "Case/500A/Account/Name", `{"Subject":"s"}`),
		"another version":               older,
		"a list":                        member("POST", "Case", `[]`),
		"no JSON":                       member("POST", "Case", `<Case/>`),
		"a reference":                   member("POST", "Case", `{"Subject":"@{r0.id}"}`),
		"a reference that is escaped":   member("POST", "Case", `{"a":[{"Subject":"\u0040\u007br0.id}"}]}`),
		"a reference as a name":         member("POST", "Case", `{"@{r0.id}":1}`),
		"a condition":                   member("PATCH", "Case/500A", `{"Subject":"s"}`, "If-Unmodified-Since"),
		"a header on how to do it":      member("POST", "Lead", `{"LastName":"s"}`, "Sforce-Auto-Assign"),
		"a deletion with a body":        member("DELETE", "Case/500B", `{}`),
		"a creation with a path behind": member("POST", "Case/500A", `{"Subject":"s"}`),
	} {
		t.Run(name, func(t *testing.T) {
			batch, _ := salesforce.Salesforce{}.Mixed()
			bulk, in := batch.Merge("", []dialect.Request{create, left, remove})
			if diff := gocmp.Diff([]int{0, 2}, in); diff != "" {
				t.Errorf("there go (-want +got)\n%s", diff)
			}
			wantSame(t, "the bulk call", `{"allOrNone":false,"collateSubrequests":false,"compositeRequest":[
				{"method":"POST","url":"/services/data/v60.0/sobjects/Claim__c","referenceId":"r0","body":{"Name":"a <b>"}},
				{"method":"DELETE","url":"/services/data/v60.0/sobjects/Case/500A","referenceId":"r1"}]}`, bulk.Body)
			priced := batch.Bulk()
			p := salesforce.Salesforce{}
			if class := p.Classify(bulk.Method, bulk.Target, bulk.Body); class.Operation != priced.Operation || p.Canonical(bulk.Target) != p.Canonical(priced.Target) {
				t.Errorf("it is %s to %s, and priced as %s to %s", class.Operation, bulk.Target, priced.Operation, priced.Target)
			}
		})
	}
}

// TestMixedCallsOfAnOldVersion do not go together: nothing keeps their order.
func TestMixedCallsOfAnOldVersion(t *testing.T) {
	batch, _ := salesforce.Salesforce{}.Mixed()
	old := member("POST", "Case", `{}`)
	old.Target = "/services/data/v47.0/sobjects/Case"
	if _, in := batch.Merge("", []dialect.Request{old, old}); len(in) > 0 {
		t.Errorf("%v go together", in)
	}
}

// TestMixedAnswers: each item is told what the CRM says of it, in whatever order that comes.
func TestMixedAnswers(t *testing.T) {
	cases := map[string]struct {
		result string
		want   dialect.Item
	}{
		"a record was made": {
			`{"httpStatusCode":201,"httpHeaders":{"Location":"/services/data/v60.0/sobjects/Case/500A"},"body":{"id":"500A","success":true}}`,
			dialect.Item{Answer: &dialect.Response{
				Status: 201, Body: []byte(`{"id":"500A","success":true}`),
				Header: http.Header{"Location": {"/services/data/v60.0/sobjects/Case/500A"}, "Content-Type": {"application/json;charset=UTF-8"}},
			}},
		},
		"nothing to say": {`{"httpStatusCode":204,"httpHeaders":{},"body":null}`, dialect.Item{Answer: &dialect.Response{Status: 204, Header: http.Header{}}}},
		"it is not valid": {
			`{"httpStatusCode":400,"body":[{"errorCode":"REQUIRED_FIELD_MISSING"}]}`,
			dialect.Item{Answer: &dialect.Response{
				Status: 400, Body: []byte(`[{"errorCode":"REQUIRED_FIELD_MISSING"}]`), Header: http.Header{"Content-Type": {"application/json;charset=UTF-8"}},
			}},
		},
		"it was refused":             {`{"httpStatusCode":403,"body":[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]}`, dialect.Item{Failed: true}},
		"it was not run":             {`{"httpStatusCode":400,"body":[{"errorCode":"PROCESSING_HALTED"}]}`, dialect.Item{Failed: true}},
		"the session has ended":      {`{"httpStatusCode":401,"body":[{"errorCode":"INVALID_SESSION_ID"}]}`, dialect.Item{Failed: true}},
		"it may have been run":       {`{"httpStatusCode":503,"body":[{"errorCode":"SERVER_UNAVAILABLE"}]}`, dialect.Item{}},
		"no status":                  {`{"body":{"id":"500A"}}`, dialect.Item{}},
		"a status that is no status": {`{"httpStatusCode":2010,"body":{"id":"500A"}}`, dialect.Item{}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			batch, _ := salesforce.Salesforce{}.Mixed()
			body := fmt.Sprintf(`{"compositeResponse":[{"referenceId":"r1","httpStatusCode":204},{"referenceId":"r0",%s]}`, c.result[1:])
			items := batch.Split(200, []byte(body), make([]dialect.Request, 3)).Items
			if diff := gocmp.Diff(c.want, items[0]); diff != "" {
				t.Errorf("the first (-want +got)\n%s", diff)
			}
			if items[1].Answer == nil || items[2] != (dialect.Item{}) {
				t.Errorf("the others are %+v", items[1:])
			}
		})
	}
}

// TestMixedAnswersThatSayNothing must not be taken for outcomes.
func TestMixedAnswersThatSayNothing(t *testing.T) {
	batch, _ := salesforce.Salesforce{}.Mixed()
	for _, body := range []string{``, `null`, `{}`, `[]`, `{"compositeResponse":null}`, `{"compositeResponse":[{"referenceId":"r7","httpStatusCode":201}]}`, `<html>`} {
		for _, item := range batch.Split(200, []byte(body), make([]dialect.Request, 2)).Items {
			if item != (dialect.Item{}) {
				t.Errorf("%s says %+v", body, item)
			}
		}
	}
}

// TestChangesOfARecordHaveOneName in mixed calls, and others none.
func TestChangesOfARecordHaveOneName(t *testing.T) {
	batch, _ := salesforce.Salesforce{}.Mixed()
	for _, c := range []struct{ call, like dialect.Request }{
		{member("PATCH", "Claim__c/a005e0000000001AAA", ""), member("PATCH", "claim__C/a005e0000000001", "")},
		{member("PATCH", "Case/Ext__c/x1", ""), member("PATCH", "case/ext__C/X1", "")},
	} {
		if a, b := batch.Record(c.call), batch.Record(c.like); a == "" || a != b {
			t.Errorf("%s is %q, and %s is %q", c.call.Target, a, c.like.Target, b)
		}
	}
	if a, b := batch.Record(member("PATCH", "Case/500e0000000001A", "")), batch.Record(member("PATCH", "Case/500e0000000001a", "")); a == b {
		t.Errorf("two records are %q", a)
	}
	for _, other := range []dialect.Request{member("POST", "Case", ""), member("DELETE", "Case/500A", "")} {
		if name := batch.Record(other); name != "" {
			t.Errorf("%s %s changes %q", other.Method, other.Target, name)
		}
	}
}

// TestWhatIsMerged: operations that only go with others count as those that have a bulk call of their own do.
func TestWhatIsMerged(t *testing.T) {
	for _, c := range []struct {
		provider, operation string
		unconfirmed, want   bool
	}{
		{"Salesforce", "CreateCase", false, true}, {"Salesforce", "DeleteCase", false, true}, {"Salesforce", "UpsertCase", false, true},
		{"Salesforce", "GetCase", false, false}, {"Salesforce", "Composite", false, false}, {"Salesforce", "CreateTree", false, false},
		{"Kustomer", "CreateCustomer", false, false}, {"Kustomer", "CreateCustomer", true, true}, {"Zendesk", "CreateTicket", false, true},
	} {
		p, _ := provider.ByName(c.provider)
		o, known := provider.Operation(p, c.operation)
		if !known || provider.Merges(p, o, c.unconfirmed) != c.want {
			t.Errorf("%+v: known is %v", c, known)
		}
	}
}
