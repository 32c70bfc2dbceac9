// SPDX-License-Identifier: Apache-2.0

package tariff_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

func asIs(path string) string { return path }

func newTariff(t *testing.T, ls ...contract.Limit) *tariff.Tariff {
	t.Helper()
	made, err := tariff.New(&contract.Plan{Limits: ls}, asIs)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

var (
	minute  = contract.Limit{Name: "minute", Calls: 400, WindowSeconds: 60}
	updates = contract.Limit{Name: "updates", Calls: 100, WindowSeconds: 60, Match: &contract.Match{Operations: []string{"UpdateTicket"}}}
	tickets = contract.Limit{
		Name: "per ticket", Calls: 30, WindowSeconds: 600, PerRecord: true, Match: &contract.Match{Methods: []string{"PUT"}, Path: "/api/v2/tickets/*"},
	}
	tokens = contract.Limit{
		Name: "tokens", Calls: 30_000, Calendar: &contract.Calendar{Unit: contract.CalendarDay},
		Costs: []contract.Cost{{Match: contract.Match{Operations: []string{"Search"}}, Cost: 40}, {Match: contract.Match{Methods: []string{"DELETE"}, Path: "/**"}, Cost: 6}},
	}
	execution = contract.Limit{Name: "execution", ExecutionSeconds: 1200, WindowSeconds: 300}
)

func TestCosts(t *testing.T) {
	for name, tc := range map[string]struct {
		operation, method, target string
		want                      ledger.Cost
	}{
		"a plain call":                   {"", "GET", "/api/v2/users/1", ledger.Cost{1, 0, 0, 1}},
		"an operation with its limit":    {"UpdateTicket", "PUT", "/api/v2/tickets/7?x=1", ledger.Cost{1, 1, 1, 1}},
		"the query is no part of it":     {"", "GET", "/a?b=/api/v2/tickets/7", ledger.Cost{1, 0, 0, 1}},
		"a dear operation":               {"Search", "GET", "/api/v2/search", ledger.Cost{1, 0, 0, 40}},
		"a dear method":                  {"", "DELETE", "/api/v2/tickets/7", ledger.Cost{1, 0, 0, 6}},
		"an escaped path is the same":    {"", "PUT", "/api/v2/ticket%73/7", ledger.Cost{1, 0, 1, 1}},
		"the first cost that fits holds": {"Search", "DELETE", "/api/v2/search", ledger.Cost{1, 0, 0, 40}},
	} {
		t.Run(name, func(t *testing.T) {
			made := newTariff(t, minute, updates, tickets, tokens)
			kind, _ := made.Price(tariff.Call{Operation: tc.operation, Method: tc.method, Target: tc.target})
			if got := made.Cost(kind); !slices.Equal(got, tc.want) {
				t.Errorf("costs %v, want %v", got, tc.want)
			}
			if again, _ := made.Price(tariff.Call{Operation: tc.operation, Method: tc.method, Target: tc.target}); again != kind || made.Kinds() != 1 {
				t.Errorf("the same call is of kind %d and %d, of %d", kind, again, made.Kinds())
			}
		})
	}
}

func TestRecordsAreToldApart(t *testing.T) {
	comments := tickets
	comments.Name, comments.Match = "comments", &contract.Match{Path: "/api/v2/tickets/*/comments/*"}
	all := tickets
	all.Name, all.Match = "anything of a ticket", &contract.Match{Path: "/api/v2/tickets/*/**"}
	record := func(of *tariff.Tariff, method, target string) ledger.Record {
		_, r := of.Price(tariff.Call{Method: method, Target: target})
		return r
	}
	one := newTariff(t, minute, tickets)
	if a, b := record(one, "PUT", "/api/v2/tickets/7"), record(one, "PUT", "/api/v2/tickets/8"); a == b || a == ledger.NoRecord || b == ledger.NoRecord {
		t.Errorf("tickets 7 and 8 are records %d and %d", a, b)
	}
	if a, b := record(one, "PUT", "/api/v2/tickets/7"), record(one, "PUT", "/api/v2/tickets/7?b=2"); a != b {
		t.Errorf("ticket 7 is records %d and %d", a, b)
	}
	if r := record(one, "GET", "/api/v2/tickets/7"); r != ledger.NoRecord {
		t.Errorf("a call that no limit per record counts is about record %d", r)
	}
	two := newTariff(t, all, comments)
	if a, b := record(two, "GET", "/api/v2/tickets/7/audits"), record(two, "GET", "/api/v2/tickets/7"); a != b || a == ledger.NoRecord {
		t.Errorf("what is below a ticket is record %d, the ticket %d", a, b)
	}
	if r := record(two, "GET", "/api/v2/tickets/7/comments/1"); r != ledger.NoRecord {
		t.Errorf("two limits mean different records, and it counts for %d only", r)
	}
}

// TestMetersGoByWhatIsCounted and not by names or the order in which things are declared.
func TestMetersGoByWhatIsCounted(t *testing.T) {
	meter := func(l contract.Limit, credentials contract.Credentials) limits.Meter {
		made, err := tariff.New(&contract.Plan{Limits: []contract.Limit{l}, Credentials: credentials}, asIs)
		if err != nil {
			t.Fatal(err)
		}
		return made.Limits()[0].Meter
	}
	plain := contract.Credentials{Secret: "s", Bearer: &contract.BearerKeys{Token: "token"}}
	other := contract.Credentials{Secret: "t", Bearer: &contract.BearerKeys{Token: "token"}}
	renamed := updates
	renamed.Name, renamed.Calls, renamed.WindowSeconds = "other", 7, 300
	if meter(updates, plain) != meter(renamed, plain) {
		t.Error("a renamed limit has another meter")
	}
	ordered, reversed := tickets, tickets
	ordered.Match = &contract.Match{Methods: []string{"PUT", "POST"}, Path: "/a"}
	reversed.Match = &contract.Match{Methods: []string{"POST", "PUT"}, Path: "/a"}
	if meter(ordered, plain) != meter(reversed, plain) {
		t.Error("the order of methods makes another meter")
	}
	if meter(minute, plain) != limits.EveryCall || meter(minute, plain) != meter(minute, other) {
		t.Error("a plain limit does not count every call of the account")
	}
	own := minute
	own.PerCredential = true
	if a, b := meter(own, plain), meter(own, other); a == b || a == limits.EveryCall {
		t.Error("limits per credential share a meter")
	}
	users := []contract.Credentials{
		{Secret: "s", OAuthClient: &contract.OAuthClientKeys{ClientID: "c"}},
		{Secret: "s", OAuthRefresh: &contract.OAuthRefreshKeys{ClientID: "c", RefreshToken: "r"}},
		{Secret: "s", OAuthJWT: &contract.OAuthJWTKeys{ClientID: "c", Subject: "u"}}, plain, other,
	}
	for i, a := range users {
		for _, b := range users[:i] {
			if meter(own, a) == meter(own, b) {
				t.Errorf("users %+v and %+v share a meter", a, b)
			}
		}
	}
	if m := meter(execution, plain); m == limits.EveryCall {
		t.Error("execution time is counted as calls")
	}
}

func TestLimits(t *testing.T) {
	for name, tc := range map[string]struct {
		from contract.Limit
		want limits.Limit
	}{
		"a window":                     {minute, limits.Limit{Name: "minute", Kind: limits.Rolling, Max: 400, Window: time.Minute, Most: 1}},
		"a day in no known zone rolls": {tokens, limits.Limit{Name: "tokens", Kind: limits.Rolling, Max: 30_000, Window: 25 * time.Hour, Most: 40}},
		"execution time": {
			execution, limits.Limit{Name: "execution", Kind: limits.Rolling, Max: 1_200_000, Window: 5 * time.Minute, Unit: limits.Milliseconds, Most: 120_000},
		},
		"slots of jobs": {
			contract.Limit{Name: "jobs", Concurrent: 30, UntilJobEnds: true}, limits.Limit{Name: "jobs", Kind: limits.Concurrent, Max: 30, UntilJobEnds: true, Most: 1},
		},
		"a bucket": {
			contract.Limit{Name: "bucket", Calls: 100, WindowSeconds: 10, Counting: contract.CountingTokenBucket, Burst: 20, GuardSeconds: 2},
			limits.Limit{Name: "bucket", Kind: limits.Rolling, Max: 100, Window: 10 * time.Second, Counting: limits.TokenBucket, Burst: 20, CountingDelay: 2 * time.Second, Most: 1},
		},
		"a month": {
			contract.Limit{Name: "month", Calls: 5, Calendar: &contract.Calendar{Unit: contract.CalendarMonth, TimeZone: "UTC"}, AlertOnly: true},
			limits.Limit{Name: "month", Kind: limits.Calendar, Max: 5, Period: limits.Month, Location: time.UTC, AlertOnly: true, Most: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := newTariff(t, tc.from).Limits()[0]
			if err := got.Validate(); err != nil {
				t.Error(err)
			}
			got.Meter = limits.Meter{} // has a test of its own
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
	mars := contract.Limit{Name: "day", Calls: 1, Calendar: &contract.Calendar{Unit: contract.CalendarDay, TimeZone: "Mars/Base"}}
	if _, err := tariff.New(&contract.Plan{Limits: []contract.Limit{mars}}, asIs); err == nil {
		t.Error("a limit of an unknown zone was taken")
	}
}

// TestExecutionTimeIsLearnt: the estimate starts at a second and comes to what 99 of 100 calls stay below, rounded up by at most the square root of 2.
func TestExecutionTimeIsLearnt(t *testing.T) {
	made := newTariff(t, minute, execution)
	kind, _ := made.Price(tariff.Call{Method: http.MethodGet, Target: "/a"})
	if cost := made.Cost(kind); cost[0] != 1 || cost[1] < 1000 || cost[1] > 1415 {
		t.Errorf("before anything was seen a call costs %v", cost)
	}
	first := made.Cost(kind)
	for i := range 2000 {
		took := 100 * time.Millisecond
		if i%50 == 0 { // one in fifty takes longer
			took = 3 * time.Second
		}
		made.Observe(kind, took)
	}
	if cost := made.Cost(kind); cost[1] < 3000 || cost[1] > 4243 {
		t.Errorf("99 of 100 calls take up to 3 s, a call costs %v", cost)
	}
	if first[1] > 1415 {
		t.Error("a cost that was handed out has changed")
	}
	for range 5000 {
		made.Observe(kind, 100*time.Millisecond)
	}
	if cost := made.Cost(kind); cost[1] < 100 || cost[1] > 142 {
		t.Errorf("all calls take 100 ms, a call costs %v", cost)
	}
	plain := newTariff(t, minute)
	kind, _ = plain.Price(tariff.Call{Method: http.MethodGet, Target: "/a"})
	if plain.Observe(kind, time.Minute) {
		t.Error("a cost without execution time has changed")
	}
}

// TestALimitPerCredentialIsThereForEachUser of the CRM, and counts that user's calls only.
func TestALimitPerCredentialIsThereForEachUser(t *testing.T) {
	basic := func(secret string) *contract.Credentials {
		return &contract.Credentials{Secret: secret, Own: true, Basic: &contract.BasicKeys{Username: "u", Password: "p"}}
	}
	user := minute
	user.Name, user.PerCredential = "user", true
	plan := &contract.Plan{
		Credentials: contract.Credentials{Basic: &contract.BasicKeys{Username: "u", Password: "p"}},
		Limits:      []contract.Limit{user, minute},
		Integrations: []contract.Integration{
			{Name: "with the CRM's"}, {Name: "a", Credentials: basic("a")}, {Name: "also a", Credentials: basic("a")}, {Name: "b", Credentials: basic("b")},
		},
	}
	made, err := tariff.New(plan, asIs)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var licence []bool
	for k, l := range made.Limits() {
		names, licence = append(names, l.Name), append(licence, made.IsLicence(k))
		if made.Declared(k).Name != l.Name {
			t.Errorf("limit %d is declared as %s", k, made.Declared(k).Name)
		}
	}
	if diff := cmp.Diff([]string{"user", "minute", "user", "user"}, names); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]bool{true, true, false, false}, licence); diff != "" {
		t.Errorf("limits of the licence (-want +got):\n%s", diff)
	}
	for of, want := range map[string]ledger.Cost{"/u": {1, 1, 0, 0}, "a/u": {0, 1, 1, 0}, "b/u": {0, 1, 0, 1}, "gone": {1, 1, 1, 1}} {
		kind, _ := made.Price(tariff.Call{User: of, Method: http.MethodGet, Target: "/x"})
		if diff := cmp.Diff(want, made.Cost(kind)); diff != "" {
			t.Errorf("a call as %s (-want +got):\n%s", of, diff)
		}
	}
}
