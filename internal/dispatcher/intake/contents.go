// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// storedRequest is what a call sends. Body stands as in a result.
type storedRequest struct {
	ID           call.ID     `json:"id"`
	Method       string      `json:"method"`
	Target       string      `json:"target"`
	Headers      http.Header `json:"headers,omitempty"`
	Body         any         `json:"body,omitempty"`
	BodyEncoding string      `json:"bodyEncoding,omitempty"`
}

// answerRequest shows what a call sends to whoever made it: to look at it before it is sent again, or to take it elsewhere. Who has seen it is logged, not what.
func (e *exchange) answerRequest(id call.ID) error {
	integration := e.caller.integration.Key()
	c, err := e.Calls.Request(e.r.Context(), integration, id)
	if err != nil {
		return err
	}
	e.Log.Info("A stored request was read", "audit", true, "integration", integration, "client", e.caller.client, "call", id)
	out := storedRequest{ID: id, Method: c.Method, Target: c.Target, Headers: c.Header}
	out.Body, out.BodyEncoding = shown(c.Body, c.Header.Get("Content-Type"))
	e.writeJSON(out)
	return nil
}

// shown is a body inside a JSON document: JSON as it is, text as a string, anything else in base64, which encoding then says.
func shown(body []byte, contentType string) (value any, encoding string) {
	switch {
	case len(body) == 0:
		return nil, ""
	case call.IsJSON(contentType) && json.Valid(body):
		return json.RawMessage(body), ""
	case utf8.Valid(body):
		return string(body), ""
	default:
		return body, "base64"
	}
}

// erased says how many calls an order to erase has ended.
type erased struct {
	Before string `json:"before"`
	Queued int64  `json:"queued"`
	Parked int64  `json:"parked"`
}

// answerErase erases by day, as the keys are: what one person's data is in cannot be told from outside the bodies.
func (e *exchange) answerErase() error {
	before, err := time.Parse(time.DateOnly, e.r.URL.Query().Get("before"))
	if err != nil {
		return &call.Refusal{Code: contract.ReasonBadRequest, Detail: "before must be a day in UTC, such as 2026-01-31: what was accepted before it is erased; tomorrow erases all"}
	}
	integration, day := e.caller.integration.Key(), before.Format(time.DateOnly)
	e.Log.Info("What is stored of calls is erased", "audit", true, "integration", integration, "client", e.caller.client, "before", day)
	sum, err := e.Calls.Erase(e.r.Context(), integration, before)
	if err != nil {
		return err
	}
	e.Log.Info("What was stored of calls is erased", "audit", true, "integration", integration, "client", e.caller.client, "before", day,
		"queued", sum.Queued, "parked", sum.Parked)
	e.writeJSON(erased{Before: day, Queued: sum.Queued, Parked: sum.Parked})
	return nil
}

// writeJSON answers with a document that always encodes.
func (e *exchange) writeJSON(document any) {
	body, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	e.w.Header().Set("Content-Type", "application/json")
	e.write(http.StatusOK, append(body, '\n'))
}
