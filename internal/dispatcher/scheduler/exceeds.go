// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// exceeds says why a call could never be sent: it takes more of a limit than there is of it. It returns nil for any other.
func (s *Scheduler) exceeds(p price) *call.Refusal {
	limit, n, most := s.tariff.Exceeds(p.kind)
	if limit == "" {
		return nil
	}
	return &call.Refusal{
		Code: contract.ReasonExceedsLimit, Limit: limit,
		Detail: fmt.Sprintf("the call takes %d of limit %q, which allows %d: make several smaller calls of it", n, limit, most),
	}
}
