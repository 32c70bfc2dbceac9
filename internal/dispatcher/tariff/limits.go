// SPDX-License-Identifier: Apache-2.0

package tariff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// mostExecution is the longest that a call can be taken to run: as long as we listen, and as long again as the CRM may go on.
const mostExecution = 2 * time.Minute

// limitOf is a plan's limit in the words of the domain.
func limitOf(from contract.Limit, credential string) (limits.Limit, error) {
	l := limits.Limit{
		Name: from.Name, Max: from.Size(), Meter: meterOf(from, credential), Most: 1,
		CountingDelay: time.Duration(from.GuardSeconds) * time.Second, UntilJobEnds: from.UntilJobEnds, AlertOnly: from.AlertOnly,
	}
	for _, c := range from.Costs {
		l.Most = max(l.Most, min(c.Largest(), l.Max)) // one that takes more is not sent
	}
	if from.ExecutionSeconds > 0 {
		l.Unit, l.Most = limits.Milliseconds, mostExecution.Milliseconds()
	}
	switch {
	case from.WindowSeconds > 0:
		l.Kind, l.Window = limits.Rolling, time.Duration(from.WindowSeconds)*time.Second
		l.Counting, l.Burst = countings[from.Counting], from.Burst
	case from.Calendar != nil:
		l.Kind, l.Period = limits.Calendar, periods[from.Calendar.Unit]
		if from.Calendar.TimeZone == "" {
			l = l.UnknownZone()
			break
		}
		zone, err := time.LoadLocation(from.Calendar.TimeZone)
		if err != nil {
			return l, fmt.Errorf("limits[%s].calendar.timeZone: %w", from.Name, err)
		}
		l.Location = zone
	default:
		l.Kind = limits.Concurrent
	}
	return l, nil
}

var (
	countings = map[contract.Counting]limits.Counting{
		"": limits.Exact, contract.CountingExact: limits.Exact, contract.CountingFixed: limits.Fixed,
		contract.CountingTokenBucket: limits.TokenBucket, contract.CountingApproximate: limits.Approximate,
	}
	periods = map[contract.CalendarUnit]limits.Period{
		contract.CalendarHour: limits.Hour, contract.CalendarDay: limits.Day, contract.CalendarMonth: limits.Month,
	}
)

// meterOf names what a limit counts. The name must be the same for the same calls and costs in whatever order they are declared: else an edit that changes nothing
// would have every call counted for the most it can have been.
func meterOf(from contract.Limit, credential string) limits.Meter {
	m := limits.Meter{PerRecord: from.PerRecord}
	if from.PerCredential {
		m.Credential = credential
	}
	if from.Match == nil && len(from.Costs) == 0 && from.ExecutionSeconds == 0 {
		return m
	}
	subject := struct {
		Match     *contract.Match
		Costs     []contract.Cost
		Execution bool
	}{Match: sorted(from.Match), Execution: from.ExecutionSeconds > 0}
	for _, c := range from.Costs {
		c.Match = *sorted(&c.Match)
		subject.Costs = append(subject.Costs, c)
	}
	encoded, err := json.Marshal(subject)
	if err != nil {
		panic("tariff: strings and numbers always encode: " + err.Error())
	}
	m.Subject = string(encoded)
	return m
}

func sorted(m *contract.Match) *contract.Match {
	if m == nil {
		return nil
	}
	return &contract.Match{Operations: slices.Sorted(slices.Values(m.Operations)), Methods: slices.Sorted(slices.Values(m.Methods)), Path: m.Path}
}

func ruleOf(from contract.Limit, user string, canonical func(path string) string) rule {
	r := rule{from: from}
	if from.PerCredential {
		r.user = user
	}
	if from.Match != nil {
		m := canonicalMatch(*from.Match, canonical)
		r.match = &m
	}
	for _, c := range from.Costs {
		r.costs = append(r.costs, contract.Cost{Match: canonicalMatch(c.Match, canonical), Cost: c.Cost, Per: c.Per})
	}
	if from.PerRecord && r.match != nil {
		r.record = lastStar(r.match.Path)
	}
	return r
}

func canonicalMatch(m contract.Match, canonical func(path string) string) contract.Match {
	if m.Path != "" {
		m.Path = canonical(m.Path)
	}
	return m
}

// lastStar is the depth of a pattern's last segment "*", 0 if it has none: the segment after the first slash has depth 1.
func lastStar(pattern string) int {
	depth := 0
	for i, segment := range strings.Split(pattern, "/") {
		if segment == "*" {
			depth = i
		}
	}
	return depth
}
