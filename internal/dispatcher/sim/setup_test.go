// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// secret is the CRM's token.
const secret = "the-crm-token"

// setup is what a seed chooses before a world begins.
type setup struct {
	plan   contract.Plan
	crm    crmsim.Config
	guards limits.Guards
	// hidden: the CRM also enforces a limit that the plan does not know.
	hidden bool
	// load is how long clients hand in calls, each about every pace.
	load, pace time.Duration
	crashes    int
	stalls     int
	replans    int
	outages    int
	// longOutage: the CRM executes calls without an answer for longer than it remembers their keys.
	longOutage bool
	// lyingDisk: fsync does nothing.
	lyingDisk bool
}

// choose draws a setup. What the CRM enforces and what the plan says is the same, but for a hidden limit.
func choose(seed uint64) setup {
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable on purpose
	s := setup{
		guards:  limits.DefaultGuards(),
		load:    time.Duration(10+r.IntN(20)) * time.Minute,
		pace:    time.Duration(10+r.IntN(60)) * time.Second,
		crashes: r.IntN(4), stalls: r.IntN(3), replans: r.IntN(4), outages: r.IntN(4),
		hidden: r.IntN(4) == 0,
	}
	window := []time.Duration{5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute}[r.IntN(4)]
	s.addLimit(contract.Limit{Name: "short", Calls: int64(3 + r.IntN(30)), WindowSeconds: int64(window / time.Second)})
	if r.IntN(2) == 0 {
		zone := []string{"UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"}[r.IntN(4)]
		s.addLimit(contract.Limit{Name: "day", Calls: int64(150 + r.IntN(400)), DayTimeZone: zone})
	}
	if r.IntN(5) < 3 {
		s.addLimit(contract.Limit{Name: "slots", Concurrent: int64(1 + r.IntN(8))})
	}
	if s.hidden {
		s.crm.Limits = append(s.crm.Limits, limit.Limit{Name: "hidden", Calls: 2 + r.IntN(4), Kind: limit.Fixed, Window: 10 * time.Second})
	}
	s.crm.Seed, s.crm.Tokens = seed, []string{secret}
	s.crm.Latency = time.Duration(20+r.IntN(500)) * time.Millisecond
	s.crm.Jitter = time.Duration(r.IntN(4000)) * time.Millisecond
	s.crm.LateBy = time.Duration(r.IntN(60)) * time.Second
	s.crm.ClockOffset = time.Duration(r.IntN(8000)-4000) * time.Millisecond
	s.choosePlan(r)
	s.longOutage = r.IntN(6) == 0
	return s
}

// addLimit adds a limit to the plan and to the CRM.
func (s *setup) addLimit(l contract.Limit) {
	s.plan.Limits = append(s.plan.Limits, l)
	there := limit.Limit{Name: l.Name, Calls: int(l.Calls), Kind: limit.Rolling, Window: time.Duration(l.WindowSeconds) * time.Second}
	switch {
	case l.DayTimeZone != "":
		zone, err := time.LoadLocation(l.DayTimeZone)
		if err != nil {
			panic(err)
		}
		there.Kind, there.Zone = limit.CalendarDay, zone
	case l.Concurrent > 0:
		there.Kind, there.Calls = limit.Concurrent, int(l.Concurrent)
	}
	s.crm.Limits = append(s.crm.Limits, there)
}

func (s *setup) choosePlan(r *rand.Rand) {
	s.plan.Schema, s.plan.Sequence, s.plan.Enforce = contract.PlanSchema, 1, true
	s.plan.CRM = contract.CRMIdentity{Namespace: "ns", Name: "crm", UID: "uid", Provider: "Zendesk", Account: "acme"}
	s.plan.Endpoint = "http://acme.zendesk.test"
	s.plan.Intake = contract.Intake{URL: "http://intake.test", PlainHTTP: true}
	s.plan.Credentials = contract.Credentials{Bearer: &contract.BearerKeys{Token: "token"}}
	left := int64(100)
	for i := range 1 + r.IntN(3) {
		guaranteed := r.Int64N(left/2 + 1)
		left -= guaranteed
		s.plan.Integrations = append(s.plan.Integrations, contract.Integration{
			Namespace: "ns", Name: fmt.Sprintf("app%d", i), UID: fmt.Sprintf("uid%d", i), Generation: 1, Enforce: true,
			Share: contract.Share{
				GuaranteedPercent: guaranteed, Weight: 1 + r.Int64N(5), MaxPercent: []int64{100, 60}[r.IntN(2)], LendPercent: []int64{0, 50, 100}[r.IntN(3)],
			},
			Default: contract.Wait, WaitSeconds: 1 + r.Int64N(10),
			Queue:   contract.Queue{MaxCalls: 1000, MaxAgeSeconds: 7 * 24 * 3600},
			Clients: []contract.Client{{Name: "app", APIKeySHA256: []string{hashOf(keyOf(i))}}},
		})
	}
}

// keyOf is an integration's API key.
func keyOf(integration int) string { return fmt.Sprintf("key-of-app-%d", integration) }
