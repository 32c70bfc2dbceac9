// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Provider names the adapter that knows a CRM's dialect: where clients put their credential, how a refusal looks, which links lead back to it, and which
// writes can be repeated safely.
// +kubebuilder:validation:Enum=Zendesk;Salesforce;HubSpot;Dynamics365;ServiceNow;Freshdesk;ZohoCRM;Pipedrive;Intercom;Kustomer;Generic
type Provider string

const (
	// ProviderZendesk speaks the Zendesk Support API's dialect.
	ProviderZendesk Provider = "Zendesk"
	// ProviderSalesforce speaks the Salesforce REST API's dialect.
	ProviderSalesforce Provider = "Salesforce"
	// ProviderHubSpot speaks the HubSpot API's dialect.
	ProviderHubSpot Provider = "HubSpot"
	// ProviderDynamics365 speaks the Dataverse Web API's dialect.
	ProviderDynamics365 Provider = "Dynamics365"
	// ProviderServiceNow speaks the ServiceNow REST API's dialect.
	ProviderServiceNow Provider = "ServiceNow"
	// ProviderFreshdesk speaks the Freshdesk API's dialect.
	ProviderFreshdesk Provider = "Freshdesk"
	// ProviderZohoCRM speaks the Zoho CRM API's dialect.
	ProviderZohoCRM Provider = "ZohoCRM"
	// ProviderPipedrive speaks the Pipedrive API's dialect.
	ProviderPipedrive Provider = "Pipedrive"
	// ProviderIntercom speaks the Intercom API's dialect.
	ProviderIntercom Provider = "Intercom"
	// ProviderKustomer speaks the Kustomer API's dialect.
	ProviderKustomer Provider = "Kustomer"
	// ProviderGeneric serves any HTTP API that counts calls.
	ProviderGeneric Provider = "Generic"
)

// Dispatch says what happens to calls.
// +kubebuilder:validation:Enum=Run;Hold;Drain
type Dispatch string

const (
	// DispatchRun accepts calls and sends them.
	DispatchRun Dispatch = "Run"
	// DispatchHold accepts and queues calls but sends nothing.
	DispatchHold Dispatch = "Hold"
	// DispatchDrain refuses new calls and sends what is queued.
	DispatchDrain Dispatch = "Drain"
)

// DeletionPolicy says what becomes of queued calls when the CRM object is deleted.
// +kubebuilder:validation:Enum=Retain;Drain;Discard
type DeletionPolicy string

const (
	// DeletionPolicyRetain removes the dispatcher at once and keeps its volume; a CRM for the same licence in the same namespace adopts it.
	DeletionPolicyRetain DeletionPolicy = "Retain"
	// DeletionPolicyDrain refuses new calls, sends what is queued, then goes on as Retain. It gives up waiting after drainTimeoutSeconds, or at once when the
	// namespace is being deleted.
	DeletionPolicyDrain DeletionPolicy = "Drain"
	// DeletionPolicyDiscard deletes the volume and every call on it.
	DeletionPolicyDiscard DeletionPolicy = "Discard"
)

// IntakeScheme is the protocol integrations speak to the dispatcher.
// +kubebuilder:validation:Enum=HTTPS;HTTP
type IntakeScheme string

const (
	// IntakeSchemeHTTPS serves the intake by TLS.
	IntakeSchemeHTTPS IntakeScheme = "HTTPS"
	// IntakeSchemeHTTP serves the intake in clear text: credentials of clients can be read by whoever sees the traffic.
	IntakeSchemeHTTP IntakeScheme = "HTTP"
)

// Network says where a CRM may be.
// +kubebuilder:validation:Enum=Public;Private
type Network string

const (
	// NetworkPublic is the internet.
	NetworkPublic Network = "Public"
	// NetworkPrivate is, besides, private networks, the cluster among them.
	NetworkPrivate Network = "Private"
)

