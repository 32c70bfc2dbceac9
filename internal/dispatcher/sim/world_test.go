// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
)

// world is one run: a CRM, a dispatcher that lives and dies, clients, and trouble.
type world struct {
	setup
	t       *testing.T
	began   time.Time
	network *network
	server  *crmsim.Server
	machine atomic.Pointer[machine]

	mu       sync.Mutex
	inForce  contract.Plan
	promises []*promise
	// decided counts the orders about parked calls.
	decided int
}

// forgetting is longer than the CRM remembers an idempotency key, which is two hours.
const forgetting = 2*time.Hour + 15*time.Minute

func verbose() bool { return os.Getenv("SEED") != "" }

// run lives through a world and returns what came of it. It must be called in a bubble.
func run(t *testing.T, seed uint64, s setup) *verdict {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // repeatable on purpose
	w := &world{setup: s, t: t, began: time.Now(), server: crmsim.New(s.crm), inForce: s.plan}
	w.network = serve(t, w.server)
	defer w.server.Close()
	time.Sleep(time.Duration(random.Int64N(int64(24 * time.Hour)))) // days begin somewhere in the load
	w.powerOn(t.Context(), vfs.NewCrashableMem(), "boot", random)

	ctx, cancel := context.WithTimeout(t.Context(), s.load)
	defer cancel()
	var clients sync.WaitGroup
	for i := range s.plan.Integrations {
		for c := range 3 {
			clients.Go(func() { w.hand(ctx, i, c, rand.New(rand.NewPCG(seed, uint64(100+10*i+c)))) }) //nolint:gosec // repeatable on purpose
		}
	}
	w.trouble(ctx, random)
	clients.Wait()
	w.calm()
	drained := w.drain()
	v := w.judge(drained)
	w.shutDown()
	return v
}

// trouble lets happen what the seed has chosen, in an order and at moments that it chooses, too.
func (w *world) trouble(ctx context.Context, random *rand.Rand) {
	var events []func()
	for range w.crashes {
		events = append(events, func() { w.crash(ctx, random) })
	}
	for range w.stalls {
		events = append(events, func() { w.machine.Load().volume.stallOnce(time.Duration(1+random.IntN(90)) * time.Second) })
	}
	for range w.replans {
		events = append(events, func() { w.replan(ctx, random) })
	}
	for range w.outages {
		events = append(events, func() { w.outage(random) })
	}
	if w.longOutage {
		events = []func(){func() { w.fail(crmsim.Outage{Kind: crmsim.Reset, For: forgetting, Executed: true}) }}
	}
	random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for _, happen := range events {
		sleep(ctx, time.Duration(random.Int64N(2*int64(w.load)/int64(len(events)+1))))
		happen()
	}
	<-ctx.Done()
}

// crash takes the power away and gives it back, to this machine or another one. Often that happens while the disk hangs: what was decided is not durable then.
func (w *world) crash(ctx context.Context, random *rand.Rand) {
	if random.IntN(2) == 0 {
		w.machine.Load().volume.stallOnce(time.Minute)
		sleep(ctx, time.Duration(random.IntN(60))*time.Second)
	}
	synctest.Wait()
	unsynced := []int{0, 50, 100}[random.IntN(3)]
	if w.lyingDisk {
		unsynced = 0 // a part of what was said to be synced would be found to be damaged
	}
	disk := w.powerOff(unsynced, random)
	sleep(ctx, time.Duration(random.IntN(90))*time.Second)
	w.powerOn(ctx, disk, []string{"boot", "boot", "another boot"}[random.IntN(3)], random)
}

// replan puts another plan in force: lower limits, other shares, on hold, or the first one again.
func (w *world) replan(ctx context.Context, random *rand.Rand) {
	next := w.currentPlan()
	sequence := next.Sequence + 1
	*next = w.plan
	next.Sequence = sequence
	next.Limits, next.Integrations = slices.Clone(next.Limits), slices.Clone(next.Integrations)
	switch random.IntN(6) {
	case 0:
		next.Limits[0].Calls = max(1, next.Limits[0].Calls/2)
		next.Limits[0].Name = "renamed"
	case 1:
		next.Integrations[0].Share.Weight = 9
		next.Integrations[0].Share.GuaranteedPercent /= 2
	case 2:
		next.Hold = true
	case 3:
		next.ExternalPercent = 20
		next.Integrations[0].Priority = contract.PriorityBulk
	case 4:
		from, until := time.Now().Add(time.Minute), time.Now().Add(9*time.Minute)
		next.Integrations[0].Overrides = []contract.Override{{
			Name: "for a while", From: &from, Until: &until, Share: contract.Share{Part: contract.Part{MaxPercent: 50}, Weight: 1},
		}}
	}
	w.apply(ctx, next)
}

func (w *world) apply(ctx context.Context, p *contract.Plan) {
	w.mu.Lock()
	w.inForce = *p
	w.mu.Unlock()
	if m := w.machine.Load(); m != nil {
		if err := m.Scheduler.Apply(context.WithoutCancel(ctx), p); err != nil && !m.dead.Load() {
			w.t.Errorf("the plan is not accepted: %v", err)
		}
	}
}

func (w *world) currentPlan() *contract.Plan {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.inForce
	return &p
}

// outage has the CRM fail for a while.
func (w *world) outage(random *rand.Rand) {
	o := crmsim.Outage{
		Kind: []crmsim.OutageKind{crmsim.Unavailable, crmsim.ServerError, crmsim.Reset, crmsim.Hang, crmsim.Slow}[random.IntN(5)],
		For:  time.Duration(5+random.IntN(300)) * time.Second, Percent: 30 + random.IntN(70), Executed: random.IntN(2) == 0,
	}
	if o.Kind == crmsim.Slow {
		o.Delay = time.Duration(1+random.IntN(80)) * time.Second
	}
	w.fail(o)
}

func (w *world) fail(o crmsim.Outage) {
	if err := w.server.SetOutages(o); err != nil {
		w.t.Error(err)
	}
}

// calm ends all trouble, so that what is queued can drain.
func (w *world) calm() {
	if w.longOutage {
		time.Sleep(forgetting)
	}
	if err := w.server.SetOutages(); err != nil {
		w.t.Error(err)
	}
	last := w.plan
	last.Sequence = w.currentPlan().Sequence + 1
	w.apply(w.t.Context(), &last)
}
