// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Generic tells of an API without an adapter what the dispatcher cannot know: how it refuses, which headers tell of its limits, which members hold links, which
// calls it recognises by a key, and which it takes many at a time. What is absent is as with any API.
// +kubebuilder:validation:MinProperties=1
type Generic struct {
	// refusals tell which answers are refusals for quota; the first rule that an answer meets decides. A refused call is not lost: it is sent again, so no rule
	// may meet an answer to a call that was carried out. When absent, 429 is a refusal, and 503 with Retry-After.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Refusals []RefusalRule `json:"refusals,omitempty"`

	// limitHeaders are headers of answers in which clients read how many calls are left: there they are shown their integration's share. With windowSeconds the
	// dispatcher reads them, too. When absent there are RateLimit and RateLimit-Policy only, which every answer to a client has, and which are read where the API sends
	// them.
	// +optional
	LimitHeaders LimitHeaders `json:"limitHeaders,omitzero"`

	// links are the members of JSON answers that hold links to other pages, besides the usual ones (next, links/next, next_page ...). A link that leads to the
	// CRM is made to lead to the dispatcher.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Links []MemberPath `json:"links,omitempty"`

	// idempotencyKey is how the API recognises a call that was sent before: such calls are sent again when their outcome is unknown.
	// +optional
	IdempotencyKey *IdempotencyKey `json:"idempotencyKey,omitzero"`

	// bulkCalls tell how queued calls that make one record each are made as one call. batching of an Integration says when. In doubt whether a bulk call took effect
	// its calls are parked, as a record that was made cannot be told from one that was not.
	// +optional
	// +listType=map
	// +listMapKey=operation
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, a.path == b.path))",message="each path must be there once"
	BulkCalls []BulkCall `json:"bulkCalls,omitempty"`
}

// MemberPath is the path of a member in a JSON document: names from the root with "/" between them, where "*" stands for every element of an array.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:Pattern=`^[^/]+(/[^/]+){0,7}$`
type MemberPath string

// HeaderName is the name of an HTTP header.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:Pattern=`^[A-Za-z][-A-Za-z0-9]*$`
type HeaderName string

// MemberValue is a string, number, true or false in a JSON document, as text.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
type MemberValue string

// RefusalStatus is an HTTP status of answers that are no success.
// +kubebuilder:validation:Minimum=400
// +kubebuilder:validation:Maximum=599
type RefusalStatus int32

// RefusalScope says what a refusal is about.
// +kubebuilder:validation:Enum=Licence;Endpoint;Record
type RefusalScope string

const (
	// RefusalScopeLicence holds all calls back.
	RefusalScopeLicence RefusalScope = "Licence"
	// RefusalScopeEndpoint holds back calls with the same method to paths of the same shape, in which segments with a digit stand for any.
	RefusalScopeEndpoint RefusalScope = "Endpoint"
	// RefusalScopeRecord holds back calls to the same path.
	RefusalScopeRecord RefusalScope = "Record"
)

// ResetUnit says how a header tells a time.
// +kubebuilder:validation:Enum=Seconds;UnixSeconds
type ResetUnit string

const (
	// ResetUnitSeconds is seconds from now.
	ResetUnitSeconds ResetUnit = "Seconds"
	// ResetUnitUnixSeconds is a moment, in seconds since 1970.
	ResetUnitUnixSeconds ResetUnit = "UnixSeconds"
)

// RefusalRule tells which answers are refusals for quota, and what has to wait then.
type RefusalRule struct {
	// statuses that refusals have.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Statuses []RefusalStatus `json:"statuses,omitempty"`

	// member is what has to be in the first 64 KiB of the answer, which are a whole JSON document then.
	// +optional
	Member *MemberCondition `json:"member,omitzero"`

	// scope says what the refusal is about: Licence, Endpoint or Record.
	// +optional
	// +default="Licence"
	Scope RefusalScope `json:"scope,omitempty"`

	// wait is the header that tells for how long. When absent, or not in the answer, Retry-After is read. If that is absent, too, the dispatcher waits for a
	// second at first, and longer each time up to the longest window.
	// +optional
	Wait *TimeHeader `json:"wait,omitzero"`
}

// MemberCondition is met by documents in which the member has one of the values.
type MemberCondition struct {
	// path of the member.
	// +required
	Path MemberPath `json:"path,omitempty"`

	// values of which the member has one.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Values []MemberValue `json:"values,omitempty"`
}

// TimeHeader is a header that tells a time, of at most 24 hours from now.
type TimeHeader struct {
	// header is its name.
	// +required
	Header HeaderName `json:"header,omitempty"`

	// unit is Seconds from now, or UnixSeconds for a moment, which is compared with the answer's Date.
	// +optional
	// +default="Seconds"
	Unit ResetUnit `json:"unit,omitempty"`
}

// LimitHeaders are headers that tell of a limit: in answers to clients, of their integration's tightest one.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="has(self.limit) || has(self.remaining) || !has(self.windowSeconds)",message="windowSeconds needs limit or remaining: without them nothing tells of the window"
type LimitHeaders struct {
	// limit tells how many calls are allowed.
	// +optional
	Limit HeaderName `json:"limit,omitempty"`

	// remaining tells how many are left.
	// +optional
	Remaining HeaderName `json:"remaining,omitempty"`

	// reset tells when there are more.
	// +optional
	Reset *TimeHeader `json:"reset,omitzero"`

	// windowSeconds is the length of the window that the API's headers tell of: that of one of licence.limits without match. With it they are believed as those of
	// other CRMs are (licence.limitSource). When absent, they are not read.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2678400
	WindowSeconds int32 `json:"windowSeconds,omitempty"`
}

// IdempotencyKey is how an API recognises a call that was sent before.
// +kubebuilder:validation:XValidation:rule="!(self.header.lowerAscii() in ['authorization', 'cookie', 'host', 'expect', 'te', 'trailer', 'upgrade', 'connection', 'keep-alive', 'accept-encoding', 'content-length', 'content-type', 'transfer-encoding', 'user-agent', 'proxy-authorization', 'proxy-connection'])",message="header must be one that is passed on and has no other meaning"
type IdempotencyKey struct {
	// header carries the key. Clients may send their own in Idempotency-Key; the dispatcher sends one that is made from it, or a new one.
	// +optional
	// +default="Idempotency-Key"
	Header HeaderName `json:"header,omitempty"`

	// maxLength is how long a key may be; the dispatcher's have 64 characters at most.
	// +optional
	// +default=64
	// +kubebuilder:validation:Minimum=32
	// +kubebuilder:validation:Maximum=64
	MaxLength int32 `json:"maxLength,omitempty"`

	// validForSeconds is how long the API remembers a key. Later a call with an unknown outcome is not sent again.
	// +required
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=2678400
	ValidForSeconds int32 `json:"validForSeconds,omitempty"`

	// match selects the calls that the API recognises by their keys.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Match []OperationMatch `json:"match,omitempty"`
}
