// SPDX-License-Identifier: Apache-2.0

// Package servicenow adapts the dispatcher to the ServiceNow REST API.
package servicenow

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

// ServiceNow is the ServiceNow REST API, /api/now. What it does not say otherwise is as with any API.
type ServiceNow struct{ generic.Generic }

// Name is ServiceNow.
func (ServiceNow) Name() string { return "ServiceNow" }

// Headers of the rule that counts a call; they are there only if one does (ServiceNow's documentation, inbound REST API rate limiting).
const (
	ruleLimit = "X-Ratelimit-Limit"
	ruleReset = "X-Ratelimit-Reset"
	ruleID    = "X-Ratelimit-Rule"
)

// Refused is 429. With the headers of a rule it is that of the administrator for one resource, else all of the instance's threads for the API are busy.
func (ServiceNow) Refused(a dialect.Answer, now time.Time) dialect.Verdict {
	if a.Status != http.StatusTooManyRequests {
		return dialect.Verdict{}
	}
	v := a.Refuse(dialect.ScopeLicence, now)
	switch ruled := a.Header.Get(ruleID) != "" || a.Header.Get(ruleLimit) != ""; {
	case !ruled && v.Wait == 0:
		v.Wait = dialect.BusyPause
	case ruled:
		v.Scope = dialect.ScopeOperation
		if v.Wait == 0 {
			v.Wait = dialect.UntilReset(a.Header, ruleReset, now)
		}
	}
	return v
}

// Refusal is ServiceNow's 429 with Retry-After.
func (ServiceNow) Refusal(r dialect.Refusal) dialect.Response {
	return r.Response(http.StatusTooManyRequests, map[string]any{
		"error": map[string]string{"message": "Rate limit exceeded", "detail": r.Detail}, "status": "failure",
	})
}

// ShowShare writes the headers of a rule.
func (ServiceNow) ShowShare(header http.Header, share dialect.Share) {
	dialect.SetCount(header, ruleLimit, share.Most)
	dialect.SetReset(header, ruleReset, share)
}

// Links are none: pages are linked by the header Link. The links of reference fields are left alone, as people store them.
func (ServiceNow) Links() []dialect.Link { return nil }

// Account is the instance.
func (ServiceNow) Account(declared, host string) string {
	return dialect.AccountIn(".service-now.com", declared, host)
}

// TokenPath is where access tokens come from.
func (ServiceNow) TokenPath() string { return "/oauth_token.do" }
