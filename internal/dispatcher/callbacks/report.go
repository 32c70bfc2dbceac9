// SPDX-License-Identifier: Apache-2.0

package callbacks

import (
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// Report adds to what is counted of an integration's callbacks how its receivers take them.
func (s *Sender) Report(integration string, r *contract.CallbacksReport) {
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
