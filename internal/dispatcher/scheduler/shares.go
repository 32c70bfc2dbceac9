// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
)

// undeclared is the key of the callers that nobody has declared. No integration has it: keys of integrations have a slash.
const undeclared = "undeclared"

// schedule says which override of a share holds when.
type schedule struct {
	contract.Schedule
	// now is the index of the one that holds, -1 if none does.
	now int
}

// setSchedules reads the overrides of a plan. The error names the integration and the override.
func (s *Scheduler) setSchedules(p *contract.Plan) error {
	schedules := make([]schedule, len(p.Integrations))
	for n, i := range p.Integrations {
		read, err := contract.NewSchedule(i.Overrides, time.LoadLocation)
		if err != nil {
			return fmt.Errorf("integrations[%s]: %w", i.Key(), err)
		}
		schedules[n] = schedule{read, -1}
	}
	s.schedules = schedules
	return nil
}

// share puts the shares in force that the plan gives at now.
func (s *Scheduler) share(now time.Time) {
	shares := make(map[string]fairshare.Share, len(s.plan.Integrations)+1)
	for n, i := range s.plan.Integrations {
		share := shareOf(i, i.ShareAt(s.schedules[n].Schedule, now))
		share.Credentials = s.plan.UsersOf(&i)
		shares[i.Key()] = share
		s.schedules[n].now = s.schedules[n].At(now)
	}
	if percent := s.plan.ExternalPercent; percent > 0 {
		all := fairshare.Amount{Percent: percent}
		shares[undeclared] = fairshare.Share{Part: fairshare.Part{Guaranteed: all, Ceiling: all}, External: true, Credentials: []string{s.plan.Credentials.User()}}
	}
	s.sharing.SetShares(shares)
	s.forecastAt = time.Time{}
	s.sharesUntil = s.nextShares(now)
}

// shareAnew puts other shares in force when an override has begun or ended.
func (s *Scheduler) shareAnew(now time.Time) {
	if s.sharesUntil.IsZero() || now.Before(s.sharesUntil) {
		return
	}
	if slices.ContainsFunc(s.schedules, func(p schedule) bool { return p.At(now) != p.now }) {
		s.share(now)
		return
	}
	s.sharesUntil = s.nextShares(now)
}

// nextShares is when another override can hold: at the begin or end of one that holds once, else at a whole minute; zero if there are none.
func (s *Scheduler) nextShares(now time.Time) (next time.Time) {
	for _, i := range s.plan.Integrations {
		for _, o := range i.Overrides {
			next = earlier(next, now.Truncate(time.Minute).Add(time.Minute))
			for _, bound := range []*time.Time{o.From, o.Until} {
				if bound != nil && bound.After(now) {
					next = earlier(next, *bound)
				}
			}
		}
	}
	return next
}

func shareOf(i contract.Integration, share contract.Share) fairshare.Share {
	out := fairshare.Share{
		Part: partOf(share.Part), Weight: share.Weight, LendPercent: share.LendPercent, ReclaimWithinWindow: share.ReclaimWithinWindow,
		Band: bands[i.Priority], External: i.External,
	}
	for limit, part := range share.PerLimit {
		if out.PerLimit == nil {
			out.PerLimit = map[string]fairshare.Part{}
		}
		out.PerLimit[limit] = partOf(part)
	}
	return out
}

var bands = map[contract.Priority]fairshare.Band{
	contract.PriorityInteractive: fairshare.Interactive, contract.PriorityStandard: fairshare.Standard, contract.PriorityBulk: fairshare.Bulk, "": fairshare.Standard,
}

func partOf(p contract.Part) fairshare.Part {
	return fairshare.Part{Guaranteed: amount(p.GuaranteedPercent, p.GuaranteedCalls), Ceiling: amount(p.MaxPercent, p.MaxCalls)}
}

func amount(percent int64, units *int64) fairshare.Amount {
	if units != nil {
		return fairshare.Amount{Units: *units, InUnits: true}
	}
	return fairshare.Amount{Percent: percent}
}
