// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"math"
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

const lanes = 2

// Head is the call that is first among those of its kind in a lane of an integration.
type Head struct {
	Owner ledger.Owner
	Lane  Lane
	// Kind is a number by which the caller tells calls of different cost apart, so that they need not wait for each other.
	Kind int
	// Cost has an amount for every limit in force.
	Cost ledger.Cost
	// Since is when it began to wait.
	Since time.Time
}

// member is an integration.
type member struct {
	weight   int64
	band     Band
	lendsAll bool
	// touched: its heads must be judged anew.
	touched bool
	// known are the bands in which the tag itself tells the member's position, and not its posts.
	known bandSet
	tags  [bands]tag
	// turns is when its last own-hard and its last own-soft call was sent, counted in such calls.
	turns [2]int64
	// passed is what the backlog has let waiting calls go ahead of it, as amounts.
	passed int64
	// first of its posts, in order of lane and kind.
	first int32
}

// post is where a head stands. It outlives the head until the member's posts are placed again, as mostly the next one takes it.
type post struct {
	Head
	// offered is false once the head was sent or withdrawn.
	offered bool
	since   int64
	// amount counted in fair queuing.
	amount int64
	// next post of the member, or among those that are free.
	next int32

	// lot is none while its own ceiling holds the head back, or while it stands behind another post of the member, of which all is asked that is asked of it.
	lot    int32
	behind int32
	// early: its member is ahead of its part.
	early bool
	// Tags before and after the call, as they are in the lot.
	start, finish int64
	// weight in the mean: its member's for one of the member's posts in a band, 0 for others.
	weight int64
}

// Offer sets the head of a kind in a lane of an owner, or replaces it.
func (s *Sharing) Offer(h Head) {
	s.grow()
	link := s.find(&h)
	id := *link
	if id == none || s.posts[id].Lane != h.Lane || s.posts[id].Kind != h.Kind {
		next := id
		id = s.newPost() // may move the posts, and with them the link
		s.posts[id].next = next
		*s.find(&h) = id
	}
	p := &s.posts[id]
	p.Head, p.offered, p.since, p.amount = h, true, h.Since.UnixNano(), s.amount(h.Cost)
	s.touch(h.Owner)
}

// Withdraw takes a head away. It need not be there.
func (s *Sharing) Withdraw(o ledger.Owner, lane Lane, kind int) {
	s.grow()
	h := Head{Owner: o, Lane: lane, Kind: kind}
	if id := *s.find(&h); id != none && s.posts[id].Lane == lane && s.posts[id].Kind == kind {
		s.posts[id].offered = false
		s.touch(o)
	}
}

// Reset drops all heads. It is for when the limits have changed, and with them the costs: first Reset, then SetShares, then the heads are offered anew.
func (s *Sharing) Reset() {
	s.clearLots()
	for o := range s.members {
		for id := s.members[o].first; id != none; id = s.posts[id].next {
			s.posts[id].offered = false
		}
	}
}

// find is the link to the owner's first post that is not before the head's lane and kind.
func (s *Sharing) find(h *Head) *int32 {
	link := &s.members[h.Owner].first
	for *link != none {
		p := &s.posts[*link]
		if p.Lane > h.Lane || p.Lane == h.Lane && p.Kind >= h.Kind {
			break
		}
		link = &p.next
	}
	return link
}

func (s *Sharing) newPost() int32 {
	id := s.freePost
	if id == none {
		id = int32(len(s.posts))
		s.posts = append(s.posts, post{})
		s.inLot.extend()
		s.inAgeing.extend()
	} else {
		s.freePost = s.posts[id].next
	}
	s.posts[id] = post{next: none, lot: none, behind: none}
	return id
}

// meet adds a member.
func (s *Sharing) meet() { s.members = append(s.members, member{weight: 1, first: none}) }

func (m *member) setShare(share Share) {
	m.band, m.lendsAll = share.Band, share.ReclaimWithinWindow && !share.External
	if weight := max(1, share.Weight); m.weight != weight {
		m.weight = weight
		for b := range m.tags {
			m.tags[b].rest = 0
		}
	}
}

// touch has the owner's heads judged anew at the next choice.
func (s *Sharing) touch(o ledger.Owner) {
	if m := &s.members[o]; !m.touched {
		m.touched = true
		s.touched = append(s.touched, o)
	}
}

// clearLots takes all posts from their lots. Members stay where they are.
func (s *Sharing) clearLots() {
	for o := range s.members {
		m := &s.members[o]
		s.locate(m)
		for id := m.first; id != none; id = s.posts[id].next {
			s.leave(id)
			s.posts[id].behind = none
			s.touch(ledger.Owner(o))
		}
	}
}

