// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"math"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// evaluator judges admissions by the definition, from its own list of charges. It shares no code with the package: of each question it goes through all charges
// of all integrations anew. Time is in ticks.
type evaluator struct {
	limits []limits.Limit
	shares []fairshare.Share
	// By limit, then integration: forecasts, and live calls that are expected and were sent.
	demand, expected, sent [][]int64
	calls                  []charge
	ageing                 int
	// letThrough is what the pace of a limit lets through, which is the ledger's business.
	letThrough func(k int) int64
}

type charge struct {
	owner    int
	cost     []int64
	end      int // tick, -1 in flight
	refunded bool
}

// held says whether limit k holds calls back at all.
func (e *evaluator) held(k int) bool { return !e.limits[k].AlertOnly && !e.limits[k].Meter.PerRecord }

// charged is what limit k counts for the integration at a tick.
func (e *evaluator) charged(k, owner, tick int) (sum int64) {
	for _, c := range e.calls {
		if c.owner == owner && !c.refunded && (c.end < 0 || tick < c.end+int(e.limits[k].Window/time.Second)) {
			sum += c.cost[k]
		}
	}
	return sum
}

func (e *evaluator) part(k, owner int) fairshare.Part {
	if part, ok := e.shares[owner].PerLimit[e.limits[k].Name]; ok {
		return part
	}
	return e.shares[owner].Part
}

func (e *evaluator) of(a fairshare.Amount, k int) int64 {
	if a.InUnits {
		return min(a.Units, e.limits[k].Max)
	}
	return int64(math.Floor(float64(e.limits[k].Max) * float64(a.Percent) / 100))
}

func (e *evaluator) guaranteed(k, owner int) int64 {
	total := int64(0)
	for j := range e.shares {
		total += e.of(e.part(k, j).Guaranteed, k)
	}
	g := e.of(e.part(k, owner).Guaranteed, k)
	if total > e.limits[k].Max {
		g = g * e.limits[k].Max / total
	}
	return g
}

func (e *evaluator) hard(k, owner int) int64 {
	switch share := e.shares[owner]; {
	case share.External:
		return e.guaranteed(k, owner)
	case share.ReclaimWithinWindow:
		return 0
	default:
		return e.guaranteed(k, owner) * (100 - share.LendPercent) / 100
	}
}

// reserves are R and S.
func (e *evaluator) reserves(k, owner, tick int) (hard, soft int64) {
	u, demand := e.charged(k, owner, tick), e.demand[k][owner]
	if e.shares[owner].ReclaimWithinWindow && !e.shares[owner].External {
		demand = 0
	}
	hard = max(0, e.hard(k, owner)-u)
	return hard, max(hard, min(e.guaranteed(k, owner), demand)-u)
}

// verdict on a head.
type verdict struct {
	admissible bool
	// paced: only a pace holds it back.
	paced bool
	class fairshare.Class
	band  fairshare.Band
}

// rank is the place in the order of phases and bands.
func (v verdict) rank() int {
	if v.class == fairshare.Borrowed {
		return int(v.class) + int(v.band)
	}
	return int(v.class)
}

// judge says whether the head is admissible, and in which class and band it is.
func (e *evaluator) judge(h waiting, tick int) verdict {
	v := verdict{admissible: true, band: e.shares[h.owner].Band}
	if e.ageing > 0 && tick >= h.since+e.ageing {
		v.band = fairshare.Interactive
	}
	fits := true
	for k, l := range e.limits {
		c := h.cost[k]
		if c == 0 || !e.held(k) {
			continue
		}
		if h.lane == fairshare.Backlog {
			c += max(0, min(e.expected[k][h.owner], e.guaranteed(k, h.owner)*4/5)-e.sent[k][h.owner])
		}
		var total, hard, soft int64
		for j := range e.shares {
			total += e.charged(k, j, tick)
			if r, s := e.reserves(k, j, tick); j != h.owner {
				hard, soft = hard+r, soft+s
			}
		}
		u := e.charged(k, h.owner, tick)
		class, room := fairshare.Borrowed, total+c+soft <= l.Max && u+c <= max(1, e.of(e.part(k, h.owner).Ceiling, k))
		switch {
		case u+c <= e.hard(k, h.owner):
			class, room = fairshare.OwnHard, total+c <= l.Max
		case u+c <= e.guaranteed(k, h.owner):
			class, room = fairshare.OwnSoft, total+c+hard <= l.Max
		}
		v.class = max(v.class, class)
		fits = fits && room
		v.admissible = v.admissible && room && c <= e.letThrough(k)
	}
	v.paced = fits && !v.admissible
	return v
}
