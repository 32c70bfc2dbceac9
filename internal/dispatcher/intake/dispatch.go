// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// maxKey is the longest Idempotency-Key that is taken, in bytes.
const maxKey = 255

// dispatch sends the call, or queues it.
func (e *exchange) dispatch(to route) error {
	if to.queue && to.async {
		return e.enqueue(to)
	}
	answer, err := e.Calls.Do(e.r.Context(), e.call, to.wait)
	if err != nil && to.queue && passing(err) {
		return e.enqueue(to)
	}
	if err != nil {
		return err
	}
	e.writeAnswer(answer)
	e.observe(Forwarded)
	return nil
}

// passing reports whether a call was refused for want of quota only, so that it can be sent later.
func passing(err error) bool {
	refusal, isRefusal := errors.AsType[*call.Refusal](err)
	if !isRefusal {
		return false
	}
	switch refusal.Code {
	case contract.ReasonLimitReached, contract.ReasonCRMRefusing, contract.ReasonHeld:
		return true
	}
	return false
}

// enqueue stores the call and answers 202 with the address of its result.
func (e *exchange) enqueue(to route) error {
	key := e.r.Header.Get(idempotencyKey)
	if len(key) > maxKey {
		return &call.Refusal{Code: contract.ReasonBadRequest, Detail: "the Idempotency-Key is longer than 255 bytes"}
	}
	e.call.Expires = e.call.AcceptedAt.Add(time.Duration(e.caller.integration.Queue.MaxAgeSeconds) * time.Second)
	id, _, err := e.Calls.Enqueue(e.r.Context(), e.call, key, fingerprint(e.call))
	if err != nil {
		return err
	}
	// The call is stored whatever happens now: what cannot be looked up is left out of the answer.
	result, err := e.Calls.Result(e.r.Context(), e.call.Integration, id, 0)
	if err != nil {
		result = call.Result{ID: id, State: call.StateQueued, AcceptedAt: e.call.AcceptedAt}
	}
	if to.preferred {
		e.w.Header().Set("Preference-Applied", "respond-async")
	}
	e.writeAccepted(result)
	e.observe(Accepted)
	return nil
}

// fingerprint tells two requests with the same Idempotency-Key apart.
func fingerprint(c *call.Call) [32]byte {
	hash := sha256.New()
	for _, part := range [][]byte{[]byte(c.Method), []byte(c.Target), []byte(c.Header.Get("Content-Type")), c.Body} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		hash.Write(size[:])
		hash.Write(part)
	}
	return [32]byte(hash.Sum(nil))
}

// observe tells how the request ended.
func (e *exchange) observe(code string) {
	o := Outcome{Code: code, Took: time.Since(e.started)}
	if e.caller.integration != nil {
		o.Integration = e.caller.integration.Key()
	}
	if e.call != nil {
		o.Operation = e.call.Operation
	}
	e.Observe(o)
}
