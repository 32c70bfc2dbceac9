// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/intake"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
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
	// pauses are stops of the machine between what it decided and what it does, breakages failures of its disk, fills are times at which that is full.
	pauses, breakages, fills int
	// restores are times at which the volume is put back to a state that it had before.
	restores int
	// unnoticed: no plan tells how far the volume had come.
	unnoticed bool
	// steps: the time of day is set while nothing keeps it right.
	steps bool
	// longOutage: the CRM executes calls without an answer for longer than it remembers their keys.
	longOutage bool
	// wallError is how far machines say that their time of day can be off; 0 if they do not know.
	wallError time.Duration
	// lyingDisk: fsync does nothing.
	lyingDisk bool
	// calls and between, if set, come between the parts of the dispatcher, and break a promise.
	calls   func(*scheduler.Scheduler) intake.Calls
	between func(backlog.Store, scheduler.Sender) (backlog.Store, scheduler.Sender)
	// crowds of creations are queued at a time, so that they go together.
	crowds bool
	// mixed: the CRM is Salesforce, and they are writes of different records.
	mixed bool
	// refers: some calls refer to earlier ones.
	refers bool
	// fault of the CRM, if there is one, begins so long after the load, and lasts so long.
	fault                  *fault
	faultAfter, faultLasts time.Duration
	// receiver is told of the results of all calls; nil if nobody is.
	receiver *receiver
	// certificate of the CRM, and what the dispatcher trusts; nil for HTTP.
	certificate *tls.Certificate
	trust       *tls.Config
}

// choose draws a setup. What the CRM enforces and what the plan says is the same, but for a hidden limit.
func choose(seed uint64) setup {
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable on purpose
	s := setup{
		guards:  limits.DefaultGuards(),
		load:    time.Duration(5+r.IntN(10)) * time.Minute,
		pace:    time.Duration(10+r.IntN(60)) * time.Second,
		crashes: r.IntN(4), stalls: r.IntN(3), replans: r.IntN(4), outages: r.IntN(4),
		hidden: r.IntN(4) == 0,
	}
	window := []time.Duration{5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute}[r.IntN(4)]
	s.addLimit(contract.Limit{Name: "short", Calls: int64(3 + r.IntN(30)), WindowSeconds: int64(window / time.Second)})
	if r.IntN(2) == 0 {
		name := []string{"UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"}[r.IntN(4)]
		s.addLimit(contract.Limit{Name: "day", Calls: int64(250 + r.IntN(400)), Calendar: &contract.Calendar{Unit: contract.CalendarDay, TimeZone: name}})
	}
	if r.IntN(5) < 3 {
		s.addLimit(contract.Limit{Name: "slots", Concurrent: int64(1 + r.IntN(8))})
	}
	s.chooseNarrow(r)
	if s.hidden {
		s.crm.Limits = append(s.crm.Limits, limit.Limit{Name: "hidden", Calls: 2 + r.IntN(4), Kind: limit.Fixed, Window: 10 * time.Second})
	}
	s.crm.Seed, s.crm.Tokens = seed, []string{secret}
	s.crm.Latency = time.Duration(20+r.IntN(500)) * time.Millisecond
	s.crm.Jitter = time.Duration(r.IntN(4000)) * time.Millisecond
	s.crm.LateBy = time.Duration(r.IntN(60)) * time.Second
	s.crm.ClockOffset = time.Duration(r.IntN(8000)-4000) * time.Millisecond
	s.choosePlan(r)
	if seed%4 == 0 {
		s.signInByToken()
	}
	s.longOutage = r.IntN(6) == 0
	s.wallError = time.Duration(r.IntN(2)*(1+r.IntN(3000))) * time.Millisecond
	s.pauses, s.breakages, s.fills, s.steps = r.IntN(3), r.IntN(4), r.IntN(2), r.IntN(2) == 0
	return s
}

// signInByToken has the dispatcher get access tokens that live as short as any CRM's.
func (s *setup) signInByToken() {
	s.crm.Tokens, s.crm.OAuth = nil, &crmsim.OAuth{ClientID: "app", ClientSecret: secret, Life: 5 * time.Minute}
	s.plan.Credentials = contract.Credentials{Secret: "s", OAuthClient: &contract.OAuthClientKeys{
		TokenURL: s.plan.Endpoint + "/oauth/tokens", ClientID: "client-id", ClientSecret: "token",
	}}
}

