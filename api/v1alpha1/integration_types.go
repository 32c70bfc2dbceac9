// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OverflowPolicy says what happens to a call that does not fit into the limits now.
// +kubebuilder:validation:Enum=Wait;Reject
type OverflowPolicy string

// OperationPolicy says what happens to a listed operation's calls that do not fit into the limits now.
// +kubebuilder:validation:Enum=Wait;Reject;Queue
type OperationPolicy string

const (
	// OverflowWait holds the call for up to waitSeconds, then refuses it as the CRM would.
	OverflowWait OverflowPolicy = "Wait"
	// OverflowReject refuses the call at once as the CRM would.
	OverflowReject OverflowPolicy = "Reject"

	// OperationWait holds the call for up to waitSeconds, then refuses it as the CRM would.
	OperationWait OperationPolicy = "Wait"
	// OperationReject refuses the call at once as the CRM would.
	OperationReject OperationPolicy = "Reject"
	// OperationQueue stores the call durably and answers 202 with the address of its result.
	OperationQueue OperationPolicy = "Queue"
)

// HTTPMethod is a method that can be matched.
// +kubebuilder:validation:Enum=GET;HEAD;OPTIONS;POST;PUT;PATCH;DELETE
type HTTPMethod string

// Route says how an application's calls reach the CRM.
// +kubebuilder:validation:Enum=Dispatched;External
type Route string

const (
	// RouteDispatched leads through the dispatcher.
	RouteDispatched Route = "Dispatched"
	// RouteExternal leads past the dispatcher, because the application cannot be given another address. Its share is kept free.
	RouteExternal Route = "External"
)

// Priority decides among integrations that want what nobody has reserved.
// +kubebuilder:validation:Enum=Interactive;Standard;Bulk
type Priority string

const (
	// PriorityInteractive goes first: somebody waits for the answers.
	PriorityInteractive Priority = "Interactive"
	// PriorityStandard goes next.
	PriorityStandard Priority = "Standard"
	// PriorityBulk goes last: exports, synchronisation by night.
	PriorityBulk Priority = "Bulk"
)

// PriorityHeader says which Priority headers of requests are followed.
// +kubebuilder:validation:Enum=Ignore;Lower;Follow
type PriorityHeader string

const (
	// PriorityHeaderIgnore has all calls wait in the order of their arrival.
	PriorityHeaderIgnore PriorityHeader = "Ignore"
	// PriorityHeaderLower lets clients make calls less urgent than the others.
	PriorityHeaderLower PriorityHeader = "Lower"
	// PriorityHeaderFollow lets clients make calls more urgent than the others, too.
	PriorityHeaderFollow PriorityHeader = "Follow"
)

