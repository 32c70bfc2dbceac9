// SPDX-License-Identifier: Apache-2.0

// Package freshdesk adapts the dispatcher to the Freshdesk API.
package freshdesk

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

// Freshdesk is the Freshdesk API, /api/v2. What it does not say otherwise is as with any API.
type Freshdesk struct{ generic.Generic }

// Name is Freshdesk.
func (Freshdesk) Name() string { return "Freshdesk" }

// Headers of the account's limit a minute.
const (
	limitTotal = "X-Ratelimit-Total"
	limitLeft  = "X-Ratelimit-Remaining"
)

// Refused is 429 with Retry-After. Where the account has calls left, it is the limit of one endpoint.
func (Freshdesk) Refused(a dialect.Answer, now time.Time) dialect.Verdict {
	switch {
	case a.Status != http.StatusTooManyRequests:
		return dialect.Verdict{}
	case dialect.HasRoom(a.Header, limitLeft):
		return a.Refuse(dialect.ScopeOperation, now)
	}
	return a.Refuse(dialect.ScopeLicence, now)
}

// Refusal is Freshdesk's 429 with Retry-After.
func (Freshdesk) Refusal(r dialect.Refusal) dialect.Response {
	return r.Response(http.StatusTooManyRequests, map[string]string{"message": r.Detail})
}

// ShowShare writes the headers of the account's limit. What this call has cost stays.
func (Freshdesk) ShowShare(header http.Header, share dialect.Share) {
	dialect.SetCount(header, limitTotal, share.Most)
	dialect.SetCount(header, limitLeft, share.Left)
}

// Links are those to jobs; pages are linked by the header Link.
func (Freshdesk) Links() []dialect.Link { return []dialect.Link{{"href"}} }

// Keys are user names: clients sign in as "<key>:X".
func (Freshdesk) Keys() dialect.Keys { return dialect.Keys{User: true} }

// Account is the subdomain of freshdesk.com, or the whole host elsewhere.
func (Freshdesk) Account(declared, host string) string {
	return dialect.AccountIn(".freshdesk.com", declared, host)
}