// CRMSpec declares a CRM connection and the limits of its licence.
// +kubebuilder:validation:XValidation:rule="self.provider != 'Generic' || !has(self.licence.tier)",message="licence.tier is not for provider Generic, of which no tiers are known: declare licence.limits"
// +kubebuilder:validation:XValidation:rule="has(self.licence.account) || self.provider in ['Zendesk', 'Salesforce', 'Dynamics365', 'ServiceNow', 'Freshdesk'] || self.provider == 'Pipedrive' && !self.endpoint.contains('//api.pipedrive.com')",message="licence.account is required: it follows from the endpoint for Zendesk, Salesforce, Dynamics365, ServiceNow, Freshdesk and Pipedrive only, and not from api.pipedrive.com"
// +kubebuilder:validation:XValidation:rule="self.provider in ['Zendesk', 'Salesforce', 'HubSpot', 'ServiceNow'] || (!has(self.credentials.oauthClient) || has(self.credentials.oauthClient.tokenURL)) && (!has(self.credentials.oauthRefresh) || has(self.credentials.oauthRefresh.tokenURL))",message="tokenURL is required: it follows from the endpoint for Zendesk, Salesforce, HubSpot and ServiceNow only"
// +kubebuilder:validation:XValidation:rule="self.endpoint.startsWith('http://') || (!has(self.credentials.oauthClient) || !has(self.credentials.oauthClient.tokenURL) || self.credentials.oauthClient.tokenURL.startsWith('https://')) && (!has(self.credentials.oauthRefresh) || !has(self.credentials.oauthRefresh.tokenURL) || self.credentials.oauthRefresh.tokenURL.startsWith('https://')) && (!has(self.credentials.oauthJWT) || !has(self.credentials.oauthJWT.tokenURL) || self.credentials.oauthJWT.tokenURL.startsWith('https://'))",message="tokenURL must be https unless the endpoint is plain http itself"
// +kubebuilder:validation:XValidation:rule="self.enforcement != 'Observe' || self.provider in ['Zendesk', 'Salesforce', 'HubSpot', 'Freshdesk', 'Pipedrive', 'Intercom', 'Kustomer']",message="enforcement: Observe is only for CRMs that tell what is used of their limits: Zendesk, Salesforce, HubSpot, Freshdesk, Pipedrive, Intercom and Kustomer; begin with Shadow"
// +kubebuilder:validation:XValidation:rule="self.enforcement != 'Observe' || !has(self.usage) || !has(self.usage.intervalSeconds) || self.usage.intervalSeconds > 0",message="usage.intervalSeconds must not be 0 with enforcement: Observe, which does nothing but ask"
// +kubebuilder:validation:XValidation:rule="self.provider == 'Generic' || !has(self.generic)",message="generic is only for provider Generic: remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.generic) || !has(self.generic.idempotencyKey) || !has(self.credentials.header) || self.generic.idempotencyKey.header.lowerAscii() != self.credentials.header.name.lowerAscii()",message="generic.idempotencyKey.header must be another header than credentials.header"
// +kubebuilder:validation:XValidation:rule="!has(self.generic) || !has(self.generic.limitHeaders) || !has(self.generic.limitHeaders.windowSeconds) || has(self.licence.limits) && self.licence.limits.exists(l, has(l.windowSeconds) && l.windowSeconds == self.generic.limitHeaders.windowSeconds && !has(l.match))",message="generic.limitHeaders.windowSeconds must be that of one of licence.limits that has no match"
// +kubebuilder:validation:XValidation:rule="self.network == 'Private' || !self.endpoint.matches('^https?://(10|127|192[.]168|172[.](1[6-9]|2[0-9]|3[01])|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))[.][0-9.]+(:[0-9]+)?$')",message="endpoint is an address of a private network, which is called with network: Private only"
type CRMSpec struct {
	// provider names the adapter for this CRM's dialect; Generic serves any HTTP API that counts calls.
	// +required
	Provider Provider `json:"provider,omitempty"`

	// endpoint is the CRM's base URL, scheme and host with an optional port, without a path: https://acme.zendesk.com. Plain http sends the CRM's credentials
	// in clear text; it is meant for simulators in the same cluster.
	// +required
	// +kubebuilder:validation:MinLength=10
	// +kubebuilder:validation:MaxLength=300
	// +kubebuilder:validation:Pattern=`^https?://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?$`
	// +kubebuilder:validation:XValidation:rule="!self.matches('^https?://(0|169[.]254|22[4-9]|23[0-9])[.][0-9.]+(:[0-9]+)?$')",message="endpoint is an address to which no connection is ever made"
	Endpoint string `json:"endpoint,omitempty"`

	// network is Public, or Private for a CRM on premises, behind a private link or in the cluster: connections are made to addresses of private networks then, too
	// (RFC 1918 and the like, unique local, loopback). What counts is the address to which the endpoint's host leads when it is called, and the token endpoint's:
	// with Public, nothing is sent to a private one. To link-local addresses and the metadata services of clouds no connection is ever made.
	// +optional
	// +default="Public"
	Network Network `json:"network,omitempty"`

	// credentials say how the dispatcher signs in to the CRM. Exactly one kind is set. The Secret lies in this namespace and is mounted into the dispatcher
	// only; the operator cannot read it.
	// +required
	Credentials Credentials `json:"credentials,omitzero"`

	// generic tells of an API without an adapter how it refuses, which headers tell of its limits, and more. Only with provider Generic.
	// +optional
	Generic *Generic `json:"generic,omitzero"`

	// licence is what the CRM's licence allows.
	// +required
	Licence Licence `json:"licence,omitzero"`

	// enforcement is Enforce; Shadow to forward every call at once and only count what would have been held back; or Observe to take no call and only ask the CRM
	// what is used of its limits, with credentials that may only read: applications go on calling the CRM itself. An Integration may be laxer, not stricter, than
	// its CRM.
	// +optional
	// +default="Enforce"
	Enforcement Enforcement `json:"enforcement,omitempty"`

	// usage is how the CRM is asked what has been used of its limits, by all callers together.
	// +optional
	Usage Usage `json:"usage,omitzero"`

	// dispatch is Run; Hold accepts and queues calls but sends nothing; Drain refuses new calls and sends what is queued.
	// +optional
	// +default="Run"
	Dispatch Dispatch `json:"dispatch,omitempty"`

	// intake is how integrations reach the dispatcher.
	// +optional
	// +default={"scheme": "HTTPS"}
	Intake Intake `json:"intake,omitzero"`

	// storage is the volume that holds the quota ledger and the backlog.
	// +optional
	// +default={"size": "1Gi"}
	Storage Storage `json:"storage,omitzero"` //nolint:kubeapilinter // a Quantity cannot be proven non-zero by markers; the rule on size bounds it

	// deletion says what becomes of queued calls when this object is deleted.
	// +optional
	// +default={"policy": "Retain"}
	Deletion Deletion `json:"deletion,omitzero"`

	// tracing exports OpenTelemetry traces of calls. Without it none are made, and the traceparent header of a client goes on to the CRM as it is.
	// +optional
	Tracing *Tracing `json:"tracing,omitzero"`
}

