// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"net/http"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// FuzzAnswers: whatever a CRM answers, no dialect reads from a refusal that it is to be left alone for more than a week, or figures of use that
// cannot be, and none panics.
func FuzzAnswers(f *testing.F) {
	f.Add("GET", "/api/v2/tickets.json", 429, "Retry-After", "93", []byte(`{"job_status":{"id":"a","status":"queued"}}`))
	f.Add("POST", "/api/v2/tickets.json", 200, "Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT", []byte(`{"job_statuses":[null]}`))
	f.Add("PUT", "/api/v2/tickets/1", 429, "Retry-After", "-9223372036854775808", []byte(`{"ticket":{"comment":{}}}`))
	f.Add("DELETE", "//", 403, "RateLimit", `"default";r=0;t=99999999999999999999`, []byte(`[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]`))
	f.Add("GET", "/services/data/v60.0/limits", 200, "", "", []byte(`{"DailyApiRequests":{"Max":15000,"Remaining":-3,"ETL":{"Max":9,"Remaining":2}}}`))
	f.Add("GET", "/account-info/v3/api-usage/daily/private-apps", 200, "", "", []byte(`{"results":[{"name":"private-apps-api-calls-daily","usageLimit":5,"currentUsage":9,"resetsAt":"2027-01-15T09:00:00Z"}]}`))
	f.Add("", "", 503, "X-RateLimit-Reset", "1e309", []byte{})
	now := time.Unix(1_800_000_000, 0)
	f.Fuzz(func(t *testing.T, method, path string, status int, name, value string, body []byte) {
		header := http.Header{}
		header.Set(name, value)
		for _, p := range All() {
			answer := dialect.Answer{Method: method, Path: p.Canonical(path), Status: status, Header: header, Body: body}
			if v := p.Refused(answer, now); v.Refused && (v.Wait < 0 || v.Wait > 7*24*time.Hour) {
				t.Errorf("%s is to be left alone for %s", p.Name(), v.Wait)
			}
			p.Classify(method, path, body)
			p.Jobs(method, status, body)
			if usage, _ := p.Usage(); usage.Read != nil {
				for _, r := range usage.Read(body, now) {
					if r.Limit < 1 || *r.Remaining < 0 || r.Resets < 0 || r.Resets > 25*time.Hour || len(r.Apps) > dialect.MaxApps {
						t.Errorf("%s reads %+v", p.Name(), r)
					}
				}
			}
		}
	})
}
