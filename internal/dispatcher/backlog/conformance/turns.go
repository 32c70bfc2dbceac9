// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// orderKeys are those that calls have. A line is counted to manyInLine, which runs pass.
var orderKeys = []string{"o1", "o2"}

const manyInLine = 3

// lines are those of all integrations and ordering keys in which calls are.
func lines(line func(integration, orderKey string) int64) map[string]int64 {
	all := map[string]int64{}
	for _, integration := range integrations {
		for _, key := range orderKeys {
			if n := line(integration, key); n > 0 {
				all[integration+" "+key] = n
			}
		}
	}
	return all
}

// line counts the calls with an ordering key that have not ended.
func (m *model) line(integration, orderKey string) (n int64) {
	for _, c := range m.calls {
		if c.call.Integration == integration && c.call.OrderKey == orderKey && !ended(c.result.State) {
			n++
		}
	}
	return min(n, manyInLine)
}

// turnsBefore is the longest way back from a queued call to one that nothing holds back, by what stands in the definition: it waits for those it refers to, and
// unless it has its key's turn, for the one that has and then for those in line that were accepted before it.
func (m *model) turnsBefore(c modelCall) int64 {
	longest := int64(0)
	with := func(id call.ID, others int64) bool {
		other := m.calls[backlog.Ref{Integration: c.call.Integration, ID: id}]
		n := int64(0)
		switch other.result.State {
		case call.StateParked:
			return false
		case call.StateQueued:
			if n = m.turnsBefore(other); n == call.UnknownTurns {
				return false
			}
		default: // it is sent
		}
		longest = max(longest, n+1+others)
		return true
	}
	for _, id := range c.awaits {
		if !with(id, 0) {
			return call.UnknownTurns
		}
	}
	if c.call.OrderKey == "" || m.turn(c) == c.call.ID {
		return longest
	}
	inLine := int64(0)
	for _, other := range m.in(c.call.Integration, call.StateQueued) {
		if other.call.OrderKey == c.call.OrderKey && other.call.ID < c.call.ID && other.call.ID != m.turn(c) {
			inLine++
		}
	}
	if !with(m.turn(c), inLine) {
		return call.UnknownTurns
	}
	return longest
}
