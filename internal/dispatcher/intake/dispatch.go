// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/lookup"
)

// maxKey is the longest Idempotency-Key that is taken, in bytes.
const maxKey = 255

// soon is how near a queued call's turn must be for its client to wait for it, and how long it waits.
const soon = time.Second

// dispatch sends the call, or queues it.
func (e *exchange) dispatch(to route) error {
	if len(to.applied) > 0 {
		e.w.Header().Set("Preference-Applied", strings.Join(to.applied, ", "))
	}
	if to.queue && e.call.Credential != nil {
		return &call.Refusal{Code: contract.ReasonBadRequest, Detail: "a call with a credential of the client's own is not queued, because that is not stored: leave out Prefer: respond-async"}
	}
	if to.queue {
		return e.enqueue(to)
	}
	if len(e.call.References) > 0 {
		return badReferences("only a queued call can refer to others: send it with Prefer: respond-async, or list its operation with the policy Queue")
	}
	keep := to.keep > 0 && lookup.Wanted(e.r.Header)
	var like [32]byte
	if to.share || keep {
		like = identity(e.call, e.user())
	}
	if to.share {
		e.call.Identity = like
	}
	if keep {
		return e.read(to, like)
	}
	answer, err := e.Calls.Do(e.r.Context(), e.call, to.wait)
	if err != nil {
		return err
	}
	e.writeAnswer(answer)
	e.observe(Forwarded)
	return nil
}

// user of the CRM as whom the call goes out.
func (e *exchange) user() string {
	if e.caller.credential != nil {
		return contract.ClientUser(e.caller.integration.Key(), e.caller.client)
	}
	return e.view.plan.CredentialsOf(e.caller.integration).User()
}

// enqueue stores the call. If it fits now the client gets the CRM's answer, as from any other call, else 202 and the address of the result.
func (e *exchange) enqueue(to route) error {
	key := e.r.Header.Get(idempotencyKey)
	if len(key) > maxKey {
		return &call.Refusal{Code: contract.ReasonBadRequest, Detail: "the Idempotency-Key is longer than 255 bytes"}
	}
	var print [32]byte
	if key != "" {
		print = fingerprint(e.call)
	}
	result, _, err := e.Calls.Enqueue(e.r.Context(), e.call, key, print)
	if err != nil {
		return err
	}
	result = e.awaitSoon(result, to)
	if !to.async && ended(result.State) && result.Status != 0 {
		e.writeAnswer(&call.Answer{
			Status: result.Status, Header: result.Header, Body: io.NopCloser(bytes.NewReader(result.Body)), Composed: result.Composed,
			Rooms: e.Calls.Rooms(e.r.Context(), e.call),
		})
		e.observe(Forwarded)
		return nil
	}
	e.writeAccepted(result)
	e.observe(Accepted)
	return nil
}

// awaitSoon is what is known of a stored call, at its end if the client waits for that. The call is stored whatever happens here: if it cannot be looked up, what was
// known before is.
func (e *exchange) awaitSoon(known call.Result, to route) call.Result {
	look := func(wait time.Duration) {
		if r, err := e.Calls.Result(e.r.Context(), e.call.Integration, known.ID, wait); err == nil {
			known = r
		}
	}
	if to.async || to.wait == 0 {
		return known
	}
	if !to.patient && !e.view.plan.Hold && next(known, time.Now()) {
		look(min(soon, to.wait))
	}
	if to.patient || known.State == call.StateSent {
		look(to.wait)
	}
	return known
}

// next reports whether a queued call is about to be sent: by the forecast, or because it is new and has no other of its integration before it, so that it may have been
// decided on just now.
func next(r call.Result, now time.Time) bool {
	isNear := !r.ETA.IsZero() && r.ETA.Before(now.Add(soon))
	isNew := r.Ahead == 0 && now.Before(r.AcceptedAt.Add(soon))
	return r.State == call.StateQueued && (isNear || isNew)
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
	o := Outcome{Code: code, Took: time.Since(e.started), Status: e.status, Limit: e.limit}
	if e.caller.integration != nil {
		o.Integration = e.caller.integration.Key()
	}
	if e.call != nil {
		o.Operation = e.call.Operation
	}
	e.Observe(o)
	if e.span != nil {
		e.span.End(o)
	}
}
