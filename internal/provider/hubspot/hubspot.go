// SPDX-License-Identifier: Apache-2.0

// Package hubspot adapts the dispatcher to the HubSpot API.
package hubspot

import (
	"net/http"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

// HubSpot is the HubSpot API. What it does not say otherwise is as with any API.
type HubSpot struct{ generic.Generic }

// Name is HubSpot.
func (HubSpot) Name() string { return "HubSpot" }

// Names of the policies that a refusal is by, and headers of the app's and of the account's limit
// (developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines).
const (
	daily       = "DAILY"
	tenSecondly = "TEN_SECONDLY_ROLLING"
	secondly    = "SECONDLY"

	burstLimit  = "X-Hubspot-Ratelimit-Max"
	burstLeft   = "X-Hubspot-Ratelimit-Remaining"
	burstPeriod = "X-Hubspot-Ratelimit-Interval-Milliseconds"
	dayLimit    = "X-Hubspot-Ratelimit-Daily"
	dayLeft     = "X-Hubspot-Ratelimit-Daily-Remaining"
)

// Other refusals (developers.hubspot.com/docs/api-reference/error-handling).
const (
	recordLocked = http.StatusLocked
	// migrating is HubSpot's own status while it moves an account to another data centre; Retry-After says for how long.
	migrating = 477
	// lockPause is the least that HubSpot asks for after a locked record.
	lockPause = 2 * time.Second
)

// Refused is 429, by the policy that the body names: of the app in 10 seconds, of the account in a day, or of the search in a second. 423 is about one record, 477
// about the account. None but 477 says for how long.
func (HubSpot) Refused(a dialect.Answer, now time.Time) dialect.Verdict {
	v := a.Refuse(dialect.ScopeLicence, now)
	switch a.Status {
	case migrating:
		return v
	case recordLocked:
		v.Scope, v.Wait = dialect.ScopeRecord, max(v.Wait, lockPause)
		return v
	case http.StatusTooManyRequests:
	default:
		return dialect.Verdict{}
	}
	var body struct {
		Policy string `json:"policyName"`
	}
	a.JSON(&body)
	switch {
	case body.Policy == secondly, body.Policy == "" && strings.HasSuffix(a.Path, "/search"):
		v.Scope, v.Wait = dialect.ScopeOperation, max(v.Wait, time.Second)
	case body.Policy == daily && v.Wait == 0:
		v.Wait = dialect.ProbePause // until midnight in the account's zone, which is not known here
	}
	return v
}

// Refusal is 429 with the policy whose pause is nearest: HubSpot's own client packages go by its name.
func (HubSpot) Refusal(r dialect.Refusal) dialect.Response {
	policy := tenSecondly
	switch {
	case r.RetryAfter > 10*time.Second:
		policy = daily
	case 0 < r.RetryAfter && r.RetryAfter <= time.Second:
		policy = secondly
	}
	return r.Response(http.StatusTooManyRequests, map[string]string{
		"status": "error", "message": r.Detail, "errorType": "RATE_LIMIT", "category": "RATE_LIMITS", "policyName": policy,
	})
}

// ShowShare writes the headers of the burst limit. Those of the day and of a second go: they tell of the licence.
func (HubSpot) ShowShare(header http.Header, share dialect.Share) {
	for _, name := range []string{dayLimit, dayLeft, "X-Hubspot-Ratelimit-Secondly", "X-Hubspot-Ratelimit-Secondly-Remaining"} {
		header.Del(name)
	}
	dialect.SetCount(header, burstLimit, share.Most)
	dialect.SetCount(header, burstLeft, share.Left)
	dialect.SetCount(header, burstPeriod, max(share.Renews, time.Second).Milliseconds())
}

// Links are those of pages.
func (HubSpot) Links() []dialect.Link {
	return []dialect.Link{{"paging", "next", "link"}, {"paging", "prev", "link"}}
}

// TokenPath is where access tokens come from; /oauth/v1/token ends on 16 February 2027.
func (HubSpot) TokenPath() string { return "/oauth/2026-03/token" }
