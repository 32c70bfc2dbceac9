// SPDX-License-Identifier: Apache-2.0

package status

import (
	"time"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// ForCRM makes the status of a CRM from the facts and its current status.
func ForCRM(f CRMFacts, current v1alpha1.CRMStatus, now time.Time) Result[v1alpha1.CRMStatus] {
	return Result[v1alpha1.CRMStatus]{Status: current}
}