// place puts a member's heads where they now belong.
func (s *Sharing) place(o ledger.Owner) {
	m := &s.members[o]
	m.touched = false
	s.locate(m)
	of := s.standings[int(o)*s.width:][:s.width]
	for k := range of {
		of[k].from, of[k].to = 0, math.MaxInt64
	}
	for link := &m.first; *link != none; {
		id := *link
		p := &s.posts[id]
		if p.offered {
			s.placePost(m, id)
			link = &p.next
			continue
		}
		s.leave(id)
		s.young.remove(&s.inAgeing, id)
		*link, p.next, s.freePost = p.next, s.freePost, id
		p.Cost = nil
	}
	s.weigh(m)
	m.known = 0
}

func (s *Sharing) placePost(m *member, id int32) {
	p := &s.posts[id]
	p.behind = none
	class, ok := s.judge(&p.Head)
	if !ok {
		s.leave(id)
		return
	}
	queue, start, finish := int8(class), int64(0), int64(0)
	if class == Borrowed {
		band := s.bandOf(m, id)
		queue += int8(band)
		t := &m.tags[band]
		if !m.known.has(band) {
			m.known.put(band)
			t.start = max(t.start, s.queues[queue].virtual)
		}
		start, finish = t.start, t.due(p.amount, m.weight)
	} else {
		finish = m.turns[class]
	}
	if to := s.equal(m, id, queue); to != none {
		s.leave(id)
		p.behind = to
		return
	}
	if p.lot == none || !s.asks(&s.lots[p.lot], queue) {
		s.leave(id)
		p.lot, p.start, p.finish = s.lotFor(queue), 0, 0
	}
	s.setTags(id, start, finish)
}

// equal is a post of the member, among those before this one, that is in the lot of the head judged last and counts the same in fair queuing.
func (s *Sharing) equal(m *member, id int32, queue int8) int32 {
	for other := m.first; other != id; other = s.posts[other].next {
		if p := &s.posts[other]; p.lot != none && p.amount == s.posts[id].amount && s.asks(&s.lots[p.lot], queue) {
			return other
		}
	}
	return none
}

// front is the post that is in a lot for this one: itself, or the one it stands behind.
func (s *Sharing) front(id int32) *post {
	p := &s.posts[id]
	if p.behind != none {
		return &s.posts[p.behind]
	}
	return p
}

// setTags puts a post in order by its tags, as they are in the queue.
func (s *Sharing) setTags(id int32, start, finish int64) {
	p := &s.posts[id]
	l := &s.lots[p.lot]
	q, offset := &s.queues[l.queue], s.offsetIn(l)
	early := start > q.virtual
	if start -= offset; start == p.start && finish-offset == p.finish && p.early == early && s.inLot.at[id] != none {
		return
	}
	s.addWeight(l, p.start, -p.weight)
	p.start, p.finish = start, finish-offset
	s.addWeight(l, p.start, p.weight)
	from, to, key := &l.early, &l.ready, p.finish
	if early {
		from, to, key = &l.ready, &l.early, p.start
	}
	if p.early != early {
		from.remove(&s.inLot, id)
		p.early = early
	}
	to.set(&s.inLot, item{key, int32(p.Owner), id})
	s.refile(p.lot)
}

// leave takes a post from its lot, if it is in one.
func (s *Sharing) leave(id int32) {
	p := &s.posts[id]
	if p.lot == none {
		return
	}
	l := &s.lots[p.lot]
	s.addWeight(l, p.start, -p.weight)
	if p.early {
		l.early.remove(&s.inLot, id)
	} else {
		l.ready.remove(&s.inLot, id)
	}
	if l.empty() {
		s.dissolve(p.lot)
	} else {
		s.refile(p.lot)
	}
	p.lot, p.weight, p.early = none, 0, false
}

// weigh has each member count once in the mean of a band, by a post that is not held back if there is one.
func (s *Sharing) weigh(m *member) {
	carrier := [bands]int32{none, none, none}
	for id := m.first; id != none; id = s.posts[id].next {
		p := &s.posts[id]
		if p.lot == none || s.lots[p.lot].queue < firstBand {
			continue
		}
		l := &s.lots[p.lot]
		if c := &carrier[l.queue-firstBand]; *c == none || s.open(p) && !s.open(&s.posts[*c]) {
			*c = id
		}
	}
	for id := m.first; id != none; id = s.posts[id].next {
		p := &s.posts[id]
		weight := int64(0)
		if p.lot != none && s.lots[p.lot].queue >= firstBand && carrier[s.lots[p.lot].queue-firstBand] == id {
			weight = m.weight
		}
		if p.weight != weight {
			s.addWeight(&s.lots[p.lot], p.start, weight-p.weight)
			p.weight = weight
		}
	}
}

// open says whether the gate of a post is.
func (s *Sharing) open(p *post) bool { return s.gates[s.lots[p.lot].gate].open }

// addWeight counts a weight at a tag in the mean of a lot and of its gate, and in that of its queue if the gate is open.
func (s *Sharing) addWeight(l *lot, start, weight int64) {
	if weight == 0 {
		return
	}
	one := group{weight: weight, sum: product(start, weight)}
	g := &s.gates[l.gate]
	l.join(&one, 0)
	g.join(&one, l.shift)
	if g.open {
		s.queues[g.queue].join(&one, l.shift+g.shift)
	}
}
