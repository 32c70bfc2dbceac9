// SPDX-License-Identifier: Apache-2.0

package contract

import "time"

// Cause is why a call has to wait.
type Cause string

// The causes.
const (
	// CauseUsedUp: the limit itself is used up.
	CauseUsedUp Cause = "UsedUp"
	// CauseReserved: what is left of the limit is kept free for the guarantees of others.
	CauseReserved Cause = "Reserved"
	// CauseCeiling: the integration has used the most that its share allows.
	CauseCeiling Cause = "Ceiling"
	// CauseNoShare: the integration has no share.
	CauseNoShare Cause = "NoShare"
	// CausePaced: calls to the limit are spread over time.
	CausePaced Cause = "Paced"
	// CauseRecord: the record that the call is about has used a limit that each record has for itself.
	CauseRecord Cause = "Record"
	// CauseTurn: nothing but calls that go ahead.
	CauseTurn Cause = "Turn"
	// CauseHeld: the CRM object says dispatch: Hold.
	CauseHeld Cause = "Held"
	// CauseObserving: the CRM object says enforcement: Observe.
	CauseObserving Cause = "Observing"
	// CauseCRMRefusing: the CRM itself refused calls and asked for a pause.
	CauseCRMRefusing Cause = "CRMRefusing"
	// CauseOutage: the CRM failed, and queued calls wait until a probe succeeds.
	CauseOutage Cause = "Outage"
	// CauseCredentials: the credentials are missing, or the CRM does not take them, and queued calls wait until a probe succeeds.
	CauseCredentials Cause = "Credentials"
	// CauseLedgerLost: how much of the licence was used before the volume was lost is not known yet.
	CauseLedgerLost Cause = "LedgerLost"
	// CauseNoPlan: no plan names the integration.
	CauseNoPlan Cause = "NoPlan"
)

// ReportSchema is the version of Report.
const ReportSchema = 2

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

	// Enforcing is false under Observe, Shadow and bypass.
	Enforcing bool `json:"enforcing"`

	Windows      []WindowReport      `json:"windows"`
	Backlog      BacklogReport       `json:"backlog"`
	Integrations []IntegrationReport `json:"integrations"`

	// Volume is the identity of the dispatcher's volume. Ledger says what its ledger started from.
	Volume string       `json:"volume,omitempty"`
	Ledger LedgerReport `json:"ledger,omitzero"`
	// Position counts what was made durable on Volume; it never goes back.
	Position int64 `json:"position,omitempty"`
	// Advice on the licence; nil while too little was seen.
	Advice *LicenceAdvice `json:"advice,omitempty"`

	// RefusedUntil, if set: the CRM refused calls and asked for no more before then.
	RefusedUntil *time.Time `json:"refusedUntil,omitempty"`
	// Learnt are limits that are not declared and were learnt from the CRM's refusals.
	Learnt []LearntLimit `json:"learnt,omitempty"`
	// Answering says whether the CRM takes calls, Usage how it answered when it was asked last what has been used; nil if it never was.
	Answering AnsweringReport `json:"answering,omitzero"`
	Usage     *UsageReport    `json:"usage,omitempty"`
}

// AnsweringReport says whether the CRM takes calls.
type AnsweringReport struct {
	// Known is false while none was sent since the process started.
	Known bool `json:"known,omitempty"`
	// Trouble is what became of the last calls, several in a row; empty while the CRM takes some. Since is when that began.
	Trouble CRMTrouble `json:"trouble,omitempty"`
	Since   time.Time  `json:"since,omitzero"`
}

// CRMTrouble is why a CRM takes no calls.
type CRMTrouble string

// The troubles with CRMs.
const (
	// CRMUnreachable: no connection can be made, or no answer comes.
	CRMUnreachable CRMTrouble = "Unreachable"
	// CRMFailing: it answers that it is out of order.
	CRMFailing CRMTrouble = "Failing"
	// CRMRefusing: it refuses all calls for quota.
	CRMRefusing CRMTrouble = "Refusing"
	// CRMUnauthorised: it does not take the credentials.
	CRMUnauthorised CRMTrouble = "Unauthorised"
)

