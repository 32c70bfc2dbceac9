// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// crowd has crowds of creations go together, by jobs that take 5 to 60 s and are known for an hour, in a CRM that finds tickets up to 10 minutes late.
func (s *setup) crowd(seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // repeatable on purpose
	s.crowds = true
	s.crm.JobDuration, s.crm.MaxJobDuration, s.crm.JobRetention = 5*time.Second, time.Minute, time.Hour
	s.crm.IndexJitter = time.Duration(r.IntN(10)) * time.Minute
	s.crm.ItemFailures = r.IntN(3)
	for i := range s.plan.Integrations {
		b := &contract.Batching{Mode: contract.BatchWhenWaiting, MaxLingerSeconds: 10, FoldUpdates: seed%2 == 0}
		if r.IntN(3) == 0 {
			b.Mode, b.MaxLingerSeconds = contract.BatchAlways, 1+r.Int64N(60)
		}
		if r.IntN(3) == 0 {
			b.MaxItems = 2 + r.Int64N(50)
		}
		s.plan.Integrations[i].Batching = b
		s.plan.Integrations[i].Queue.MaxCalls = 100_000 // a person's orders are not refused for want of room
	}
}

// crowdSeeds is how many worlds of crowds a test run lives through.
const crowdSeeds = 12

// TestBatching holds in worlds of crowds what TestSimulation does, and that each caller is told of the one ticket that it asked for.
func TestBatching(t *testing.T) {
	var together atomic.Int64
	t.Cleanup(func() {
		if together.Load() == 0 {
			t.Error("no calls went together")
		}
		t.Logf("%d calls went together", together.Load())
	})
	inWorlds(t, crowdSeeds, func(t *testing.T, seed uint64) {
		s := choose(seed)
		s.crowd(seed)
		v := run(t, seed, s)
		v.hold(t)
		together.Add(int64(v.together))
		if verbose() {
			t.Logf("%d promised: %v; %d went together in bulk calls; %d arrivals", v.promised, v.states, v.together, v.report.Arrivals)
		}
	})
}

// judgeTicket: a creation that succeeded was told of its own ticket.
func judgeTicket(v *verdict, p *promise, tickets map[string][]int64) {
	var body struct{ Ticket struct{ ID int64 } }
	if err := json.Unmarshal(p.final.Body, &body); err != nil {
		v.problems = append(v.problems, fmt.Sprintf("%s was answered %q", p.id, p.final.Body))
		return
	}
	if !slices.Contains(tickets[p.external], body.Ticket.ID) {
		v.problems = append(v.problems, fmt.Sprintf("%s was told of ticket %d, and its own are %v", p.id, body.Ticket.ID, tickets[p.external]))
	}
	if p.final.Composed {
		v.together++
		if want := fmt.Sprintf(`{"ticket":{"id":%d}}`, body.Ticket.ID); string(p.final.Body) != want {
			v.problems = append(v.problems, fmt.Sprintf("%s was told more than its own ticket: %s", p.id, p.final.Body))
		}
	}
}
