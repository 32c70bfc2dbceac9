// SPDX-License-Identifier: Apache-2.0

package generic_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestDeclaredRefusals(t *testing.T) {
	d := generic.Declared{Rules: contract.Generic{Refusals: []contract.RefusalRule{
		{Statuses: []int64{403}, Member: []string{"errors", "*", "code"}, Values: []string{"BUSY", "17", "true"}, Scope: contract.RefusalEndpoint},
		{Statuses: []int64{403, 423}, Member: []string{"locked"}, Values: []string{"yes"}, Scope: contract.RefusalRecord},
		{Statuses: []int64{420}, Scope: contract.RefusalLicence, Wait: &contract.TimeHeader{Header: "X-Reset", Unix: true}},
		{Statuses: []int64{509}, Scope: contract.RefusalLicence, Wait: &contract.TimeHeader{Header: "X-Wait"}},
	}}}
	refused := func(scope dialect.Scope, wait time.Duration) dialect.Verdict {
		return dialect.Verdict{Refused: true, Scope: scope, Wait: wait}
	}
	for name, test := range map[string]struct {
		status int
		body   string
		header http.Header
		want   dialect.Verdict
	}{
		"a string in an array":          {403, `{"errors":[{"code":"NO"},{"code":"BUSY"}]}`, nil, refused(dialect.ScopeOperation, 0)},
		"a number":                      {403, `{"errors":[{"code":17}]}`, nil, refused(dialect.ScopeOperation, 0)},
		"a boolean":                     {403, `{"errors":[{"code":true}]}`, nil, refused(dialect.ScopeOperation, 0)},
		"another value":                 {403, `{"errors":[{"code":"DENIED"}]}`, nil, dialect.Verdict{}},
		"null":                          {403, `{"errors":[{"code":null}]}`, nil, dialect.Verdict{}},
		"an object in place of a value": {403, `{"errors":[{"code":{"BUSY":1}}]}`, nil, dialect.Verdict{}},
		"an object in place of a list":  {403, `{"errors":{"code":"BUSY"}}`, nil, dialect.Verdict{}},
		"a body that is cut off":        {403, `{"errors":[{"code":"BUSY"}`, nil, dialect.Verdict{}},
		"no body":                       {403, ``, nil, dialect.Verdict{}},
		"the second rule":               {403, `{"locked":"yes"}`, nil, refused(dialect.ScopeRecord, 0)},
		"another status of it":          {423, `{"locked":"yes"}`, http.Header{"Retry-After": {"3"}}, refused(dialect.ScopeRecord, 3*time.Second)},
		"a moment":                      {420, ``, http.Header{"X-Reset": {"1795435230"}, "Date": {"Mon, 23 Nov 2026 12:00:00 GMT"}}, refused(dialect.ScopeLicence, 30*time.Second)},
		"no moment":                     {420, ``, http.Header{"Retry-After": {"9"}}, refused(dialect.ScopeLicence, 9*time.Second)},
		"seconds":                       {509, ``, http.Header{"X-Wait": {"5"}, "Retry-After": {"9"}}, refused(dialect.ScopeLicence, 5*time.Second)},
		"seconds that are none":         {509, ``, http.Header{"X-Wait": {"soon"}, "Retry-After": {"9"}}, refused(dialect.ScopeLicence, 9*time.Second)},
		"with rules, 429 is no refusal": {429, ``, nil, dialect.Verdict{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := d.Refused(dialect.Answer{Method: "POST", Path: "/x", Status: test.status, Header: test.header, Body: []byte(test.body)}, now)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	plain := generic.Declared{}
	if v := plain.Refused(dialect.Answer{Status: 429}, now); !v.Refused {
		t.Error("without rules 429 is no refusal")
	}
}

func TestDeclaredLimitHeaders(t *testing.T) {
	share := dialect.Share{Most: 60, Left: 7, Renews: 90 * time.Second, Now: now}
	for name, test := range map[string]struct {
		to   *contract.LimitHeaders
		want http.Header
	}{
		"none":    {nil, http.Header{"X-Limit": {"100"}}},
		"some":    {&contract.LimitHeaders{Limit: "x-limit"}, http.Header{"X-Limit": {"60"}}},
		"seconds": {&contract.LimitHeaders{Limit: "X-Limit", Remaining: "X-Left", Reset: &contract.TimeHeader{Header: "X-Reset"}}, http.Header{"X-Limit": {"60"}, "X-Left": {"7"}, "X-Reset": {"90"}}},
		"moment":  {&contract.LimitHeaders{Reset: &contract.TimeHeader{Header: "X-Reset", Unix: true}}, http.Header{"X-Limit": {"100"}, "X-Reset": {"1795435291"}}},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"X-Limit": {"100"}}
			generic.Declared{Rules: contract.Generic{LimitHeaders: test.to}}.ShowShare(header, share)
			if diff := cmp.Diff(test.want, header); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeclaredLinksComeBesidesTheUsual(t *testing.T) {
	usual := generic.Generic{}.Links()
	got := generic.Declared{Rules: contract.Generic{Links: [][]string{{"meta", "more"}}}}.Links()
	if diff := cmp.Diff(append(usual, dialect.Link{"meta", "more"}), got); diff != "" {
		t.Error(diff)
	}
}

func TestDeclaredKeys(t *testing.T) {
	d := generic.Declared{Rules: contract.Generic{IdempotencyKey: &contract.IdempotencyKey{
		Header: "X-Key", MaxLength: 40, ValidForSeconds: 3600, Match: []contract.CallMatch{{Methods: []string{"POST"}, Path: "/orders"}, {Methods: []string{"PATCH", "PUT"}, Path: "/orders/**"}},
	}}}
	key := &dialect.Key{Header: "X-Key", MaxLength: 40, ValidFor: time.Hour}
	for name, test := range map[string]struct {
		method, path string
		want         dialect.Class
	}{
		"a creation":     {"POST", "/orders", dialect.Class{Key: key}},
		"an update":      {"PUT", "/orders/7/lines", dialect.Class{Key: key, Idempotent: true}},
		"another method": {"DELETE", "/orders/7", dialect.Class{Idempotent: true}},
		"another path":   {"POST", "/invoices", dialect.Class{}},
	} {
		if diff := cmp.Diff(test.want, d.Classify(test.method, test.path, nil)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
