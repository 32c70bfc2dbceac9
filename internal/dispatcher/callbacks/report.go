// SPDX-License-Identifier: Apache-2.0

package callbacks

import (
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// Report says how the receivers of an integration take its callbacks; how many wait is for the store to say.
func (s *Sender) Report(integration string) contract.CallbacksReport {
	var r contract.CallbacksReport
	if plan, _ := s.options.Plan(); plan != nil {
		r.KeyTrouble = s.keyTrouble(plan, integration)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, is := s.givenUp[integration]; is {
		r.GivenUpAt = new(at.UTC())
	}
	for q, l := range s.lanes {
		if q.Integration == integration && l.gate.failures > 0 {
			r.Failing = append(r.Failing, contract.CallbackFailure{Endpoint: q.Endpoint, Since: l.gate.since.UTC(), Detail: l.gate.detail})
		}
	}
	slices.SortFunc(r.Failing, func(a, b contract.CallbackFailure) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	return r
}

// keyTrouble says why an integration's callbacks cannot be signed; empty if they can, or there are none.
func (s *Sender) keyTrouble(plan *contract.Plan, integration string) string {
	for i := range plan.Integrations {
		one := &plan.Integrations[i]
		if one.Key() != integration || one.Callbacks == nil {
			continue
		}
		if _, err := keysOf(s.options.Secrets, one.Callbacks.Secret); err != nil {
			return err.Error()
		}
	}
	return ""
}
