// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// Lane is one of the two lines in which an integration's calls wait.
type Lane uint8

const (
	// Waiting calls have a client that waits for the answer. They go ahead of their own integration's backlog.
	Waiting Lane = iota
	// Backlog calls were acknowledged and wait durably. While both lanes have calls, one unit in backlogPart is theirs.
	Backlog
)

// backlogPart: the backlog keeps a fifth of what its integration sends, so that waiting calls cannot hold it up for ever.
const backlogPart = 5

// Head is the call that is first in a lane of an integration. There is at most one for each lane of an owner.
type Head struct {
	Owner ledger.Owner
	Lane  Lane
	Cost  int64
}

// Choice is a head that may be sent now.
type Choice struct {
	Head
	// Index of the head among those Pick was given.
	Index int
	Class Class
	// contested: the owner's other lane could have sent, too.
	contested bool
}

// member is what is remembered of an integration from one choice to the next.
type member struct {
	tag tag
	// turn is when its last own-hard call was sent, counted in such calls.
	turn uint64
	// passed is how many units the backlog has let waiting calls go ahead of it.
	passed int64

	// offer is its candidate in the pick with the number offeredIn.
	offer     Choice
	offeredIn uint64
}

// Pick chooses the head to send next; ok is false if none is admissible. Calls that are own-hard in every limit come first; the others by weighted fair
// queuing: of those integrations that are not ahead of their part, the one whose call is due first. Ties go to the lower owner, never to the order of heads.
func (s *Sharing) Pick(heads []Head) (choice Choice, ok bool) {
	s.gather(heads)
	if len(s.contenders) == 0 {
		return Choice{}, false
	}
	if o := s.longestUnserved(); o != ledger.NoOwner {
		return s.members[o].offer, true
	}
	return s.members[s.due()].offer, true
}

// Charge charges a choice that is about to be sent, and remembers whose turn it was.
func (s *Sharing) Charge(now time.Time, id ledger.ID, c Choice) error {
	if err := s.book.Charge(now, id, c.Owner, c.Cost); err != nil {
		return err
	}
	m := &s.members[c.Owner]
	if c.Class == OwnHard {
		s.turn++
		m.turn = s.turn
	} else {
		m.tag.serve(c.Cost)
	}
	switch {
	case c.Lane == Backlog:
		m.passed = max(0, m.passed-(backlogPart-1)*c.Cost)
	case c.contested:
		m.passed += c.Cost
	}
	return nil
}

// gather leaves in contenders the owners that may send, each with one candidate.
func (s *Sharing) gather(heads []Head) {
	s.grow()
	s.pick++
	s.contenders = s.contenders[:0]
	for i, h := range heads {
		class, ok := s.admissible(h)
		if !ok {
			continue
		}
		m, c := &s.members[h.Owner], Choice{Head: h, Index: i, Class: class}
		if m.offeredIn != s.pick {
			m.offeredIn, m.offer = s.pick, c
			s.contenders = append(s.contenders, h.Owner)
			continue
		}
		if m.goesAhead(c, m.offer) {
			m.offer = c
		}
		m.offer.contested = true
	}
}

// goesAhead says whether a goes ahead of b, both of this member and in different lanes. A call that is own-hard must not wait behind a dearer one that is not.
func (m *member) goesAhead(a, b Choice) bool {
	if (a.Class == OwnHard) != (b.Class == OwnHard) {
		return a.Class == OwnHard
	}
	backlog := a
	if b.Lane == Backlog {
		backlog = b
	}
	backlogDue := m.passed >= (backlogPart-1)*backlog.Cost
	return (a.Lane == Backlog) == backlogDue
}

// longestUnserved is, of the contenders with an own-hard candidate, the one whose last such call is longest ago. All of them fit one after the other unless a
// limit was just lowered; then they take turns.
func (s *Sharing) longestUnserved() ledger.Owner {
	first := ledger.NoOwner
	for _, o := range s.contenders {
		if s.members[o].offer.Class != OwnHard {
			continue
		}
		if first == ledger.NoOwner || before(s.members[o].turn, s.members[first].turn, o, first) {
			first = o
		}
	}
	return first
}

// before orders owners by a figure, and by their numbers where it is equal.
func before[T int64 | uint64](a, b T, ownerA, ownerB ledger.Owner) bool {
	return a < b || a == b && ownerA < ownerB
}
