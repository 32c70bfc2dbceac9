// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"math"
	"slices"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// guarantees is the sum of what the entries in force guarantee of each limit at each instant of the timeline. A sum is feasible if nowhere more is guaranteed
// than the limit without what is kept free for others.
type guarantees struct {
	limits   []contract.Limit
	timeline *timeline
	// next is the licence that follows, nil if none does; its limits come after those in force, of which there are inForce.
	next    *contract.NextLimits
	inForce int
	// capacity of each limit.
	capacity []claim
	// always is the sum over entries that guarantee the same at all times, sometimes that over the others, by limit and instant.
	always    []claim
	sometimes [][]claim
	// timed is the number of entries that sometimes is the sum over.
	timed int64
	// peak is the largest of sometimes for each limit. It is only right if it is not stale.
	peak  []claim
	stale bool
}

// newGuarantees is the empty sum over the limits that the plan shares out.
func newGuarantees(head *contract.Plan, t *timeline) *guarantees {
	g := &guarantees{limits: shared(head), timeline: t, next: head.Next, inForce: len(shared(&contract.Plan{Limits: head.Limits}))}
	others := contract.Share{Part: contract.Part{GuaranteedPercent: head.ExternalPercent}}
	g.always = make([]claim, len(g.limits))
	g.peak = make([]claim, len(g.limits))
	for _, l := range g.limits {
		g.capacity = append(g.capacity, claim{l.Size(), 100}.minus(claimOf(others, l)))
		g.sometimes = append(g.sometimes, make([]claim, len(t.at)))
	}
	return g
}

// profile is what an entry guarantees when.
type profile struct {
	// claims of each share, the entry's own first, by limit.
	claims [][]claim
	// holding as timeline.holding says; nil if the first holds at all times, or all are the same.
	holding []uint8
}

func (g *guarantees) profileOf(entry *contract.Integration, c calendar) profile {
	var p profile
	differ := false
	for _, s := range sharesOf(entry) {
		claims := make([]claim, len(g.limits))
		for n, l := range g.limits {
			claims[n] = claimOf(*s, l)
		}
		p.claims = append(p.claims, claims)
		differ = differ || !slices.Equal(claims, p.claims[0])
	}
	if differ {
		p.holding = g.timeline.holding(c)
	}
	return p
}

// at is what an entry guarantees of a limit at an instant.
func (p *profile) at(instant, limit int) claim {
	if p.holding == nil {
		return p.claims[0][limit]
	}
	return p.claims[p.holding[instant]][limit]
}

// add counts an entry sign times: 1 to give, -1 to take back.
func (g *guarantees) add(p *profile, sign int64) {
	if p.holding != nil {
		g.timed += sign
		g.stale = true
	}
	for n := range g.limits {
		if p.holding == nil {
			c := p.claims[0][n]
			g.always[n] = g.always[n].plus(claim{sign * c.units, sign * c.percent})
			continue
		}
		for i, s := range p.holding {
			c := p.claims[s][n]
			g.sometimes[n][i] = g.sometimes[n][i].plus(claim{sign * c.units, sign * c.percent})
		}
	}
}

// left is what others leave to each share of an entry of each limit, at whatever time the share holds. Others are all in force but old, the entry's own
// previous version. Nothing binds a share that never holds.
func (g *guarantees) left(p, old *profile) [][]claim {
	none := &profile{claims: [][]claim{make([]claim, len(g.limits))}}
	if old == nil {
		old = none
	}
	out := make([][]claim, len(p.claims))
	for s := range out {
		out[s] = slices.Repeat([]claim{{math.MaxInt64, math.MaxInt64}}, len(g.limits))
	}
	for n := range g.limits {
		free := g.capacity[n].minus(g.always[n])
		if p.holding == nil && old.holding == nil {
			out[0][n] = free.minus(g.peakOf(n)).plus(old.claims[0][n])
			continue
		}
		for i, c := range g.sometimes[n] {
			s := 0
			if p.holding != nil {
				s = int(p.holding[i])
			}
			out[s][n] = out[s][n].least(free.minus(c).plus(old.at(i, n)))
		}
	}
	return out
}

