// SPDX-License-Identifier: Apache-2.0

package call

import (
	"errors"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// Errors of accepting and looking up calls.
var (
	// ErrKeyReused: the idempotency key came with another request before.
	ErrKeyReused = errors.New("the idempotency key was used for another request")
	// ErrUnknown: there is no such acknowledged call for this integration.
	ErrUnknown = errors.New("no such call")
	// ErrOtherState: the call is in a state in which the order makes no sense.
	ErrOtherState = errors.New("the call is in another state")
	// ErrBodyGone: the call ended, and what it would send is not kept any more.
	ErrBodyGone = errors.New("the call's body is not kept any more")
)

// Refusal is the error of a call that the dispatcher turned away: nothing was sent for it.
type Refusal struct {
	// Code is what clients branch on.
	Code contract.Reason
	// Limit is the name of the binding limit, if a limit is the reason.
	Limit string
	// RetryAfter is when the call would fit at the earliest; 0 if that cannot be foreseen.
	RetryAfter time.Duration
	// Rooms are what the limits that count the call have left for its integration; nil if it is not known.
	Rooms []Room
	// Detail says in words what is wrong and what would free it. It holds nothing of the request.
	Detail string
}

// RefuseObserving is the refusal of every call under Observe.
func RefuseObserving() *Refusal {
	return &Refusal{
		Code:   contract.ReasonObserving,
		Detail: "the dispatcher only looks at what is used of the CRM's limits (spec.enforcement of the CRM object is Observe): send calls to the CRM itself",
	}
}

func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Detail }
