// SPDX-License-Identifier: Apache-2.0

// Package zendesk adapts the dispatcher to the Zendesk Support API.
package zendesk

import (
	"encoding/json"
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

// Refused is any 429: over the licence's rate, an endpoint's limit, or too many jobs.
func (Zendesk) Refused(status int, header http.Header, now time.Time) (time.Duration, bool) {
	wait, _ := dialect.RetryAfter(header, now)
	return wait, status == http.StatusTooManyRequests
}

// Refusal is Zendesk's 429 with Retry-After, so that its clients back off as they would there.
func (Zendesk) Refusal(r dialect.Refusal) dialect.Response {
	body, err := json.Marshal(struct {
		Error       string `json:"error"`
		Description string `json:"description"`
	}{"APIRateLimitExceeded", r.Detail})
	if err != nil { // strings always encode
		panic(err)
	}
	header := http.Header{}
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("Retry-After", dialect.RetrySeconds(r.RetryAfter))
	return dialect.Response{Status: http.StatusTooManyRequests, Header: header, Body: append(body, '\n')}
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
