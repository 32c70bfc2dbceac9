// SPDX-License-Identifier: Apache-2.0

package planfile

import (
	"fmt"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/provider"
)

const (
	maxLimits           = 16
	maxWindowSeconds    = 31 * 24 * 60 * 60
	maxCalls            = 1_000_000_000
	maxExecutionSeconds = 10_000_000
	maxConcurrent       = 10_000
	maxCosts            = 32
	maxCost             = 100_000
	maxGuardSeconds     = 600
	// maxItems are one cost, and a call has maxSteps costs at most: so many kinds of calls there are.
	maxItems = 10_000
	maxSteps = 1000
)

func (p *problems) limits(limits []contract.Limit, adapter provider.Provider, list string) {
	p.require(1 <= len(limits) && len(limits) <= maxLimits, list, "there are %d, not 1 to %d", len(limits), maxLimits)
	seen := map[string]bool{}
	for _, limit := range limits {
		field := fmt.Sprintf("%s[%s]", list, limit.Name)
		p.require(limit.Name != "" && !seen[limit.Name], field, "names must be set and differ")
		seen[limit.Name] = true
		p.kind(limit, field)
		p.size(limit, field)
		p.counting(limit, field)
		p.scope(limit, adapter, field)
		p.costs(limit, adapter, field)
	}
}

func (p *problems) kind(limit contract.Limit, field string) {
	kinds := 0
	if limit.WindowSeconds != 0 {
		kinds++
		p.within(limit.WindowSeconds, 1, maxWindowSeconds, field+".windowSeconds")
	}
	if limit.Calendar != nil {
		kinds++
		p.calendar(*limit.Calendar, field+".calendar")
	}
	if limit.Concurrent != 0 {
		kinds++
	}
	p.require(kinds == 1, field, "exactly one of windowSeconds, calendar, concurrent must be set")
	p.require(!limit.UntilJobEnds || limit.Concurrent != 0, field+".untilJobEnds", "is only for concurrent limits")
}

func (p *problems) calendar(calendar contract.Calendar, field string) {
	switch calendar.Unit {
	case contract.CalendarHour, contract.CalendarDay, contract.CalendarMonth:
	default:
		p.require(false, field+".unit", "%q is not Hour, Day or Month", calendar.Unit)
	}
	if calendar.TimeZone != "" {
		_, err := loadZone(calendar.TimeZone)
		p.require(err == nil, field+".timeZone", "%q is not a time zone", calendar.TimeZone)
	}
}

// loadZone is time.LoadLocation without the machine's own zone.
func loadZone(name string) (*time.Location, error) {
	if name == "Local" || name == "" {
		return nil, fmt.Errorf("unknown time zone %q", name)
	}
	return time.LoadLocation(name)
}

func (p *problems) size(limit contract.Limit, field string) {
	if limit.Concurrent != 0 {
		p.within(limit.Concurrent, 1, maxConcurrent, field+".concurrent")
		p.require(limit.Calls == 0 && limit.ExecutionSeconds == 0, field, "calls and executionSeconds must not be set with concurrent")
		return
	}
	if limit.ExecutionSeconds != 0 {
		p.within(limit.ExecutionSeconds, 1, maxExecutionSeconds, field+".executionSeconds")
		p.require(limit.Calls == 0, field+".calls", "must not be set with executionSeconds")
		return
	}
	p.within(limit.Calls, 1, maxCalls, field+".calls")
}

func (p *problems) counting(limit contract.Limit, field string) {
	p.within(limit.GuardSeconds, 0, maxGuardSeconds, field+".guardSeconds")
	p.require(limit.GuardSeconds == 0 || limit.Concurrent == 0, field+".guardSeconds", "must not be set with concurrent")
	paced := limit.Counting == contract.CountingTokenBucket || limit.Counting == contract.CountingApproximate
	switch limit.Counting {
	case "", contract.CountingExact, contract.CountingFixed:
	case contract.CountingTokenBucket, contract.CountingApproximate:
		p.require(limit.Calls != 0 && !limit.PerRecord, field+".counting", "%s is only for limits of calls that all records share", limit.Counting)
	default:
		p.require(false, field+".counting", "%q is not Exact, Fixed, TokenBucket or Approximate", limit.Counting)
	}
	p.require(!paced || limit.WindowSeconds != 0, field+".counting", "%s is only for windowSeconds", limit.Counting)
	if limit.Counting == contract.CountingTokenBucket {
		p.within(limit.Burst, 1, limit.Calls, field+".burst")
	} else {
		p.require(limit.Burst == 0, field+".burst", "is only for counting TokenBucket")
	}
}

func (p *problems) scope(limit contract.Limit, adapter provider.Provider, field string) {
	if limit.Match != nil {
		p.match(*limit.Match, adapter, field+".match")
	}
	if !limit.PerRecord {
		return
	}
	p.require(!limit.PerCredential, field, "perRecord and perCredential exclude each other")
	p.require(limit.WindowSeconds != 0 && limit.Calls != 0, field+".perRecord", "is only for calls in windowSeconds")
	named := limit.Match != nil && (strings.Contains(limit.Match.Path, "/*/") || strings.HasSuffix(limit.Match.Path, "/*"))
	p.require(named, field+".perRecord", `needs match.path with a "*" for the record`)
}

func (p *problems) match(match contract.Match, adapter provider.Provider, field string) {
	p.require((len(match.Operations) > 0) != (match.Path != ""), field, "either operations or path must be set")
	p.require(len(match.Methods) == 0 || match.Path != "", field+".methods", "need a path")
	p.require(match.Path == "" || strings.HasPrefix(match.Path, "/"), field+".path", "%q is not absolute", match.Path)
	for _, name := range match.Operations {
		if adapter != nil {
			_, found := provider.Operation(adapter, name)
			p.require(found, field+".operations", "%q is not an operation of %s", name, adapter.Name())
		}
	}
}

func (p *problems) costs(limit contract.Limit, adapter provider.Provider, field string) {
	p.require(len(limit.Costs) <= maxCosts, field+".costs", "there are %d, more than %d", len(limit.Costs), maxCosts)
	p.require(len(limit.Costs) == 0 || limit.Calls != 0, field+".costs", "are only for limits with calls")
	for i, cost := range limit.Costs {
		at := fmt.Sprintf("%s.costs[%d]", field, i)
		p.match(cost.Match, adapter, at+".match")
		p.within(cost.Cost, 1, min(maxCost, max(limit.Calls, 1)), at+".cost")
		p.require(limit.Burst == 0 || cost.Cost <= limit.Burst, at+".cost", "%d is more than the burst of %d", cost.Cost, limit.Burst)
		p.per(cost.Per, at+".per")
	}
}

func (p *problems) per(per *contract.Per, field string) {
	if per == nil {
		return
	}
	named := 0
	for _, name := range []string{per.BodyArray, per.QueryNumber, per.QueryList} {
		if name != "" {
			named++
		}
	}
	p.require(named == 1, field, "exactly one of bodyArray, queryNumber, queryList must be set")
	p.within(per.Items, 1, maxItems, field+".items")
	p.within(per.Most, 1, min(maxCost, maxSteps*max(per.Items, 1)), field+".most")
	p.within(per.Plus, 0, maxCost, field+".plus")
}