// IntegrationSpec declares one application's share of a CRM's licence and how its calls behave when the share is used up.
// +kubebuilder:validation:XValidation:rule="self.route == 'External' || has(self.clients)",message="clients are required: name who may call, or set route to External"
// +kubebuilder:validation:XValidation:rule="self.route != 'External' || !has(self.clients)",message="clients must not be set with route External, whose calls do not go through the dispatcher"
// +kubebuilder:validation:XValidation:rule="self.route != 'External' || !has(self.overflow)",message="overflow must not be set with route External, whose calls do not go through the dispatcher"
// +kubebuilder:validation:XValidation:rule="self.route != 'External' || !has(self.priorityHeader) || self.priorityHeader == 'Ignore'",message="priorityHeader must be Ignore with route External, whose calls do not go through the dispatcher"
// +kubebuilder:validation:XValidation:rule="self.route != 'External' || !has(self.batching)",message="batching must not be set with route External, whose calls do not go through the dispatcher"
// +kubebuilder:validation:XValidation:rule="self.route != 'External' || !has(self.callbacks)",message="callbacks must not be set with route External, whose calls do not go through the dispatcher"
// +kubebuilder:validation:XValidation:rule="self.route != 'External' || !has(self.credentials)",message="credentials must not be set with route External, whose calls do not go through the dispatcher"
// +kubebuilder:validation:XValidation:rule="!has(self.clients) || self.clients.all(c, has(c.crmCredentialHashes)) || !self.clients.exists(c, has(c.crmCredentialHashes))",message="crmCredentialHashes must be set for all clients or for none"
// +kubebuilder:validation:XValidation:rule="!has(self.clients) || !has(self.credentials) || !self.clients.exists(c, has(c.crmCredentialHashes))",message="credentials must not be set where clients have crmCredentialHashes, and bring their own"
// +kubebuilder:validation:XValidation:rule="!has(self.clients) || !has(self.overflow) || !has(self.overflow.operations) || !self.clients.exists(c, has(c.crmCredentialHashes)) || self.overflow.operations.all(o, o.policy != 'Queue')",message="policy Queue must not be used where clients have crmCredentialHashes: a client's credential is not stored"
// +kubebuilder:validation:XValidation:rule="self.route != 'External' || has(self.share) && (has(self.share.guaranteedPercent) && self.share.guaranteedPercent > 0 || has(self.share.perLimit) && self.share.perLimit.exists(p, has(p.guaranteedPercent) && p.guaranteedPercent > 0 || has(p.guaranteedCalls) && p.guaranteedCalls > 0))",message="route External needs a guarantee in share: it is what is kept free for it"
type IntegrationSpec struct {
	// crmRef names the CRM, in the same namespace, whose licence this integration uses.
	// +required
	// +k8s:immutable
	CRMRef LocalReference `json:"crmRef,omitzero"`

	// route is Dispatched, or External for an application that cannot be given another address, for instance a service that asks for nothing but the account's
	// subdomain: its calls do not go through the dispatcher, and its guaranteed share is kept free for it, never lent.
	// +optional
	// +default="Dispatched"
	Route Route `json:"route,omitempty"`

	// share is this integration's part of every limit of the licence.
	// +optional
	// +default={"weight": 1}
	Share Share `json:"share,omitzero"`

	// overrides are other shares for some time; the first that holds decides. At no time may the guarantees of all integrations exceed the licence: an override
	// that would is refused when it is declared, not when it begins.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Overrides []ShareOverride `json:"overrides,omitempty"`

	// priority is Interactive, Standard or Bulk. It decides among calls that want what nobody has reserved: a higher one goes first, and a call that has waited
	// for a minute goes with the highest. What is guaranteed does not depend on it.
	// +optional
	// +default="Standard"
	Priority Priority `json:"priority,omitempty"`

	// priorityHeader says whether the header "Priority: u=0" to "u=7" of a request (RFC 9218; 3 without one, lower is more urgent) decides which of this integration's
	// own calls goes first: Ignore, Lower for what makes a call less urgent only, or Follow. A step is worth an eighth of the longest time that such a call may wait,
	// an hour at most, so none waits for ever. Other integrations are not affected.
	// +optional
	// +default="Ignore"
	PriorityHeader PriorityHeader `json:"priorityHeader,omitempty"`

	// overflow says what happens to calls that do not fit now. When it is absent they wait for up to 8 seconds.
	// +optional
	Overflow Overflow `json:"overflow,omitzero"`

	// reads say how calls that only read are saved. When it is absent, equal ones are one call while they wait.
	// +optional
	Reads Reads `json:"reads,omitzero"`

	// batching says how queued calls are merged into bulk calls. When it is absent, those go together that wait at the same time anyway.
	// +optional
	Batching Batching `json:"batching,omitzero"`

	// callbacks tell the application what became of its queued calls, so that it need not ask for their results. When they are absent nobody is told.
	// +optional
	Callbacks Callbacks `json:"callbacks,omitzero"`

	// credentials are this integration's own: its calls go out as its own user of the CRM, in the CRM's audit trail and for limits of scope Credential. When they
	// are absent its calls go out with the CRM's. Exactly one kind is set. The Secret lies in this namespace and is mounted into the dispatcher only, which
	// restarts when it is named for the first time, but not when its content changes.
	// +optional
	Credentials Credentials `json:"credentials,omitzero"`

	// clients are who may call as this integration: required, except with route External.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Clients []Client `json:"clients,omitempty"`

	// enforcement is Enforce, or Shadow to forward this integration's calls at once and only count what would have been held back. The laxer of this and the
	// CRM's own wins.
	// +optional
	// +default="Enforce"
	// +kubebuilder:validation:XValidation:rule="self != 'Observe'",message="enforcement is Shadow or Enforce: Observe is of the whole CRM; for an application that goes on calling the CRM itself set route: External"
	Enforcement Enforcement `json:"enforcement,omitempty"`
}

