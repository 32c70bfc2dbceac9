// SPDX-License-Identifier: Apache-2.0

package provider_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

var names = []string{"Generic", "Zendesk"}

func get(t *testing.T, name string) provider.Provider {
	t.Helper()
	p, found := provider.ByName(name)
	if !found || p.Name() != name {
		t.Fatalf("ByName(%q) = %v, %v", name, p, found)
	}
	return p
}

func TestByNameKnowsNoOther(t *testing.T) {
	for _, name := range []string{"", "zendesk", "SugarCRM"} {
		if p, found := provider.ByName(name); found {
			t.Errorf("ByName(%q) = %v, want none", name, p)
		}
	}
}

func TestOperationsAreFoundByName(t *testing.T) {
	for _, name := range names {
		p := get(t, name)
		var listed []string
		for _, want := range p.Operations() {
			listed = append(listed, want.Name)
			if got, found := provider.Operation(p, want.Name); !found || got != want {
				t.Errorf("%s: Operation(%q) = %+v, %v", name, want.Name, got, found)
			}
		}
		if !slices.IsSorted(listed) {
			t.Errorf("%s: operations are not in order: %v", name, listed)
		}
		if _, found := provider.Operation(p, "NoSuchOperation"); found {
			t.Errorf("%s knows NoSuchOperation", name)
		}
	}
}

func TestRefusedGivesTheTimeTheCRMAskedFor(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	type outcome struct {
		Wait    time.Duration
		Refused bool
	}
	for name, test := range map[string]struct {
		provider   string
		status     int
		retryAfter string
		want       outcome
	}{
		"Zendesk refuses with seconds":                {"Zendesk", 429, "41", outcome{41 * time.Second, true}},
		"Zendesk refuses with a date":                 {"Zendesk", 429, "Mon, 23 Nov 2026 12:01:00 GMT", outcome{time.Minute, true}},
		"a date that is over means now":               {"Zendesk", 429, "Mon, 23 Nov 2026 11:00:00 GMT", outcome{0, true}},
		"Zendesk refuses without a time":              {"Zendesk", 429, "", outcome{0, true}},
		"a time that is no time counts as none":       {"Zendesk", 429, "-5", outcome{0, true}},
		"a year is cut to a day":                      {"Zendesk", 429, "31536000", outcome{24 * time.Hour, true}},
		"a Zendesk outage is no refusal":              {"Zendesk", 503, "30", outcome{30 * time.Second, false}},
		"success is no refusal":                       {"Zendesk", 200, "", outcome{}},
		"any API refuses with 429":                    {"Generic", 429, "7", outcome{7 * time.Second, true}},
		"any API refuses with 503 when it says until": {"Generic", 503, "7", outcome{7 * time.Second, true}},
		"an outage is no refusal":                     {"Generic", 503, "", outcome{}},
		"Retry-After on success is no refusal":        {"Generic", 202, "7", outcome{7 * time.Second, false}},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			if test.retryAfter != "" {
				header.Set("Retry-After", test.retryAfter)
			}
			wait, refused := get(t, test.provider).Refused(test.status, header, now)
			if diff := cmp.Diff(test.want, outcome{wait, refused}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefusalSpeaksTheDialect(t *testing.T) {
	refusal := dialect.Refusal{
		Reason: contract.ReasonLimitReached, Limit: "minute", RetryAfter: 1500 * time.Millisecond, Detail: "limit minute has no room",
	}
	for name, want := range map[string]struct {
		contentType string
		body        map[string]any
	}{
		"Zendesk": {"application/json; charset=utf-8", map[string]any{
			"error": "APIRateLimitExceeded", "description": "limit minute has no room",
		}},
		"Generic": {"application/problem+json", map[string]any{
			"type": "https://iana.org/assignments/http-problem-types#quota-exceeded", "title": "Quota exceeded", "status": 429.0,
			"detail": "limit minute has no room", "reason": "LimitReached", "violated-policies": []any{"minute"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := get(t, name).Refusal(refusal)
			wantHeader := http.Header{"Content-Type": {want.contentType}, "Retry-After": {"2"}}
			if diff := cmp.Diff(wantHeader, got.Header); diff != "" {
				t.Error(diff)
			}
			var body map[string]any
			if err := json.Unmarshal(got.Body, &body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.body, body); diff != "" {
				t.Error(diff)
			}
			if got.Status != http.StatusTooManyRequests {
				t.Errorf("status %d, want 429", got.Status)
			}
		})
	}
}

func TestRetrySecondsNeverSaysZero(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "30", -time.Second: "30", 1: "1", time.Second: "1", time.Second + 1: "2", time.Hour: "3600",
	} {
		if got := dialect.RetrySeconds(d); got != want {
			t.Errorf("RetrySeconds(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestIdentityHeadersAreCanonical(t *testing.T) {
	for _, name := range names {
		for _, header := range get(t, name).IdentityHeaders() {
			if http.CanonicalHeaderKey(header) != header {
				t.Errorf("%s: %q is not canonical", name, header)
			}
		}
	}
}
