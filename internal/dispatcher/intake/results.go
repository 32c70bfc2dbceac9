// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// maxWait is the longest that a request for a result is held.
const maxWait = 60 * time.Second

// result is a result resource.
type result struct {
	ID         call.ID    `json:"id"`
	Method     string     `json:"method,omitempty"`
	Target     string     `json:"target,omitempty"`
	State      call.State `json:"state"`
	Reason     string     `json:"reason,omitempty"`
	AcceptedAt time.Time  `json:"acceptedAt"`
	EndedAt    time.Time  `json:"endedAt,omitzero"`
	// Ahead and ETA say how long a queued call is going to wait.
	Ahead *int64    `json:"ahead,omitempty"`
	ETA   time.Time `json:"eta,omitzero"`
	// Status, Headers and Body are the CRM's answer. A JSON body stands here as it is, text as a string, anything else in base64 as BodyEncoding says.
	Status       int         `json:"status,omitempty"`
	Headers      http.Header `json:"headers,omitempty"`
	Body         any         `json:"body,omitempty"`
	BodyEncoding string      `json:"bodyEncoding,omitempty"`
	// Composed: they are made of the CRM's answer to a bulk call in which the call went with others.
	Composed bool `json:"composed,omitempty"`
}

// answerResult serves a result resource: 200 when the call has ended, 202 before.
func (e *exchange) answerResult(id call.ID) error {
	wait, err := waitOf(e.r)
	if err != nil {
		return err
	}
	found, err := e.Calls.Result(e.r.Context(), e.caller.integration.Key(), id, wait)
	if err != nil {
		return err
	}
	if !ended(found.State) {
		e.writeAccepted(found)
		return nil
	}
	e.writeResult(http.StatusOK, found)
	return nil
}

func ended(state call.State) bool {
	return state == call.StateSucceeded || state == call.StateFailed || state == call.StateDead
}

// waitOf reads how many seconds the client wants to wait for the end of the call.
func waitOf(r *http.Request) (time.Duration, error) {
	text := r.URL.Query().Get("wait")
	if text == "" {
		return 0, nil
	}
	seconds, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, &call.Refusal{Code: contract.ReasonBadRequest, Detail: "wait must be a number of seconds, at most 60"}
	}
	return min(time.Duration(seconds)*time.Second, maxWait), nil
}

// writeAccepted answers that a call has not ended yet, and where its result will be.
func (e *exchange) writeAccepted(r call.Result) {
	e.w.Header().Set("Location", e.view.results+string(r.ID))
	e.writeResult(http.StatusAccepted, r)
}

func (e *exchange) writeResult(status int, r call.Result) {
	body, err := json.Marshal(e.view.resource(r))
	if err != nil { // all of it is of types that encode
		panic(err)
	}
	e.w.Header().Set("Content-Type", "application/json")
	e.write(status, append(body, '\n'))
}

// resource is what a client sees of a result.
func (v *view) resource(r call.Result) result {
	out := result{ID: r.ID, Method: r.Method, Target: r.Target, State: r.State, Reason: r.Reason, AcceptedAt: r.AcceptedAt.UTC(), EndedAt: r.EndedAt.UTC(), Status: r.Status}
	if r.State == call.StateQueued {
		out.Ahead, out.ETA = new(r.Ahead), r.ETA.UTC()
	}
	if r.Status == 0 {
		return out
	}
	header := http.Header{}
	body, err := io.ReadAll(v.rewrite(header, r.Header, bytes.NewReader(r.Body)))
	if err != nil { // memory always reads
		panic(err)
	}
	out.Headers, out.Composed = header, r.Composed
	out.Body, out.BodyEncoding = shown(body, header.Get("Content-Type"))
	return out
}
