// SPDX-License-Identifier: Apache-2.0

// Package dynamics365 adapts the dispatcher to the Dataverse Web API of Dynamics 365.
package dynamics365

import (
	"net/http"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
	"github.com/crmquota/crm-quota-operator/internal/provider/generic"
)

// Dynamics365 is the Dataverse Web API, /api/data. What it does not say otherwise is as with any API.
type Dynamics365 struct{ generic.Generic }

// Name is Dynamics365.
func (Dynamics365) Name() string { return "Dynamics365" }

// Codes of refusals, of the user's limits on one web server (learn.microsoft.com/power-apps/developer/data-platform/api-limits).
const (
	tooManyRequests = "0x80072322"
	tooManyAtOnce   = "0x80072326"
)

// Refused is 429 with Retry-After: of the requests or the execution time in 5 minutes, or of requests at a time. All count for one user. The search has a limit of
// its own.
func (Dynamics365) Refused(a dialect.Answer, now time.Time) dialect.Verdict {
	if a.Status != http.StatusTooManyRequests {
		return dialect.Verdict{}
	}
	var body struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	a.JSON(&body)
	v := a.Refuse(dialect.ScopeLicence, now)
	switch {
	case strings.HasPrefix(a.Path, "/api/search/"):
		v.Scope, v.Wait = dialect.ScopeOperation, max(v.Wait, time.Second)
	case body.Error.Code == tooManyAtOnce && v.Wait == 0:
		v.Wait = dialect.BusyPause
	}
	return v
}

// Refusal is Dataverse's 429 for too many requests, with Retry-After.
func (Dynamics365) Refusal(r dialect.Refusal) dialect.Response {
	return r.Response(http.StatusTooManyRequests, map[string]any{"error": map[string]string{"code": tooManyRequests, "message": r.Detail}})
}

// ShowShare writes how many requests are left. That of the time that is left goes: it tells of the whole user.
func (Dynamics365) ShowShare(header http.Header, share dialect.Share) {
	header.Del("X-Ms-Ratelimit-Time-Remaining-Xrm-Requests")
	dialect.SetCount(header, "X-Ms-Ratelimit-Burst-Remaining-Xrm-Requests", share.Left)
}

// Links are those of pages and of changes since.
func (Dynamics365) Links() []dialect.Link {
	return []dialect.Link{{"@odata.nextLink"}, {"@odata.deltaLink"}}
}

// IdentityHeaders have the application act for a user.
func (Dynamics365) IdentityHeaders() []string { return []string{"Callerobjectid", "Mscrmcallerid"} }

// Account is the organisation and its region, such as contoso.crm4. The host of its API names the same organisation.
func (Dynamics365) Account(declared, host string) string {
	return strings.Replace(dialect.AccountIn(".dynamics.com", declared, host), ".api.crm", ".crm", 1)
}
