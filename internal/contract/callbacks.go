// SPDX-License-Identifier: Apache-2.0

package contract

import "time"

// HeaderCallback is a header of requests: the name of the endpoint, of the integration's callbacks, that is told what becomes of the call if it is queued. Without it
// the first endpoint is.
const HeaderCallback = "Crmquota-Callback"

// SigningKeyPrefix begins each value of a Secret that is a key to sign callbacks with; what follows are 24 to 64 bytes in base64. Source: the specification of
// Standard Webhooks, which calls it a symmetric secret.
const SigningKeyPrefix = "whsec_"

// MaxSigningKeys is how many keys a callback is signed with at most.
const MaxSigningKeys = 4

// MaxCallbackEndpoints is how many endpoints the callbacks of an integration can have.
const MaxCallbackEndpoints = 8

// Callbacks tell an integration's receivers what became of its queued calls.
type Callbacks struct {
	// Secret is the name of the mounted Secret with the signing keys; its files lie in OwnCredentialsDir, in a folder with that name.
	Secret string `json:"secret"`
	// Endpoints are the receivers, at least one. Nobody else is ever told.
	Endpoints []CallbackEndpoint `json:"endpoints"`
}

// CallbackEndpoint is a receiver.
type CallbackEndpoint struct {
	Name string `json:"name"`
	// URL is of scheme http or https.
	URL string `json:"url"`
}

// URLOf is where the endpoint of that name is; empty if there is none.
func (c *Callbacks) URLOf(name string) string {
	if c != nil {
		for _, e := range c.Endpoints {
			if e.Name == name {
				return e.URL
			}
		}
	}
	return ""
}

// CallbacksReport says how an integration's receivers take their callbacks.
type CallbacksReport struct {
	// Waiting callbacks are yet to be delivered; Delivered ones were taken by their receivers, GivenUp ones are not tried any more, since the volume was made.
	Waiting   int64 `json:"waiting"`
	Delivered int64 `json:"delivered"`
	GivenUp   int64 `json:"givenUp"`
	// KeyTrouble says why none can be signed; empty if they can.
	KeyTrouble string `json:"keyTrouble,omitempty"`
	// Failing are the endpoints that have not taken the last callback, in order of name.
	Failing []CallbackFailure `json:"failing,omitempty"`
	// GivenUpAt is when a callback was given up last since the process began; nil if none was.
	GivenUpAt *time.Time `json:"givenUpAt,omitempty"`
}

// CallbackFailure is what is wrong with an endpoint.
type CallbackFailure struct {
	Endpoint string `json:"endpoint"`
	// Since it has taken none.
	Since time.Time `json:"since"`
	// Detail says in words what became of the last attempt.
	Detail string `json:"detail"`
}
