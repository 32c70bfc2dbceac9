// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// isOwn reports whether a path is of the dispatcher's own, not of the CRM.
func isOwn(path string) bool { return path == "/-" || strings.HasPrefix(path, "/-/") }

// Calls in a list: as many as are asked for, up to mostListed.
const (
	usuallyListed = 50
	mostListed    = 500
)

// answerOwn serves what the dispatcher itself offers to an integration: its results, lists of what needs a person, and orders on those.
//
//	GET    /-/results/{id}          a result
//	GET    /-/results?state=parked  calls that are parked or dead, the oldest first
//	POST   /-/results/{id}/resend   queues a parked or dead call again
//	DELETE /-/results/{id}          drops a queued or parked call
//	GET    /-/results/{id}/request  what a call sends, as it is stored
//	POST   /-/erase?before={day}    erases what is stored of the calls of earlier days
func (e *exchange) answerOwn() error {
	name, isResult := strings.CutPrefix(e.path+"/", contract.ResultsPath)
	id, order, _ := strings.Cut(strings.TrimSuffix(name, "/"), "/")
	reads := e.r.Method == http.MethodGet || e.r.Method == http.MethodHead
	switch {
	case e.path == contract.ErasePath && e.r.Method == http.MethodPost:
		return e.answerErase()
	case !isResult:
	case id == "" && order == "" && reads:
		return e.answerList()
	case id != "":
		return e.answerOn(call.ID(id), order, reads)
	}
	return refuseNothingThere()
}

// answerOn serves what is offered on one call.
func (e *exchange) answerOn(id call.ID, order string, reads bool) error {
	switch {
	case order == "" && reads:
		return e.answerResult(id)
	case order == "request" && reads:
		return e.answerRequest(id)
	case order == "" && e.r.Method == http.MethodDelete:
		return e.answerOrder(id, http.StatusOK, e.Calls.Drop)
	case order == "resend" && e.r.Method == http.MethodPost:
		return e.answerOrder(id, http.StatusAccepted, e.Calls.Resend)
	}
	return refuseNothingThere()
}

func refuseNothingThere() error {
	return &call.Refusal{Code: contract.ReasonUnknownResult, Detail: "there is nothing at this path of the dispatcher for this method"}
}

// answerOrder gives an order on a call and shows what has become of it.
func (e *exchange) answerOrder(id call.ID, status int, give func(context.Context, string, call.ID) error) error {
	integration := e.caller.integration.Key()
	if err := give(e.r.Context(), integration, id); err != nil {
		return err
	}
	found, err := e.Calls.Result(e.r.Context(), integration, id, 0)
	if err != nil {
		return err
	}
	e.Log.Info("An order on a call was carried out", "integration", integration, "client", e.caller.client, "call", id, "method", e.r.Method, "state", found.State)
	e.w.Header().Set("Location", e.view.results+string(id))
	e.writeResult(status, found)
	return nil
}

// list is a part of the calls in one state.
type list struct {
	Results []result `json:"results"`
	// Next is the address of the next part; empty at the end.
	Next string `json:"next,omitempty"`
}

func (e *exchange) answerList() error {
	query := e.r.URL.Query()
	state := call.State(query.Get("state"))
	if state != call.StateParked && state != call.StateDead {
		return &call.Refusal{Code: contract.ReasonBadRequest, Detail: "state must be parked or dead: calls in other states are not listed"}
	}
	most, err := strconv.Atoi(query.Get("limit"))
	if query.Get("limit") == "" {
		most, err = usuallyListed, nil
	}
	if err != nil || most < 1 || most > mostListed {
		return &call.Refusal{Code: contract.ReasonBadRequest, Detail: "limit must be a number from 1 to 500"}
	}
	found, err := e.Calls.List(e.r.Context(), e.caller.integration.Key(), state, call.ID(query.Get("after")), most+1)
	if err != nil {
		return err
	}
	out := list{Results: []result{}}
	for _, r := range found[:min(most, len(found))] {
		out.Results = append(out.Results, e.view.resource(r))
	}
	if len(found) > most {
		next := url.Values{"state": {string(state)}, "limit": {strconv.Itoa(most)}, "after": {string(found[most-1].ID)}}
		out.Next = strings.TrimSuffix(e.view.results, "/") + "?" + next.Encode()
	}
	e.writeJSON(out)
	return nil
}
