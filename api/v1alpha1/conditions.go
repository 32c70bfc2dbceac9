// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types. All are positive: True is good. Ready is True when the health conditions are; advice never moves Ready.
const (
	// ConditionReady sums up Accepted, CredentialsResolved, DispatcherAvailable and Programmed (Integration: Accepted and Programmed).
	ConditionReady = "Ready"
	// ConditionAccepted: the spec is understood and fits what else is declared.
	ConditionAccepted = "Accepted"
	// ConditionCredentialsResolved (CRM): the dispatcher holds every credential that the spec names.
	ConditionCredentialsResolved = "CredentialsResolved"
	// ConditionDispatcherAvailable (CRM): the dispatcher runs and can accept calls durably.
	ConditionDispatcherAvailable = "DispatcherAvailable"
	// ConditionProgrammed: the dispatcher itself reports that it enforces this generation of the object.
	ConditionProgrammed = "Programmed"
	// ConditionStalled is only present, and True, when nothing but an edit of the spec helps.
	ConditionStalled = "Stalled"

	// ConditionEndpointResolved (CRM, advice): the dispatcher can look up the endpoint's host.
	ConditionEndpointResolved = "EndpointResolved"
	// ConditionQuotaEnforced (advice): calls are held back by the declared limits; False under Shadow and bypass.
	ConditionQuotaEnforced = "QuotaEnforced"
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
	// ReasonUnknownTimeZone: a calendar limit names a time zone that does not exist.
	ReasonUnknownTimeZone = "UnknownTimeZone"
	// ReasonTooManyIntegrations: more than 1,000 Integrations refer to the CRM.
	ReasonTooManyIntegrations = "TooManyIntegrations"
	// ReasonCRMNotFound: crmRef names no CRM.
	ReasonCRMNotFound = "CRMNotFound"
	// ReasonCRMNotAccepted: the CRM itself is not accepted.
	ReasonCRMNotAccepted = "CRMNotAccepted"
	// ReasonGuaranteeExceedsLicence: the guarantees of all integrations would exceed a limit.
	ReasonGuaranteeExceedsLicence = "GuaranteeExceedsLicence"
	// ReasonUnknownLimit: guaranteedCalls names a limit that the CRM does not have.
	ReasonUnknownLimit = "UnknownLimit"
	// ReasonUnknownOperation: overflow names an operation that the provider does not know.
	ReasonUnknownOperation = "UnknownOperation"
	// ReasonUnsafeQueue: overflow queues an operation whose caller needs the answer.
	ReasonUnsafeQueue = "UnsafeQueue"
	// ReasonDuplicateClient: another Integration of the CRM already has this client.
	ReasonDuplicateClient = "DuplicateClient"

	// ReasonResolved: what the spec refers to is there.
	ReasonResolved = "Resolved"
	// ReasonSecretNotFound: the Secret, or a key in it, is missing.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonHostNotAllowed: the Secret's key "hosts" does not list the endpoint's host.
	ReasonHostNotAllowed = "HostNotAllowed"
	// ReasonCertificateInvalid: the TLS Secret is missing or cannot be used.
	ReasonCertificateInvalid = "CertificateInvalid"
	// ReasonEndpointUnresolvable: the endpoint's host name cannot be looked up.
	ReasonEndpointUnresolvable = "EndpointUnresolvable"

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
	// ReasonShadow: enforcement is Shadow.
	ReasonShadow = "Shadow"
	// ReasonBypassed: the annotation crmquota.dev/bypass-until is in force.
	ReasonBypassed = "Bypassed"

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
