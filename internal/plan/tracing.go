// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

func tracing(t *v1alpha1.Tracing) *contract.Tracing {
	if t == nil {
		return nil
	}
	return &contract.Tracing{Endpoint: t.Endpoint, SamplingPercent: number(t.SamplingPercent)}
}