// UsageReport is how the CRM answered when it was asked what has been used of its limits.
type UsageReport struct {
	// Call that was made, as "GET /services/data/v60.0/limits".
	Call string `json:"call"`
	// Status of the answer; 0 if none came.
	Status int `json:"status"`
}

// Verdict says who is to blame for a refusal by the CRM.
type Verdict string

// The verdicts.
const (
	// VerdictExternalUse: the limit is used up, and not by us alone.
	VerdictExternalUse Verdict = "ExternalUse"
	// VerdictLowerLimit: the CRM says that the limit is lower than declared.
	VerdictLowerLimit Verdict = "LowerLimit"
	// VerdictHiddenLimit: the CRM says that its limits have room; one that is not declared has none.
	VerdictHiddenLimit Verdict = "HiddenLimit"
	// VerdictOwnFault: we have used up the limit ourselves, or the ledger says that there was room by far and the CRM tells nothing.
	VerdictOwnFault Verdict = "OwnFault"
	// VerdictUnclear: a limit was nearly used up by the ledger, and the CRM tells nothing.
	VerdictUnclear Verdict = "Unclear"
)

// LearntLimit is a limit of an operation or endpoint that was learnt from the CRM's refusals.
type LearntLimit struct {
	// Match is which calls it counts: one operation, or one method and path.
	Match Match `json:"match"`
	// Calls are taken in any interval of WindowSeconds.
	Calls         int64 `json:"calls"`
	WindowSeconds int64 `json:"windowSeconds"`
	// Since it was learnt; it is forgotten at Expires unless another refusal tells of it before. Refusals have told of it so far.
	Since    time.Time `json:"since"`
	Expires  time.Time `json:"expires"`
	Refusals int64     `json:"refusals"`
}

// RejectedPlan says why a plan was refused.
type RejectedPlan struct {
	Sequence int64 `json:"sequence"`
	// Reason in words that name the field.
	Reason string `json:"reason"`
}

// CredentialsReport says whether credentials are there. It never holds their values.
type CredentialsReport struct {
	Resolved bool `json:"resolved"`
	// HostNotAllowed: the Secret's list of hosts lacks the endpoint's.
	HostNotAllowed bool `json:"hostNotAllowed,omitempty"`
	// Refused: the CRM has answered the last calls, several in a row, with 401.
	Refused bool `json:"refused,omitempty"`
	// Token says what is wrong with the access token, if that is all that is; empty for kinds of credentials without.
	Token TokenTrouble `json:"token,omitempty"`
	// EncryptionKeyMissing says what is missing to encrypt what is stored of calls, or to open what is encrypted; empty if nothing is.
	EncryptionKeyMissing string `json:"encryptionKeyMissing,omitempty"`
	// Message names the missing keys, or says what came of asking for a token.
	Message string `json:"message,omitempty"`
}

// TokenTrouble is why there is no access token.
type TokenTrouble string

// The troubles with access tokens.
const (
	// TokenPending: the first one was asked for and has not come yet.
	TokenPending TokenTrouble = "Pending"
	// TokenUnavailable: the token endpoint cannot be reached or gives no usable answer.
	TokenUnavailable TokenTrouble = "Unavailable"
	// TokenRefused: the token endpoint refuses the client.
	TokenRefused TokenTrouble = "Refused"
	// TokenReauthorize: the refresh token is not valid any more; only somebody who may authorise the client can get another.
	TokenReauthorize TokenTrouble = "Reauthorize"
)

// CertificateReport describes the intake's certificate.
type CertificateReport struct {
	// CAPEM is the CA that clients must trust; empty when the certificate comes from a Secret or TLS is off.
	CAPEM string `json:"caPEM,omitempty"`
	// Error says why the certificate from the Secret cannot be used; the dispatcher then serves its own.
	Error string `json:"error,omitempty"`
}

