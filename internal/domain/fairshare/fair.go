// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"math"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// tagUnit is what a cost of 1 adds to the tag of an integration with weight 1.
const tagUnit = 1 << 20

// tag is a member's position in weighted fair queuing: what it was served, divided by its weight.
type tag struct {
	weight int64
	start  int64
	// rest is what division has left over, in units of 1/weight, so that no rounding adds up.
	rest int64
	// round is the last in which the member competed.
	round uint64
}

// due is the tag the member will have after a call of this cost.
func (t *tag) due(cost int64) int64 { return t.start + (cost*tagUnit+t.rest)/t.weight }

func (t *tag) serve(cost int64) {
	n := cost*tagUnit + t.rest
	t.start, t.rest = t.start+n/t.weight, n%t.weight
}

func (t *tag) setWeight(weight int64) {
	if t.weight != weight {
		t.weight, t.rest = weight, 0
	}
}

// due chooses among the contenders: of those whose tag is not past the weighted mean (they are not ahead of their part) the one whose tag after the call is
// least. A plain least tag would serve a heavy integration after all light ones, many calls behind its part; a plain least due would let it run ahead.
//
// Who comes back after a pause starts no earlier than the mean, as what it did not ask for is not owed to it, and no earlier than it left, so that leaving does
// not pay.
func (s *Sharing) due() ledger.Owner {
	s.round++
	for _, o := range s.contenders {
		t := &s.members[o].tag
		if t.round != s.round-1 {
			t.start = max(t.start, s.virtual)
		}
		t.round = s.round
	}
	s.virtual = s.mean()
	first, least := ledger.NoOwner, int64(math.MaxInt64)
	for _, o := range s.contenders {
		m := &s.members[o]
		due := m.tag.due(m.offer.Cost)
		if m.tag.start <= s.virtual && (first == ledger.NoOwner || before(due, least, o, first)) {
			first, least = o, due
		}
	}
	return first
}

// mean is the contenders' mean tag by weight. It is never below the least of them, so somebody is always due.
func (s *Sharing) mean() int64 {
	least := int64(math.MaxInt64)
	for _, o := range s.contenders {
		least = min(least, s.members[o].tag.start)
	}
	sum, weights := int64(0), int64(0)
	for _, o := range s.contenders {
		t := &s.members[o].tag
		sum += t.weight * (t.start - least) // differences are small, so the sum does not overflow
		weights += t.weight
	}
	return least + sum/weights
}
