// SPDX-License-Identifier: Apache-2.0

package status

import (
	"time"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// ForIntegration makes the status of an Integration from the facts and its current status.
func ForIntegration(f IntegrationFacts, current v1alpha1.IntegrationStatus, now time.Time) Result[v1alpha1.IntegrationStatus] {
	return Result[v1alpha1.IntegrationStatus]{Status: current}
}