// EndpointReport says whether the endpoint's host can be looked up, and has an address that may be called. Both false and an empty message mean that it was not tried yet.
type EndpointReport struct {
	Resolved bool `json:"resolved"`
	// NotAllowed: it was looked up, and no connection may be made to any of its addresses.
	NotAllowed bool   `json:"notAllowed,omitempty"`
	Message    string `json:"message,omitempty"`
}

// WindowReport is the use of one limit. Figures are in units of the limit: calls, slots, what a call costs, or milliseconds of execution.
type WindowReport struct {
	Name  string `json:"name"`
	Limit int64  `json:"limit"`
	// Used counts what is charged, InDoubt the part of it of which it is not known whether and when it arrived.
	Used    int64 `json:"used"`
	InDoubt int64 `json:"inDoubt,omitempty"`
	// External is what callers outside the dispatcher use of a window or period, by the CRM's own word: a mean of late windows. nil if the CRM does not tell.
	// KeptFree is what shares keep free for them.
	External *int64 `json:"external,omitempty"`
	KeptFree int64  `json:"keptFree,omitempty"`
	// Reported is the size that the CRM says the limit has; nil if it does not say, or not yet often enough. Contradicted: its words about the limit contradict
	// themselves, and are ignored for now.
	Reported     *int64 `json:"reported,omitempty"`
	Contradicted bool   `json:"contradicted,omitempty"`
	// Apps are what single applications have used, the largest first, where the CRM tells.
	// AppsDay is the beginning of the day, of UTC, in which they have used it; nil: they have used it of the window as it is.
	Apps    []AppUse   `json:"apps,omitempty"`
	AppsDay *time.Time `json:"appsDay,omitempty"`
	// Lent is how much of what is guaranteed and not used may be borrowed now; Borrowed is how much of Used is beyond its owners' guarantees.
	Lent     int64 `json:"lent,omitempty"`
	Borrowed int64 `json:"borrowed,omitempty"`
	// Reset is the end of a calendar period.
	Reset *time.Time `json:"reset,omitempty"`
	// Estimated: the figures cannot be exact, for instance of execution time.
	Estimated bool `json:"estimated,omitempty"`
	// GuardMilliseconds is how long a call is charged beyond the window.
	GuardMilliseconds int64 `json:"guardMilliseconds,omitempty"`
	// Exhaustion is when the limit is expected to be used up, before it is renewed; nil if it is not.
	Exhaustion *ExhaustionForecast `json:"exhaustion,omitempty"`
	// Demand is what all integrations together are expected to ask for per window or period: the median, and what is passed in one case of twenty.
	DemandP50 int64 `json:"demandP50,omitempty"`
	DemandP95 int64 `json:"demandP95,omitempty"`
}

// AppUse is what one application, by the CRM's name for it, has used of a limit.
type AppUse struct {
	Name string `json:"name"`
	Used int64  `json:"used"`
}

// ExhaustionForecast is when a limit is expected to be used up: P95 is the earlier instant, which comes true in one case of twenty, P50 the even chance; nil if
// the limit is renewed before.
type ExhaustionForecast struct {
	P95 *time.Time `json:"p95,omitempty"`
	P50 *time.Time `json:"p50,omitempty"`
}

// BacklogReport is what waits durably.
type BacklogReport struct {
	// Queued, Sent and Parked calls have no outcome yet; Dead ones ended without the CRM's answer and are kept.
	Queued int64 `json:"queued"`
	Sent   int64 `json:"sent"`
	Parked int64 `json:"parked"`
	Dead   int64 `json:"dead"`
	// QueuedBytes is how many bytes the bodies of queued calls have.
	QueuedBytes int64 `json:"queuedBytes"`
	// OldestQueued is when the oldest of Queued was accepted.
	OldestQueued *time.Time `json:"oldestQueued,omitempty"`
	// DrainSeconds is the time until Queued is 0 that is kept with even chances, DrainP95Seconds the one that is kept in 19 cases of 20; nil when it cannot be
	// foreseen.
	DrainSeconds    *int64 `json:"drainSeconds,omitempty"`
	DrainP95Seconds *int64 `json:"drainP95Seconds,omitempty"`
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
	// Credentials tells of its own; nil if its calls go out with the CRM's.
	Credentials *CredentialsReport `json:"credentials,omitempty"`
	// Callbacks tells of its receivers; nil if it has none.
	Callbacks *CallbacksReport `json:"callbacks,omitempty"`
	// Waiting says what holds back the call that waits longest; nil if none waits.
	Waiting *WaitingReport `json:"waiting,omitempty"`
	// GuaranteeMissedSeconds is for how long a call within the guarantee that is never lent has been waiting for the licence; 0 if none is.
	GuaranteeMissedSeconds int64 `json:"guaranteeMissedSeconds,omitempty"`
}

