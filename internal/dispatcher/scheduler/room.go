// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// Rooms is what the limits that count the call leave to its integration now; nil if it is not held to any, or ctx has ended.
func (s *Scheduler) Rooms(ctx context.Context, c *call.Call) []call.Room {
	rooms, _ := onLoop(ctx, s, func() []call.Room {
		if l := s.lanes[c.Integration]; l != nil && l.spec != nil {
			return s.rooms(s.options.Now(), l, s.tariff.Cost(s.priceCall(s.accessOf(l, c), c).kind))
		}
		return nil
	})
	return rooms
}

// rooms is what the limits that count a call leave to its integration. Slots are left out, since they say nothing of a rate, and so is what each record has for
// itself.
func (s *Scheduler) rooms(now time.Time, l *lane, cost ledger.Cost) []call.Room {
	if l.spec == nil || s.shadowed(l, now) {
		return nil
	}
	all := make([]call.Room, 0, len(cost))
	for k, n := range cost {
		limit := s.ledger.Limit(k)
		if n == 0 || limit.AlertOnly || limit.Meter.PerRecord || limit.Kind == limits.Concurrent || limit.Unit == limits.Milliseconds {
			continue
		}
		all = append(all, call.Room{
			Limit: limit.Name, Most: s.sharing.Ceiling(k, l.owner), Left: s.sharing.Room(k, l.owner),
			Window: limit.Length(),
		})
		all[len(all)-1].Renews = s.renews(now, k, l.owner, &all[len(all)-1])
	}
	return all
}

// renews is when limit k gives the owner more than now.
func (s *Scheduler) renews(now time.Time, k int, o ledger.Owner, r *call.Room) time.Duration {
	at := time.Time{}
	if _, end, calendar := s.ledger.Period(k); calendar {
		at = end
	} else if r.Left == 0 {
		at = s.sharing.Earliest(k, o, 1)
	}
	if at.IsZero() {
		return r.Window
	}
	return max(0, at.Sub(now))
}
