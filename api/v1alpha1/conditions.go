// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types. All are positive: True is good. Ready is True when the health conditions are; advice never moves Ready.
const (
	// ConditionReady sums up Accepted, CredentialsResolved, DispatcherAvailable and Programmed (Integration: all but DispatcherAvailable).
	ConditionReady = "Ready"
	// ConditionAccepted: the spec is understood and fits what else is declared.
	ConditionAccepted = "Accepted"
	// ConditionCredentialsResolved: the dispatcher holds every credential that the spec names.
	ConditionCredentialsResolved = "CredentialsResolved"
	// ConditionDispatcherAvailable (CRM): the dispatcher runs and can accept calls durably.
	ConditionDispatcherAvailable = "DispatcherAvailable"
	// ConditionProgrammed: the dispatcher itself reports that it enforces this generation of the object.
	ConditionProgrammed = "Programmed"
	// ConditionStalled is only present, and True, when nothing but an edit of the spec helps.
	ConditionStalled = "Stalled"

	// ConditionEndpointResolved (CRM, advice): the dispatcher can look up the endpoint's host, and may call it.
	ConditionEndpointResolved = "EndpointResolved"
	// ConditionCRMAnswering (CRM, advice): the CRM takes calls.
	ConditionCRMAnswering = "CRMAnswering"
	// ConditionQuotaEnforced (advice): calls are held back by the declared limits; False under Observe, Shadow, bypass and route External.
	ConditionQuotaEnforced = "QuotaEnforced"
	// ConditionBudgetOnTrack (CRM, advice): no limit per calendar period, and none of a window longer than an hour, is likely to be used up before it is renewed.
	ConditionBudgetOnTrack = "BudgetOnTrack"
	// ConditionLicenceAdequate (CRM, advice): the licence is large enough for what is asked of it.
	ConditionLicenceAdequate = "LicenceAdequate"
	// ConditionLicenceValid (CRM, advice): the licence has not ended, and will not within 30 days without one that follows.
	ConditionLicenceValid = "LicenceValid"
	// ConditionGuaranteeMet (Integration, advice): calls within the part of the guarantee that is never lent do not wait for the licence.
	ConditionGuaranteeMet = "GuaranteeMet"
	// ConditionBacklogHealthy (advice): queued calls are sent in time, and none is parked or dead.
	ConditionBacklogHealthy = "BacklogHealthy"
	// ConditionCallbacksDelivered (Integration, advice): receivers take their callbacks. It is only present where the Integration has callbacks.
	ConditionCallbacksDelivered = "CallbacksDelivered"
	// ConditionLedgerTrusted (CRM, advice): the dispatcher knows itself what was sent, back to the longest window.
	ConditionLedgerTrusted = "LedgerTrusted"
	// ConditionLimitsMatch (CRM, advice): the CRM itself says that the limits are as declared.
	ConditionLimitsMatch = "LimitsMatch"
	// ConditionUsageAccounted (CRM, advice): callers that do not go through the dispatcher use no notable part of a limit beyond what is declared for them.
	ConditionUsageAccounted = "UsageAccounted"
)

