// SPDX-License-Identifier: Apache-2.0

package plan

import "github.com/crmquota/crm-quota-operator/internal/contract"

// capacity is the number of calls that a limit allows in its window, period or at a time.
func capacity(l contract.Limit) int64 { return max(l.Calls, l.Concurrent) }

// amount is the number of calls of a limit that a share guarantees.
func amount(s contract.Share, l contract.Limit) int64 {
	if s.Guaranteed != nil {
		return s.Guaranteed[l.Name]
	}
	return s.GuaranteedPercent * capacity(l) / 100
}

// guarantees is the sum of what the shares in a plan guarantee. In a feasible sum percent is at most 100 and calls at most the capacity of each limit.
type guarantees struct {
	limits  []contract.Limit
	percent int64
	calls   map[string]int64
}

func newGuarantees(limits []contract.Limit) *guarantees {
	return &guarantees{limits: limits, calls: make(map[string]int64, len(limits))}
}

// add counts a share sign times: 1 to give, -1 to take back.
func (g *guarantees) add(s contract.Share, sign int64) {
	if s.Guaranteed == nil {
		g.percent += sign * s.GuaranteedPercent
	}
	for _, l := range g.limits {
		g.calls[l.Name] += sign * amount(s, l)
	}
}

// cut returns the share without what does not fit any more: a limit is gone, or smaller than what is guaranteed of it.
func (g *guarantees) cut(s contract.Share) contract.Share {
	if s.Guaranteed == nil {
		s.GuaranteedPercent = min(s.GuaranteedPercent, 100-g.percent)
		return s
	}
	kept := make(map[string]int64)
	for _, l := range g.limits {
		if calls := min(s.Guaranteed[l.Name], capacity(l)-g.calls[l.Name]); calls > 0 {
			kept[l.Name] = calls
		}
	}
	s.Guaranteed = kept
	if len(kept) == 0 {
		s.Guaranteed = nil
	}
	return s
}

// grows says whether a share guarantees more than another in any limit, or a larger percentage.
func grows(to, from contract.Share, limits []contract.Limit) bool {
	if to.Guaranteed == nil && to.GuaranteedPercent > 0 && (from.Guaranteed != nil || to.GuaranteedPercent > from.GuaranteedPercent) {
		return true
	}
	for _, l := range limits {
		if amount(to, l) > amount(from, l) {
			return true
		}
	}
	return false
}
