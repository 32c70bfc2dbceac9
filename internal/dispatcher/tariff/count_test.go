// SPDX-License-Identifier: Apache-2.0

package tariff_test

import (
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
)

// credits are taken by what is in a call.
func credits(calls int64) contract.Limit {
	return contract.Limit{
		Name: "credits", Calls: calls, WindowSeconds: 86400, Costs: []contract.Cost{
			{Match: contract.Match{Methods: []string{"POST"}, Path: "/records"}, Cost: 1, Per: &contract.Per{BodyArray: "data", Items: 10, Most: 100}},
			{Match: contract.Match{Path: "/list"}, Cost: 3, Per: &contract.Per{QueryNumber: "per_page", Items: 50, Most: 200}},
			{Match: contract.Match{Path: "/tickets"}, Cost: 2, Per: &contract.Per{QueryList: "include", Items: 1, Most: 3, Plus: 1}},
		},
	}
}

func TestCostsByWhatIsInACall(t *testing.T) {
	data := func(n int64) map[string]int64 { return map[string]int64{"data": n, "other": 7} }
	for name, tc := range map[string]struct {
		method, target string
		counts         map[string]int64
		want           int64
	}{
		"a record":                                {"POST", "/records", data(1), 1},
		"ten records":                             {"POST", "/records", data(10), 1},
		"eleven records":                          {"POST", "/records", data(11), 2},
		"as many as the CRM takes":                {"POST", "/records", data(100), 10},
		"more than that, which it refuses":        {"POST", "/records", data(1000), 10},
		"none is still a call":                    {"POST", "/records", data(0), 1},
		"no such array":                           {"POST", "/records", map[string]int64{"other": 1}, 10},
		"a body that was not read":                {"POST", "/records", nil, 10},
		"another method":                          {"PUT", "/records", data(50), 1},
		"another path":                            {"POST", "/others", data(50), 1},
		"a page":                                  {"GET", "/list?per_page=50", nil, 3},
		"a larger page":                           {"GET", "/list?page=2&per_page=51", nil, 6},
		"a page of the CRM's choice":              {"GET", "/list", nil, 12},
		"a page that is no number":                {"GET", "/list?per_page=x", nil, 12},
		"a negative page":                         {"GET", "/list?per_page=-1", nil, 12},
		"of two the larger":                       {"GET", "/list?per_page=200&per_page=1", nil, 12},
		"a query that cannot be read":             {"GET", "/list?per_page=1;", nil, 12},
		"a name that is escaped":                  {"GET", "/list?per%5Fpage=1", nil, 3},
		"nothing embedded":                        {"GET", "/tickets?page=2", nil, 1},
		"one thing embedded":                      {"GET", "/tickets?include=stats", nil, 3},
		"two, the comma escaped":                  {"GET", "/tickets?include=stats%2Crequester", nil, 5},
		"two parameters":                          {"GET", "/tickets?include=stats&include=requester", nil, 5},
		"more than there are":                     {"GET", "/tickets?include=a,b,c,d,e", nil, 7},
		"a list of nothing":                       {"GET", "/tickets?include=,", nil, 1},
		"a list in a query that cannot be read":   {"GET", "/tickets?include=a;", nil, 7},
		"a body does not speak for a query":       {"GET", "/list", map[string]int64{"per_page": 1}, 12},
		"a query does not speak for a body":       {"POST", "/records?data=1", nil, 10},
		"a body of another call is not asked for": {"GET", "/tickets", data(99), 1},
	} {
		t.Run(name, func(t *testing.T) {
			made := newTariff(t, minute, credits(1000))
			kind, _ := made.Price(tariff.Call{Method: tc.method, Target: tc.target, Counts: tc.counts})
			if got := made.Cost(kind); got[0] != 1 || got[1] != tc.want {
				t.Errorf("costs %v, want 1 and %d", got, tc.want)
			}
		})
	}
}

func TestTheMostThatACallTakes(t *testing.T) {
	for calls, want := range map[int64]int64{1000: 12, 12: 12, 11: 11} {
		if got := newTariff(t, credits(calls)).Limits()[0].Most; got != want {
			t.Errorf("of %d a call takes %d at most, want %d", calls, got, want)
		}
	}
	plain := credits(1000)
	plain.Costs = plain.Costs[:1]
	counted := newTariff(t, plain).Limits()[0].Meter
	plain.Costs = []contract.Cost{{Match: plain.Costs[0].Match, Cost: 1}}
	if newTariff(t, plain).Limits()[0].Meter == counted {
		t.Error("limits that count calls and records share a meter")
	}
}

func TestCallsThatExceedALimit(t *testing.T) {
	bucket := credits(1000)
	bucket.Name, bucket.Counting, bucket.Burst = "bucket", contract.CountingTokenBucket, 5
	alert := credits(5)
	alert.AlertOnly = true
	for name, tc := range map[string]struct {
		limit   contract.Limit
		records int64
		want    string
	}{
		"it fits":                  {credits(5), 50, ""},
		"it does not":              {credits(5), 51, "credits"},
		"it fits the bucket":       {bucket, 50, ""},
		"the bucket is too small":  {bucket, 51, "bucket"},
		"a limit that only alerts": {alert, 100, ""},
	} {
		t.Run(name, func(t *testing.T) {
			made := newTariff(t, minute, tc.limit)
			kind, _ := made.Price(tariff.Call{Method: "POST", Target: "/records", Counts: map[string]int64{"data": tc.records}})
			if limit, n, most := made.Exceeds(kind); limit != tc.want || limit != "" && (n != 6 || most != 5) {
				t.Errorf("exceeds %q by taking %d of %d, want %q", limit, n, most, tc.want)
			}
		})
	}
}