// Overflow says what happens to calls that do not fit into the limits now.
// +kubebuilder:validation:MinProperties=1
type Overflow struct {
	// policy is Wait (hold the call for up to waitSeconds, then refuse it as the CRM would) or Reject (refuse at once), for every call that operations do not
	// name. A request with the header "Prefer: respond-async" is queued whatever the policy, unless its method is safe.
	// +optional
	// +default="Wait"
	Policy OverflowPolicy `json:"policy,omitempty"`

	// waitSeconds is how long a call is held under Wait. Keep it below the client's own time-out.
	// +optional
	// +default=8
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=300
	WaitSeconds int32 `json:"waitSeconds,omitempty"`

	// operations override the policy; the first that matches a call decides.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Operations []OperationOverflow `json:"operations,omitempty"`

	// queue bounds what waits durably for this integration.
	// +optional
	// +default={"maxCalls": 1000}
	Queue Queue `json:"queue,omitzero"` //nolint:kubeapilinter // as for Storage: the rule on maxBytes bounds it
}

// OperationOverflow is the policy for one operation, named by the provider or matched by method and path.
// +kubebuilder:validation:ExactlyOneOf=operation;match
// +kubebuilder:validation:XValidation:rule="self.policy != 'Queue' || !has(self.match) || self.match.methods.all(m, !(m in ['GET', 'HEAD', 'OPTIONS']))",message="policy Queue must not match GET, HEAD or OPTIONS: their callers need the answer"
type OperationOverflow struct {
	// operation is a name that the provider knows, for Zendesk CreateTicket among others; docs/crms lists them for each CRM. Generic knows those
	// of generic.bulkCalls; for others use match.
	// +optional
	Operation OperationName `json:"operation,omitempty"`

	// match selects calls by method and path.
	// +optional
	Match *OperationMatch `json:"match,omitzero"`

	// policy is Wait, Reject, or Queue to store the call durably and answer 202 with the address of its result.
	// +required
	Policy OperationPolicy `json:"policy,omitempty"`
}

// OperationMatch selects calls by method and path.
type OperationMatch struct {
	// methods are the HTTP methods that match.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=7
	Methods []HTTPMethod `json:"methods,omitempty"`

	// path is a pattern of the whole path: "*" stands for one segment, "**" at the end for any number of them. For example /api/v2/tickets/*/comments.
	// +required
	Path PathPattern `json:"path,omitempty"`
}

// Queue bounds what waits durably for one integration. A call over a bound is refused at intake, never dropped later.
// +kubebuilder:validation:MinProperties=1
type Queue struct {
	// maxCalls is the most calls that may wait.
	// +optional
	// +default=1000
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	MaxCalls int32 `json:"maxCalls,omitempty"`

	// maxBytes is the most that the bodies of waiting calls may take of the volume, between 8Mi (the largest body of one call) and 1Ti.
	// +optional
	// +default="128Mi"
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity('8Mi')) >= 0 && quantity(string(self)).compareTo(quantity('1Ti')) <= 0",message="maxBytes must be between 8Mi and 1Ti"
	MaxBytes resource.Quantity `json:"maxBytes,omitzero"` //nolint:kubeapilinter // omitempty does nothing for a struct

	// maxAgeSeconds is how long a call may wait; then it ends as dead, with its reason, and its result says so.
	// +optional
	// +default=86400
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=604800
	MaxAgeSeconds int32 `json:"maxAgeSeconds,omitempty"`
}

