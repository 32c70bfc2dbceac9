// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

func TestRefusalSpeaksTheDialect(t *testing.T) {
	refusal := dialect.Refusal{
		Reason: contract.ReasonLimitReached, Limit: "minute", RetryAfter: 1500 * time.Millisecond, Detail: "limit minute has no room",
	}
	for name, want := range map[string]struct {
		status int
		body   string
	}{
		"Zendesk":     {429, `{"error":"APIRateLimitExceeded","description":"limit minute has no room"}`},
		"Salesforce":  {403, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"limit minute has no room"}]`},
		"HubSpot":     {429, `{"status":"error","message":"limit minute has no room","errorType":"RATE_LIMIT","category":"RATE_LIMITS","policyName":"TEN_SECONDLY_ROLLING"}`},
		"Dynamics365": {429, `{"error":{"code":"0x80072322","message":"limit minute has no room"}}`},
		"ServiceNow":  {429, `{"error":{"message":"Rate limit exceeded","detail":"limit minute has no room"},"status":"failure"}`},
		"Freshdesk":   {429, `{"message":"limit minute has no room"}`},
		"ZohoCRM":     {429, `{"code":"TOO_MANY_REQUESTS","details":{},"message":"limit minute has no room","status":"error"}`},
		"Pipedrive":   {429, `{"success":false,"error":"limit minute has no room","errorCode":429}`},
		"Intercom":    {429, `{"type":"error.list","errors":[{"code":"rate_limit_exceeded","message":"limit minute has no room"}]}`},
		"Kustomer":    {429, `{"errors":[{"status":429,"code":"too_many_requests","title":"limit minute has no room"}]}`},
		"Generic": {429, `{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Quota exceeded","status":429,
			"detail":"limit minute has no room","reason":"LimitReached","violated-policies":["minute"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			p := get(t, name)
			got := p.Refusal(refusal)
			contentType := "application/json; charset=utf-8"
			if name == "Generic" {
				contentType = dialect.ProblemMediaType
			}
			if diff := cmp.Diff(http.Header{"Content-Type": {contentType}, "Retry-After": {"2"}}, got.Header); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(decoded(t, []byte(want.body)), decoded(t, got.Body)); diff != "" || got.Status != want.status {
				t.Errorf("status %d, want %d: %s", got.Status, want.status, diff)
			}
			// What we say is what the adapter itself takes for a refusal of the licence.
			v := p.Refused(dialect.Answer{Status: got.Status, Header: got.Header, Body: got.Body}, now)
			if !v.Refused || v.Scope != dialect.ScopeLicence {
				t.Errorf("the adapter judges it %+v", v)
			}
		})
	}
}

func decoded(t *testing.T, body []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestHubSpotNamesThePolicyWhosePauseIsNearest(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		0: "TEN_SECONDLY_ROLLING", time.Second: "SECONDLY", 10 * time.Second: "TEN_SECONDLY_ROLLING", time.Minute: "DAILY",
	} {
		var body struct {
			Policy string `json:"policyName"`
		}
		if err := json.Unmarshal(get(t, "HubSpot").Refusal(dialect.Refusal{RetryAfter: wait}).Body, &body); err != nil || body.Policy != want {
			t.Errorf("after %s: %q, %v, want %q", wait, body.Policy, err, want)
		}
	}
}

