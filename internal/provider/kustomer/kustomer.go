// SPDX-License-Identifier: Apache-2.0

// Package kustomer adapts the dispatcher to the Kustomer API.
package kustomer

import (
	"net/http"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

// Kustomer is the Kustomer API, /v1. What it does not say otherwise is as with any API.
type Kustomer struct{ generic.Generic }

// Name is Kustomer.
func (Kustomer) Name() string { return "Kustomer" }

// Headers of the organisation's limit (developer.kustomer.com, rate limits). reset is a point in time; that it is in Unix seconds is likely, not confirmed.
const (
	orgLimit = "X-Ratelimit-Limit"
	orgLeft  = "X-Ratelimit-Remaining"
	orgReset = "X-Ratelimit-Reset"
)

// Refused is 429 until the reset. Searches, and writes to one customer, have limits of their own: where the organisation has calls left, it is one of these.
func (Kustomer) Refused(a dialect.Answer, now time.Time) dialect.Verdict {
	if a.Status != http.StatusTooManyRequests {
		return dialect.Verdict{}
	}
	v := a.Refuse(dialect.ScopeLicence, now)
	if v.Wait == 0 {
		v.Wait = dialect.UntilReset(a.Header, orgReset, now)
	}
	switch {
	case !dialect.HasRoom(a.Header, orgLeft):
	case strings.HasPrefix(a.Path, "/v1/customers/") && strings.HasSuffix(a.Path, "/messages"), a.Method == http.MethodPut:
		v.Scope = dialect.ScopeRecord
	default:
		v.Scope = dialect.ScopeOperation
	}
	return v
}

// Refusal is 429 in the form of Kustomer's errors; Retry-After is an addition.
func (Kustomer) Refusal(r dialect.Refusal) dialect.Response {
	return r.Response(http.StatusTooManyRequests, map[string]any{
		"errors": []map[string]any{{"status": http.StatusTooManyRequests, "code": "too_many_requests", "title": r.Detail}},
	})
}

// ShowShare writes the headers of the organisation's limit.
func (Kustomer) ShowShare(header http.Header, share dialect.Share) {
	dialect.SetCount(header, orgLimit, share.Most)
	dialect.SetCount(header, orgLeft, share.Left)
	dialect.SetReset(header, orgReset, share)
}

// Links are those of pages, as in JSON:API.
func (Kustomer) Links() []dialect.Link {
	return []dialect.Link{{"links", "next"}, {"links", "prev"}, {"links", "first"}, {"links", "last"}}
}
