// SPDX-License-Identifier: Apache-2.0

package generic_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

// invoices tell of each item by a member; orders are lists without anything around them, of which all or none are made.
var declared = generic.Declared{Rules: contract.Generic{BulkCalls: []contract.BulkCall{
	{
		Operation: "CreateInvoice", Path: "/v1/invoices", Record: "invoice", BulkPath: "/v1/invoices:batch", MaxItems: 50,
		Items: []string{"batch", "invoices"}, Results: []string{"batch", "results"}, ID: []string{"body", "id"}, Answer: []string{"body"},
		Outcome: &contract.BulkOutcome{Member: []string{"status"}, Succeeded: []string{"201", "done"}, Failed: []string{"422", "invalid"}},
	},
	{Operation: "AddOrder", Path: "/v1/orders", BulkPath: "/v1/orders/bulk", MaxItems: 10, ID: []string{"id"}},
}}}

func TestDeclaredBulkCallsNameOperations(t *testing.T) {
	if diff := cmp.Diff([]dialect.Operation{
		{Name: "AddOrder", Method: "POST", Path: "/v1/orders"}, {Name: "CreateInvoice", Method: "POST", Path: "/v1/invoices"},
	}, declared.Operations()); diff != "" {
		t.Error(diff)
	}
	for call, want := range map[[2]string]string{
		{"POST", "/v1/invoices"}: "CreateInvoice", {"POST", "/v1/orders"}: "AddOrder", {"GET", "/v1/invoices"}: "", {"POST", "/v1/invoices:batch"}: "", {"POST", "/v1/invoices/7"}: "",
	} {
		if got := declared.Classify(call[0], call[1], nil).Operation; got != want {
			t.Errorf("%s %s is called %q, not %q", call[0], call[1], got, want)
		}
	}
	if _, can := declared.Batch("CreateOrder"); can {
		t.Error("there is a bulk call for what was not declared")
	}
}

func merge(t *testing.T, operation string, target string, bodies ...string) (dialect.Batch, dialect.Request, []int) {
	t.Helper()
	batch, can := declared.Batch(operation)
	if !can {
		t.Fatalf("%s has no bulk call", operation)
	}
	var members []dialect.Request
	for _, body := range bodies {
		members = append(members, dialect.Request{Operation: operation, Method: "POST", Target: target, Body: []byte(body)})
	}
	bulk, in := batch.Merge("mark", members)
	return batch, bulk, in
}

func TestDeclaredBulkCallsTakeRecordsAlone(t *testing.T) {
	batch, bulk, in := merge(t, "CreateInvoice", "/v1/invoices",
		`{"invoice":{"n":1}}`, `{"invoice":{"n":2},"notify":true}`, `{"invoice":[3]}`, `{"n":4}`, `[]`, `not JSON`, `{"invoice":{"n":12345678901234567890}}`)
	if diff := cmp.Diff([]int{0, 6}, in); diff != "" {
		t.Error(diff)
	}
	if want := `{"batch":{"invoices":[{"n":1},{"n":12345678901234567890}]}}`; string(bulk.Body) != want || bulk.Target != "/v1/invoices:batch" || bulk.Method != "POST" {
		t.Errorf("%s %s %s, not %s", bulk.Method, bulk.Target, bulk.Body, want)
	}
	if priced := batch.Bulk(); priced.Target != bulk.Target || priced.Operation != "" {
		t.Errorf("it is priced as %+v", priced)
	}
	if least, most := batch.Size(); least != 2 || most != 50 {
		t.Errorf("from %d to %d go together", least, most)
	}
	if _, bulk, in := merge(t, "AddOrder", "/v1/orders", `{"n":1}`, `null`, `{"n":2}`); len(in) != 2 || string(bulk.Body) != `[{"n":1},{"n":2}]` {
		t.Errorf("%v of the orders are %s", in, bulk.Body)
	}
	if _, _, in := merge(t, "AddOrder", "/v1/orders?dry=1", `{"n":1}`, `{"n":2}`); len(in) != 0 {
		t.Errorf("%v with a query are merged", in)
	}
}

func TestDeclaredResultsTellOfEachItem(t *testing.T) {
	made := func(body string) dialect.Item {
		return dialect.Item{Answer: &dialect.Response{Status: 201, Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(body)}}
	}
	unknown, failed := dialect.Item{}, dialect.Item{Failed: true}
	for name, test := range map[string]struct {
		operation, answer string
		want              []dialect.Item
	}{
		"each by itself": {
			"CreateInvoice", `{"batch":{"results":[{"status":201,"body":{"id":7}},{"status":"invalid"},{"status":"queued","body":{"id":9}},{"status":"done","body":{}}]}}`,
			[]dialect.Item{made(`{"invoice":{"id":7}}`), failed, unknown, unknown},
		},
		"results elsewhere":          {"CreateInvoice", `{"results":[{"status":201,"body":{"id":7}}]}`, nil},
		"a result that is no object": {"CreateInvoice", `{"batch":{"results":[1,null]}}`, []dialect.Item{unknown, unknown}},
		"all of them":                {"AddOrder", `[{"id":"a"},{"id":8}]`, []dialect.Item{made(`{"id":"a"}`), made(`{"id":8}`)}},
		"one without an ID":          {"AddOrder", `[{"id":"a"},{"id":""},{"id":null},{}]`, []dialect.Item{made(`{"id":"a"}`), unknown, unknown, unknown}},
		"no list":                    {"AddOrder", `{"id":"a"}`, nil},
		"no JSON":                    {"AddOrder", `<html>`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			batch, _ := declared.Batch(test.operation)
			if diff := cmp.Diff(dialect.Split{Items: test.want}, batch.Split(207, []byte(test.answer), make([]dialect.Request, max(1, len(test.want))))); diff != "" {
				t.Error(diff)
			}
		})
	}
	batch, _ := declared.Batch("AddOrder")
	if got := batch.Split(200, []byte(`[{"id":"a"}]`), make([]dialect.Request, 2)); got.Items != nil {
		t.Errorf("one result for two items says %+v", got)
	}
}

// TestOnlyItemsThatAreToldOfOneByOneAreSeparate: where all or none take effect, one integration's could undo another's.
func TestOnlyItemsThatAreToldOfOneByOneAreSeparate(t *testing.T) {
	for operation, want := range map[string]bool{"CreateInvoice": true, "AddOrder": false} {
		batch, _ := declared.Batch(operation)
		if _, separate := batch.(dialect.SeparateBatch); separate != want {
			t.Errorf("items of %s are separate: %v", operation, separate)
		}
	}
}
