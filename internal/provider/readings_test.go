// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

func TestReadings(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		provider string
		header   map[string]string
		want     []dialect.Reading
	}{
		"Zendesk": {
			"Zendesk", map[string]string{
				"X-Rate-Limit": "400", "X-Rate-Limit-Remaining": "120", "ratelimit-limit": "400", "ratelimit-remaining": "120", "ratelimit-reset": "41",
			},
			[]dialect.Reading{{Window: time.Minute, Limit: 400, Remaining: new(int64(120)), Resets: 41 * time.Second}},
		},
		"Zendesk where an endpoint tells of its own limit": {
			"Zendesk", map[string]string{"X-Rate-Limit": "400", "X-Rate-Limit-Remaining": "120", "ratelimit-limit": "100", "ratelimit-reset": "41"},
			[]dialect.Reading{{Window: time.Minute, Limit: 400, Remaining: new(int64(120))}},
		},
		"Zendesk with a figure that is none": {"Zendesk", map[string]string{"X-Rate-Limit": "many", "X-Rate-Limit-Remaining": "-1"}, nil},
		"Salesforce": {
			"Salesforce", map[string]string{"Sforce-Limit-Info": "api-bursts=1/750; api-usage=10018/100000"},
			[]dialect.Reading{{Window: 24 * time.Hour, Limit: 100_000, Remaining: new(int64(89_982))}},
		},
		"Salesforce over its limit": {
			"Salesforce", map[string]string{"Sforce-Limit-Info": "api-usage=15010/15000"},
			[]dialect.Reading{{Window: 24 * time.Hour, Limit: 15_000, Remaining: new(int64(0))}},
		},
		"Salesforce without a limit": {"Salesforce", map[string]string{"Sforce-Limit-Info": "api-usage=15010"}, nil},
		"HubSpot": {
			"HubSpot", map[string]string{
				"X-HubSpot-RateLimit-Max": "190", "X-HubSpot-RateLimit-Remaining": "180", "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
				"X-HubSpot-RateLimit-Daily": "625000", "X-HubSpot-RateLimit-Daily-Remaining": "600000",
			},
			[]dialect.Reading{
				{Window: 10 * time.Second, Limit: 190, Remaining: new(int64(180))}, {Day: true, Limit: 625_000, Remaining: new(int64(600_000))},
			},
		},
		"HubSpot for an OAuth app": {
			"HubSpot", map[string]string{
				"X-HubSpot-RateLimit-Max": "110", "X-HubSpot-RateLimit-Remaining": "0", "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
			},
			[]dialect.Reading{{Window: 10 * time.Second, Limit: 110, Remaining: new(int64(0))}},
		},
		"Freshdesk writes fractions": {
			"Freshdesk", map[string]string{"X-RateLimit-Total": "700.0", "X-RateLimit-Remaining": "123.0"},
			[]dialect.Reading{{Window: time.Minute, Limit: 700, Remaining: new(int64(123))}},
		},
		"Zoho": {
			"ZohoCRM", map[string]string{"X-API-CREDITS-REMAINING": "49000"}, []dialect.Reading{{Window: 24 * time.Hour, Remaining: new(int64(49_000))}},
		},
		"Pipedrive": {
			"Pipedrive", map[string]string{
				"x-ratelimit-limit": "80", "x-ratelimit-remaining": "79", "x-ratelimit-reset": "2",
				"x-daily-ratelimit-token-limit": "30000", "x-daily-ratelimit-token-remaining": "29990",
			},
			[]dialect.Reading{
				{Window: 2 * time.Second, Limit: 80, Remaining: new(int64(79)), Resets: 2 * time.Second}, {Day: true, Limit: 30_000, Remaining: new(int64(29_990))},
			},
		},
		"Intercom goes by its own clock": {
			"Intercom", map[string]string{
				"X-RateLimit-Limit": "167", "X-RateLimit-Remaining": "100", "X-RateLimit-Reset": "1795435211", "Date": "Mon, 23 Nov 2026 12:00:04 GMT",
			},
			[]dialect.Reading{{Window: 10 * time.Second, Limit: 167, Remaining: new(int64(100)), Resets: 7 * time.Second}},
		},
		"Kustomer without a Date": {
			"Kustomer", map[string]string{"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "999", "x-ratelimit-reset": "1795435230"},
			[]dialect.Reading{{Window: time.Minute, Limit: 1000, Remaining: new(int64(999)), Resets: 30 * time.Second}},
		},
		"Kustomer with a reset of another kind": {
			"Kustomer", map[string]string{"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "999", "x-ratelimit-reset": "30"},
			[]dialect.Reading{{Window: time.Minute, Limit: 1000, Remaining: new(int64(999))}},
		},
		"Dynamics365 counts for each server": {
			"Dynamics365", map[string]string{"x-ms-ratelimit-burst-remaining-xrm-requests": "5999"}, nil,
		},
		"ServiceNow's rules are of resources": {"ServiceNow", map[string]string{"X-RateLimit-Limit": "1000", "X-RateLimit-Reset": "1795435230"}, nil},
		"any API":                             {"Generic", map[string]string{"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "5"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			for name, value := range test.header {
				header.Set(name, value)
			}
			if diff := cmp.Diff(test.want, get(t, test.provider).Readings(header, now)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
