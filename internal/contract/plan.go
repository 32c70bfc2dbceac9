// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/json"
	"time"
)

// PlanSchema is the version of Plan that this binary writes and reads. A dispatcher refuses any other.
const PlanSchema = 1

// MaxIntegrations is the most Integrations that one plan can hold: a ConfigMap carries 1 MiB.
const MaxIntegrations = 1000

// Plan is everything a dispatcher has to know, compiled by the manager for one CRM. It holds no secret: clients appear as hashes and public keys.
type Plan struct {
	// Schema is PlanSchema.
	Schema int `json:"schema"`
	// Sequence grows with every change of the plan. A dispatcher never goes back to a lower one.
	Sequence int64 `json:"sequence"`

	CRM CRMIdentity `json:"crm"`

	// Endpoint is the CRM's base URL without a path.
	Endpoint    string      `json:"endpoint"`
	Credentials Credentials `json:"credentials"`
	Intake      Intake      `json:"intake"`
	Limits      []Limit     `json:"limits"`

	// Enforce is false under Shadow: every call is forwarded at once and charged.
	Enforce bool `json:"enforce"`
	// Hold: accept and queue, send nothing.
	Hold bool `json:"hold,omitempty"`
	// Drain: refuse new calls, send what is queued.
	Drain bool `json:"drain,omitempty"`
	// BypassUntil, if set, forwards and charges every call at once until then.
	BypassUntil *time.Time `json:"bypassUntil,omitempty"`

	// TokenIssuers verify service account tokens.
	TokenIssuers []TokenIssuer `json:"tokenIssuers,omitempty"`
	// ReportReader is the token subject that may read the report, system:serviceaccount:<namespace>:<name>. Empty: no token is asked for, which only a manager
	// outside a cluster sets.
	ReportReader string `json:"reportReader,omitempty"`

	// Integrations in order of name.
	Integrations []Integration `json:"integrations"`
}

// CRMIdentity says which CRM object, and which licence, a plan is for.
type CRMIdentity struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	// Generation of the CRM object that the plan was made from.
	Generation int64 `json:"generation"`
	// Provider is the adapter's name, for example "Zendesk".
	Provider string `json:"provider"`
	// Account identifies the licence.
	Account string `json:"account"`
}

// Credentials tell how to sign in; the values are files in CredentialsDir. Exactly one kind is set.
type Credentials struct {
	Basic  *BasicKeys  `json:"basic,omitempty"`
	Bearer *BearerKeys `json:"bearer,omitempty"`
	Header *HeaderKeys `json:"header,omitempty"`
}

// BasicKeys are file names in CredentialsDir.
type BasicKeys struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// BearerKeys are file names in CredentialsDir.
type BearerKeys struct {
	Token string `json:"token"`
}

// HeaderKeys name the header and the file in CredentialsDir with its value.
type HeaderKeys struct {
	Header string `json:"header"`
	Value  string `json:"value"`
}

// Intake is how integrations reach the dispatcher.
type Intake struct {
	// URL is the public base URL, for example https://zendesk-crm-dispatcher.contact-centre.svc: links in answers are rewritten to it.
	URL string `json:"url"`
	// Hosts are the names and addresses a certificate made by the dispatcher covers.
	Hosts []string `json:"hosts"`
	// PlainHTTP serves the intake without TLS.
	PlainHTTP bool `json:"plainHTTP,omitempty"`
	// CertificateFromSecret uses TLSDir; otherwise the dispatcher makes its own certificate.
	CertificateFromSecret bool `json:"certificateFromSecret,omitempty"`
}

// Limit is one limit of the licence. Exactly one of WindowSeconds, Day, Concurrent is set.
type Limit struct {
	Name string `json:"name"`
	// Calls allowed in the window or period.
	Calls int64 `json:"calls,omitempty"`
	// WindowSeconds makes it rolling.
	WindowSeconds int64 `json:"windowSeconds,omitempty"`
	// DayTimeZone, an IANA name, makes it a calendar day.
	DayTimeZone string `json:"dayTimeZone,omitempty"`
	// Concurrent is the most calls in flight.
	Concurrent int64 `json:"concurrent,omitempty"`
	// AlertOnly counts and reports but holds nothing back.
	AlertOnly bool `json:"alertOnly,omitempty"`
}

// TokenIssuer is an issuer of service account tokens with its public keys.
type TokenIssuer struct {
	Issuer string `json:"issuer"`
	// Keys is a JSON Web Key Set.
	Keys json.RawMessage `json:"keys"`
}

// Integration is one application's share and behaviour.
type Integration struct {
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
	Generation int64  `json:"generation"`

	Share   Share    `json:"share"`
	Clients []Client `json:"clients"`
	// Enforce is false under Shadow, the CRM's or its own.
	Enforce bool `json:"enforce"`

	// Default applies to calls that no operation matches: Wait or Reject.
	Default Overflow `json:"default"`
	// WaitSeconds is how long a call is held under Wait.
	WaitSeconds int64 `json:"waitSeconds"`
	// Operations override Default; the first match decides.
	Operations []OperationOverflow `json:"operations,omitempty"`
	Queue      Queue               `json:"queue"`
}

// Key identifies an integration across re-creation: queued calls belong to it.
func (i Integration) Key() string { return i.Namespace + "/" + i.Name }

// Share is a part of every limit.
type Share struct {
	// Guaranteed calls by limit name; nothing is guaranteed in limits it does not name.
	Guaranteed map[string]int64 `json:"guaranteed,omitempty"`
	// GuaranteedPercent of every limit; applies when Guaranteed is nil.
	GuaranteedPercent int64 `json:"guaranteedPercent,omitempty"`
	Weight            int64 `json:"weight"`
	MaxPercent        int64 `json:"maxPercent"`
	// LendPercent of a guarantee may be lent while it is not used; the rest is always kept free.
	LendPercent int64 `json:"lendPercent"`
}

// Overflow is what happens to a call that does not fit now.
type Overflow string

// Overflow policies.
const (
	Wait   Overflow = "Wait"
	Reject Overflow = "Reject"
	Queued Overflow = "Queue"
)

// OperationOverflow is a policy for one operation: Operation is a provider's name, or Methods and Path match.
type OperationOverflow struct {
	Operation string   `json:"operation,omitempty"`
	Methods   []string `json:"methods,omitempty"`
	Path      string   `json:"path,omitempty"`
	Policy    Overflow `json:"policy"`
}

// Queue bounds what waits durably.
type Queue struct {
	MaxCalls      int64 `json:"maxCalls"`
	MaxAgeSeconds int64 `json:"maxAgeSeconds"`
}

// Client authenticates as an integration: by a service account token's subject or an API key's hash.
type Client struct {
	Name string `json:"name"`
	// ServiceAccount is system:serviceaccount:<namespace>:<name>.
	ServiceAccount string `json:"serviceAccount,omitempty"`
	// APIKeySHA256 are hexadecimal hashes.
	APIKeySHA256 []string `json:"apiKeySHA256,omitempty"`
}
