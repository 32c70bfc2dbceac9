// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
)

// pair has at least two integrations hand in calls.
func (s *setup) pair() {
	for i := len(s.plan.Integrations); i < 2; i++ {
		another := s.plan.Integrations[0]
		another.Name, another.UID = fmt.Sprintf("app%d", i), fmt.Sprintf("uid%d", i)
		another.Clients = []contract.Client{{Name: "app", APIKeySHA256: []string{hashOf(keyOf(i))}}}
		s.plan.Integrations = append(s.plan.Integrations, another)
	}
}

// share has integrations share their bulk calls; of three or more, one now and then does not.
func (s *setup) share(seed uint64, seen *rides) {
	for i := range s.plan.Integrations {
		s.plan.Integrations[i].Batching.AcrossIntegrations = i < 2 || seed%2 == 0
	}
	s.between = func(store backlog.Store, sender scheduler.Sender) (backlog.Store, scheduler.Sender) {
		return &watchedStore{Store: store, seen: seen}, sender
	}
}

// rides counts bulk calls of several integrations.
type rides struct {
	mu  sync.Mutex
	ids map[uint64]bool
}

// watchedStore sees the bulk calls that are committed.
type watchedStore struct {
	backlog.Store
	seen *rides
}

// Commit implements backlog.Store.
func (s *watchedStore) Commit(b *backlog.Batch) ([]backlog.Ready, error) {
	s.seen.mu.Lock()
	for _, bulk := range b.Bulks {
		if len(bulk.Owners) > 0 {
			s.seen.ids[bulk.ID] = true
		}
	}
	s.seen.mu.Unlock()
	return s.Store.Commit(b)
}

// acrossSeeds is how many worlds with shared bulk calls a test run lives through.
const acrossSeeds = 12

// TestSharedBulkCalls holds in worlds of crowds of several integrations what TestBatching does: none lost, none twice, limits exact, and each caller is told of its own
// ticket alone.
func TestSharedBulkCalls(t *testing.T) {
	var mu sync.Mutex
	shared, calls := 0, 0
	t.Cleanup(func() {
		if shared == 0 {
			t.Error("no bulk call was shared")
		}
		t.Logf("%d bulk calls were shared, and %d calls went together", shared, calls)
	})
	first, last := chosenSeeds(t, acrossSeeds)
	for seed := first; seed <= last; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, seen := choose(seed), &rides{ids: map[uint64]bool{}}
				s.pair()
				s.crowd(seed)
				s.share(seed, seen)
				v := run(t, seed, s)
				v.hold(t)
				mu.Lock()
				shared, calls = shared+len(seen.ids), calls+v.together
				mu.Unlock()
				if verbose() {
					t.Logf("%d promised: %v; %d went together, %d bulk calls were shared; %d arrivals", v.promised, v.states, v.together, len(seen.ids), v.report.Arrivals)
				}
			})
		})
	}
}
