// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"path"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// crew is a bulk call that is being filled.
type crew struct {
	operation string
	// most members go together, so many items are left, and cost is what the call takes.
	most, items int
	cost        ledger.Cost
	// lanes and members by place.
	lanes   []*lane
	members []call.ID
}

// gather chooses the calls that go together, from the one that was offered on; none if a call by itself was.
func (s *Scheduler) gather(now time.Time, l *lane, o offer) []call.ID {
	m := l.merging[o.bulk]
	if m == nil {
		return nil
	}
	c := crew{operation: o.bulk, most: m.most, items: o.items, cost: o.Cost}
	s.boardFrom(now, &c, l, o.queued)
	return c.members
}

// boardFrom has a lane's queued calls go along from one on.
func (s *Scheduler) boardFrom(now time.Time, c *crew, l *lane, from call.ID) {
	begun := false
	s.board(now, c, l, func(h *queued) bool {
		begun = begun || h.ID == from
		return begun
	})
}

// board has those of a lane's queued calls that fit go along, as many as there is room for.
func (s *Scheduler) board(now time.Time, c *crew, l *lane, fits func(*queued) bool) {
	m, turns, goes := l.merging[c.operation], s.turnsOf(now, l), s.goesIn(now, l, c.operation)
	for _, h := range l.inOrder() {
		first := turns.first(h)
		if !turns.has(h) || !fits(h) || len(c.members) >= c.most || first && c.items == 0 || !goes(h) || h.NotBefore.After(now) {
			continue
		}
		if !s.mergeable(l, h, m) || !s.covers(l, c.cost, h) {
			turns.bar(h)
		} else if turns.take(h, m.fold) {
			c.lanes, c.members = append(c.lanes, l), append(c.members, h.ID)
			if first {
				c.items--
			}
		}
	}
}

// apiOf is the part of a target in front of the record, or of the collection that it would be in. It tells versions of an API apart, which do not go together.
func apiOf(target string) string {
	before, _, _ := strings.Cut(target, "?")
	return path.Dir(before)
}
