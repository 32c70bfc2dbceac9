// SPDX-License-Identifier: Apache-2.0

package zendesk_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/provider/zendesk"
)

func TestJobs(t *testing.T) {
	for name, tc := range map[string]struct {
		method         string
		status         int
		body           string
		started, ended []string
	}{
		"a job has started":         {http.MethodPost, 200, `{"job_status":{"id":"a","status":"queued"}}`, []string{"a"}, nil},
		"one that was done at once": {http.MethodPut, 200, `{"job_status":{"id":"a","status":"completed"}}`, []string{"a"}, []string{"a"}},
		"a poll starts none":        {http.MethodGet, 200, `{"job_status":{"id":"a","status":"working"}}`, nil, nil},
		"a poll sees the end":       {http.MethodGet, 200, `{"job_status":{"id":"a","status":"failed"}}`, nil, []string{"a"}},
		"a poll of many":            {http.MethodGet, 200, `{"job_statuses":[{"id":"a","status":"killed"},{"id":"b","status":"working"}]}`, nil, []string{"a"}},
		"a refusal":                 {http.MethodPost, 429, `{"job_status":{"id":"a","status":"queued"}}`, nil, nil},
		"another answer":            {http.MethodPost, 200, `{"ticket":{"id":1}}`, nil, nil},
		"no JSON":                   {http.MethodPost, 200, `<html>`, nil, nil},
	} {
		started, ended := zendesk.Zendesk{}.Jobs(tc.method, tc.status, []byte(tc.body))
		if !slices.Equal(started, tc.started) || !slices.Equal(ended, tc.ended) {
			t.Errorf("%s: started %v, ended %v, want %v and %v", name, started, ended, tc.started, tc.ended)
		}
	}
}

func TestCanonical(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v2/tickets/7.json": "/api/v2/tickets/7", "/api/v2/tickets/7/": "/api/v2/tickets/7", "/api/v2/tickets/007": "/api/v2/tickets/7",
		"/api/v2/tickets/7": "/api/v2/tickets/7", "/api/v2/tickets/0": "/api/v2/tickets/0", "/api/v2/0abc": "/api/v2/0abc",
	} {
		if got := (zendesk.Zendesk{}).Canonical(path); got != want {
			t.Errorf("Canonical(%q) = %q, want %q", path, got, want)
		}
	}
}
