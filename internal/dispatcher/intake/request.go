// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

const (
	// maxBody is the longest body that is held, in bytes; a longer one is passed on while it comes in if its length was said.
	maxBody = 8 << 20
	// bodyTime is how long a client may take to send its body.
	bodyTime = 60 * time.Second
	// maxMemory bounds what requests hold at a time, in bytes: their bodies and perRequest each.
	maxMemory  = 64 << 20
	perRequest = 4 << 10
)

// readBody reads the whole body. release gives its memory back when nothing holds the body any more.
func (e *exchange) readBody() (body []byte, release func(), err error) {
	claimed := e.r.ContentLength + perRequest
	if e.r.ContentLength < 0 { // not said: up to all that is allowed
		claimed = maxBody + perRequest
	}
	if !e.memory.TryAcquire(claimed) {
		return nil, nil, &call.Refusal{Code: contract.ReasonOverloaded, RetryAfter: time.Second, Detail: "too many requests are under way"}
	}
	_ = e.control.SetReadDeadline(e.started.Add(bodyTime)) // not supported: in tests only
	if body, err = e.readAll(); err != nil {
		e.memory.Release(claimed)
		return nil, nil, bodyRefusal(err)
	}
	_ = e.control.SetReadDeadline(time.Time{})
	held := int64(len(body)) + perRequest
	e.memory.Release(claimed - held)
	return body, func() { e.memory.Release(held) }, nil
}

// readAll reads a body of at most maxBody bytes, whether its length was said or not.
func (e *exchange) readAll() ([]byte, error) {
	if e.r.ContentLength < 0 {
		return io.ReadAll(http.MaxBytesReader(e.w, e.r.Body, maxBody))
	}
	body := make([]byte, e.r.ContentLength)
	_, err := io.ReadFull(e.r.Body, body)
	return body, err
}

func tooLarge() error {
	return &call.Refusal{Code: contract.ReasonBodyTooLarge, Detail: "the body is longer than 8 MiB; send it with a Content-Length"}
}

func bodyRefusal(err error) error {
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return tooLarge()
	}
	detail := "the connection ended before the body"
	if errors.Is(err, os.ErrDeadlineExceeded) {
		detail = "the body did not arrive within 60 seconds"
	}
	return &call.Refusal{Code: contract.ReasonBodyIncomplete, Detail: detail}
}

// newCall makes the call that goes to the scheduler and says what kind of call it is.
func (e *exchange) newCall(body []byte) (dialect.Class, error) {
	order := e.r.Header.Get(contract.HeaderOrderingKey)
	if len(order) > call.MaxOrderKey {
		return dialect.Class{}, &call.Refusal{Code: contract.ReasonBadRequest, Detail: "the " + contract.HeaderOrderingKey + " is longer than 255 bytes"}
	}
	references, err := e.references(body)
	if err != nil {
		return dialect.Class{}, err
	}
	callback, err := e.callback()
	if err != nil {
		return dialect.Class{}, err
	}
	class := e.view.provider.Classify(e.r.Method, e.path, body)
	e.call = &call.Call{
		Integration: e.caller.integration.Key(),
		Client:      e.caller.client,
		Operation:   class.Operation,
		Method:      e.r.Method,
		Target:      e.r.RequestURI,
		Header:      forwarded(e.r.Header, e.view.private),
		Body:        body,
		Credential:  e.caller.credential,
		Counts:      dialect.Counts(e.r.Header.Get("Content-Type"), body),
		OrderKey:    order,
		References:  references,
		Callback:    callback,
		Urgency:     urgency(e.r.Header, e.caller.integration),
		Repeat:      repeat(class),
		AcceptedAt:  time.Now(),
	}
	if e.span != nil {
		e.span.Carry(e.call.Header)
	}
	e.setKey(class)
	return class, nil
}

func repeat(class dialect.Class) call.Repeat {
	switch {
	case class.Key != nil:
		return call.Repeat{Class: call.RepeatKeyed, KeyValidFor: class.Key.ValidFor}
	case class.Idempotent:
		return call.Repeat{Class: call.RepeatIdempotent}
	}
	return call.Repeat{Class: call.RepeatNever}
}

// idempotencyKey is the header of draft-ietf-httpapi-idempotency-key-header, which clients send to us and some CRMs understand.
const idempotencyKey = "Idempotency-Key"

// setKey gives the call an idempotency key for the CRM: the client's, or a new one where the CRM understands it. All integrations share the CRM's credentials, so a
// key is made the integration's own: else two that choose the same one would get each other's answers.
func (e *exchange) setKey(class dialect.Class) {
	key := e.r.Header.Get(idempotencyKey)
	switch {
	case class.Key == nil && key == "":
		return
	case key == "":
		key = e.randomKey()
	}
	sum := sha256.Sum256([]byte(e.call.Integration + "\x00" + key))
	own := hex.EncodeToString(sum[:])
	switch {
	case class.Key != nil:
		e.call.Header.Set(class.Key.Header, own[:min(len(own), class.Key.MaxLength)])
	case strings.HasPrefix(key, `"`): // the draft's form is a quoted string
		e.call.Header.Set(idempotencyKey, `"`+own+`"`)
	default:
		e.call.Header.Set(idempotencyKey, own)
	}
}

func (e *exchange) randomKey() string {
	var random [16]byte
	if _, err := io.ReadFull(e.Rand, random[:]); err != nil {
		panic(err) // crypto/rand never fails
	}
	return string(random[:])
}

// notForwarded are further request headers that end here: credentials; what speaks to us; what the transport to the CRM sets itself; and what some servers take for
// another target or sender than the request's own.
var notForwarded = []string{
	"Authorization", "Cookie",
	"Prefer", idempotencyKey, contract.HeaderOrderingKey, contract.HeaderReferences, contract.HeaderCallback, contract.HeaderOrigin, contract.HeaderReason,
	"Accept-Encoding", "Content-Length", "Expect",
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Real-Ip",
	"X-Original-Url", "X-Rewrite-Url", "X-Original-Host", "X-Host",
}

// forwarded are the headers of a request that go to the CRM.
func forwarded(header http.Header, private []string) http.Header {
	out := call.EndToEnd(header)
	for _, name := range notForwarded {
		delete(out, name)
	}
	for _, name := range private {
		out.Del(name)
	}
	return out
}
