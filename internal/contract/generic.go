// SPDX-License-Identifier: Apache-2.0

package contract

// Generic tells of an API without an adapter.
type Generic struct {
	// Refusals decide in this order; none means that 429, and 503 with Retry-After, are refusals.
	Refusals []RefusalRule `json:"refusals,omitempty"`
	// LimitHeaders show the share, and are read if WindowSeconds is set.
	LimitHeaders *LimitHeaders `json:"limitHeaders,omitempty"`
	// Links are paths of members, as in a RefusalRule.
	Links          [][]string      `json:"links,omitempty"`
	IdempotencyKey *IdempotencyKey `json:"idempotencyKey,omitempty"`
	// BulkCalls are of different operations and paths.
	BulkCalls []BulkCall `json:"bulkCalls,omitempty"`
}

// RefusalScope says what a refusal is about.
type RefusalScope string

// Scopes of refusals.
const (
	RefusalLicence  RefusalScope = "Licence"
	RefusalEndpoint RefusalScope = "Endpoint"
	RefusalRecord   RefusalScope = "Record"
)

// RefusalRule is met by answers with one of the statuses, 400 to 599, in which a member of the body has one of the values if Member is set.
type RefusalRule struct {
	Statuses []int64 `json:"statuses"`
	// Member is its names from the root; "*" stands for every element of an array.
	Member []string     `json:"member,omitempty"`
	Values []string     `json:"values,omitempty"`
	Scope  RefusalScope `json:"scope"`
	// Wait is the header that tells for how long; nil for Retry-After alone.
	Wait *TimeHeader `json:"wait,omitempty"`
}

// TimeHeader is a header with seconds from now, or with a moment in Unix seconds.
type TimeHeader struct {
	Header string `json:"header"`
	Unix   bool   `json:"unix,omitempty"`
}

// LimitHeaders are headers that tell of a limit; empty ones are not written.
type LimitHeaders struct {
	Limit     string      `json:"limit,omitempty"`
	Remaining string      `json:"remaining,omitempty"`
	Reset     *TimeHeader `json:"reset,omitempty"`
	// WindowSeconds is the length of the window that the API's own headers tell of; 0 if they are not read.
	WindowSeconds int64 `json:"windowSeconds,omitempty"`
}

// IdempotencyKey is how an API recognises calls that one of Match matches, for ValidForSeconds.
type IdempotencyKey struct {
	Header          string      `json:"header"`
	MaxLength       int64       `json:"maxLength"`
	ValidForSeconds int64       `json:"validForSeconds"`
	Match           []CallMatch `json:"match"`
}

// CallMatch is calls with one of the methods to a path that the pattern matches.
type CallMatch struct {
	Methods []string `json:"methods"`
	Path    string   `json:"path"`
}

// BulkCall is how POST calls to Path, each of which makes one record, become one to BulkPath with MaxItems records at most. Members are paths as in a RefusalRule, of
// one member each; empty ones stand for the whole.
type BulkCall struct {
	Operation string `json:"operation"`
	Path      string `json:"path"`
	// Record is the only member of a single call's body and answer.
	Record   string `json:"record,omitempty"`
	BulkPath string `json:"bulkPath"`
	MaxItems int64  `json:"maxItems"`
	// Items is a member of the body, Results one of the answer.
	Items   []string `json:"items,omitempty"`
	Results []string `json:"results,omitempty"`
	// ID, Answer and that of Outcome are members of a result.
	ID     []string `json:"id"`
	Answer []string `json:"answer,omitempty"`
	// Outcome tells which items succeeded; nil if none takes effect when one fails.
	Outcome *BulkOutcome `json:"outcome,omitempty"`
}

// BulkOutcome tells what became of an item by the value of a member.
type BulkOutcome struct {
	Member    []string `json:"member"`
	Succeeded []string `json:"succeeded"`
	Failed    []string `json:"failed"`
}
