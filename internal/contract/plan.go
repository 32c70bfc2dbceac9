// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/json"
	"time"
)

// PlanSchema is the version of Plan that this binary writes and reads. A dispatcher refuses any other.
const PlanSchema = 2

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
	Endpoint string `json:"endpoint"`
	// Network says which addresses the endpoint and token endpoints may have.
	Network     Network     `json:"network,omitempty"`
	Credentials Credentials `json:"credentials"`
	// Generic, with the provider Generic only, tells of its API.
	Generic *Generic `json:"generic,omitempty"`
	Intake  Intake   `json:"intake"`
	// Encryption, if set, has contents of calls encrypted in the store.
	Encryption *Encryption `json:"encryption,omitempty"`
	// Tracing, if set, has spans of calls exported.
	Tracing *Tracing `json:"tracing,omitempty"`
	Limits  []Limit  `json:"limits"`
	// Next are the limits of the licence that follows; nil if none does.
	Next *NextLimits `json:"next,omitempty"`
	// LimitSource says what holds where the CRM says that a limit has another size; empty means LimitLowest.
	LimitSource LimitSource `json:"limitSource,omitempty"`
	// ExternalPercent of every limit is kept free for callers that nobody has declared.
	ExternalPercent int64 `json:"externalPercent,omitempty"`
	// UsageSeconds is how often the CRM is asked, at most, what has been used of its limits; 0 for never.
	UsageSeconds int64 `json:"usageSeconds,omitempty"`
	// MaxServerDelaySeconds is the longest time after which a call that nobody listens to any more can still be counted by the CRM; 0 means the default.
	MaxServerDelaySeconds int64 `json:"maxServerDelaySeconds,omitempty"`
	// Ledger says what the dispatcher starts from when its volume is not the one that was reported last.
	Ledger LedgerPast `json:"ledger,omitzero"`
	// Tiers are what the licence could be instead, for advice; the smallest first.
	Tiers []Tier `json:"tiers,omitempty"`

	// Observe: no call is taken, and none is sent but those that ask what has been used. Enforce is false then.
	Observe bool `json:"observe,omitempty"`
	// Enforce is false under Observe and Shadow; under Shadow every call is forwarded at once and charged.
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

// NextLimits take the place of a plan's limits at an instant.
type NextLimits struct {
	From   time.Time `json:"from"`
	Limits []Limit   `json:"limits"`
}

// LimitsAt are the limits in force at t.
func (p *Plan) LimitsAt(t time.Time) []Limit {
	if p.Next != nil && !t.Before(p.Next.From) {
		return p.Next.Limits
	}
	return p.Limits
}

