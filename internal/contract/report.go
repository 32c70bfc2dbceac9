// SPDX-License-Identifier: Apache-2.0

package contract

import "time"

// ReportSchema is the version of Report.
const ReportSchema = 1

// Report is what a dispatcher says of itself. Figures are exact at the moment it was made; whoever publishes them rounds.
type Report struct {
	Schema int `json:"schema"`
	// Sequence of the plan in force; 0 if none was ever accepted.
	Sequence int64 `json:"sequence"`
	// Generation of the CRM that the plan in force was made from, with its UID.
	Generation int64  `json:"generation"`
	CRMUID     string `json:"crmUID"`
	// Rejected is set while the newest plan seen was refused.
	Rejected *RejectedPlan `json:"rejected,omitempty"`

	// Ready: calls can be accepted durably. NotReady says why not.
	Ready    bool   `json:"ready"`
	NotReady string `json:"notReady,omitempty"`

	Credentials CredentialsReport `json:"credentials"`
	Certificate CertificateReport `json:"certificate"`
	Endpoint    EndpointReport    `json:"endpoint"`

	// Enforcing is false under Shadow and bypass.
	Enforcing bool `json:"enforcing"`

	Windows      []WindowReport      `json:"windows"`
	Backlog      BacklogReport       `json:"backlog"`
	Integrations []IntegrationReport `json:"integrations"`

	// RefusedUntil, if set: the CRM refused calls and asked for no more before then.
	RefusedUntil *time.Time `json:"refusedUntil,omitempty"`
}

// RejectedPlan says why a plan was refused.
type RejectedPlan struct {
	Sequence int64 `json:"sequence"`
	// Reason in words that name the field.
	Reason string `json:"reason"`
}

// CredentialsReport says whether the CRM credentials are there. It never holds their values.
type CredentialsReport struct {
	Resolved bool `json:"resolved"`
	// HostNotAllowed: the Secret's list of hosts lacks the endpoint's.
	HostNotAllowed bool `json:"hostNotAllowed,omitempty"`
	// Message names the missing keys.
	Message string `json:"message,omitempty"`
}

// CertificateReport describes the intake's certificate.
type CertificateReport struct {
	// CAPEM is the CA that clients must trust; empty when the certificate comes from a Secret or TLS is off.
	CAPEM string `json:"caPEM,omitempty"`
	// Error says why the certificate from the Secret cannot be used; the dispatcher then serves its own.
	Error string `json:"error,omitempty"`
}

// EndpointReport says whether the endpoint's host can be looked up. Both false and an empty message mean that it was not tried yet.
type EndpointReport struct {
	Resolved bool   `json:"resolved"`
	Message  string `json:"message,omitempty"`
}

// WindowReport is the use of one limit.
type WindowReport struct {
	Name  string `json:"name"`
	Limit int64  `json:"limit"`
	// Used counts charged calls, InDoubt the part of them whose arrival is not known.
	Used    int64 `json:"used"`
	InDoubt int64 `json:"inDoubt,omitempty"`
	// Reset is the end of a calendar period.
	Reset *time.Time `json:"reset,omitempty"`
}

// BacklogReport is what waits durably.
type BacklogReport struct {
	// Queued, Sent and Parked calls have no outcome yet; Dead ones ended without the CRM's answer and are kept.
	Queued int64 `json:"queued"`
	Sent   int64 `json:"sent"`
	Parked int64 `json:"parked"`
	Dead   int64 `json:"dead"`
	// OldestQueued is when the oldest of Queued was accepted.
	OldestQueued *time.Time `json:"oldestQueued,omitempty"`
	// DrainSeconds is the expected time until Queued is 0; nil when it cannot be foreseen.
	DrainSeconds *int64 `json:"drainSeconds,omitempty"`
}

// IntegrationReport is one integration's part.
type IntegrationReport struct {
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
	Generation int64  `json:"generation"`
	// Enforcing is false under Shadow and bypass.
	Enforcing bool                `json:"enforcing"`
	Windows   []ShareReport       `json:"windows"`
	Backlog   BacklogReport       `json:"backlog"`
	Counters  IntegrationCounters `json:"counters"`
}

// ShareReport is an integration's part of one limit.
type ShareReport struct {
	Name       string `json:"name"`
	Guaranteed int64  `json:"guaranteed"`
	Used       int64  `json:"used"`
}

// IntegrationCounters count calls since the dispatcher's volume was made.
type IntegrationCounters struct {
	// Accepted calls were queued with a 202; Dispatched requests went to the CRM; Drained queued calls were answered by it; Refused calls were turned away by
	// the dispatcher; Forwarded synchronous calls were answered by the CRM; Overheld counts what Enforce would have held back under Shadow and bypass.
	Accepted   int64 `json:"accepted"`
	Dispatched int64 `json:"dispatched"`
	Drained    int64 `json:"drained"`
	Refused    int64 `json:"refused"`
	Forwarded  int64 `json:"forwarded"`
	Overheld   int64 `json:"overheld"`
}
