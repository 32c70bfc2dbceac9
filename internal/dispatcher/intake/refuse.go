// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// finish answers what serve could not. Nothing is to be done without an error: the answer has been written. Where the client has gone it panics with
// http.ErrAbortHandler, since a handler that just returns has said 200.
func (e *exchange) finish(err error) {
	switch {
	case err == nil:
		return
	case errors.Is(err, context.Canceled):
		e.observe(ClientGone)
		panic(http.ErrAbortHandler)
	}
	refusal := e.refusal(err)
	response := e.view.response(refusal, e.r.Header)
	maps.Copy(e.w.Header(), response.Header)
	if len(refusal.Rooms) > 0 {
		e.view.showRooms(e.w.Header(), refusal.Rooms)
	}
	e.w.Header().Set(contract.HeaderReason, string(refusal.Code))
	if response.Status == http.StatusUnauthorized {
		e.w.Header()["Www-Authenticate"] = []string{`Bearer realm="crmquota"`, `Basic realm="crmquota", charset="UTF-8"`}
	}
	e.write(response.Status, response.Body)
	e.limit = refusal.Limit
	e.observe(string(refusal.Code))
}

// refusal puts an error into the words of a client.
func (e *exchange) refusal(err error) *call.Refusal {
	if refusal, is := errors.AsType[*call.Refusal](err); is {
		return refusal
	}
	switch {
	case errors.Is(err, call.ErrKeyReused):
		return &call.Refusal{Code: contract.ReasonKeyReused, Detail: "the Idempotency-Key came with another request before: take a new key"}
	case errors.Is(err, call.ErrUnknown):
		return &call.Refusal{Code: contract.ReasonUnknownResult, Detail: "there is no such result of this integration; results are kept for 24 hours"}
	case errors.Is(err, call.ErrOtherState):
		return &call.Refusal{Code: contract.ReasonOtherState, Detail: err.Error()}
	case errors.Is(err, call.ErrBodyGone):
		return &call.Refusal{Code: contract.ReasonBodyGone, Detail: "what the call would send is not kept any more"}
	}
	e.Log.Error("A request could not be served", "error", err)
	return &call.Refusal{Code: contract.ReasonInternal, Detail: "a fault of the dispatcher"}
}

// write sends an answer of the dispatcher's own.
func (e *exchange) write(status int, body []byte) {
	e.w.Header().Set(contract.HeaderOrigin, contract.OriginDispatcher)
	e.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	e.w.Header().Set("Cache-Control", "no-store")
	e.writeStatus(status)
	if e.r.Method != http.MethodHead {
		_, _ = e.w.Write(body) // the client may have gone
	}
}

// statuses of the refusals that only a dispatcher makes. The others are the CRM's own kind of refusal.
var statuses = map[contract.Reason]int{
	contract.ReasonNoPlan:               http.StatusServiceUnavailable,
	contract.ReasonDraining:             http.StatusServiceUnavailable,
	contract.ReasonObserving:            http.StatusServiceUnavailable,
	contract.ReasonOverloaded:           http.StatusServiceUnavailable,
	contract.ReasonNoCredentials:        http.StatusServiceUnavailable,
	contract.ReasonAddressNotAllowed:    http.StatusServiceUnavailable,
	contract.ReasonEncryptionKeyMissing: http.StatusServiceUnavailable,
	contract.ReasonStoreFull:            http.StatusInsufficientStorage,
	contract.ReasonUpstreamFailed:       http.StatusBadGateway,
	contract.ReasonInternal:             http.StatusInternalServerError,
	contract.ReasonUnauthenticated:      http.StatusUnauthorized,
	contract.ReasonBadTarget:            http.StatusBadRequest,
	contract.ReasonBadRequest:           http.StatusBadRequest,
	contract.ReasonBodyTooLarge:         http.StatusRequestEntityTooLarge,
	contract.ReasonExceedsLimit:         http.StatusUnprocessableEntity,
	contract.ReasonBodyIncomplete:       http.StatusRequestTimeout,
	contract.ReasonKeyReused:            http.StatusUnprocessableEntity,
	contract.ReasonBadReference:         http.StatusUnprocessableEntity,
	contract.ReasonUnknownResult:        http.StatusNotFound,
	contract.ReasonOtherState:           http.StatusConflict,
	contract.ReasonNotEncrypted:         http.StatusConflict,
	contract.ReasonBodyGone:             http.StatusGone,
}

// response is how a refusal looks to a client.
func (v *view) response(refusal *call.Refusal, accept http.Header) dialect.Response {
	if status, own := statuses[refusal.Code]; own {
		response := dialect.Problem{Status: status, Reason: refusal.Code, Detail: refusal.Detail}.Response()
		if status == http.StatusServiceUnavailable || status == http.StatusInsufficientStorage {
			response.Header.Set("Retry-After", dialect.RetrySeconds(refusal.RetryAfter))
		}
		return response
	}
	asked := dialect.Refusal{Reason: refusal.Code, Limit: refusal.Limit, RetryAfter: refusal.RetryAfter, Detail: refusal.Detail}
	if v == nil || wantsProblem(accept) {
		return dialect.QuotaProblem(asked)
	}
	return v.provider.Refusal(asked)
}

func wantsProblem(header http.Header) bool {
	return slices.ContainsFunc(header.Values("Accept"), func(value string) bool { return strings.Contains(value, dialect.ProblemMediaType) })
}
