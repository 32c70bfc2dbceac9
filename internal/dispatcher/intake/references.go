// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/reference"
)

// references are the calls that the request says it refers to. Those that its path and body hold places for must be among them: what is not said is not looked for.
// The path is a sample from then on, so that the call is named as it will be.
func (e *exchange) references(body []byte) ([]call.ID, error) {
	var said []call.ID
	for _, value := range e.r.Header.Values(contract.HeaderReferences) {
		for id := range strings.SplitSeq(value, ",") {
			if id := call.ID(strings.TrimSpace(id)); id != "" && !slices.Contains(said, id) {
				said = append(said, id)
			}
		}
	}
	switch {
	case len(said) == 0:
		return nil, nil
	case len(said) > call.MaxReferences:
		return nil, badReferences(fmt.Sprintf("a call can refer to at most %d others", call.MaxReferences))
	}
	found, err := reference.Find(e.r.RequestURI, body, call.IsJSON(e.r.Header.Get("Content-Type")))
	if err != nil {
		return nil, badReferences(err.Error())
	}
	for _, id := range found {
		if !slices.Contains(said, id) {
			return nil, badReferences("a place is for the answer to call " + string(id) + ", which the header does not name")
		}
	}
	e.path = reference.Sample(e.path)
	return said, nil
}

func badReferences(detail string) error {
	return &call.Refusal{Code: contract.ReasonBadRequest, Detail: contract.HeaderReferences + ": " + detail}
}
