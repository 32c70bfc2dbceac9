// SPDX-License-Identifier: Apache-2.0

// Package zendesk adapts the dispatcher to the Zendesk Support API.
package zendesk

import (
	"net/http"
	"strconv"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

// Zendesk is the Zendesk Support API, /api/v2. What it does not say otherwise is as with any API.
type Zendesk struct{ generic.Generic }

// Name is Zendesk.
func (Zendesk) Name() string { return "Zendesk" }

// Refused is any 429: over the licence's rate, or an endpoint's limit. Where the account has calls left (X-Rate-Limit-Remaining), it is not the licence's rate. Of
// limits of single endpoints that are not published, only such answers tell. Too many jobs are told by the body: with which status is not documented.
func (Zendesk) Refused(a dialect.Answer, now time.Time) dialect.Verdict {
	var body struct {
		Error string `json:"error"`
	}
	a.JSON(&body)
	switch {
	case body.Error == "TooManyJobs":
		return a.Refuse(dialect.ScopeOperation, now)
	case a.Status != http.StatusTooManyRequests:
		return dialect.Verdict{}
	case dialect.HasRoom(a.Header, "X-Rate-Limit-Remaining"):
		return a.Refuse(dialect.ScopeOperation, now)
	}
	return a.Refuse(dialect.ScopeLicence, now)
}

// Refusal is Zendesk's 429 with Retry-After, so that its clients back off as they would there.
func (Zendesk) Refusal(r dialect.Refusal) dialect.Response {
	return r.Response(http.StatusTooManyRequests, struct {
		Error       string `json:"error"`
		Description string `json:"description"`
	}{"APIRateLimitExceeded", r.Detail})
}

// ShowShare writes the headers of the account's rate, in calls and seconds. Those of single endpoints stay: nobody shares them out.
func (Zendesk) ShowShare(header http.Header, share dialect.Share) {
	most, left := strconv.FormatInt(share.Most, 10), strconv.FormatInt(share.Left, 10)
	header.Set("X-Rate-Limit", most)
	header.Set("X-Rate-Limit-Remaining", left)
	header.Set("Ratelimit-Limit", most)
	header.Set("Ratelimit-Remaining", left)
	header.Set("Ratelimit-Reset", dialect.RetrySeconds(max(share.Renews, time.Second)))
}

// Links are those of offset and cursor pages, incremental exports, and jobs. The url of a record is left alone: people store it.
func (Zendesk) Links() []dialect.Link {
	return []dialect.Link{
		{"next_page"}, {"previous_page"},
		{"links", "next"}, {"links", "prev"},
		{"after_url"}, {"before_url"},
		{"job_status", "url"}, {"job_statuses", dialect.Each, "url"},
	}
}

// IdentityHeaders let an agent act for an end user.
func (Zendesk) IdentityHeaders() []string { return []string{"X-On-Behalf-Of"} }

// Account is the subdomain of zendesk.com, or the whole host elsewhere.
func (Zendesk) Account(declared, host string) string {
	return dialect.AccountIn(".zendesk.com", declared, host)
}

// TokenPath is where access tokens come from (developer.zendesk.com/documentation/api-basics/authentication/oauth-migration).
func (Zendesk) TokenPath() string { return "/oauth/tokens" }
