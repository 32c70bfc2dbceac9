// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"math"
	"slices"
)

// lot holds posts of one queue of which every limit asks the same.
type lot struct {
	group
	queue int8
	needs []need
	hash  uint64
	// next lot in the bucket, or among those that are free.
	next int32
	gate int32
}

// offsetIn is by how much tags in the lot are less than in the queue.
func (s *Sharing) offsetIn(l *lot) int64 { return l.shift + s.offset(&s.gates[l.gate]) }

// lets says whether nothing holds the posts of a lot back.
func (s *Sharing) lets(l *lot) bool {
	if !s.gates[l.gate].open {
		return false
	}
	_, blocked := s.blocker(l)
	return !blocked
}

// blocker is a need of the lot for which less is left, if there is one.
func (s *Sharing) blocker(l *lot) (key gateKey, blocked bool) {
	s.looked += int64(len(s.shared))
	for _, k := range s.shared {
		if n := l.needs[k]; s.lacking(k, n) {
			return gateKey{l.queue, k, n}, true
		}
	}
	for _, k := range s.paced {
		if n := l.needs[s.width+k]; s.lacking(k, n) {
			return gateKey{l.queue, k, n}, true
		}
	}
	return gateKey{}, false
}

// narrowest is the need of the lot of which there is least left.
func (s *Sharing) narrowest(l *lot) gateKey {
	key, least := gateKey{queue: l.queue}, int64(math.MaxInt64)
	for at, n := range l.needs {
		k := at % s.width
		if n == 0 {
			continue
		}
		if spare := s.accounts[k].left[n.class()] - n.amount(); spare < least {
			key, least = gateKey{l.queue, k, n}, spare
		}
	}
	return key
}

// asks says whether the lot is that of the head judged last.
func (s *Sharing) asks(l *lot, queue int8) bool {
	return l.queue == queue && slices.Equal(l.needs, s.needs)
}

// lotFor is the lot of the head judged last, a new one if there is none yet. A post is to be put there.
func (s *Sharing) lotFor(queue int8) int32 {
	hash := uint64(queue)
	for _, n := range s.needs {
		hash = (hash ^ uint64(n)) * 0x9E3779B97F4A7C15
		hash ^= hash >> 32
	}
	for id := s.buckets[hash&uint64(len(s.buckets)-1)]; id != none; id = s.lots[id].next {
		s.looked++
		if l := &s.lots[id]; l.hash == hash && s.asks(l, queue) {
			return id
		}
	}
	return s.newLot(queue, hash)
}

func (s *Sharing) newLot(queue int8, hash uint64) int32 {
	id := s.freeLot
	if id == none {
		id = int32(len(s.lots))
		s.lots = append(s.lots, lot{})
		s.inGate.extend()
	} else {
		s.freeLot = s.lots[id].next
	}
	if s.lotsIn++; s.lotsIn > len(s.buckets) {
		s.rehash(2 * len(s.buckets))
	}
	l := &s.lots[id]
	l.queue, l.hash, l.needs, l.shift = queue, hash, append(l.needs[:0], s.needs...), 0
	bucket := &s.buckets[hash&uint64(len(s.buckets)-1)]
	l.next, *bucket = *bucket, id
	s.admit(id, s.gateFor(s.narrowest(l)))
	return id
}

// rehash spreads the lots over n buckets, a power of two.
func (s *Sharing) rehash(n int) {
	old := s.buckets
	s.buckets = slices.Repeat([]int32{none}, n)
	for _, id := range old {
		for id != none {
			l := &s.lots[id]
			bucket := &s.buckets[l.hash&uint64(n-1)]
			id, l.next, *bucket = l.next, *bucket, id
		}
	}
}

// dissolve frees a lot that is empty.
func (s *Sharing) dissolve(id int32) {
	l := &s.lots[id]
	s.dismiss(id)
	link := &s.buckets[l.hash&uint64(len(s.buckets)-1)]
	for *link != id {
		link = &s.lots[*link].next
	}
	*link = l.next
	s.lotsIn--
	l.next, s.freeLot = s.freeLot, id
}

// refile puts a lot whose posts have changed where it belongs, and its gate likewise.
func (s *Sharing) refile(id int32) {
	l := &s.lots[id]
	g := &s.gates[l.gate]
	g.file(&s.inGate, &l.group, id)
	if g.open {
		s.queues[g.queue].file(&s.inQueue, &g.group, l.gate)
	}
}
