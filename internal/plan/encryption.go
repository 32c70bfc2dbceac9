// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

func encryption(e *v1alpha1.Encryption) *contract.Encryption {
	if e == nil {
		return nil
	}
	return &contract.Encryption{Current: string(e.CurrentKey), Former: string(e.FormerKey)}
}
