// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// callback is the name of the endpoint that is told what becomes of the call if it is queued; empty if the integration declares none. A name that the manifest does not
// have is refused whether the call is going to be queued or not: else a client would learn of its mistake when the licence is used up.
func (e *exchange) callback() (string, error) {
	name, declared := e.r.Header.Get(contract.HeaderCallback), e.caller.integration.Callbacks
	switch {
	case name == "" && declared == nil:
		return "", nil
	case name == "":
		return declared.Endpoints[0].Name, nil
	case declared.URLOf(name) == "":
		return "", &call.Refusal{
			Code: contract.ReasonBadRequest, Detail: contract.HeaderCallback + ": the Integration's callbacks have no endpoint of that name",
		}
	}
	return name, nil
}
