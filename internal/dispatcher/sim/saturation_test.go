// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// rounds is how many times the limit the backlog is.
const rounds = 6

// saturationSeeds is how many backlogs a test run has drain.
const saturationSeeds = 8

// TestSaturation: a backlog uses the whole licence. L calls leave in each W(1+rho) + delta + the time that answers take.
func TestSaturation(t *testing.T) { inWorlds(t, saturationSeeds, saturate) }

// saturate queues rounds times the limit at once and holds the time of the last arrival against the bound.
func saturate(t *testing.T, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 4)) //nolint:gosec // repeatable on purpose
	s := choose(seed)
	s.plan.Limits, s.crm.Limits, s.plan.Integrations = nil, nil, s.plan.Integrations[:1]
	s.plan.Integrations[0].Share.MaxPercent = 100
	window := time.Duration(5+random.IntN(60)) * time.Second
	calls := 3 + random.IntN(60)
	s.addLimit(contract.Limit{Name: "only", Calls: int64(calls), WindowSeconds: int64(window / time.Second)})
	w := newWorld(t, s)
	w.firstMachine(random)

	queued := time.Now()
	for n := range rounds * calls {
		w.ask(t.Context(), 0, request{
			method: "POST", target: "/api/v2/tickets.json", queued: true, key: fmt.Sprint(n),
			body: fmt.Sprintf(`{"ticket":{"subject":"s","comment":{"body":"b"},"external_id":"%d"}}`, n),
		})
	}
	handedIn := time.Since(queued)
	if !w.drain() {
		t.Fatal("the backlog is not drained")
	}
	arrivals := w.server.Arrivals()
	took := arrivals[len(arrivals)-1].Received.Sub(arrivals[0].Received)
	answer := s.crm.Latency + s.crm.Jitter
	limit := limits.Limit{Kind: limits.Rolling, Window: window}
	const step = 20 * time.Millisecond // an fsync or two, and what a turn takes
	most := (rounds-1)*(limits.DefaultGuards().Hold(limit)+answer+step) + handedIn
	if len(arrivals) != rounds*calls || took > most {
		t.Errorf("%d arrivals took %s, want %d within %s", len(arrivals), took, rounds*calls, most)
	}
	if v := w.judge(true); v.overruns > 0 {
		t.Errorf("limits were overrun: %v", v.report.Problems())
	}
}