// Credentials is how the dispatcher signs in to the CRM. A Secret may carry a key "hosts" with host names, one a line: the credentials are then sent to those
// hosts only, whatever endpoint and tokenURL say. The OAuth kinds get access tokens from a token endpoint, by themselves and before the last one expires.
// +kubebuilder:validation:ExactlyOneOf=basic;bearer;header;oauthClient;oauthRefresh;oauthJWT
type Credentials struct {
	// basic is HTTP Basic authentication. For Zendesk API tokens the user name is "email/token"; for Freshdesk it is the API key, and the password any text.
	// +optional
	Basic *BasicCredentials `json:"basic,omitzero"`

	// bearer is a fixed token sent as "Authorization: Bearer", or for ZohoCRM "Authorization: Zoho-oauthtoken". Access tokens are sent in the same way.
	// +optional
	Bearer *BearerCredentials `json:"bearer,omitzero"`

	// header is an API key sent in a header of its own.
	// +optional
	Header *HeaderCredentials `json:"header,omitzero"`

	// oauthClient gets access tokens by OAuth 2 client credentials: the client acts for itself. Zendesk, Salesforce, Dynamics365 and ServiceNow offer it.
	// +optional
	OAuthClient *OAuthClientCredentials `json:"oauthClient,omitzero"`

	// oauthRefresh gets access tokens by an OAuth 2 refresh token: the client acts for the user who authorised it. If the CRM answers with a new refresh token
	// each time, as Zendesk does, the dispatcher keeps the newest one on its volume, encrypted, and the Secret's is only the first; another one in the Secret
	// takes its place.
	// +optional
	OAuthRefresh *OAuthRefreshCredentials `json:"oauthRefresh,omitzero"`

	// oauthJWT gets access tokens by assertions that are signed with a private key (RFC 7523): the client acts for the user it names. Salesforce offers it to
	// connected apps.
	// +optional
	OAuthJWT *OAuthJWTCredentials `json:"oauthJWT,omitzero"`
}

// BasicCredentials is a user name and a password in a Secret.
type BasicCredentials struct {
	// secretRef names the Secret.
	// +required
	SecretRef LocalReference `json:"secretRef,omitzero"`

	// usernameKey is the Secret's key that holds the user name.
	// +optional
	// +default="username"
	UsernameKey SecretKey `json:"usernameKey,omitempty"`

	// passwordKey is the Secret's key that holds the password or API token.
	// +optional
	// +default="password"
	PasswordKey SecretKey `json:"passwordKey,omitempty"`
}

