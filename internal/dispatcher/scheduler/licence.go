// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
)

// tariffAt prices calls by the limits that a plan has at a time, and says when it has others; zero if never. Those that follow must be readable, too.
func tariffAt(now time.Time, p *contract.Plan, canonical func(string) string) (prices *tariff.Tariff, until time.Time, err error) {
	at := *p
	at.Limits = p.LimitsAt(now)
	if prices, err = tariff.New(&at, canonical); err != nil || p.Next == nil || !now.Before(p.Next.From) {
		return prices, until, err
	}
	at.Limits = p.Next.Limits
	if _, err := tariff.New(&at, canonical); err != nil {
		return nil, until, fmt.Errorf("next: %w", err)
	}
	return prices, p.Next.From, nil
}

// renewLicence puts the limits of the licence that follows in force when it begins. Nobody has to be there to say so: a licence that shrinks at midnight shrinks
// while the manager is down.
func (s *Scheduler) renewLicence(now time.Time) error {
	if s.limitsUntil.IsZero() || now.Before(s.limitsUntil) {
		return nil
	}
	if err := s.enforce(s.plan); err != nil {
		return fmt.Errorf("enforce the licence that follows: %w", err)
	}
	s.options.Logger.Info("The licence that follows is in force", "limits", len(s.plan.LimitsAt(now)))
	return nil
}
