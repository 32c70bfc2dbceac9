// SPDX-License-Identifier: Apache-2.0

// Package pipedrive adapts the dispatcher to the Pipedrive API.
package pipedrive

import (
	"net/http"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

// Pipedrive is the Pipedrive API, versions 1 and 2. What it does not say otherwise is as with any API.
type Pipedrive struct{ generic.Generic }

// Name is Pipedrive.
func (Pipedrive) Name() string { return "Pipedrive" }

// Headers of the burst limit, whose reset is in seconds from now (pipedrive.readme.io, rate limiting), and of the company's tokens of the day.
const (
	burstLimit = "X-Ratelimit-Limit"
	burstLeft  = "X-Ratelimit-Remaining"
	burstReset = "X-Ratelimit-Reset"
	dayLimit   = "X-Daily-Ratelimit-Token-Limit"
	dayLeft    = "X-Daily-Ratelimit-Token-Remaining"
)

// mostReset is more than the burst window has: a larger figure means something else.
const mostReset = 60

// Refused is 429, of the burst limit where its headers say that nothing is left, else of the company's tokens of the day. Who goes on then gets 403 with a page in
// HTML from what stands before Pipedrive; a refusal of rights is 403 with JSON.
func (Pipedrive) Refused(a dialect.Answer, now time.Time) dialect.Verdict {
	v := a.Refuse(dialect.ScopeLicence, now)
	switch {
	case a.Status == http.StatusForbidden && strings.HasPrefix(strings.ToLower(a.Header.Get("Content-Type")), "text/html"):
		v.Wait = max(v.Wait, dialect.ProbePause)
		return v
	case a.Status != http.StatusTooManyRequests:
		return dialect.Verdict{}
	case v.Wait > 0:
		return v
	}
	left, told := dialect.Number(a.Header, burstLeft)
	switch reset, ok := dialect.Number(a.Header, burstReset); {
	case !told: // either limit: the dispatcher's own pause grows
	case left > 0:
		v.Wait = dialect.ProbePause
	case ok && reset <= mostReset:
		v.Wait = time.Duration(max(reset, 1)) * time.Second
	}
	return v
}

// Refusal is 429. The shape of Pipedrive's own body is not documented.
func (Pipedrive) Refusal(r dialect.Refusal) dialect.Response {
	return r.Response(http.StatusTooManyRequests, map[string]any{"success": false, "error": r.Detail, "errorCode": http.StatusTooManyRequests})
}

// ShowShare writes the headers of the burst limit. Those of the day go: they tell of the company.
func (Pipedrive) ShowShare(header http.Header, share dialect.Share) {
	for _, name := range []string{"X-Daily-Requests-Left", dayLimit, dayLeft} {
		header.Del(name)
	}
	dialect.SetCount(header, burstLimit, share.Most)
	dialect.SetCount(header, burstLeft, share.Left)
	header.Set(burstReset, dialect.RetrySeconds(max(share.Renews, time.Second)))
}

// Links are none: pages are asked for by cursors and offsets.
func (Pipedrive) Links() []dialect.Link { return nil }

// Keys are in a header of their own.
func (Pipedrive) Keys() dialect.Keys { return dialect.Keys{Header: "X-Api-Token"} }

// Account is the company's subdomain, or the whole host elsewhere. api.pipedrive.com does not tell the company.
func (Pipedrive) Account(declared, host string) string {
	if declared == "" && strings.EqualFold(host, "api.pipedrive.com") {
		return ""
	}
	return dialect.AccountIn(".pipedrive.com", declared, host)
}