// BearerCredentials is a token in a Secret.
type BearerCredentials struct {
	// secretRef names the Secret.
	// +required
	SecretRef LocalReference `json:"secretRef,omitzero"`

	// tokenKey is the Secret's key that holds the token.
	// +optional
	// +default="token"
	TokenKey SecretKey `json:"tokenKey,omitempty"`
}

// HeaderCredentials is an API key in a Secret and the header it is sent in.
type HeaderCredentials struct {
	// name of the header, for example X-Api-Key. Clients of the dispatcher put their own key into the same header.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z][-A-Za-z0-9]*$`
	Name string `json:"name,omitempty"`

	// secretRef names the Secret.
	// +required
	SecretRef LocalReference `json:"secretRef,omitzero"`

	// valueKey is the Secret's key that holds the API key.
	// +optional
	// +default="value"
	ValueKey SecretKey `json:"valueKey,omitempty"`
}

// Usage is how the CRM is asked what has been used of its limits. The calls count as any other, go last, take at most a hundredth of any limit, and never its last
// hundredth. Which calls they are is said in the documentation of each CRM.
// +kubebuilder:validation:MinProperties=1
type Usage struct {
	// intervalSeconds is how often the CRM is asked, about; 0 for never. When absent it is 300 where the CRM has a call for that (Salesforce, HubSpot), and 60 where
	// any answer's headers tell (Zendesk, Freshdesk, Pipedrive, Intercom, Kustomer): there it is only asked while no other answer tells. The others do not tell.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=86400
	IntervalSeconds *int32 `json:"intervalSeconds,omitempty"`
}

// Intake is how integrations reach the dispatcher.
// +kubebuilder:validation:XValidation:rule="self.scheme == 'HTTPS' || !has(self.tlsSecretRef)",message="tlsSecretRef must not be set when scheme is HTTP"
// +kubebuilder:validation:MinProperties=1
type Intake struct {
	// scheme is HTTPS, or HTTP to serve in clear text on port 80.
	// +optional
	// +default="HTTPS"
	Scheme IntakeScheme `json:"scheme,omitempty"`

	// tlsSecretRef names a Secret of type kubernetes.io/tls, cert-manager's for instance, and is reloaded when it changes. Without it the dispatcher makes its
	// own certificate and the operator publishes the CA in the ConfigMap that status.intake names.
	// +optional
	TLSSecretRef *LocalReference `json:"tlsSecretRef,omitzero"`
}

// Storage is the volume of a dispatcher.
// +kubebuilder:validation:XValidation:rule="has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)",message="storageClassName is immutable"
// +kubebuilder:validation:XValidation:rule="quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0",message="size can only grow"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.encryption) || has(self.encryption)",message="encryption cannot be taken away, because calls that are stored could not be read any more"
// +kubebuilder:validation:MinProperties=1
type Storage struct {
	// size of the volume claim. It can grow, if the storage class allows it, and never shrink. A call that waits takes about 1 KiB besides its body.
	// +optional
	// +default="1Gi"
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity('256Mi')) >= 0 && quantity(string(self)).compareTo(quantity('1Ti')) <= 0",message="size must be between 256Mi and 1Ti"
	Size resource.Quantity `json:"size,omitzero"` //nolint:kubeapilinter // omitempty does nothing for a struct

	// storageClassName of the volume claim; the cluster's default class when absent.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	StorageClassName string `json:"storageClassName,omitempty"`

	// encryption of what is stored of queued calls: headers, body, and the CRM's answer. Without it they are stored in clear text.
	// +optional
	Encryption *Encryption `json:"encryption,omitzero"`
}

// Encryption says which keys encrypt what is stored of calls. Each call is encrypted with a key of its integration and day, which lies on the volume, encrypted with
// currentKey: without the Secret nothing of the calls can be read, by the dispatcher neither. While it is missing no call is queued.
// +kubebuilder:validation:XValidation:rule="self.currentKey != self.formerKey",message="currentKey and formerKey must differ"
type Encryption struct {
	// secretRef names the Secret.
	// +required
	SecretRef LocalReference `json:"secretRef,omitzero"`

	// currentKey is the Secret's key that holds 32 random bytes in base64, as "openssl rand -base64 32" makes them. Keep a copy of them elsewhere.
	// +optional
	// +default="current"
	CurrentKey SecretKey `json:"currentKey,omitempty"`

	// formerKey is the Secret's key that holds the former value of currentKey while that is exchanged. The Secret may lack it at any other time.
	// +optional
	// +default="former"
	FormerKey SecretKey `json:"formerKey,omitempty"`
}

