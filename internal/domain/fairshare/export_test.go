// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"fmt"
	"slices"
)

// Check recomputes all that is kept up to date step by step, and returns what differs.
func (s *Sharing) Check() error {
	for _, k := range s.shared {
		var hard, soft int64
		for o := range s.members {
			st := s.standings[o*s.width+k]
			hard, soft = hard+st.hardReserve(), soft+st.softReserve()
		}
		if a := s.accounts[k]; a.hard != hard || a.soft != soft {
			return fmt.Errorf("limit %d: the sums are %d and %d, want %d and %d", k, a.hard, a.soft, hard, soft)
		}
	}
	for q := range s.queues {
		if err := s.checkQueue(int8(q)); err != nil {
			return fmt.Errorf("queue %d: %w", q, err)
		}
	}
	return nil
}

func (s *Sharing) checkQueue(number int8) error {
	q := &s.queues[number]
	var want queue
	for _, id := range s.gateOf {
		g := &s.gates[id]
		if g.queue != number {
			continue
		}
		if err := s.checkGate(id); err != nil {
			return fmt.Errorf("gate %+v: %w", g.gateKey, err)
		}
		if g.open {
			want.join(&g.group, g.shift)
		}
	}
	return q.check(&want.group, &s.inQueue)
}

func (s *Sharing) checkGate(id int32) error {
	g := &s.gates[id]
	var want group
	for lot := range s.lots {
		l := &s.lots[lot]
		if l.empty() || l.gate != id {
			continue
		}
		if err := s.checkLot(int32(lot)); err != nil {
			return fmt.Errorf("lot %d: %w", lot, err)
		}
		want.join(&l.group, l.shift)
	}
	kept := [...]bool{s.inClosed.at[id] != none, s.inQueue.ready.at[id] != none, s.inQueue.early.at[id] != none}
	if kept != [...]bool{!g.open, g.open && len(g.ready) > 0, g.open && len(g.early) > 0} {
		return fmt.Errorf("open is %t, it is kept among closed, ready and early ones: %t", g.open, kept)
	}
	return g.check(&want, &s.inGate)
}

func (s *Sharing) checkLot(id int32) error {
	l := &s.lots[id]
	var want group
	for _, it := range slices.Concat(l.ready, l.early) {
		p := &s.posts[it.id]
		want.join(&group{weight: p.weight, sum: product(p.weight, p.start)}, 0)
		if early := p.start+s.offsetIn(l) > s.queues[l.queue].virtual; s.open(p) && p.early != early || p.lot != id {
			return fmt.Errorf("post %d says that it is in lot %d, early is %t", it.id, p.lot, p.early)
		}
	}
	return l.check(&want, &places{s.inLot, s.inLot})
}

// check holds the sums of a group against those that it should have.
func (g *group) check(want *group, in *places) error {
	if g.weight != want.weight || g.sum != want.sum || !g.ready.valid(&in.ready) || !g.early.valid(&in.early) {
		return fmt.Errorf("weight and sum are %d and %v, want %d and %v", g.weight, g.sum, want.weight, want.sum)
	}
	return nil
}

// valid says whether the heap is in order and the index knows it.
func (h heap) valid(x *index) bool {
	for at, it := range h {
		if x.at[it.id] != int32(at) || at > 0 && it.before(h[(at-1)/arity]) {
			return false
		}
	}
	return true
}
