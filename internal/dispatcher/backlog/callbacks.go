// SPDX-License-Identifier: Apache-2.0

package backlog

import (
	"fmt"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// MaxCallbacks is how many callbacks of an integration can wait. One more is given up when it is made.
const MaxCallbacks = 100_000

// Callback tells the receiver that a call names what became of the call. It is stored with the commit that ends the call or parks it.
type Callback struct {
	Ref
	// Endpoint is the call's.
	Endpoint string
	// Number counts the callbacks of the call, from 1: a call that is resent has several.
	Number int
	// State is what the call went to At, Status that of the CRM's answer; 0 without one.
	State          call.State
	Status         int
	AcceptedAt, At time.Time
	// Attempts counts the requests that told it and failed; the next one is not made before Due.
	Attempts int
	Due      time.Time
}

// MessageID is the same for each attempt, and that of no other callback of the dispatcher.
func (c Callback) MessageID() string { return fmt.Sprintf("%s-%d", c.ID, c.Number) }

// CallbackQueue is what waits for one endpoint of an integration.
type CallbackQueue struct{ Integration, Endpoint string }

// CallbackEnd says why a callback is kept no longer.
type CallbackEnd uint8

// The ends of callbacks.
const (
	// CallbackDelivered: its receiver has taken it.
	CallbackDelivered CallbackEnd = iota
	// CallbackGivenUp: it is not tried any more.
	CallbackGivenUp
)

// Callbacks are what receivers are yet to be told. Its methods may be called by many goroutines. What they change may be lost by a crash: then a receiver is told once
// more.
type Callbacks interface {
	// CallbackQueues returns those that are not empty.
	CallbackQueues() ([]CallbackQueue, error)
	// Callbacks returns the first n of a queue that are durable, in the order of their Due.
	Callbacks(q CallbackQueue, n int) ([]Callback, error)
	// PostponeCallback counts a failed attempt and says when the next one is due. A callback that is not there any more is left alone.
	PostponeCallback(c Callback, due time.Time) error
	// EndCallback removes a callback and counts it. One that is not there any more is left alone.
	EndCallback(c Callback, how CallbackEnd) error
	// CallbacksStored has a value after commits that stored callbacks. It is for one reader.
	CallbacksStored() <-chan struct{}
}
