// SPDX-License-Identifier: Apache-2.0

// Package intercom adapts the dispatcher to the Intercom API.
package intercom

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

// Intercom is the Intercom API. What it does not say otherwise is as with any API.
type Intercom struct{ generic.Generic }

// Name is Intercom.
func (Intercom) Name() string { return "Intercom" }

// Headers of the window of 10 seconds; reset is in Unix seconds (developers.intercom.com, rate limiting).
const (
	windowLimit = "X-Ratelimit-Limit"
	windowLeft  = "X-Ratelimit-Remaining"
	windowReset = "X-Ratelimit-Reset"
)

// Refused is 429 until the window's end.
func (Intercom) Refused(a dialect.Answer, now time.Time) dialect.Verdict {
	if a.Status != http.StatusTooManyRequests {
		return dialect.Verdict{}
	}
	v := a.Refuse(dialect.ScopeLicence, now)
	if v.Wait == 0 {
		v.Wait = dialect.UntilReset(a.Header, windowReset, now)
	}
	return v
}

// Refusal is Intercom's 429; Retry-After is an addition.
func (Intercom) Refusal(r dialect.Refusal) dialect.Response {
	return r.Response(http.StatusTooManyRequests, map[string]any{
		"type": "error.list", "errors": []map[string]string{{"code": "rate_limit_exceeded", "message": r.Detail}},
	})
}

// ShowShare writes the headers of the window.
func (Intercom) ShowShare(header http.Header, share dialect.Share) {
	dialect.SetCount(header, windowLimit, share.Most)
	dialect.SetCount(header, windowLeft, share.Left)
	dialect.SetReset(header, windowReset, share)
}

// Links are those of pages; newer versions of the API have cursors there.
func (Intercom) Links() []dialect.Link { return []dialect.Link{{"pages", "next"}, {"pages", "prev"}} }