// FollowingLimits are those of the licence that follows; nil if none does.
func (p *Plan) FollowingLimits() []Limit {
	if p.Next == nil {
		return nil
	}
	return p.Next.Limits
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

// Limit is one limit of the licence. Exactly one of WindowSeconds, Calendar, Concurrent is set.
type Limit struct {
	Name string `json:"name"`
	// Calls allowed in the window or period; units of Costs where there are some.
	Calls int64 `json:"calls,omitempty"`
	// ExecutionSeconds, in place of Calls, allows so much execution time.
	ExecutionSeconds int64 `json:"executionSeconds,omitempty"`
	// WindowSeconds makes it rolling.
	WindowSeconds int64 `json:"windowSeconds,omitempty"`
	// Calendar makes it a limit per calendar period.
	Calendar *Calendar `json:"calendar,omitempty"`
	// Concurrent is the most calls in flight; UntilJobEnds, that each counts until the job it started has ended.
	Concurrent   int64 `json:"concurrent,omitempty"`
	UntilJobEnds bool  `json:"untilJobEnds,omitempty"`

	// Match narrows the limit to some calls; nil means all. PerRecord: each record, named by the last "*" of Match.Path, has the limit for itself.
	Match     *Match `json:"match,omitempty"`
	PerRecord bool   `json:"perRecord,omitempty"`
	// Costs of calls in units of the limit; the first that matches decides, and 1 if none does.
	Costs []Cost `json:"costs,omitempty"`
	// PerCredential: the CRM counts for each credential apart, not for the account.
	PerCredential bool `json:"perCredential,omitempty"`

	// Counting is how the CRM keeps a rolling limit; empty means Exact. Burst is the bucket's size with CountingTokenBucket.
	Counting Counting `json:"counting,omitempty"`
	Burst    int64    `json:"burst,omitempty"`
	// GuardSeconds, if set, replaces the default counting guard.
	GuardSeconds int64 `json:"guardSeconds,omitempty"`
	// AlertOnly counts and reports but holds nothing back.
	AlertOnly bool `json:"alertOnly,omitempty"`
}

// Size is the limit's number of units: calls, slots or milliseconds.
func (l Limit) Size() int64 { return max(l.Calls, l.Concurrent, 1000*l.ExecutionSeconds) }

// LimitSource says whose word on the size of a limit holds, the manifest's or the CRM's.
type LimitSource string

// The sources of limits.
const (
	// LimitDeclared takes what is declared, and holds nothing back for the CRM's word.
	LimitDeclared LimitSource = "Declared"
	// LimitReported takes what the CRM says, once it has.
	LimitReported LimitSource = "Reported"
	// LimitLowest takes the lower of both.
	LimitLowest LimitSource = "Lowest"
)

// Calendar is a calendar period.
type Calendar struct {
	// Unit is Hour, Day or Month.
	Unit CalendarUnit `json:"unit"`
	// TimeZone is an IANA name; empty while it is not known: no interval as long as the longest period then holds more than the limit.
	TimeZone string `json:"timeZone,omitempty"`
}

// CalendarUnit is the length of a calendar period.
type CalendarUnit string

// Calendar units.
const (
	CalendarHour  CalendarUnit = "Hour"
	CalendarDay   CalendarUnit = "Day"
	CalendarMonth CalendarUnit = "Month"
)

// Counting is how a CRM keeps a rolling limit.
type Counting string

// The ways in which CRMs count.
const (
	CountingExact       Counting = "Exact"
	CountingFixed       Counting = "Fixed"
	CountingTokenBucket Counting = "TokenBucket"
	CountingApproximate Counting = "Approximate"
)

// Match selects calls: by a provider's name for the operation, or by method and path.
type Match struct {
	Operations []string `json:"operations,omitempty"`
	// Methods, any if empty, of calls whose whole path matches Path: "*" stands for one segment, "**" at the end for any number of them.
	Methods []string `json:"methods,omitempty"`
	Path    string   `json:"path,omitempty"`
}

// Cost is what matching calls take.
type Cost struct {
	Match Match `json:"match"`
	Cost  int64 `json:"cost"`
	// Per, if set, has a call take Cost for each so many of the things in it.
	Per *Per `json:"per,omitempty"`
}

// Per says what is counted in a call, and how many are one Cost. Exactly one of BodyArray, QueryNumber, QueryList is set.
type Per struct {
	// BodyArray is the name of an array of the body, see call.Counts.
	BodyArray string `json:"bodyArray,omitempty"`
	// QueryNumber is a parameter of the query that says how many; QueryList one that lists them, separated by commas.
	QueryNumber string `json:"queryNumber,omitempty"`
	QueryList   string `json:"queryList,omitempty"`
	// Items are one Cost, a part of them as well.
	Items int64 `json:"items"`
	// Most is what the CRM takes in a call at most, and what is assumed of one that cannot be counted.
	Most int64 `json:"most"`
	// Plus is what such a call takes besides.
	Plus int64 `json:"plus,omitempty"`
}

// Of is what a call takes in which n things were counted; n < 0 if they could not be.
func (c Cost) Of(n int64) int64 {
	if c.Per == nil {
		return c.Cost
	}
	if n < 0 || n > c.Per.Most {
		n = c.Per.Most
	}
	return max(1, c.Per.Plus+c.Cost*((n+c.Per.Items-1)/c.Per.Items))
}

// Largest is the most that such a call takes.
func (c Cost) Largest() int64 { return c.Of(-1) }

// LedgerLoss says what counts as used when a dispatcher finds an empty volume where there was a ledger.
type LedgerLoss string

// Policies after the loss of a ledger.
const (
	// LedgerBounded counts what was reported last, and what the shorter limits can have let through since.
	LedgerBounded LedgerLoss = "Bounded"
	// LedgerSpent counts every limit as used up for one window.
	LedgerSpent LedgerLoss = "Spent"
	// LedgerFresh counts nothing.
	LedgerFresh LedgerLoss = "Fresh"
)

// LedgerPast is what the manager knows of the ledger on a volume.
type LedgerPast struct {
	AfterLoss LedgerLoss `json:"afterLoss,omitempty"`
	// Volume is the identity of the volume that was reported last; empty if none ever was.
	Volume string `json:"volume,omitempty"`
	// Reached is a position that Volume was reported to have reached, at the moment ReachedAt: one with a lower position was put back to an earlier state.
	Reached   int64     `json:"reached,omitempty"`
	ReachedAt time.Time `json:"reachedAt,omitzero"`
	// Lost is set once a dispatcher has reported another volume, Found, in place of Volume: what had been used when the last report came.
	Lost *LedgerLost `json:"lost,omitempty"`
}

// LedgerLost is the last that is known of a ledger that was lost.
type LedgerLost struct {
	// Found is the volume that the figures are for.
	Found string `json:"found"`
	// At is when they were reported.
	At time.Time `json:"at"`
	// Used by limit.
	Used map[string]int64 `json:"used,omitempty"`
}

// Tier is a licence that can be had: its name and its limits by name.
type Tier struct {
	Name   string           `json:"name"`
	Limits map[string]int64 `json:"limits"`
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

	Share Share `json:"share"`
	// Overrides of Share; the first that holds decides.
	Overrides []Override `json:"overrides,omitempty"`
	// Priority among borrowed calls.
	Priority Priority `json:"priority"`
	// MostUrgent and LeastUrgent bound the steps by which clients can make a call less urgent (above 0) or more urgent (below 0) than others of the integration.
	MostUrgent  int8 `json:"mostUrgent,omitempty"`
	LeastUrgent int8 `json:"leastUrgent,omitempty"`
	// External: its calls do not come through the dispatcher; its share is kept free for them. It has no clients.
	External bool     `json:"external,omitempty"`
	Clients  []Client `json:"clients,omitempty"`
	// Credentials, if set, are its own: its calls go out with them in place of the CRM's.
	Credentials *Credentials `json:"credentials,omitempty"`
	// Enforce is false under Shadow, the CRM's or its own.
	Enforce bool `json:"enforce"`

	// Default applies to calls that no operation matches: Wait or Reject.
	Default Overflow `json:"default"`
	// WaitSeconds is how long a call is held under Wait.
	WaitSeconds int64 `json:"waitSeconds"`
	// Operations override Default; the first match decides.
	Operations []OperationOverflow `json:"operations,omitempty"`
	Queue      Queue               `json:"queue"`

	// ShareReads makes equal GET calls one while they wait.
	ShareReads bool `json:"shareReads,omitempty"`
	// CachedReads keep answers of GET calls; the first match decides.
	CachedReads []CachedRead `json:"cachedReads,omitempty"`

	// Batching merges queued calls; nil if they are sent one by one.
	Batching *Batching `json:"batching,omitempty"`

	// Callbacks, if set, tell what became of queued calls.
	Callbacks *Callbacks `json:"callbacks,omitempty"`
}

// Key identifies an integration across re-creation: queued calls belong to it.
func (i Integration) Key() string { return i.Namespace + "/" + i.Name }

// Share is a part of every limit.
type Share struct {
	// Part of every limit that PerLimit does not name.
	Part
	// PerLimit are parts of single limits, by their names.
	PerLimit map[string]Part `json:"perLimit,omitempty"`
	Weight   int64           `json:"weight"`
	// LendPercent of a guarantee may be lent while it is not used; the rest is always kept free.
	LendPercent int64 `json:"lendPercent"`
	// ReclaimWithinWindow lends all of it, forecast demand or not: what was lent comes back as its window passes.
	ReclaimWithinWindow bool `json:"reclaimWithinWindow,omitempty"`
}

// Part is a part of one limit, each figure in percent of the limit or in its units.
type Part struct {
	GuaranteedPercent int64 `json:"guaranteedPercent,omitempty"`
	// GuaranteedCalls, if set, stands in place of GuaranteedPercent.
	GuaranteedCalls *int64 `json:"guaranteedCalls,omitempty"`
	MaxPercent      int64  `json:"maxPercent"`
	// MaxCalls, if set, stands in place of MaxPercent.
	MaxCalls *int64 `json:"maxCalls,omitempty"`
}

// Of is the share's part of the limit with this name.
func (s Share) Of(limit string) Part {
	if p, named := s.PerLimit[limit]; named {
		return p
	}
	return s.Part
}

// Guaranteed units of a limit of this size.
func (p Part) Guaranteed(size int64) int64 {
	if p.GuaranteedCalls != nil {
		return min(*p.GuaranteedCalls, size)
	}
	return size * p.GuaranteedPercent / 100
}

// Most is how many units of a limit of this size can be used, what is borrowed included: one call at least, as a share that rounds to nothing would hold its
// calls for ever.
func (p Part) Most(size int64) int64 {
	if p.MaxCalls != nil {
		return max(1, min(*p.MaxCalls, size))
	}
	return max(1, size*p.MaxPercent/100)
}

// Override is a share that holds for some time. Exactly one of From and Until together, or Weekly, is set.
type Override struct {
	Name string `json:"name"`
	// From and Until bound a single time, [From, Until).
	From  *time.Time `json:"from,omitempty"`
	Until *time.Time `json:"until,omitempty"`
	// Weekly is a time that comes back each week.
	Weekly *Weekly `json:"weekly,omitempty"`
	Share  Share   `json:"share"`
}

// Weekly is from one time of day to another, on some days of the week. An End that is not after Start is on the next day.
type Weekly struct {
	// Days are Monday to Sunday, at least one.
	Days []string `json:"days"`
	// Start and End are local times, "08:00"; "24:00" ends at midnight.
	Start    string `json:"start"`
	End      string `json:"end"`
	TimeZone string `json:"timeZone"`
}

// Priority decides among integrations that want what nobody has reserved.
type Priority string

// Priorities, highest first.
const (
	PriorityInteractive Priority = "Interactive"
	PriorityStandard    Priority = "Standard"
	PriorityBulk        Priority = "Bulk"
)

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

// CachedRead says for how long answers of an operation, or of a path that Path matches, are kept.
type CachedRead struct {
	Operation string `json:"operation,omitempty"`
	Path      string `json:"path,omitempty"`
	Seconds   int64  `json:"seconds"`
}

// BatchingMode says when queued calls are merged.
type BatchingMode string

// Batching modes.
const (
	// BatchWhenWaiting merges calls that wait at the same time anyway.
	BatchWhenWaiting BatchingMode = "WhenWaiting"
	// BatchAlways has calls wait for others, up to MaxLingerSeconds.
	BatchAlways BatchingMode = "Always"
)

// Batching merges queued calls into bulk calls.
type Batching struct {
	Mode BatchingMode `json:"mode"`
	// MaxItems bounds the members of a bulk call; 0 if only the CRM does.
	MaxItems int64 `json:"maxItems,omitempty"`
	// MaxLingerSeconds is how long a call may wait for others to go with.
	MaxLingerSeconds int64 `json:"maxLingerSeconds,omitempty"`
	// Operations that are merged; all that the provider can merge if empty, calls without an operation's name included.
	Operations []string `json:"operations,omitempty"`
	// FoldUpdates makes one update of queued ones of the same record, where the provider knows how.
	FoldUpdates bool `json:"foldUpdates,omitempty"`
	// AcrossIntegrations lets calls go together with those of other integrations that have it, too, and whose calls go out as the same user of the CRM.
	AcrossIntegrations bool `json:"acrossIntegrations,omitempty"`
}

// Queue bounds what waits durably.
type Queue struct {
	MaxCalls int64 `json:"maxCalls"`
	// MaxBytes bounds the bodies of the calls that wait; 0 if only the volume does.
	MaxBytes      int64 `json:"maxBytes,omitempty"`
	MaxAgeSeconds int64 `json:"maxAgeSeconds"`
}

// Client authenticates as an integration: by a service account token's subject, an API key's hash, or that of a credential of the CRM.
type Client struct {
	Name string `json:"name"`
	// ServiceAccount is system:serviceaccount:<namespace>:<name>.
	ServiceAccount string `json:"serviceAccount,omitempty"`
	// APIKeySHA256 are hexadecimal hashes.
	APIKeySHA256 []string `json:"apiKeySHA256,omitempty"`
	// CRMCredentialSHA256 are hexadecimal hashes of a credential of the CRM: the client's calls go out with it.
	CRMCredentialSHA256 []string `json:"crmCredentialSHA256,omitempty"`
}
