// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// day is the length of a calendar limit's period, for forecasts.
const day = 24 * time.Hour

// drainTime is how long the first n queued calls of a lane will take while demand stays as it is. ok is false if that cannot be foreseen.
func (s *Scheduler) drainTime(now time.Time, l *lane, n int64) (left time.Duration, ok bool) {
	if s.plan == nil || s.plan.Hold || l == nil || l.spec == nil {
		return 0, false
	}
	if n <= 0 {
		return 0, true
	}
	weights := s.activeWeights(l)
	capacities := make([]forecast.Capacity, 0, s.ledger.Limits())
	for k := range s.ledger.Limits() {
		limit := s.ledger.Limit(k)
		if limit.AlertOnly || limit.Kind == limits.Concurrent {
			continue
		}
		share := s.sharing.Guaranteed(k, l.owner)
		share = max(share, limit.Max*l.spec.Share.Weight/weights)
		share = max(1, min(share, limit.Max*l.spec.Share.MaxPercent/100))
		c := forecast.Capacity{
			Kind: limit.Kind, PerWindow: share, Window: limit.Window,
			Free: max(0, min(limit.Max-s.ledger.Used(k), share-s.ledger.UsedBy(k, l.owner))-s.sharing.Live(k, l.owner)),
		}
		if _, end, ok := s.ledger.Period(k); ok {
			c.Window, c.Reset = day, max(0, end.Sub(now))
		}
		capacities = append(capacities, c)
	}
	return forecast.Drain(n, capacities)
}

// activeWeights is the sum of the weights of all integrations that have calls waiting, the lane's own in any case.
func (s *Scheduler) activeWeights(own *lane) int64 {
	sum := int64(0)
	for _, l := range s.order {
		if l.spec != nil && (l == own || len(l.waiting) > 0 || len(l.queue.heads) > 0) {
			sum += l.spec.Share.Weight
		}
	}
	return max(1, sum)
}

func compareKeys(a, b string) int { return strings.Compare(a, b) }