// Deletion says what becomes of queued calls when the CRM object is deleted.
// +kubebuilder:validation:MinProperties=1
type Deletion struct {
	// policy is Retain (the volume is kept and adopted when a CRM for the same licence returns), Drain (send what is queued first) or Discard. A volume claim
	// goes with its namespace whatever the policy.
	// +optional
	// +default="Retain"
	Policy DeletionPolicy `json:"policy,omitempty"`

	// drainTimeoutSeconds bounds the wait of policy Drain; then the volume is kept with what is left.
	// +optional
	// +default=600
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=604800
	DrainTimeoutSeconds int32 `json:"drainTimeoutSeconds,omitempty"`
}

// CRMStatus is what the operator and the dispatcher observed.
// +kubebuilder:validation:MinProperties=1
type CRMStatus struct {
	// conditions are Accepted, CredentialsResolved, DispatcherAvailable and Programmed, summed up by Ready; besides them advice that never moves Ready:
	// EndpointResolved, CRMAnswering, QuotaEnforced, BudgetOnTrack, LicenceAdequate, LicenceValid, BacklogHealthy, LedgerTrusted, LimitsMatch and UsageAccounted.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=24
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	// +kubebuilder:validation:Minimum=1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// account is the licence's identity in force, declared or derived.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Account string `json:"account,omitempty"`

	// licence is the licence in force with its limits written out.
	// +optional
	Licence LicenceStatus `json:"licence,omitzero"`

	// intake is where integrations reach the dispatcher.
	// +optional
	Intake IntakeStatus `json:"intake,omitzero"`

	// integrations is the number of accepted Integrations.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Integrations *int32 `json:"integrations,omitempty"`

	// windows show how much of each limit is used.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Windows []WindowStatus `json:"windows,omitempty"`

	// learntLimits are limits that are declared nowhere and were learnt from the CRM's refusals.
	// +optional
	// +listType=map
	// +listMapKey=counts
	// +kubebuilder:validation:MaxItems=16
	LearntLimits []LearntLimitStatus `json:"learntLimits,omitempty"`

	// backlog is what waits for all integrations together.
	// +optional
	Backlog BacklogStatus `json:"backlog,omitzero"`

	// summary holds the texts of the printed columns.
	// +optional
	Summary Summary `json:"summary,omitzero"`
}

// IntakeStatus is where integrations reach the dispatcher.
// +kubebuilder:validation:MinProperties=1
type IntakeStatus struct {
	// url is the base URL that integrations use instead of the CRM's.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=300
	URL string `json:"url,omitempty"`

	// caConfigMap names the ConfigMap in this namespace whose key ca.crt holds the CA that clients trust; absent when the certificate comes from a Secret.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	CAConfigMap string `json:"caConfigMap,omitempty"`
}

// Summary holds the texts of the printed columns.
// +kubebuilder:validation:MinProperties=1
type Summary struct {
	// used is the use of the tightest limit, for example "minute 300/400".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=80
	Used string `json:"used,omitempty"`

	// usedNext is the use of the next tightest limit.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=80
	UsedNext string `json:"usedNext,omitempty"`

	// eta is how long the backlog is expected to take, for example "3h".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=20
	ETA string `json:"eta,omitempty"`
}

// CRM is a connection to a CRM with the limits of its licence. The operator runs one dispatcher for it, through which integrations call the CRM.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:storageversion
// +kubebuilder:resource:categories=crmquota
// +kubebuilder:printcolumn:name="Used",type=string,JSONPath=`.status.summary.used`,description="Use of the tightest limit"
// +kubebuilder:printcolumn:name="Next",type=string,priority=1,JSONPath=`.status.summary.usedNext`,description="Use of the next tightest limit"
// +kubebuilder:printcolumn:name="Backlog",type=integer,JSONPath=`.status.backlog.calls`,description="Calls that wait, rounded to two digits"
// +kubebuilder:printcolumn:name="ETA",type=string,JSONPath=`.status.summary.eta`,description="How long the backlog is expected to take"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the declared spec is in force"
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why it is ready or not"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]{0,35}[a-z0-9])?$')",message="metadata.name must start with a letter, contain only a-z, 0-9 and '-', end with a letter or digit, and have at most 37 characters: the names of the dispatcher's objects are made from it"
type CRM struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec declares the connection and the licence.
	// +required
	Spec CRMSpec `json:"spec,omitzero"`

	// status is what the operator observed. It is coarse on purpose; exact figures are in the dispatcher's metrics.
	// +optional
	Status CRMStatus `json:"status,omitzero"`
}

// CRMList is a list of CRMs.
// +kubebuilder:object:root=true
type CRMList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []CRM `json:"items"`
}
