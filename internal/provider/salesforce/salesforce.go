// SPDX-License-Identifier: Apache-2.0

// Package salesforce adapts the dispatcher to the Salesforce REST API.
package salesforce

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

// Salesforce is the Salesforce REST API, /services/data. What it does not say otherwise is as with any API.
type Salesforce struct{ generic.Generic }

// Name is Salesforce.
func (Salesforce) Name() string { return "Salesforce" }

// limitExceeded is the code for the org's limit of a day and for calls at a time alike (Salesforce Developer Limits and Allocations Quick Reference).
const limitExceeded = "REQUEST_LIMIT_EXCEEDED"

// usageHeader tells of the org's calls in the last 24 hours, as in "api-usage=10018/100000"; there may be other pairs behind a semicolon.
const usageHeader = "Sforce-Limit-Info"

// Refused is 403 with the code for limits, and 503 of Connect REST, which has a limit an hour of its own. There is no Retry-After. Which limit it was, the usage
// in the header tells.
func (Salesforce) Refused(a dialect.Answer, now time.Time) dialect.Verdict {
	switch {
	case a.Status == http.StatusTooManyRequests:
		return a.Refuse(dialect.ScopeLicence, now)
	case a.Status == http.StatusServiceUnavailable && connect(a.Path):
		return a.Refuse(dialect.ScopeOperation, now)
	case a.Status != http.StatusForbidden:
		return dialect.Verdict{}
	}
	var failures []struct {
		Code string `json:"errorCode"`
	}
	a.JSON(&failures)
	for _, f := range failures {
		if f.Code == limitExceeded {
			return dialect.Verdict{Refused: true, Wait: pause(a.Header)}
		}
	}
	return dialect.Verdict{}
}

// pause is short if the org has calls left: then too many ran at a time.
func pause(header http.Header) time.Duration {
	used, most, known := usage(header)
	if known && used < most-most/100 { // the header is not exact
		return dialect.BusyPause
	}
	return dialect.ProbePause // a rolling window: any moment can free some
}

// usage reads how many calls the org has made, and how many it may make.
func usage(header http.Header) (used, most int64, known bool) {
	for pair := range strings.SplitSeq(header.Get(usageHeader), ";") {
		figures, is := strings.CutPrefix(strings.TrimSpace(pair), "api-usage=")
		if !is {
			continue
		}
		u, m, _ := strings.Cut(figures, "/")
		used, err := strconv.ParseInt(u, 10, 64)
		if err != nil {
			return 0, 0, false
		}
		most, err := strconv.ParseInt(m, 10, 64)
		return used, most, err == nil && used >= 0 && most > 0 && most <= dialect.MaxReading
	}
	return 0, 0, false
}

// connect says whether a path is of Connect REST, called Chatter REST before.
func connect(path string) bool {
	return strings.HasPrefix(path, "/services/data/v/connect/") || strings.HasPrefix(path, "/services/data/v/chatter/")
}

// Refusal is 403 with the code that clients know.
func (Salesforce) Refusal(r dialect.Refusal) dialect.Response {
	return r.Response(http.StatusForbidden, []map[string]string{{"errorCode": limitExceeded, "message": r.Detail}})
}

// ShowShare writes the usage of the share.
func (Salesforce) ShowShare(header http.Header, share dialect.Share) {
	header.Set(usageHeader, fmt.Sprintf("api-usage=%d/%d", share.Most-share.Left, share.Most))
}

// Links are those to the next records of a query, to pages of Connect REST, and the base URL that comes with a token. Most are paths, which lead nowhere else.
func (Salesforce) Links() []dialect.Link {
	return []dialect.Link{{"nextRecordsUrl"}, {"nextPageUrl"}, {"previousPageUrl"}, {"instance_url"}}
}

// IdentityHeaders carry a session of the older Bulk API.
func (Salesforce) IdentityHeaders() []string { return []string{"X-Sfdc-Session"} }

// Account is the My Domain, with the parts that tell a sandbox from its production org.
func (Salesforce) Account(declared, host string) string {
	return dialect.AccountIn(".my.salesforce.com", declared, host)
}

// TokenPath is where access tokens come from.
func (Salesforce) TokenPath() string { return "/services/oauth2/token" }

// TokenFields are those that Salesforce's packages read: where to send calls, and who is signed in (Salesforce Help, OAuth 2.0 Username-Password Flow). Whose IDs
// they are only the CRM knows, so id leads to where it tells.
func (Salesforce) TokenFields(url string, now time.Time) map[string]string {
	return map[string]string{
		"instance_url": url, "id": url + "/services/oauth2/userinfo", "issued_at": strconv.FormatInt(now.UnixMilli(), 10), "scope": "api",
	}
}
