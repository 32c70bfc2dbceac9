// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/intake"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
)

// controlSeeds is in how many worlds a broken promise is noticed, if not in fewer.
const controlSeeds = 30

// TestControls breaks one promise on purpose in each world: a simulation that does not notice proves nothing.
func TestControls(t *testing.T) {
	overruns := func(v *verdict) int { return v.overruns }
	controls := map[string]struct {
		breakIt func(*setup)
		noticed func(*verdict) int
	}{
		"a disk whose fsync does nothing loses acknowledged calls": {
			breakIt: func(s *setup) { s.lyingDisk, s.crashes = true, 3 },
			noticed: func(v *verdict) int { return len(v.lost) },
		},
		"a ledger that takes lost calls as counted when they were lost overruns": {
			breakIt: func(s *setup) {
				s.short(5)
				s.guards.MaxServerDelay, s.crm.LateBy, s.outages, s.longOutage = 0, 55*time.Second, 0, false
				s.crm.Outages = []crmsim.Outage{{Kind: crmsim.Slow, Delay: 80 * time.Second, Percent: 50}} // nobody listens that long
			},
			noticed: overruns,
		},
		"a ledger that releases calls before their window has passed overruns": {
			breakIt: func(s *setup) {
				s.short(10)
				s.plan.Limits[0].WindowSeconds = 9
			},
			noticed: overruns,
		},
		"a CRM that finds tickets later than it is searched has some made twice": {
			breakIt: func(s *setup) {
				s.crowd(1)
				s.outages, s.longOutage, s.crm.ItemFailures, s.crm.IndexDelay = 0, false, 0, 24*time.Hour
				s.crm.Outages = []crmsim.Outage{{Kind: crmsim.Reset, Percent: 50, Executed: true}}
			},
			noticed: func(v *verdict) int { return v.report.Tickets.DuplicateCount },
		},
		"a dispatcher that ignores ordering keys sends calls side by side": {
			breakIt: func(s *setup) { s.calls = func(d *scheduler.Scheduler) intake.Calls { return unordered{d} } },
			noticed: func(v *verdict) int { return len(v.disorder) },
		},
		"a transport that sends again by itself sends without a charge": {
			breakIt: func(s *setup) {
				s.outages, s.longOutage = 0, false
				s.crm.Outages = []crmsim.Outage{{Kind: crmsim.Reset, Percent: 30, Executed: true}}
				s.between = func(store backlog.Store, sender scheduler.Sender) (backlog.Store, scheduler.Sender) {
					return store, resending{sender}
				}
			},
			noticed: func(v *verdict) int { return v.uncharged },
		},
		"intents that are logged after the sending let calls be sent twice": {
			breakIt: func(s *setup) {
				s.crashes, s.longOutage = 6, false
				s.between = func(store backlog.Store, sender scheduler.Sender) (backlog.Store, scheduler.Sender) {
					return &lateStore{Store: store, late: make(chan struct{}, 1)}, sender
				}
			},
			noticed: func(v *verdict) int { return v.doubled + v.overruns },
		},
		"a volume that is put back unnoticed has calls sent twice": {
			breakIt: func(s *setup) {
				s.restores, s.unnoticed, s.outages, s.longOutage = 3, true, 0, false
			},
			noticed: func(v *verdict) int { return v.doubled + v.overruns },
		},
		"keys that are not made the integration's own get the answers of another's": {
			breakIt: func(s *setup) {
				s.addIntegration()
				s.calls = func(d *scheduler.Scheduler) intake.Calls { return unscoped{d} }
			},
			noticed: func(v *verdict) int { return len(v.lost) + len(v.problems) },
		},
	}
	for name, control := range controls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			noticed := 0
			seed := uint64(0)
			for noticed == 0 && seed < controlSeeds {
				seed++
				synctest.Test(t, func(t *testing.T) {
					s := choose(seed)
					s.load = 15 * time.Minute
					control.breakIt(&s)
					noticed = control.noticed(run(t, seed, s))
				})
			}
			if noticed == 0 {
				t.Errorf("nothing was noticed in %d worlds", controlSeeds)
			}
			t.Logf("noticed %d times in world %d", noticed, seed)
		})
	}
}

// addIntegration adds one that is like the first.
func (s *setup) addIntegration() {
	another := s.plan.Integrations[0]
	another.Name, another.UID, another.Share.GuaranteedPercent = "another", "another", 0
	another.Clients = []contract.Client{{Name: "app", APIKeySHA256: []string{hashOf(keyOf(len(s.plan.Integrations)))}}}
	s.plan.Integrations = append(s.plan.Integrations, another)
}

// short leaves one limit, of four calls in as many seconds.
func (s *setup) short(seconds int64) {
	s.plan.Limits, s.crm.Limits, s.hidden = nil, nil, false
	s.addLimit(contract.Limit{Name: "short", Calls: 4, WindowSeconds: seconds})
}
