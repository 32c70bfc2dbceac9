// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// unix is a moment as headers have it.
func unix(after time.Duration) string { return strconv.FormatInt(now.Add(after).Unix(), 10) }

// answer of a CRM; headers are names and values in turn.
func answer(status int, body string, headers ...string) dialect.Answer {
	a := dialect.Answer{Method: http.MethodPost, Status: status, Header: http.Header{}, Body: []byte(body)}
	for i := 0; i < len(headers); i += 2 {
		a.Header.Set(headers[i], headers[i+1])
	}
	return a
}

func at(path string, a dialect.Answer) dialect.Answer {
	a.Path = path
	return a
}

func by(method string, a dialect.Answer) dialect.Answer {
	a.Method = method
	return a
}

// TestRefused holds each dialect against answers as its CRM gives them.
func TestRefused(t *testing.T) {
	licence := func(wait time.Duration) dialect.Verdict {
		return dialect.Verdict{Refused: true, Scope: dialect.ScopeLicence, Wait: wait}
	}
	operation := func(wait time.Duration) dialect.Verdict {
		return dialect.Verdict{Refused: true, Scope: dialect.ScopeOperation, Wait: wait}
	}
	record := func(wait time.Duration) dialect.Verdict {
		return dialect.Verdict{Refused: true, Scope: dialect.ScopeRecord, Wait: wait}
	}
	const (
		exceeded = `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`
		hubspot  = `{"status":"error","message":"You have reached a limit.","errorType":"RATE_LIMIT","policyName":"`
		zoho     = `{"code":"TOO_MANY_REQUESTS","details":{},"message":"Too many requests","status":"error"}`
	)
	type row struct {
		provider string
		answer   dialect.Answer
		want     dialect.Verdict
	}
	for name, test := range map[string]row{
		"Zendesk refuses with seconds":             {"Zendesk", answer(429, "", "Retry-After", "41"), licence(41 * time.Second)},
		"Zendesk refuses with a date":              {"Zendesk", answer(429, "", "Retry-After", "Mon, 23 Nov 2026 12:01:00 GMT"), licence(time.Minute)},
		"a date that is over means now":            {"Zendesk", answer(429, "", "Retry-After", "Mon, 23 Nov 2026 11:00:00 GMT"), licence(0)},
		"Zendesk refuses without a time":           {"Zendesk", answer(429, ""), licence(0)},
		"a time that is no time counts as none":    {"Zendesk", answer(429, "", "Retry-After", "-5"), licence(0)},
		"a year is cut to a day":                   {"Zendesk", answer(429, "", "Retry-After", "31536000"), licence(24 * time.Hour)},
		"a Zendesk outage is no refusal":           {"Zendesk", answer(503, "", "Retry-After", "30"), dialect.Verdict{}},
		"success is no refusal":                    {"Zendesk", answer(200, ""), dialect.Verdict{}},
		"Zendesk has too many jobs":                {"Zendesk", answer(429, `{"error":"TooManyJobs"}`, "Retry-After", "60"), operation(time.Minute)},
		"Zendesk says so with another status":      {"Zendesk", answer(422, `{"error":"TooManyJobs"}`), operation(0)},
		"Zendesk has calls left":                   {"Zendesk", answer(429, "", "Retry-After", "9", "X-Rate-Limit-Remaining", "312"), operation(9 * time.Second)},
		"Zendesk has none left":                    {"Zendesk", answer(429, "", "Retry-After", "9", "X-Rate-Limit-Remaining", "0"), licence(9 * time.Second)},
		"Salesforce's day is used up":              {"Salesforce", answer(403, exceeded, "Sforce-Limit-Info", "api-usage=100018/100000"), licence(time.Minute)},
		"Salesforce runs too many calls":           {"Salesforce", answer(403, exceeded, "Sforce-Limit-Info", "api-bursts=1/750; api-usage=5018/100000"), licence(2 * time.Second)},
		"Salesforce does not say how many":         {"Salesforce", answer(403, exceeded), licence(time.Minute)},
		"Salesforce's usage cannot be read":        {"Salesforce", answer(403, exceeded, "Sforce-Limit-Info", "api-usage=5018"), licence(time.Minute)},
		"Salesforce gives no right":                {"Salesforce", answer(403, `[{"errorCode":"INSUFFICIENT_ACCESS","message":"no"}]`), dialect.Verdict{}},
		"Salesforce's 403 in another form":         {"Salesforce", answer(403, `{"errorCode":"REQUEST_LIMIT_EXCEEDED"}`), dialect.Verdict{}},
		"Salesforce Connect has its own limit":     {"Salesforce", at("/services/data/v/connect/communities", answer(503, "")), operation(0)},
		"a Salesforce outage is no refusal":        {"Salesforce", at("/services/data/v/query", answer(503, "")), dialect.Verdict{}},
		"HubSpot's day":                            {"HubSpot", answer(429, hubspot+`DAILY"}`), licence(time.Minute)},
		"HubSpot's ten seconds":                    {"HubSpot", answer(429, hubspot+`TEN_SECONDLY_ROLLING"}`), licence(0)},
		"HubSpot's search":                         {"HubSpot", answer(429, hubspot+`SECONDLY"}`), operation(time.Second)},
		"HubSpot's search by its path":             {"HubSpot", at("/crm/objects/contacts/search", answer(429, "")), operation(time.Second)},
		"HubSpot does not name the policy":         {"HubSpot", answer(429, "<html>"), licence(0)},
		"HubSpot has locked a record":              {"HubSpot", answer(423, ""), record(2 * time.Second)},
		"HubSpot is moving the account":            {"HubSpot", answer(477, "", "Retry-After", "3600"), licence(time.Hour)},
		"HubSpot finds a conflict":                 {"HubSpot", answer(409, ""), dialect.Verdict{}},
		"Dataverse has too many requests":          {"Dynamics365", answer(429, `{"error":{"code":"0x80072322","message":"..."}}`, "Retry-After", "182"), licence(182 * time.Second)},
		"Dataverse runs too many at a time":        {"Dynamics365", answer(429, `{"error":{"code":"0x80072326","message":"..."}}`), licence(2 * time.Second)},
		"Dataverse's search":                       {"Dynamics365", at("/api/search/v1.0/query", answer(429, "")), operation(time.Second)},
		"ServiceNow's rule":                        {"ServiceNow", answer(429, "", "X-RateLimit-Rule", "ab12", "X-RateLimit-Limit", "10", "Retry-After", "900"), operation(15 * time.Minute)},
		"ServiceNow's rule without Retry-After":    {"ServiceNow", answer(429, "", "X-RateLimit-Limit", "10", "X-RateLimit-Reset", unix(time.Hour)), operation(time.Hour)},
		"ServiceNow is busy":                       {"ServiceNow", answer(429, ""), licence(2 * time.Second)},
		"Freshdesk's minute":                       {"Freshdesk", answer(429, "", "Retry-After", "12", "X-RateLimit-Remaining", "0"), licence(12 * time.Second)},
		"Freshdesk's endpoint":                     {"Freshdesk", answer(429, "", "Retry-After", "12", "X-RateLimit-Remaining", "100.0"), operation(12 * time.Second)},
		"Zoho's credits":                           {"ZohoCRM", answer(429, zoho, "X-API-CREDITS-REMAINING", "0"), licence(time.Minute)},
		"Zoho runs too many calls":                 {"ZohoCRM", answer(429, zoho, "X-API-CREDITS-REMAINING", "20000"), licence(2 * time.Second)},
		"Zoho does not say which":                  {"ZohoCRM", answer(429, zoho), licence(0)},
		"Pipedrive's burst":                        {"Pipedrive", answer(429, "", "x-ratelimit-remaining", "0", "x-ratelimit-reset", "2"), licence(2 * time.Second)},
		"Pipedrive's day":                          {"Pipedrive", answer(429, "", "x-ratelimit-remaining", "12", "x-ratelimit-reset", "2"), licence(time.Minute)},
		"Pipedrive does not say which":             {"Pipedrive", answer(429, ""), licence(0)},
		"Pipedrive's reset in other units":         {"Pipedrive", answer(429, "", "x-ratelimit-remaining", "0", "x-ratelimit-reset", unix(0)), licence(0)},
		"Pipedrive blocks":                         {"Pipedrive", answer(403, "<!DOCTYPE html>", "Content-Type", "text/html; charset=UTF-8"), licence(time.Minute)},
		"Pipedrive gives no right":                 {"Pipedrive", answer(403, `{"success":false}`, "Content-Type", "application/json"), dialect.Verdict{}},
		"Intercom until the window's end":          {"Intercom", answer(429, "", "X-RateLimit-Reset", unix(7*time.Second)), licence(7 * time.Second)},
		"Intercom's clock is ahead":                {"Intercom", answer(429, "", "Date", "Mon, 23 Nov 2026 12:05:00 GMT", "X-RateLimit-Reset", unix(5*time.Minute+7*time.Second)), licence(7 * time.Second)},
		"Intercom's reset is over":                 {"Intercom", answer(429, "", "X-RateLimit-Reset", unix(-time.Minute)), licence(0)},
		"Intercom's reset is far, a slip":          {"Intercom", answer(429, "", "X-RateLimit-Reset", unix(1000*time.Hour)), licence(0)},
		"Kustomer until the reset":                 {"Kustomer", answer(429, "", "x-ratelimit-remaining", "0", "x-ratelimit-reset", unix(40*time.Second)), licence(40 * time.Second)},
		"Kustomer's customer":                      {"Kustomer", at("/v1/customers/5c/messages", answer(429, "", "x-ratelimit-remaining", "700")), record(0)},
		"Kustomer's record":                        {"Kustomer", by("PUT", at("/v1/conversations/5c", answer(429, "", "x-ratelimit-remaining", "700"))), record(0)},
		"Kustomer's search":                        {"Kustomer", at("/v1/customers/search", answer(429, "", "x-ratelimit-remaining", "700")), operation(0)},
		"any API refuses with 429":                 {"Generic", answer(429, "", "Retry-After", "7"), licence(7 * time.Second)},
		"any API refuses with 503 if it says when": {"Generic", answer(503, "", "Retry-After", "7"), licence(7 * time.Second)},
		"an outage is no refusal":                  {"Generic", answer(503, ""), dialect.Verdict{}},
		"Retry-After on success is no refusal":     {"Generic", answer(202, "", "Retry-After", "7"), dialect.Verdict{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, get(t, test.provider).Refused(test.answer, now)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNoAnswerOfSuccessIsARefusal: a call that was taken must not be sent again.
func TestNoAnswerOfSuccessIsARefusal(t *testing.T) {
	for _, name := range names {
		for _, status := range []int{200, 201, 202, 204, 207, 302, 400, 401, 404, 409, 422, 500} {
			a := answer(status, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]`, "Retry-After", "5", "X-RateLimit-Remaining", "0", "Content-Type", "text/html")
			if v := get(t, name).Refused(a, now); v.Refused {
				t.Errorf("%s takes %d for a refusal", name, status)
			}
		}
	}
}