// WaitingReport explains why calls of an integration wait (Q11).
type WaitingReport struct {
	// Since the oldest of them waits.
	Since time.Time `json:"since"`
	// Limit is the name of the binding limit; empty if something else holds them back.
	Limit string `json:"limit,omitempty"`
	Cause Cause  `json:"cause"`
	// ReservedFor names the integration for which most of the limit is kept free.
	ReservedFor string `json:"reservedFor,omitempty"`
	// Earliest is when they can be sent at the earliest.
	Earliest *time.Time `json:"earliest,omitempty"`
	// Detail says it in words.
	Detail string `json:"detail"`
}

// ShareReport is an integration's part of one limit.
type ShareReport struct {
	Name       string `json:"name"`
	Guaranteed int64  `json:"guaranteed"`
	Used       int64  `json:"used"`
	// Lent is how much of the guarantee others may borrow now, Borrowed how much of Used is beyond it.
	Lent     int64 `json:"lent,omitempty"`
	Borrowed int64 `json:"borrowed,omitempty"`
	// Demand is what the integration is expected to have used when the limit is renewed.
	Demand int64 `json:"demand,omitempty"`
}

// IntegrationCounters count calls since the dispatcher's volume was made.
type IntegrationCounters struct {
	// Accepted calls were queued with a 202; Dispatched requests went to the CRM; Drained queued calls were answered by it; Refused calls were turned away by
	// the dispatcher; Forwarded synchronous calls were answered by the CRM; Overheld counts what Enforce would have held back under Shadow and bypass;
	// Saved calls were answered without a request of their own.
	Accepted   int64 `json:"accepted"`
	Dispatched int64 `json:"dispatched"`
	Drained    int64 `json:"drained"`
	Refused    int64 `json:"refused"`
	Forwarded  int64 `json:"forwarded"`
	Overheld   int64 `json:"overheld"`
	Saved      int64 `json:"saved,omitempty"`
}

// LedgerReport says what a ledger started from.
type LedgerReport struct {
	// Waiting: the volume is not the one the plan speaks of, and what was used before is not known yet; calls wait.
	Waiting bool `json:"waiting,omitempty"`
	// Assumed is when use was assumed that the ledger did not see itself, after the loss of a volume; nil if it never was.
	Assumed *time.Time `json:"assumed,omitempty"`
	// Restored is when it was found out that the volume had been put back to an earlier state; nil if it never was.
	Restored *time.Time `json:"restored,omitempty"`
}

// LicenceAdvice says whether the licence is large enough for the demand of the last days.
type LicenceAdvice struct {
	// Adequate: waiting calls are expected to wait no longer than their target in 19 cases of 20.
	Adequate bool `json:"adequate"`
	// WaitP95Seconds is the wait that is expected in one case of 20, with the limits in force.
	WaitP95Seconds int64 `json:"waitP95Seconds"`
	// Limit is the limit that is short of demand.
	Limit string `json:"limit,omitempty"`
	// NeededP95 is the size of that limit that would do.
	NeededP95 int64 `json:"neededP95,omitempty"`
	// Tier is the smallest that would do; empty if none is known that does.
	Tier string `json:"tier,omitempty"`
	// BatchingSaves is how many calls fewer the queued ones would be in full batches; an estimate.
	BatchingSaves int64 `json:"batchingSaves,omitempty"`
}
