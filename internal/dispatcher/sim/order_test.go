// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
)

// decideParked is the person who looks after parked calls that hold others up: those whose ticket is there are dropped, the others sent again. It
// returns about how many there was something to decide.
func (w *world) decideParked(s *scheduler.Scheduler) (decided int) {
	for i := range w.plan.Integrations {
		integration := w.plan.Integrations[i].Key()
		parked, err := s.List(context.Background(), integration, call.StateParked, "", len(w.promises))
		if err != nil {
			w.t.Errorf("no list of parked calls: %v", err)
		}
		for _, r := range parked {
			n := slices.IndexFunc(w.promises, func(p *promise) bool { return p.id == r.ID && p.holdsUp() })
			if n < 0 {
				continue
			}
			decide := s.Resend
			if len(w.server.TicketsByExternalID()[w.promises[n].external]) > 0 {
				decide = s.Drop
			}
			if err := decide(context.Background(), integration, r.ID); err != nil {
				w.t.Errorf("an order about %s: %v", r.ID, err)
			}
			decided++
		}
	}
	w.decided += decided
	return decided
}

// judgeOrder: of the calls of one integration with one ordering key, each arrived after all those accepted before it had been answered, and took effect after theirs.
func (w *world) judgeOrder(v *verdict, tickets map[string][]int64) {
	arrivals := map[string][]judge.Arrival{}
	for _, a := range w.server.Arrivals() {
		arrivals[a.IdempotencyKey] = append(arrivals[a.IdempotencyKey], a)
	}
	byKey := map[string][]*promise{}
	for _, p := range w.promises {
		if name := p.integration + " " + p.order; p.order != "" && !slices.ContainsFunc(byKey[name], func(q *promise) bool { return q.id == p.id }) {
			byKey[name] = append(byKey[name], p)
		}
	}
	for name, all := range byKey {
		slices.SortFunc(all, func(a, b *promise) int { return cmp.Compare(a.id, b.id) })
		var before *promise
		var last judge.Arrival
		for _, p := range all {
			for n, a := range arrivals[keyAtCRM(p)] {
				if before != nil && n == 0 && (a.Received.Before(last.Received) || !last.ClientGone && a.Received.Before(last.Released)) {
					v.disorder = append(v.disorder, fmt.Sprintf("%s: %s arrived at %s, and %s was there from %s to %s", name, p.key, a.Received, before.key, last.Received, last.Released))
				}
				if n == 0 || a.Received.After(last.Received) {
					before, last = p, a
				}
			}
		}
		v.ordered += len(all)
	}
	w.judgeEffects(v, byKey, tickets)
}

// keyAtCRM is the idempotency key that the dispatcher makes of a client's.
func keyAtCRM(p *promise) string {
	sum := sha256.Sum256([]byte(p.integration + "\x00" + p.key))
	return hex.EncodeToString(sum[:])
}

// judgeEffects: tickets are numbered as they are made. Those made by jobs are made when the CRM comes to it.
func (w *world) judgeEffects(v *verdict, byKey map[string][]*promise, tickets map[string][]int64) {
	for name, all := range byKey {
		last := int64(0)
		for _, p := range all {
			made := tickets[p.external]
			if p.final == nil || p.final.Target != "/api/v2/tickets.json" || len(made) == 0 {
				continue
			}
			if made[0] < last {
				v.disorder = append(v.disorder, fmt.Sprintf("%s: ticket %d of %s was made before %d", name, made[0], p.key, last))
			}
			last = made[0]
		}
	}
}
