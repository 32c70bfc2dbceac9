// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// referenceSeeds is how many worlds with references a test run lives through.
const referenceSeeds = 12

// TestReferences holds in worlds in which calls refer to each other, and some are more urgent than others, what TestSimulation does, and that each arrives after the one it refers to, at its ticket.
func TestReferences(t *testing.T) {
	var filled atomic.Int64
	t.Cleanup(func() {
		if filled.Load() == 0 {
			t.Error("no call that refers to another one arrived")
		}
		t.Logf("%d calls arrived at the tickets that they referred to", filled.Load())
	})
	inWorlds(t, referenceSeeds, func(t *testing.T, seed uint64) {
		s := choose(seed)
		s.refers = true
		for i := range s.plan.Integrations {
			s.plan.Integrations[i].MostUrgent, s.plan.Integrations[i].LeastUrgent = -3, 4
		}
		if seed%2 == 0 { // some of them go together
			s.crowd(seed)
		}
		v := run(t, seed, s)
		v.hold(t)
		filled.Add(int64(v.filled))
	})
}

// urgencyOf has every third request be less urgent than others, every third more. A request that is repeated says the same.
func urgencyOf(r request) string {
	sum := sha256.Sum256([]byte(r.key + r.target))
	return []string{"u=3", "u=0", "u=7"}[sum[0]%3]
}

// holdsUp says whether others wait for what becomes of the promise.
func (p *promise) holdsUp() bool { return p.order != "" || p.referred }

// askInTurn hands in the creation of a ticket and updates of it, each of which refers to the call before.
func (w *world) askInTurn(ctx context.Context, integration int, random *rand.Rand, key string) {
	w.ask(ctx, integration, createRequest(random, integration, key))
	for n := range 1 + random.IntN(3) {
		before := w.promiseOf(integration, "k"+key)
		if before == nil { // it was refused
			return
		}
		key = fmt.Sprint(key, "-", n)
		w.ask(ctx, integration, request{
			method: http.MethodPut, target: fmt.Sprintf("/api/v2/tickets/(crmquota:%s:ticket.id).json", before.id), body: `{"ticket":{"subject":"t"}}`,
			queued: true, key: "k" + key, order: drawOrder(random), refersTo: before,
		})
	}
}

func (w *world) promiseOf(integration int, key string) *promise {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := slices.IndexFunc(w.promises, func(p *promise) bool { return p.integration == w.plan.Integrations[integration].Key() && p.key == key })
	if n < 0 {
		return nil
	}
	return w.promises[n]
}

// judgeReferences: a call that refers to another one arrived at that one's ticket, after it. It is dead if that has not succeeded.
func (w *world) judgeReferences(v *verdict, tickets map[string][]int64) {
	arrivals := map[string][]judge.Arrival{}
	for _, a := range w.server.Arrivals() {
		arrivals[a.IdempotencyKey] = append(arrivals[a.IdempotencyKey], a)
	}
	for _, p := range w.promises {
		if p.refersTo == nil || p.final == nil || p.refersTo.final == nil {
			continue
		}
		root := p
		for root.refersTo != nil {
			root = root.refersTo
		}
		for _, a := range arrivals[keyAtCRM(p)] {
			number := strings.TrimSuffix(strings.TrimPrefix(a.Path, "/api/v2/tickets/"), ".json")
			if !slices.ContainsFunc(tickets[root.external], func(id int64) bool { return fmt.Sprint(id) == number }) {
				v.problems = append(v.problems, fmt.Sprintf("%s arrived at %s, and the tickets that it refers to are %v", p.id, a.Path, tickets[root.external]))
			}
			before := arrivals[keyAtCRM(p.refersTo)] // what went in a bulk call was not answered by its own key
			if !p.refersTo.final.Composed && len(before) > 0 && !slices.ContainsFunc(before, func(b judge.Arrival) bool { return answeredBefore(b, a) }) {
				v.problems = append(v.problems, fmt.Sprintf("%s arrived at %s, before what it refers to was answered", p.id, a.Received))
			}
			v.filled++
		}
		if good := p.refersTo.final.State == call.StateSucceeded; !good && p.final.State != call.StateDead {
			v.problems = append(v.problems, fmt.Sprintf("%s is %s, and refers to %s, which is %s", p.id, p.final.State, p.refersTo.id, p.refersTo.final.State))
		}
	}
}

// answeredBefore says whether a request was answered when another one arrived.
func answeredBefore(b, a judge.Arrival) bool {
	return b.Outcome == judge.Answered && !b.Released.After(a.Received)
}
