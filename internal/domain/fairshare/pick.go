// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// backlogPart: the backlog keeps a fifth of what its integration sends, so that waiting calls cannot hold it up for ever.
const backlogPart = 5

// Choice is a head that may be sent now.
type Choice struct {
	Head
	Class Class
	// queue it was chosen from.
	queue int8
	// contested: the owner's other lane could have sent, too.
	contested bool
}

// Pick chooses the head to send next at now; ok is false if none is admissible. It does not change what is offered. Calls within their integration's guarantee
// come first, those that are own-hard in every limit before others: nobody's priority goes before a guarantee. The others go by band, then by weighted fair
// queuing: of those integrations that are not ahead of their part, the one whose call is due first. Ties go to the lower owner.
//
// Of the heads of one integration that are in the same place in this order, a waiting call goes ahead of the backlog, but for the part that the backlog keeps;
// in a lane, the one that has waited longest.
func (s *Sharing) Pick(now time.Time) (choice Choice, ok bool) {
	s.book.Advance(now)
	s.refresh()
	s.wake()
	s.age(now)
	for _, o := range s.touched {
		s.place(o)
	}
	s.touched = s.touched[:0]
	for q := range int8(queues) {
		if id, contested := s.choose(q); id != none {
			return Choice{Head: s.posts[id].Head, Class: min(Class(q), Borrowed), queue: q, contested: contested}, true
		}
	}
	return Choice{}, false
}

// ChoiceOf is the choice of a head out of its turn: it need not be offered, nor be the first; ok is false if it is not admissible at now.
func (s *Sharing) ChoiceOf(now time.Time, h Head) (choice Choice, ok bool) {
	s.book.Advance(now)
	s.grow()
	s.refresh()
	class, ok := s.admits(&h)
	if !ok {
		return Choice{}, false
	}
	queue := int8(class)
	if band := s.members[h.Owner].band; class == Borrowed && (s.ageing <= 0 || now.Sub(h.Since) < s.ageing) {
		queue += int8(band)
	}
	return Choice{Head: h, Class: class, queue: queue}, true
}

// Charge charges a choice that is about to be sent, takes its head away, and remembers whose turn it was. The errors are the ledger's; nothing has changed
// then.
func (s *Sharing) Charge(now time.Time, id ledger.ID, c Choice, record ledger.Record) error {
	if err := s.book.Charge(now, id, c.Owner, c.Cost, record); err != nil {
		return err
	}
	m, amount := &s.members[c.Owner], s.amount(c.Cost)
	if c.Class == Borrowed {
		s.locate(m)
		m.tags[c.queue-firstBand].serve(amount, m.weight)
	} else {
		s.turn++
		m.turns[c.Class] = s.turn
	}
	switch {
	case c.Lane == Backlog:
		m.passed = max(0, m.passed-(backlogPart-1)*amount)
	case c.contested:
		m.passed += amount
	}
	s.Withdraw(c.Owner, c.Lane, c.Kind)
	s.touch(c.Owner) // out of its turn there was nothing to withdraw, and its heads have moved back
	return nil
}

// choose is the post in the queue to send next: none if all are held back.
func (s *Sharing) choose(queue int8) (id int32, contested bool) {
	q := &s.queues[queue]
	for {
		s.advance(q)
		if len(q.ready) == 0 {
			return none, false
		}
		gate := q.ready[0].id
		if g := &s.gates[gate]; s.lacking(g.k, g.need) {
			s.shut(gate)
			continue
		}
		lot := s.gates[gate].ready[0].id
		if key, blocked := s.blocker(&s.lots[lot]); blocked {
			s.move(lot, key)
			continue
		}
		first := s.lots[lot].ready[0].id
		id, contested = s.ahead(s.posts[first].Owner, queue)
		if behind := s.finish(id) - s.finish(first); behind > 0 {
			// What it would send is dearer than what it was found by, and due as late as that.
			s.delay(first, behind)
			continue
		}
		return id, contested
	}
}

// finish is the tag after the call, as it is in the queue.
func (s *Sharing) finish(id int32) int64 {
	p := s.front(id)
	return p.finish + s.offsetIn(&s.lots[p.lot])
}

// delay raises the tag after the call of a post that is ready.
func (s *Sharing) delay(id int32, by int64) {
	p := &s.posts[id]
	p.finish += by
	s.lots[p.lot].ready.set(&s.inLot, item{p.finish, int32(p.Owner), id})
	s.refile(p.lot)
}

// ahead is which of the owner's posts in the queue goes first, of those that nothing holds back; contested says whether both lanes have such a post, in
// whatever queue.
func (s *Sharing) ahead(o ledger.Owner, queue int8) (id int32, contested bool) {
	m := &s.members[o]
	first, sendable := [lanes]int32{none, none}, [lanes]bool{}
	for id := m.first; id != none; id = s.posts[id].next {
		p, lot := &s.posts[id], s.front(id).lot
		if lot == none || !s.lets(&s.lots[lot]) {
			continue
		}
		sendable[p.Lane] = true
		// Posts are in order of their kinds, so of equal ones the lower is found first.
		if f := &first[p.Lane]; s.lots[lot].queue == queue && (*f == none || p.since < s.posts[*f].since) {
			*f = id
		}
	}
	waiting, backlog := first[Waiting], first[Backlog]
	contested = sendable[Waiting] && sendable[Backlog]
	if waiting == none || backlog != none && m.passed >= (backlogPart-1)*s.posts[backlog].amount {
		return backlog, contested
	}
	return waiting, contested
}
