// SPDX-License-Identifier: Apache-2.0

package provider

import (
	"net/http"
	"slices"
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

// figures are the headers in which CRMs tell of their limits.
var figures = []string{
	"Date", "Retry-After", "RateLimit", "RateLimit-Policy", "Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset", "X-Rate-Limit", "X-Rate-Limit-Remaining",
	"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Total", "X-RateLimit-Rule", "X-RateLimit-Used-CurrentRequest", "Sforce-Limit-Info",
	"X-HubSpot-RateLimit-Max", "X-HubSpot-RateLimit-Remaining", "X-HubSpot-RateLimit-Interval-Milliseconds", "X-HubSpot-RateLimit-Daily",
	"X-HubSpot-RateLimit-Daily-Remaining", "X-Daily-Requests-Left", "X-Daily-Ratelimit-Token-Limit", "X-Daily-Ratelimit-Token-Remaining", "X-API-CREDITS-REMAINING",
	"X-Ms-Ratelimit-Burst-Remaining-Xrm-Requests", "X-Ms-Ratelimit-Time-Remaining-Xrm-Requests",
}

// FuzzReadings: whatever stands in the headers about limits, what is read of it are sums that cannot overflow and times within the window, at most one reading of
// each limit, and none panics.
func FuzzReadings(f *testing.F) {
	for i, values := range [][3]string{
		{"400", "120", "41"}, {"-1", "-1", "-1"}, {"99999999999999999999", "9223372036854775807", "9223372036854775807"}, {"NaN", "Inf", "-Inf"}, {"1e309", "1e18", "0x1p60"},
		{"700.5", "123.0", "4102444800"}, {"api-usage=10018/100000; api-bursts=1/750", "api-usage=-5/-4", "api-usage=5/0"}, {"10000", "0", "0"},
		{`"default";r=50;t=30`, `"default";q=100;w=10`, `;;=,"`}, {"Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "1"},
	} {
		for n := range figures {
			f.Add(uint8(n), values[0], uint8(n+1), values[1], uint8(n+2+i), values[2]) //nolint:gosec // there are few
		}
	}
	f.Add(uint8(slices.Index(figures, "Sforce-Limit-Info")), "api-usage=0/9223372036854775807", uint8(0), "", uint8(1), "")
	f.Add(uint8(slices.Index(figures, "X-HubSpot-RateLimit-Interval-Milliseconds")), "9007199254740992", uint8(slices.Index(figures, "X-HubSpot-RateLimit-Max")), "1", uint8(0), "")
	now := time.Unix(1_800_000_000, 0)
	f.Fuzz(func(t *testing.T, a uint8, first string, b uint8, second string, c uint8, third string) {
		header := http.Header{}
		for n, value := range map[uint8]string{a: first, b: second, c: third} {
			header.Set(figures[int(n)%len(figures)], value)
		}
		for _, p := range All() {
			readings := p.Readings(header, now)
			for i, r := range readings {
				wantSane(t, p.Name(), r)
				same := func(other dialect.Reading) bool {
					return other.Window == r.Window && other.Day == r.Day && other.Operation == r.Operation
				}
				if slices.ContainsFunc(readings[i+1:], same) {
					t.Errorf("%s has two readings of one limit: %+v", p.Name(), readings)
				}
			}
			if wait, _ := dialect.RetryAfter(header, now); wait < 0 || wait > 24*time.Hour {
				t.Errorf("Retry-After is %s", wait)
			}
		}
	})
}

// wantSane checks that sums of what was read cannot overflow, and that it is about one window, or a day.
func wantSane(t *testing.T, provider string, r dialect.Reading) {
	t.Helper()
	const most, longest = dialect.MaxReading, 31 * 24 * time.Hour
	if r.Limit < 0 || r.Limit > most || r.Remaining != nil && (*r.Remaining < 0 || *r.Remaining > most) {
		t.Errorf("%s reads %+v", provider, r)
	}
	if r.Resets < 0 || r.Resets > longest || (r.Window <= 0) == !r.Day || r.Window > longest {
		t.Errorf("%s reads a time of %+v", provider, r)
	}
}