// Reasons, one cause each.
const (
	// ReasonReady: every health condition is True.
	ReasonReady = "Ready"
	// ReasonHeld: Ready, but spec.dispatch is Hold: calls queue and nothing is sent.
	ReasonHeld = "Held"
	// ReasonDraining: Ready, but spec.dispatch is Drain or the CRM is being deleted with policy Drain: new calls are refused.
	ReasonDraining = "Draining"

	// ReasonAccepted: the spec is valid.
	ReasonAccepted = "Accepted"
	// ReasonLicenceInUse: another CRM object already spends this licence.
	ReasonLicenceInUse = "LicenceInUse"
	// ReasonLicenceChanged: the edit would move a running dispatcher, with its queued calls, to another licence.
	ReasonLicenceChanged = "LicenceChanged"
	// ReasonNameTaken: an object that the operator did not make has the name of one it must make.
	ReasonNameTaken = "NameTaken"
	// ReasonUnknownTimeZone: a calendar limit or a weekly override names a time zone that does not exist.
	ReasonUnknownTimeZone = "UnknownTimeZone"
	// ReasonUnknownTier: the catalogue has no such tier, or no such add-on for it, or needs to know the seats.
	ReasonUnknownTier = "UnknownTier"
	// ReasonUnclearLimit: a declared limit has almost the name of one that the tier implies, so it is not clear whether it shall take its place.
	ReasonUnclearLimit = "UnclearLimit"
	// ReasonTooManyLimits: the limits of the tier and those declared are more than 16 together.
	ReasonTooManyLimits = "TooManyLimits"
	// ReasonTooManyIntegrations: more than 1,000 Integrations refer to the CRM.
	ReasonTooManyIntegrations = "TooManyIntegrations"
	// ReasonCRMNotFound: crmRef names no CRM.
	ReasonCRMNotFound = "CRMNotFound"
	// ReasonCRMNotAccepted: the CRM itself is not accepted.
	ReasonCRMNotAccepted = "CRMNotAccepted"
	// ReasonGuaranteeExceedsLicence: the guarantees of all integrations would exceed a limit, now or while an override holds.
	ReasonGuaranteeExceedsLicence = "GuaranteeExceedsLicence"
	// ReasonTooManyOverrides: the overrides of all integrations of the CRM change guarantees at more times than can be checked.
	ReasonTooManyOverrides = "TooManyOverrides"
	// ReasonUnknownLimit: perLimit names a limit that the CRM does not have, or that is not shared out because each record has it for itself.
	ReasonUnknownLimit = "UnknownLimit"
	// ReasonUnknownOperation: a limit, overflow or reads names an operation that the provider does not know.
	ReasonUnknownOperation = "UnknownOperation"
	// ReasonUnsafeQueue: overflow queues an operation whose caller needs the answer.
	ReasonUnsafeQueue = "UnsafeQueue"
	// ReasonUnsafeCache: reads keeps answers of an operation that changes something in the CRM.
	ReasonUnsafeCache = "UnsafeCache"
	// ReasonNotBatchable: batching asks for bulk calls that the CRM does not have, or to share some that it does not take item by item.
	ReasonNotBatchable = "NotBatchable"
	// ReasonDuplicateClient: another Integration of the CRM already has this client.
	ReasonDuplicateClient = "DuplicateClient"
	// ReasonUnusableCredentials: credentials of the Integration ask for tokens where none can be had, or in clear text.
	ReasonUnusableCredentials = "UnusableCredentials"
	// ReasonTooManyCredentials: more than 64 Secrets would be mounted, or more than 256 limits counted, for the credentials and callbacks of all Integrations of the CRM.
	ReasonTooManyCredentials = "TooManyCredentials"

	// ReasonCRMCredentials: the Integration names no credentials, so its calls go out with the CRM's, of which the CRM's own condition tells.
	ReasonCRMCredentials = "CRMCredentials"
	// ReasonClientCredentials: the Integration's clients bring the CRM's credentials themselves.
	ReasonClientCredentials = "ClientCredentials"
	// ReasonResolved: what the spec refers to is there.
	ReasonResolved = "Resolved"
	// ReasonSecretNotFound: the Secret, or a key in it, is missing or cannot be used.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonHostNotAllowed: the Secret's key "hosts" does not list the endpoint's host, or the token endpoint's.
	ReasonHostNotAllowed = "HostNotAllowed"
	// ReasonTokenUnavailable: the token endpoint cannot be reached or gives no usable answer.
	ReasonTokenUnavailable = "TokenUnavailable"
	// ReasonCredentialsRefused: the CRM answers calls with 401. Queued calls are held back.
	ReasonCredentialsRefused = "CredentialsRefused"
	// ReasonTokenRefused: the token endpoint refuses the client; the message has its OAuth error code.
	ReasonTokenRefused = "TokenRefused"
	// ReasonReauthorizationNeeded: the refresh token is not valid any more; authorise the client anew and put its new refresh token into the Secret.
	ReasonReauthorizationNeeded = "ReauthorizationNeeded"
	// ReasonCertificateInvalid: the TLS Secret is missing or cannot be used.
	ReasonCertificateInvalid = "CertificateInvalid"
	// ReasonEncryptionKeyMissing: a key is missing that encrypts what is stored of calls, or that has encrypted some of it. No call is queued, those that cannot be read
	// wait, and nothing is lost until the key is.
	ReasonEncryptionKeyMissing = "EncryptionKeyMissing"
	// ReasonEndpointUnresolvable: the endpoint's host name cannot be looked up.
	ReasonEndpointUnresolvable = "EndpointUnresolvable"
	// ReasonAddressNotAllowed: no address of the endpoint's host is one to which spec.network allows connections.
	ReasonAddressNotAllowed = "AddressNotAllowed"

	// ReasonAnswering: the CRM takes calls.
	ReasonAnswering = "Answering"
	// ReasonUnreachable: no connection to the CRM can be made, or no answer comes.
	ReasonUnreachable = "Unreachable"
	// ReasonFailing: the CRM answers all calls with a status by which it is out of order, such as 503.
	ReasonFailing = "Failing"
	// ReasonRefusing: the CRM refuses all calls for quota.
	ReasonRefusing = "Refusing"

	// ReasonAvailable: the dispatcher accepts calls durably.
	ReasonAvailable = "Available"
	// ReasonStarting: the dispatcher's pod is not ready yet.
	ReasonStarting = "Starting"
	// ReasonVolumePending: the dispatcher's volume claim is not bound.
	ReasonVolumePending = "VolumePending"
	// ReasonNotReporting: the dispatcher's pod is there but gives no report.
	ReasonNotReporting = "NotReporting"
	// ReasonStoreFailed: the dispatcher cannot write to its volume.
	ReasonStoreFailed = "StoreFailed"

	// ReasonProgrammed: the dispatcher enforces this generation.
	ReasonProgrammed = "Programmed"
	// ReasonPending: the dispatcher has not confirmed this generation yet.
	ReasonPending = "Pending"
	// ReasonPlanRejected: the dispatcher refused the plan.
	ReasonPlanRejected = "PlanRejected"

	// ReasonEnforced: calls are held back by the declared limits.
	ReasonEnforced = "Enforced"
	// ReasonObserving: enforcement is Observe.
	ReasonObserving = "Observing"
	// ReasonShadow: enforcement is Shadow.
	ReasonShadow = "Shadow"
	// ReasonBypassed: the annotation crmquota.dev/bypass-until is in force.
	ReasonBypassed = "Bypassed"
	// ReasonExternal: the route is External, so calls do not go through the dispatcher.
	ReasonExternal = "External"

	// ReasonOnTrack: every budget is expected to last.
	ReasonOnTrack = "OnTrack"
	// ReasonExhaustionForecast: a limit is more likely than not to be used up before it is renewed.
	ReasonExhaustionForecast = "ExhaustionForecast"
	// ReasonLimitUsedUp: a limit is used up and not renewed yet.
	ReasonLimitUsedUp = "LimitUsedUp"

	// ReasonAdequate: calls are expected to wait no longer than they should.
	ReasonAdequate = "Adequate"
	// ReasonDemandExceedsLicence: a limit is too small for what is asked of it, so calls wait.
	ReasonDemandExceedsLicence = "DemandExceedsLicence"

	// ReasonValid: no end of the licence is declared, or it is far, or another licence follows.
	ReasonValid = "Valid"
	// ReasonLicenceEnding: licence.validUntil is less than 30 days ahead, and licence.next is not set.
	ReasonLicenceEnding = "LicenceEnding"
	// ReasonLicenceEnded: licence.validUntil has passed; the limits stay in force.
	ReasonLicenceEnded = "LicenceEnded"

	// ReasonGuaranteeMet: no call within the guarantee has been waiting for the licence.
	ReasonGuaranteeMet = "GuaranteeMet"
	// ReasonNoGuarantee: nothing is guaranteed.
	ReasonNoGuarantee = "NoGuarantee"
	// ReasonKeptFree: the guarantee is kept free for calls that do not go through the dispatcher.
	ReasonKeptFree = "KeptFree"
	// ReasonGuaranteeMissed: a call within the part of the guarantee that is never lent has been waiting for the licence for a minute.
	ReasonGuaranteeMissed = "GuaranteeMissed"

	// ReasonHealthy: queued calls are sent in time, and none is parked or dead.
	ReasonHealthy = "Healthy"
	// ReasonOldestTooOld: the oldest queued call has waited for more than half of overflow.queue.maxAgeSeconds.
	ReasonOldestTooOld = "OldestTooOld"
	// ReasonDrainsTooLate: in one case of twenty or more the backlog takes longer than overflow.queue.maxAgeSeconds.
	ReasonDrainsTooLate = "DrainsTooLate"
	// ReasonCallsParked: the outcome of some calls is not known, and they cannot be repeated safely.
	ReasonCallsParked = "CallsParked"
	// ReasonCallsDead: some accepted calls ended without an answer from the CRM.
	ReasonCallsDead = "CallsDead"

	// ReasonDelivered: receivers take their callbacks, and none was given up within a day.
	ReasonDelivered = "Delivered"
	// ReasonSigningKeyMissing: the Secret of callbacks is missing or holds no key that can be used. Callbacks wait.
	ReasonSigningKeyMissing = "SigningKeyMissing"
	// ReasonReceiverFailing: an endpoint of callbacks takes none. They are tried again for a day.
	ReasonReceiverFailing = "ReceiverFailing"
	// ReasonCallbacksGivenUp: within a day, callbacks were given up that their receivers had not taken.
	ReasonCallbacksGivenUp = "CallbacksGivenUp"

	// ReasonTrusted: the dispatcher has recorded itself what was sent.
	ReasonTrusted = "Trusted"
	// ReasonLedgerLost: the dispatcher's volume was lost, and with it the record of what was sent; what licence.afterLedgerLoss says is assumed for one longest
	// window.
	ReasonLedgerLost = "LedgerLost"

	// ReasonVolumeRestored: the dispatcher's volume was put back to an earlier state. What licence.afterLedgerLoss says is assumed for one longest window, and calls that
	// may have been sent since are parked.
	ReasonVolumeRestored = "VolumeRestored"

	// ReasonLimitsMatch: the CRM reports the limits as they are declared.
	ReasonLimitsMatch = "LimitsMatch"
	// ReasonLimitsDiffer: the CRM reports another size of a limit; the message names both and the field to change.
	ReasonLimitsDiffer = "LimitsDiffer"
	// ReasonHiddenLimit: the CRM keeps a limit that is not declared; it was learnt from refusals. The message has the limit to declare.
	ReasonHiddenLimit = "HiddenLimit"
	// ReasonContradictory: what the CRM's answers say of its limits contradicts itself, and is ignored for now.
	ReasonContradictory = "Contradictory"
	// ReasonAccounted: others use no more than what is declared for them.
	ReasonAccounted = "Accounted"
	// ReasonUndeclaredUse: others use notably more of a limit than is declared for them.
	ReasonUndeclaredUse = "UndeclaredUse"

	// ReasonNotKnown: nothing has been observed yet.
	ReasonNotKnown = "NotKnown"
)

// Annotations and labels.
const (
	// AnnotationBypassUntil on a CRM, an RFC 3339 time at most 24 hours ahead: until then every call is forwarded at once and charged, nothing is held back.
	AnnotationBypassUntil = "crmquota.dev/bypass-until"
	// AnnotationPlanSequence on a dispatcher's pod makes the kubelet refresh the mounted plan at once.
	AnnotationPlanSequence = "crmquota.dev/plan-sequence"
	// LabelCRM names the CRM on every object the operator makes for it.
	LabelCRM = "crmquota.dev/crm"
	// LabelLicence identifies the licence, as a hash of provider and account, on a dispatcher's volume claim.
	LabelLicence = "crmquota.dev/licence"
	// FinalizerDrain is held while a CRM with deletion policy Drain is being drained.
	FinalizerDrain = "crmquota.dev/drain"
)
