// SPDX-License-Identifier: Apache-2.0

package contract

// Reason is the code of a refusal by a dispatcher, in HeaderReason and in the type of a problem document. Codes are part of the API: clients may branch on them.
type Reason string

// Refusals because a call does not fit now: answered in the CRM's dialect, with Retry-After where the time is known.
const (
	// ReasonLimitReached: the limits of the licence, or this integration's part of them, have no room.
	ReasonLimitReached Reason = "LimitReached"
	// ReasonCRMRefusing: the CRM itself refused calls and asked for a pause.
	ReasonCRMRefusing Reason = "CRMRefusing"
	// ReasonHeld: the CRM object says dispatch: Hold.
	ReasonHeld Reason = "Held"
	// ReasonQueueFull: the integration's queue holds queue.maxCalls calls, or would hold more than queue.maxBytes with this one.
	ReasonQueueFull Reason = "QueueFull"
	// ReasonQueueTooSlow: the call would be older than queue.maxAgeSeconds before it could be sent.
	ReasonQueueTooSlow Reason = "QueueTooSlow"
)

// Refusals because of the dispatcher's own state: problem+json with 503, 507 or 502.
const (
	// ReasonNoPlan: the dispatcher has no plan yet, or none that names the integration.
	ReasonNoPlan Reason = "NoPlan"
	// ReasonDraining: new calls are not accepted, because the dispatcher is stopping or the CRM object says dispatch: Drain.
	ReasonDraining Reason = "Draining"
	// ReasonObserving: the CRM object says enforcement: Observe, under which no call is taken: it is to go to the CRM itself.
	ReasonObserving Reason = "Observing"
	// ReasonStoreFull: the volume has no room for another call.
	ReasonStoreFull Reason = "StoreFull"
	// ReasonNoCredentials: the CRM's credentials are missing or must not be sent to the endpoint.
	ReasonNoCredentials Reason = "NoCredentials"
	// ReasonAddressNotAllowed: the CRM's host has an address to which the CRM object allows no connection. Nothing was sent.
	ReasonAddressNotAllowed Reason = "AddressNotAllowed"
	// ReasonEncryptionKeyMissing: what is stored of calls has to be encrypted, and the key for it is missing; or the answer that was asked for cannot be opened without
	// it. Calls that somebody waits for go on.
	ReasonEncryptionKeyMissing Reason = "EncryptionKeyMissing"
	// ReasonUpstreamFailed: the CRM could not be reached or did not answer; the call may or may not have had an effect.
	ReasonUpstreamFailed Reason = "UpstreamFailed"
	// ReasonOverloaded: the dispatcher holds as many requests at a time as its memory allows.
	ReasonOverloaded Reason = "Overloaded"
	// ReasonInternal: a fault of the dispatcher.
	ReasonInternal Reason = "Internal"
)

// Refusals because of the request: problem+json with a 4xx status.
const (
	// ReasonUnauthenticated: no key or token of a known client was presented.
	ReasonUnauthenticated Reason = "Unauthenticated"
	// ReasonBadTarget: the request's target or Host does not stay inside the CRM's endpoint, or can be read in two ways.
	ReasonBadTarget Reason = "BadTarget"
	// ReasonBadRequest: a header of the dispatcher's own protocol cannot be understood.
	ReasonBadRequest Reason = "BadRequest"
	// ReasonBodyTooLarge: the body is longer than a dispatcher takes.
	ReasonBodyTooLarge Reason = "BodyTooLarge"
	// ReasonExceedsLimit: by itself the call takes more of a limit than there is of it, so it could never be sent.
	ReasonExceedsLimit Reason = "ExceedsLimit"
	// ReasonBodyIncomplete: the client did not send its body in time.
	ReasonBodyIncomplete Reason = "BodyIncomplete"
	// ReasonKeyReused: the Idempotency-Key came with another request before.
	ReasonKeyReused Reason = "KeyReused"
	// ReasonBadReference: the call refers to one that has ended without success, or of which the integration has no result.
	ReasonBadReference Reason = "BadReference"
	// ReasonUnknownResult: there is no such result, or it has expired, or it belongs to another integration.
	ReasonUnknownResult Reason = "UnknownResult"
	// ReasonOtherState: the call is in a state in which the order makes no sense.
	ReasonOtherState Reason = "OtherState"
	// ReasonNotEncrypted: what is stored of calls is not encrypted, and so it cannot be erased by order.
	ReasonNotEncrypted Reason = "NotEncrypted"
	// ReasonBodyGone: the call cannot be sent again, because it is not kept any more.
	ReasonBodyGone Reason = "BodyGone"
)
