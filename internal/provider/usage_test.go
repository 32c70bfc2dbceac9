// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// TestUsageIsAskedByCallsThatRead, of operations as they are classified, so that limits and prices count them.
func TestUsageIsAskedByCallsThatRead(t *testing.T) {
	for _, p := range provider.All() {
		usage, tells := p.Usage()
		if !tells {
			continue
		}
		asks := []dialect.Request{usage.Ask}
		if usage.Logs != nil {
			log, _ := usage.Logs.ReadNewest([]byte(`{"records":[{"Id":"0AT5e00000ABCdeGAH","LogDate":"2026-11-29T00:00:00.000+0000"}]}`))
			asks = append(asks, usage.Logs.Newest, log.Ask)
		}
		for _, ask := range asks {
			u, err := url.ParseRequestURI(ask.Target)
			if err != nil {
				t.Errorf("%s: %v", p.Name(), err)
				continue
			}
			class := p.Classify(ask.Method, u.Path, nil)
			if ask.Method != http.MethodGet || class.Operation != ask.Operation || usage.Every < time.Minute {
				t.Errorf("%s is asked by %+v every %s, which is classified as %+v", p.Name(), ask, usage.Every, class)
			}
		}
	}
}

func TestReadUsage(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	day := func(left int64, apps ...dialect.AppUse) []dialect.Reading {
		return []dialect.Reading{{Window: 24 * time.Hour, Limit: 15_000, Remaining: &left, Apps: apps}}
	}
	hubspot := func(fields string) string {
		return `{"results": [{"name": "private-apps-api-calls-daily", "usageLimit": 500000, "currentUsage": 1, ` + fields + `}]}`
	}
	for name, test := range map[string]struct {
		provider, body string
		want           []dialect.Reading
	}{
		"Salesforce": {"Salesforce", `{"DailyApiRequests": {"Max": 15000, "Remaining": 14878}, "DailyBulkApiBatches": {"Max": 1, "Remaining": 1}}`, day(14_878)},
		"Salesforce, apps with a quota of their own": {
			"Salesforce",
			`{"DailyApiRequests": {"Max": 15000, "Remaining": 10000, "Ant Migration Tool": {"Max": 0, "Remaining": 0},
				"ETL": {"Max": 5000, "Remaining": 1000}, "CTI": {"Max": 500, "Remaining": 100}, "Idle": {"Max": 10, "Remaining": 10}}}`,
			day(10_000, dialect.AppUse{Name: "ETL", Used: 4000}, dialect.AppUse{Name: "CTI", Used: 400}, dialect.AppUse{Name: "Idle"}),
		},
		"Salesforce, over its limit":     {"Salesforce", `{"DailyApiRequests": {"Max": 15000, "Remaining": -12}}`, day(0)},
		"Salesforce, a name to be shown": {"Salesforce", `{"DailyApiRequests": {"Max": 15000, "Remaining": 0, "a\n` + strings.Repeat("é", 60) + `": {"Max": 5, "Remaining": 0}}}`, day(0, dialect.AppUse{Name: "a?" + strings.Repeat("é", 31), Used: 5})},
		"Salesforce, without the day":    {"Salesforce", `{"DailyBulkApiBatches": {"Max": 1, "Remaining": 1}}`, nil},
		"Salesforce, other types":        {"Salesforce", `{"DailyApiRequests": {"Max": "many", "Remaining": null}}`, nil},
		"Salesforce, no JSON":            {"Salesforce", `<html>`, nil},
		"HubSpot": {
			"HubSpot", hubspot(`"collectedAt": "2026-11-23T12:00:00Z", "resetsAt": "2026-11-23T23:00:00Z", "fetchStatus": "SUCCESS"`),
			[]dialect.Reading{{Day: true, Limit: 500_000, Remaining: new(int64(499_999)), Resets: 11 * time.Hour}},
		},
		"HubSpot, without a reset":       {"HubSpot", hubspot(`"fetchStatus": "SUCCESS"`), []dialect.Reading{{Day: true, Limit: 500_000, Remaining: new(int64(499_999))}}},
		"HubSpot, a reset that is over":  {"HubSpot", hubspot(`"resetsAt": "2026-11-22T23:00:00Z"`), []dialect.Reading{{Day: true, Limit: 500_000, Remaining: new(int64(499_999))}}},
		"HubSpot that has not looked":    {"HubSpot", hubspot(`"fetchStatus": "FAILURE"`), nil},
		"HubSpot, figures that are none": {"HubSpot", `{"results": [{"name": "private-apps-api-calls-daily", "usageLimit": 1e300, "currentUsage": -1}]}`, nil},
		"HubSpot, other figures":         {"HubSpot", `{"results": [{"name": "automation-api-calls-daily", "usageLimit": 5, "currentUsage": 1}]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			usage, tells := get(t, test.provider).Usage()
			if !tells || usage.Read == nil {
				t.Fatal("its answers tell nothing")
			}
			if diff := cmp.Diff(test.want, usage.Read([]byte(test.body), now)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestManyApps: the largest ones are kept.
func TestManyApps(t *testing.T) {
	var members []string
	for i := range 40 {
		members = append(members, fmt.Sprintf(`"app %d": {"Max": 100, "Remaining": %d}`, i, 10*(i/5)))
	}
	usage, _ := get(t, "Salesforce").Usage()
	readings := usage.Read([]byte(`{"DailyApiRequests": {"Max": 100, "Remaining": 0, `+strings.Join(members, ",")+`}}`), time.Time{})
	if len(readings) != 1 || len(readings[0].Apps) != dialect.MaxApps || readings[0].Apps[0].Used != 100 || readings[0].Apps[dialect.MaxApps-1].Used != 70 {
		t.Errorf("got %+v", readings)
	}
}

// TestTogether: the header is of the moment, and the body tells what the header does not.
func TestTogether(t *testing.T) {
	left, before := int64(90), int64(95)
	header := []dialect.Reading{{Window: time.Minute, Limit: 9}, {Day: true, Limit: 100, Remaining: &left}}
	body := []dialect.Reading{
		{Day: true, Limit: 100, Remaining: &before, Resets: time.Hour, Apps: []dialect.AppUse{{Name: "a", Used: 1}}}, {Window: time.Hour, Limit: 7},
	}
	want := []dialect.Reading{
		{Window: time.Minute, Limit: 9}, {Day: true, Limit: 100, Remaining: &left, Resets: time.Hour, Apps: []dialect.AppUse{{Name: "a", Used: 1}}},
		{Window: time.Hour, Limit: 7},
	}
	if diff := cmp.Diff(want, dialect.Together(header, body)); diff != "" {
		t.Error(diff)
	}
}
