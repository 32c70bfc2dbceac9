// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// callbacksOf translates who is told of results; nil if nobody is.
func callbacksOf(c *v1alpha1.Callbacks) *contract.Callbacks {
	if len(c.Endpoints) == 0 {
		return nil
	}
	out := &contract.Callbacks{Secret: c.SecretRef.Name}
	for _, e := range c.Endpoints {
		out.Endpoints = append(out.Endpoints, contract.CallbackEndpoint{Name: e.Name, URL: string(e.URL)})
	}
	return out
}
