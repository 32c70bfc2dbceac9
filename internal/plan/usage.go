// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"time"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/provider"
)

// usageSeconds is how often the CRM is asked what has been used of its limits; 0 for never, and for one that does not tell.
func usageSeconds(spec *v1alpha1.CRMSpec) int64 {
	p, found := provider.ByName(string(spec.Provider))
	if !found {
		return 0
	}
	usage, tells := p.Usage()
	switch {
	case !tells:
		return 0
	case spec.Usage.IntervalSeconds != nil:
		return int64(*spec.Usage.IntervalSeconds)
	default:
		return int64(usage.Every / time.Second)
	}
}
