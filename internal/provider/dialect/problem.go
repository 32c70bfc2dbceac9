// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"net/http"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// ProblemMediaType is the media type of a problem document (RFC 9457).
const ProblemMediaType = "application/problem+json"

// quotaExceeded is the registered problem type for exhausted quotas.
const quotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded"

// Problem is a problem document (RFC 9457). Type and Title are filled in from Status where they are empty.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Reason is the code of the refusal.
	Reason contract.Reason `json:"reason,omitempty"`
	// ViolatedPolicies are the names of the limits that have no room.
	ViolatedPolicies []string `json:"violated-policies,omitempty"`
}

// Response is the problem as an answer.
func (p Problem) Response() Response {
	if p.Type == "" {
		p.Type = "about:blank"
	}
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	return Response{Status: p.Status, Header: http.Header{"Content-Type": {ProblemMediaType}}, Body: append(JSON(p), '\n')}
}

// QuotaProblem is a quota refusal as a problem document: 429 with Retry-After.
func QuotaProblem(r Refusal) Response {
	p := Problem{Type: quotaExceeded, Title: "Quota exceeded", Status: http.StatusTooManyRequests, Detail: r.Detail, Reason: r.Reason}
	if r.Limit != "" {
		p.ViolatedPolicies = []string{r.Limit}
	}
	response := p.Response()
	response.Header.Set("Retry-After", RetrySeconds(r.RetryAfter))
	return response
}
