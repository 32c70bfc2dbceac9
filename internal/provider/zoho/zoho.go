// SPDX-License-Identifier: Apache-2.0

// Package zoho adapts the dispatcher to the Zoho CRM API.
package zoho

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

// ZohoCRM is the Zoho CRM API, /crm. What it does not say otherwise is as with any API.
type ZohoCRM struct{ generic.Generic } //nolint:revive // it is called as spec.provider calls it

// Name is ZohoCRM.
func (ZohoCRM) Name() string { return "ZohoCRM" }

const (
	// creditsLeft is sent only from when half of the credits are used.
	creditsLeft = "X-Api-Credits-Remaining"
	tooMany     = "TOO_MANY_REQUESTS"
)

// Refused is 429, of credits and of calls at a time alike, without Retry-After. Where credits are left, or so many that they are not told, too many calls ran at a
// time: it is tried again soon, and at growing intervals where that cannot be told.
func (ZohoCRM) Refused(a dialect.Answer, now time.Time) dialect.Verdict {
	if a.Status != http.StatusTooManyRequests {
		return dialect.Verdict{}
	}
	v := a.Refuse(dialect.ScopeLicence, now)
	left, told := dialect.Number(a.Header, creditsLeft)
	switch {
	case v.Wait > 0 || !told:
	case left == 0:
		v.Wait = dialect.ProbePause
	default:
		v.Wait = dialect.BusyPause
	}
	return v
}

// Refusal is Zoho's 429; Retry-After is an addition.
func (ZohoCRM) Refusal(r dialect.Refusal) dialect.Response {
	return r.Response(http.StatusTooManyRequests, map[string]any{
		"code": tooMany, "details": map[string]string{}, "message": r.Detail, "status": "error",
	})
}

// ShowShare writes the credits that are left.
func (ZohoCRM) ShowShare(header http.Header, share dialect.Share) {
	dialect.SetCount(header, creditsLeft, share.Left)
}

// Links are none: pages are asked for by tokens.
func (ZohoCRM) Links() []dialect.Link { return nil }

// Keys are tokens with a scheme of Zoho's own.
func (ZohoCRM) Keys() dialect.Keys { return dialect.Keys{Scheme: "Zoho-oauthtoken"} }
