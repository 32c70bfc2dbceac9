// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// outcome is what came of all declared Integrations.
type outcome struct {
	entries   []contract.Integration
	decisions map[types.NamespacedName]Decision
	// recheck is when time alone can change it; 0 for never.
	recheck time.Duration
}

// admitAll decides which Integrations the plan holds. It starts from what the previous plan grants and takes over one declared entry after the other, as long
// as it fits beside all others in force: first those that ask for nothing more, then by age. What is left over keeps its previous entry, if it had one. The
// outcome is a fixed point: compiling again with the new plan as the previous one changes nothing.
func admitAll(in Input, head *contract.Plan) outcome {
	out := outcome{decisions: make(map[types.NamespacedName]Decision)}
	declared := members(in)
	known := make(zones)
	granted := grantedBefore(declared, in.Previous, head, known)
	var pending []*candidate
	refused := make(map[*candidate]Decision)
	for _, i := range declared {
		c := &candidate{name: nameOf(i), entry: entryOf(i, &in.CRM.Spec, head)}
		d := judgeEntry(&c.entry, head)
		if d.OK() {
			c.calendar, d = judgeOverrides(&c.entry, head, known)
		}
		if !d.OK() {
			refused[c] = d
			continue
		}
		c.size = encodedSize(c.entry)
		pending = append(pending, c)
	}
	timeline, timed := timelineOf(in.Now, granted, pending, known)
	a := newAdmission(head, granted, timeline)
	pending = slices.DeleteFunc(pending, func(c *candidate) bool {
		if !timed(c) {
			refused[c] = tooManyOverrides
			return true
		}
		c.profile = a.granted.profileOf(&c.entry, c.calendar)
		c.asksMore = a.asksMore(c)
		return false
	})
	for c, d := range refused {
		out.decisions[c.name] = a.refuse(c, d)
	}
	for c, d := range a.takeOver(pending) {
		out.decisions[c.name] = d
	}
	out.entries = a.entries()
	out.recheck = a.recheck(in.Now, out.decisions)
	return out
}

// takeOver puts the candidates in force that fit, one after the other, and decides on all of them.
func (a *admission) takeOver(pending []*candidate) map[*candidate]Decision {
	decisions := make(map[*candidate]Decision, len(pending))
	slices.SortStableFunc(pending, func(x, y *candidate) int { return cmp.Compare(rank(x), rank(y)) })
	for {
		n := slices.IndexFunc(pending, func(c *candidate) bool {
			if c.refused && c.refusedAt == a.freed { // it does not fit before something else becomes smaller
				return false
			}
			c.refused, c.refusedAt = !a.obstacle(c).OK(), a.freed
			return !c.refused
		})
		if n < 0 {
			break
		}
		a.put(&held{pending[n].entry, pending[n].profile, pending[n].size})
		decisions[pending[n]] = accepted
		pending = slices.Delete(pending, n, n+1)
	}
	for _, c := range pending {
		decisions[c] = a.refuse(c, a.obstacle(c))
	}
	return decisions
}

// candidate is a declared Integration that waits to be taken over.
type candidate struct {
	name     types.NamespacedName
	entry    contract.Integration
	calendar calendar
	profile  profile
	size     int
	asksMore bool
	// refused: it did not fit when the admission's freed was refusedAt.
	refused   bool
	refusedAt int
}

func rank(c *candidate) int {
	if c.asksMore {
		return 1
	}
	return 0
}
