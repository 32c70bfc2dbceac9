// SPDX-License-Identifier: Apache-2.0

package fairshare

// gate holds lots of one queue back while less is left than one of their needs. A lot stands at one gate, for the need that held it back last: so when a limit
// is used up and comes back, it takes one comparison however many lots need it. If the gate is open and another need holds its first lot back, the lot goes to
// the gate for that one.
type gate struct {
	group
	gateKey
	// open: as much was left as is needed when it was looked at last. A closed gate is kept among those of its limit and class.
	open bool
	// closedAt is what the mean was when the gate was closed. Tags behind it move on with the mean.
	closedAt int64
	// next among the gates that are free.
	next int32
}

// gateKey is what a gate is for: the need of limit k. One without a need is always open.
type gateKey struct {
	queue int8
	k     int
	need  need
}

// offset is by how much tags behind the gate are less than in the queue.
func (s *Sharing) offset(g *gate) int64 {
	if g.open {
		return g.shift
	}
	return g.shift + s.queues[g.queue].virtual - g.closedAt
}

// gateFor is the gate of a key, a new one if there is none yet. A lot is to be put there.
func (s *Sharing) gateFor(key gateKey) int32 {
	if id, ok := s.gateOf[key]; ok {
		return id
	}
	id := s.freeGate
	if id == none {
		id = int32(len(s.gates))
		s.gates = append(s.gates, gate{})
		s.inQueue.extend()
		s.inClosed.extend()
	} else {
		s.freeGate = s.gates[id].next
	}
	s.gateOf[key] = id
	g := &s.gates[id]
	g.gateKey, g.open, g.shift = key, true, 0
	if s.lacking(key.k, key.need) {
		s.shut(id)
	}
	return id
}

// kept is where closed gates of the same limit and class are kept, in order of the amount.
func (s *Sharing) kept(g *gate) *heap { return &s.closed[g.k*classes+int(g.need.class())] }

// shut closes an open gate.
func (s *Sharing) shut(id int32) {
	g := &s.gates[id]
	q := &s.queues[g.queue]
	q.part(&g.group, g.shift)
	q.strike(&s.inQueue, id)
	g.open, g.closedAt = false, q.virtual
	s.kept(g).set(&s.inClosed, item{g.need.amount(), id, id})
}

// unlock opens a closed gate.
func (s *Sharing) unlock(id int32) {
	g := &s.gates[id]
	q := &s.queues[g.queue]
	s.kept(g).remove(&s.inClosed, id)
	g.shift = s.offset(g)
	g.open = true
	q.join(&g.group, g.shift)
	q.file(&s.inQueue, &g.group, id)
}

// wake opens the closed gates for whose need enough is left.
func (s *Sharing) wake() {
	s.looked += int64(len(s.shared) * classes)
	for _, k := range s.shared {
		for c, left := range s.accounts[k].left {
			closed := &s.closed[k*classes+c]
			for len(*closed) > 0 && (*closed)[0].key <= left {
				s.unlock((*closed)[0].id)
			}
		}
	}
}

// admit puts a lot that is at no gate to one.
func (s *Sharing) admit(lot, id int32) {
	l, g := &s.lots[lot], &s.gates[id]
	l.gate = id
	g.join(&l.group, l.shift)
	if g.open {
		s.queues[g.queue].join(&l.group, l.shift+g.shift)
	}
	s.refile(lot)
}

// dismiss takes a lot from its gate. A gate without lots is freed.
func (s *Sharing) dismiss(lot int32) {
	l := &s.lots[lot]
	g := &s.gates[l.gate]
	q := &s.queues[g.queue]
	g.part(&l.group, l.shift)
	g.strike(&s.inGate, lot)
	if g.open {
		q.part(&l.group, l.shift+g.shift)
		q.file(&s.inQueue, &g.group, l.gate)
	}
	if !g.empty() {
		return
	}
	if !g.open {
		s.kept(g).remove(&s.inClosed, l.gate)
	}
	delete(s.gateOf, g.gateKey)
	g.next, s.freeGate = s.freeGate, l.gate
}

// move takes a lot to another gate. Its tags stay what they are in the queue.
func (s *Sharing) move(lot int32, key gateKey) {
	to := s.gateFor(key)
	l := &s.lots[lot]
	shift := l.shift + s.offset(&s.gates[l.gate]) - s.offset(&s.gates[to])
	s.dismiss(lot)
	l.shift = shift
	s.admit(lot, to)
}