// TestShowShare: what the headers told of the licence they tell of the share, or they are gone.
func TestShowShare(t *testing.T) {
	share := dialect.Share{Most: 240, Left: 40, Renews: 7 * time.Second, Now: now}
	type headers map[string]string
	for name, test := range map[string]struct{ crm, want headers }{
		"Zendesk": {
			headers{"X-Rate-Limit": "400", "X-Rate-Limit-Remaining": "399"},
			headers{"X-Rate-Limit": "240", "X-Rate-Limit-Remaining": "40", "Ratelimit-Limit": "240", "Ratelimit-Remaining": "40", "Ratelimit-Reset": "7"},
		},
		"Salesforce": {headers{"Sforce-Limit-Info": "api-usage=10018/100000; api-bursts=1/750"}, headers{"Sforce-Limit-Info": "api-usage=200/240"}},
		"HubSpot": {
			headers{"X-HubSpot-RateLimit-Daily": "250000", "X-HubSpot-RateLimit-Daily-Remaining": "249999", "X-HubSpot-RateLimit-Secondly": "10"},
			headers{"X-Hubspot-Ratelimit-Max": "240", "X-Hubspot-Ratelimit-Remaining": "40", "X-Hubspot-Ratelimit-Interval-Milliseconds": "7000"},
		},
		"Dynamics365": {
			headers{"x-ms-ratelimit-burst-remaining-xrm-requests": "5999", "x-ms-ratelimit-time-remaining-xrm-requests": "1,199.05"},
			headers{"X-Ms-Ratelimit-Burst-Remaining-Xrm-Requests": "40"},
		},
		"ServiceNow": {
			headers{"X-RateLimit-Limit": "10000", "X-RateLimit-Rule": "ab12"},
			headers{"X-Ratelimit-Limit": "240", "X-Ratelimit-Reset": unix(8 * time.Second), "X-Ratelimit-Rule": "ab12"},
		},
		"Freshdesk": {
			headers{"X-RateLimit-Total": "400", "X-RateLimit-Remaining": "399", "X-RateLimit-Used-CurrentRequest": "2"},
			headers{"X-Ratelimit-Total": "240", "X-Ratelimit-Remaining": "40", "X-Ratelimit-Used-Currentrequest": "2"},
		},
		"ZohoCRM": {headers{"X-API-CREDITS-REMAINING": "20000"}, headers{"X-Api-Credits-Remaining": "40"}},
		"Pipedrive": {
			headers{"x-ratelimit-limit": "100", "x-daily-requests-left": "9000"},
			headers{"X-Ratelimit-Limit": "240", "X-Ratelimit-Remaining": "40", "X-Ratelimit-Reset": "7"},
		},
		"Intercom": {
			headers{"Date": "Mon, 23 Nov 2026 12:05:00 GMT"},
			headers{
				"Date": "Mon, 23 Nov 2026 12:05:00 GMT", "X-Ratelimit-Limit": "240", "X-Ratelimit-Remaining": "40", "X-Ratelimit-Reset": unix(5*time.Minute + 8*time.Second),
			},
		},
		"Kustomer": {headers{}, headers{"X-Ratelimit-Limit": "240", "X-Ratelimit-Remaining": "40", "X-Ratelimit-Reset": unix(8 * time.Second)}},
		"Generic":  {headers{"X-RateLimit-Limit": "9"}, headers{"X-Ratelimit-Limit": "9"}},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			for k, v := range test.crm {
				header.Set(k, v)
			}
			get(t, name).ShowShare(header, share)
			got := headers{}
			for k := range header {
				got[k] = header.Get(k)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAccount(t *testing.T) {
	for _, test := range []struct{ provider, declared, host, want string }{
		{"Zendesk", "", "acme.zendesk.com", "acme"},
		{"Zendesk", "Acme.Zendesk.com", "support.acme.com", "acme"},
		{"Salesforce", "", "acme.my.salesforce.com", "acme"},
		{"Salesforce", "", "acme--uat.sandbox.my.salesforce.com", "acme--uat.sandbox"},
		{"Dynamics365", "", "contoso.crm4.dynamics.com", "contoso.crm4"},
		{"Dynamics365", "", "contoso.api.crm4.dynamics.com", "contoso.crm4"},
		{"ServiceNow", "", "dev12345.service-now.com", "dev12345"},
		{"Freshdesk", "", "acme.freshdesk.com", "acme"},
		{"Freshdesk", "", "support.acme.com", "support.acme.com"},
		{"Pipedrive", "", "acme.pipedrive.com", "acme"},
		{"Pipedrive", "", "api.pipedrive.com", ""},
		{"Pipedrive", "ACME", "api.pipedrive.com", "acme"},
		{"HubSpot", "Portal-1", "api.hubapi.com", "portal-1"},
		{"HubSpot", "", "api.hubapi.com", ""},
		{"ZohoCRM", "", "www.zohoapis.eu", ""},
		{"Intercom", "", "api.intercom.io", ""},
		{"Kustomer", "", "acme.api.kustomerapp.com", ""},
		{"Generic", "ACME", "api.example.com", "acme"},
	} {
		if got := get(t, test.provider).Account(test.declared, test.host); got != test.want {
			t.Errorf("%s: account of %q at %s is %q, want %q", test.provider, test.declared, test.host, got, test.want)
		}
	}
}