// addLimit adds a limit to the plan and to the CRM.
func (s *setup) addLimit(l contract.Limit) {
	s.plan.Limits = append(s.plan.Limits, l)
	there := limit.Limit{Name: l.Name, Calls: int(l.Calls), Kind: limit.Rolling, Window: time.Duration(l.WindowSeconds) * time.Second}
	switch {
	case l.Calendar != nil:
		there.Kind, there.Zone = limit.CalendarDay, zone(l.Calendar.TimeZone)
	case l.UntilJobEnds:
		there.Kind, there.Calls, there.Match = limit.Jobs, int(l.Concurrent), limit.Match{Operation: "CreateManyTickets"}
	case l.Concurrent > 0:
		there.Kind, there.Calls = limit.Concurrent, int(l.Concurrent)
	}
	s.crm.Limits = append(s.crm.Limits, there)
}

// chooseNarrow adds up to two of the limits that count only some calls, or in other ways.
func (s *setup) chooseNarrow(r *rand.Rand) {
	calls, minute := int64(2+r.IntN(8)), time.Minute
	narrow := []struct {
		here  contract.Limit
		there limit.Limit
	}{
		{
			contract.Limit{Name: "updates", Calls: calls, WindowSeconds: 60, Match: &contract.Match{Operations: []string{"UpdateTicket"}}},
			limit.Limit{Kind: limit.Rolling, Window: minute, Match: limit.Match{Operation: "UpdateTicket"}},
		},
		{
			contract.Limit{Name: "per ticket", Calls: calls, WindowSeconds: 60, PerRecord: true, Match: &contract.Match{Methods: []string{"PUT"}, Path: "/api/v2/tickets/*"}},
			limit.Limit{Kind: limit.Fixed, Window: minute, Offset: time.Duration(r.IntN(60)) * time.Second, Per: limit.PerRecord, Match: limit.Match{Method: "PUT", Path: "/api/v2/tickets/*"}},
		},
		{
			contract.Limit{Name: "bucket", Calls: 6 * calls, WindowSeconds: 60, Counting: contract.CountingTokenBucket, Burst: calls},
			limit.Limit{Kind: limit.TokenBucket, Window: minute, Burst: int(calls)},
		},
		{
			contract.Limit{Name: "tokens", Calls: 10 * calls, WindowSeconds: 60, Costs: []contract.Cost{
				{Match: contract.Match{Operations: []string{"CreateTicket"}}, Cost: 3}, {Match: contract.Match{Methods: []string{"GET"}, Path: "/**"}, Cost: 2},
			}},
			limit.Limit{Kind: limit.Rolling, Window: minute, Costs: []limit.Cost{{Operation: "CreateTicket", Units: 3}, {Operation: "SearchUsers", Units: 2}}},
		},
		{
			contract.Limit{Name: "hour", Calls: 40 * calls, Calendar: &contract.Calendar{Unit: contract.CalendarHour, TimeZone: "Asia/Kolkata"}},
			limit.Limit{Kind: limit.CalendarHour, Zone: zone("Asia/Kolkata")},
		},
		{
			contract.Limit{Name: "jobs", Concurrent: 20, UntilJobEnds: true, Match: &contract.Match{Operations: []string{"CreateTickets"}}},
			limit.Limit{Kind: limit.Jobs, Match: limit.Match{Operation: "CreateManyTickets"}},
		},
	}
	r.Shuffle(len(narrow), func(i, j int) { narrow[i], narrow[j] = narrow[j], narrow[i] })
	for _, n := range narrow[:r.IntN(3)] {
		n.there.Name, n.there.Calls = n.here.Name, int(n.here.Size())
		s.plan.Limits, s.crm.Limits = append(s.plan.Limits, n.here), append(s.crm.Limits, n.there)
	}
}

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
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
				Part:   contract.Part{GuaranteedPercent: guaranteed, MaxPercent: []int64{100, 60}[r.IntN(2)]},
				Weight: 1 + r.Int64N(5), ReclaimWithinWindow: r.IntN(4) == 0, LendPercent: []int64{0, 50, 100}[r.IntN(3)],
			},
			Priority: []contract.Priority{contract.PriorityInteractive, contract.PriorityStandard, contract.PriorityBulk}[r.IntN(3)],
			Default:  contract.Wait, WaitSeconds: 1 + r.Int64N(10),
			Queue:   contract.Queue{MaxCalls: 1000, MaxAgeSeconds: 7 * 24 * 3600},
			Clients: []contract.Client{{Name: "app", APIKeySHA256: []string{hashOf(keyOf(i))}}},
		})
	}
}

// keyOf is an integration's API key.
func keyOf(integration int) string { return fmt.Sprintf("key-of-app-%d", integration) }