// peakOf is the most that entries with a calendar guarantee of a limit together, units and percent each by itself.
func (g *guarantees) peakOf(limit int) claim {
	if g.stale {
		for n, sums := range g.sometimes {
			g.peak[n] = claim{}
			for _, c := range sums {
				g.peak[n] = claim{max(g.peak[n].units, c.units), max(g.peak[n].percent, c.percent)}
			}
		}
		g.stale = false
	}
	return g.peak[limit]
}

// cut is the entry with shares that fit into what the others leave.
func (g *guarantees) cut(entry contract.Integration, p *profile) contract.Integration {
	left := g.left(p, nil)
	entry.Overrides = slices.Clone(entry.Overrides)
	for n, s := range sharesOf(&entry) {
		if p.holding == nil && slices.Equal(p.claims[n], p.claims[0]) {
			*s = cutShare(*s, g.limits, left[0]) // an override that guarantees the same may hold without being looked at
		} else {
			*s = cutShare(*s, g.limits, left[n])
		}
	}
	return entry
}

// grows says whether an entry guarantees more than another of any limit at any time.
func (g *guarantees) grows(to, from *profile) bool {
	for n := range g.limits {
		if to.holding == nil && from.holding == nil {
			if !to.claims[0][n].within(from.claims[0][n]) {
				return true
			}
			continue
		}
		for i := range g.timeline.at {
			if !to.at(i, n).within(from.at(i, n)) {
				return true
			}
		}
	}
	return false
}

// fits says whether an entry fits beside the others in force, and if not which of its shares is too large for which limit.
func (g *guarantees) fits(entry *contract.Integration, p, old *profile) Decision {
	left := g.left(p, old)
	others := "other integrations leave"
	if g.timed > 1 || g.timed == 1 && (old == nil || old.holding == nil) {
		others += " at all times, their overrides counted"
	}
	for number, s := range sharesOf(entry) {
		for n, l := range g.limits {
			if c := p.claims[number][n]; !c.within(left[number][n]) {
				d := exceeds(shareField(entry, number), *s, l, c, left[number][n], g.capacity[n], others)
				if n >= g.inForce {
					d.Message += g.next.From.Format("; that is the limit from 2006-01-02 15:04 MST on (licence.next)")
				}
				return d
			}
		}
	}
	return accepted
}

func shareField(entry *contract.Integration, number int) string {
	if number == 0 {
		return "share"
	}
	return fmt.Sprintf("overrides[%d] (%s).share", number-1, entry.Overrides[number-1].Name)
}

func exceeds(field string, s contract.Share, l contract.Limit, c, left, capacity claim, others string) Decision {
	if _, named := s.PerLimit[l.Name]; named {
		field += fmt.Sprintf(".perLimit[%s]", l.Name)
	}
	wants, leaves := fmt.Sprintf("%s: %s", field, amount(c.units, l)), fmt.Sprintf("%d of %d", max(0, left.units)/unit(l), capacity.units/unit(l))
	if c.percent > left.percent {
		wants, leaves = fmt.Sprintf("%s.guaranteedPercent: %d percent", field, c.percent), fmt.Sprintf("%d of %d", max(0, left.percent), capacity.percent)
	}
	return Decision{v1alpha1.ReasonGuaranteeExceedsLicence, fmt.Sprintf(
		"%s of limit %s are more than the %s that %s: lower the guarantee, or lower theirs", wants, l.Name, leaves, others)}
}

// amount says units of a limit as manifests declare them.
func amount(units int64, l contract.Limit) string {
	if l.ExecutionSeconds > 0 {
		return fmt.Sprintf("%d seconds", units/unit(l))
	}
	return fmt.Sprintf("%d calls", units)
}
