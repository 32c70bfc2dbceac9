// SPDX-License-Identifier: Apache-2.0

// Package generic adapts the dispatcher to any HTTP API that counts calls. It knows no operations: manifests match methods and paths.
package generic

import (
	"net/http"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// Generic keeps to the standards where there are some.
type Generic struct{}

// Name is Generic.
func (Generic) Name() string { return "Generic" }

// Operations are none.
func (Generic) Operations() []dialect.Operation { return nil }

// Classify goes by the method alone.
func (Generic) Classify(method, _ string, _ []byte) dialect.Class {
	return dialect.Class{Idempotent: dialect.IdempotentMethod(method)}
}

// Canonical is the path as it is.
func (Generic) Canonical(path string) string { return path }

// Jobs are not known.
func (Generic) Jobs(string, int, []byte) (started, ended []string) { return nil, nil }

// PollJobs cannot ask.
func (Generic) PollJobs([]string) (poll dialect.Request, asked int) { return poll, 0 }

// Batch is not known.
func (Generic) Batch(string) (dialect.Batch, bool) { return nil, false }

// Mixed finds nothing that takes calls of different operations.
func (Generic) Mixed() (dialect.MixedBatch, bool) { return nil, false }

// Refused is 429, and 503 with a Retry-After: without one it is an outage.
func (Generic) Refused(a dialect.Answer, now time.Time) dialect.Verdict {
	_, asked := dialect.RetryAfter(a.Header, now)
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable && asked {
		return a.Refuse(dialect.ScopeLicence, now)
	}
	return dialect.Verdict{}
}

// Refusal is a problem document with 429 and Retry-After.
func (Generic) Refusal(r dialect.Refusal) dialect.Response {
	return dialect.QuotaProblem(r)
}

// ShowShare has nothing to change: there are no headers that all APIs have.
func (Generic) ShowShare(http.Header, dialect.Share) {}

// Links are the usual names: of plain APIs, JSON:API, HAL and OData. A member is rewritten only if its value leads to the CRM, so that a name too many does no harm.
func (Generic) Links() []dialect.Link {
	return []dialect.Link{
		{"next"}, {"previous"}, {"next_page"}, {"previous_page"}, {"next_url"}, {"previous_url"},
		{"links", "next"}, {"links", "prev"}, {"links", "first"}, {"links", "last"},
		{"_links", "next", "href"}, {"_links", "prev", "href"},
		{"paging", "next", "link"}, {"paging", "prev", "link"},
		{"@odata.nextLink"},
	}
}

// IdentityHeaders are not known.
func (Generic) IdentityHeaders() []string { return nil }

// Keys are in no other place than usual.
func (Generic) Keys() dialect.Keys { return dialect.Keys{} }

// Account is the one that is declared.
func (Generic) Account(declared, _ string) string { return strings.ToLower(declared) }

// TokenPath is not known.
func (Generic) TokenPath() string { return "" }

// TokenFields are none.
func (Generic) TokenFields(string, time.Time) map[string]string { return nil }
