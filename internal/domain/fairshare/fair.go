// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// tagUnit is what one unit of the limit that renews most slowly adds to the tag of an integration with weight 1. No unit of another counts less than a part of
// it that still can be divided by a weight; tags do not overflow before 500 billion calls.
const (
	tagUnit    = 1 << 24
	leastPrice = tagUnit >> 8
)

// amount is what a call counts in fair queuing. Limits count in units that cannot be compared, so each is priced by the time it takes to renew one, and the
// dearest limit decides: whoever takes most of what is scarcest has had most. A call that takes one unit of every limit counts exactly tagUnit. The price of a
// call does not depend on which limit happens to bind: else who was served while one is short would be ahead, or behind, by another measure when the next one
// is.
func (s *Sharing) amount(cost ledger.Cost) int64 {
	amount := int64(leastPrice)
	for _, k := range s.shared {
		amount = max(amount, cost[k]*s.accounts[k].price)
	}
	return amount
}

// tag is a member's position in the fair queuing of a band: what it was served there, divided by its weight.
type tag struct {
	start int64
	// rest is what division has left over, in units of 1/weight, so that no rounding adds up.
	rest int64
}

// due is the tag the member will have after a call that counts so much.
func (t *tag) due(amount, weight int64) int64 { return t.start + (amount+t.rest)/weight }

func (t *tag) serve(amount, weight int64) {
	n := amount + t.rest
	t.start, t.rest = t.start+n/weight, n%weight
}

// queue holds the posts of one phase of a choice, at their gates. In the first two, where whoever was served longest ago is first, posts are keyed by turn and
// nobody is early. Bands do weighted fair queuing: of those whose tag is not past the mean of all that compete, by weight, so that they are not ahead of their
// part, the one whose tag after the call is least. A plain least tag would serve a heavy integration after all light ones, many calls behind its part; a plain
// least due would let it run ahead.
//
// Who comes back after a pause starts no earlier than the mean, as what it did not ask for is not owed to it, and no earlier than it left, so that leaving does
// not pay. Who is held back by a limit neither gains nor loses: it is as far from the mean when its gate is open again.
type queue struct {
	// group of the open gates.
	group
	// virtual is the mean tag. It never goes back, so a post that is ready stays so.
	virtual int64
}

const (
	firstBand = 2 // before it are the queues of OwnHard and OwnSoft
	queues    = firstBand + bands
)

// advance brings the mean up to date, and makes ready who is not past it.
func (s *Sharing) advance(q *queue) {
	if q.weight > 0 {
		q.virtual = max(q.virtual, q.sum.per(q.weight))
	}
	for len(q.early) > 0 {
		if first := q.early[0]; first.key > q.virtual {
			if len(q.ready) > 0 {
				return
			}
			// Everybody is ahead of the mean: it was drawn back by posts that are held back, or have left.
			q.virtual = first.key
		}
		s.makeReady(s.gates[q.early[0].id].early[0].id)
	}
}

// makeReady moves the first early post of a lot to those that are ready.
func (s *Sharing) makeReady(id int32) {
	l := &s.lots[id]
	p := l.early[0].id
	l.early.remove(&s.inLot, p)
	s.posts[p].early = false
	l.ready.set(&s.inLot, item{s.posts[p].finish, int32(s.posts[p].Owner), p})
	s.refile(id)
}

// bandSet is a set of bands.
type bandSet uint8

func (b bandSet) has(band Band) bool { return b&(1<<band) != 0 }
func (b *bandSet) put(band Band)     { *b |= 1 << band }

// locate brings a member's tags up to date from its posts, which move with their gates: it was held back only while all of them were, so the least is
// right.
func (s *Sharing) locate(m *member) {
	var seen bandSet
	for id := m.first; id != none; id = s.posts[id].next {
		p := &s.posts[id]
		if p.lot == none || s.lots[p.lot].queue < firstBand {
			continue
		}
		l := &s.lots[p.lot]
		band := Band(l.queue - firstBand)
		if start := p.start + s.offsetIn(l); !m.known.has(band) && (!seen.has(band) || start < m.tags[band].start) {
			m.tags[band].start = start
			seen.put(band)
		}
	}
	m.known |= seen
}