// Client is who may call as an integration: a service account of the same namespace, whoever holds an API key, or whoever holds a credential of the CRM itself.
// +kubebuilder:validation:ExactlyOneOf=serviceAccount;apiKeyHashes;crmCredentialHashes
type Client struct {
	// name of the client, as it appears in metrics and logs.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// serviceAccount may call with a projected token whose audience is crmquota.dev/<namespace>/<name of the CRM>.
	// +optional
	ServiceAccount *LocalReference `json:"serviceAccount,omitzero"`

	// apiKeyHashes are the SHA-256 hashes of one API key, or of two while it is rotated, as "sha256:" and 64 hexadecimal digits. Keys must have at least 128
	// random bits: hashes of guessable keys can be reversed.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MaxLength=71
	// +kubebuilder:validation:items:Pattern=`^sha256:[0-9a-f]{64}$`
	APIKeyHashes []string `json:"apiKeyHashes,omitempty"`

	// crmCredentialHashes are the SHA-256 hashes of one credential of the CRM that the client has itself, or of two while it is rotated: it is recognised by it, and
	// its calls go out with it, untouched. What is hashed is the token, "user:password" of HTTP Basic, or the value of the CRM's key header. Such calls are not
	// queued. Credentials must have at least 128 random bits: hashes of guessable ones can be reversed.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MaxLength=71
	// +kubebuilder:validation:items:Pattern=`^sha256:[0-9a-f]{64}$`
	CRMCredentialHashes []string `json:"crmCredentialHashes,omitempty"`
}

// IntegrationStatus is what the operator and the dispatcher observed.
// +kubebuilder:validation:MinProperties=1
type IntegrationStatus struct {
	// conditions are Accepted, CredentialsResolved and Programmed, summed up by Ready; besides them advice that never moves Ready: QuotaEnforced, GuaranteeMet and
	// BacklogHealthy, and CallbacksDelivered where callbacks are declared.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// endpoint is what the application uses in place of the CRM's base URL; absent with route External.
	// +optional
	Endpoint IntakeStatus `json:"endpoint,omitzero"`

	// windows show this integration's part of each limit.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Windows []ShareStatus `json:"windows,omitempty"`

	// backlog is what waits for this integration.
	// +optional
	Backlog BacklogStatus `json:"backlog,omitzero"`

	// callsSaved is how many calls were answered without a request of their own to the CRM, since the dispatcher's volume was made, rounded to two digits.
	// +optional
	// +kubebuilder:validation:Minimum=0
	CallsSaved *int64 `json:"callsSaved,omitempty"`

	// effects say how often queued calls take effect, for each operation with policy Queue, and each that batching names.
	// +optional
	// +listType=map
	// +listMapKey=operation
	// +kubebuilder:validation:MaxItems=64
	Effects []OperationEffect `json:"effects,omitempty"`

	// summary holds the texts of the printed columns.
	// +optional
	Summary Summary `json:"summary,omitzero"`
}

// Integration is one application's share of a CRM's licence.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:storageversion
// +kubebuilder:resource:categories=crmquota,shortName=crmint
// +kubebuilder:printcolumn:name="CRM",type=string,JSONPath=`.spec.crmRef.name`,description="The CRM whose licence is used"
// +kubebuilder:printcolumn:name="Used",type=string,JSONPath=`.status.summary.used`,description="Use of the tightest limit"
// +kubebuilder:printcolumn:name="Next",type=string,priority=1,JSONPath=`.status.summary.usedNext`,description="Use of the next tightest limit"
// +kubebuilder:printcolumn:name="Backlog",type=integer,JSONPath=`.status.backlog.calls`,description="Calls that wait, rounded to two digits"
// +kubebuilder:printcolumn:name="ETA",type=string,JSONPath=`.status.summary.eta`,description="How long the backlog is expected to take"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the declared spec is in force"
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is ready or not"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",message="metadata.name must contain only a-z, 0-9 and '-', start and end with a letter or digit, and have at most 63 characters"
type Integration struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec declares the share and the behaviour.
	// +required
	Spec IntegrationSpec `json:"spec,omitzero"`

	// status is what the operator observed. It is coarse on purpose; exact figures are in the dispatcher's metrics.
	// +optional
	Status IntegrationStatus `json:"status,omitzero"`
}

// IntegrationList is a list of Integrations.
// +kubebuilder:object:root=true
type IntegrationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []Integration `json:"items"`
}
