// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"fmt"
	"maps"
	"slices"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

const (
	maxWeight    = 1000
	maxOverrides = 16
	// maxUnits of a limit: execution is planned in milliseconds.
	maxUnits = 1000 * maxExecutionSeconds
)

// everLimits are those of the licence in force and of the one that follows.
func everLimits(plan *contract.Plan) []contract.Limit {
	if plan.Next == nil {
		return plan.Limits
	}
	return slices.Concat(plan.Limits, plan.Next.Limits)
}

func (p *problems) shares(integration *contract.Integration, limits []contract.Limit, field string) {
	p.share(integration.Share, limits, field+".share")
	p.require(len(integration.Overrides) <= maxOverrides, field+".overrides", "there are %d, more than %d", len(integration.Overrides), maxOverrides)
	for _, o := range integration.Overrides {
		p.share(o.Share, limits, fmt.Sprintf("%s.overrides[%s].share", field, o.Name))
	}
	_, err := contract.NewSchedule(integration.Overrides, loadZone)
	p.require(err == nil, field+".overrides", "%v", err)
}

func (p *problems) share(share contract.Share, limits []contract.Limit, field string) {
	p.part(share.Part, field)
	p.within(share.LendPercent, 0, 100, field+".lendPercent")
	p.within(share.Weight, 1, maxWeight, field+".weight")
	for _, name := range slices.Sorted(maps.Keys(share.PerLimit)) {
		shared := slices.ContainsFunc(limits, func(l contract.Limit) bool { return l.Name == name && !l.PerRecord })
		p.require(shared, field+".perLimit", "there is no limit %q that is shared out", name)
		p.part(share.PerLimit[name], field+".perLimit["+name+"]")
	}
}

func (p *problems) part(part contract.Part, field string) {
	p.within(part.GuaranteedPercent, 0, 100, field+".guaranteedPercent")
	p.within(part.MaxPercent, 1, 100, field+".maxPercent")
	if part.GuaranteedCalls != nil {
		p.within(*part.GuaranteedCalls, 0, maxUnits, field+".guaranteedCalls")
	}
	if part.MaxCalls != nil {
		p.within(*part.MaxCalls, 1, maxUnits, field+".maxCalls")
	}
}

// guarantees holds the least that is guaranteed at any time against each limit. The manager sees to it that guarantees fit at every instant; should they not,
// no limit is overrun by that.
func (p *problems) guarantees(plan *contract.Plan, limits []contract.Limit, list string) {
	for _, limit := range limits {
		if limit.PerRecord {
			continue
		}
		size := limit.Size()
		sum := size * plan.ExternalPercent / 100
		for _, integration := range plan.Integrations {
			least := integration.Share.Of(limit.Name).Guaranteed(size)
			for _, o := range integration.Overrides {
				least = min(least, o.Share.Of(limit.Name).Guaranteed(size))
			}
			sum += least
		}
		p.require(sum <= size, fmt.Sprintf("%s[%s]", list, limit.Name), "the guarantees add up to %d of %d", sum, size)
	}
}
