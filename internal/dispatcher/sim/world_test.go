// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

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
	// front stands between the two.
	front   *front
	machine atomic.Pointer[machine]
	// boot of the machine that is or was last.
	boot string

	shelf shelf
	// wallStep is by how much the machines' time of day is wrong.
	wallStep atomic.Int64
	// restarts of processes that ended by themselves.
	restarts sync.WaitGroup

	mu       sync.Mutex
	inForce  contract.Plan
	promises []*promise
	// decided counts the orders about parked calls.
	decided  int
	happened happened

	// told is what was seen of the fault, which ended then.
	told       told
	faultEnded time.Time
	// backlogThen is how many calls were queued then.
	backlogThen int64
}

// count notes what happened.
func (w *world) count(what func(*happened)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	what(&w.happened)
}

// forgetting is longer than the CRM remembers an idempotency key, which is two hours.
const forgetting = 2*time.Hour + 15*time.Minute

func verbose() bool { return os.Getenv("SEED") != "" }

// newWorld makes a world without a machine, which ends with the test. It must be called in a bubble.
func newWorld(t *testing.T, s setup) *world {
	t.Helper()
	w := &world{setup: s, t: t, began: time.Now(), server: crmsim.New(s.crm), inForce: s.plan, boot: "boot"}
	w.front = &front{crm: w.server, certificate: s.certificate, receiver: s.receiver}
	w.network = serve(t, w.front)
	t.Cleanup(w.server.Close)
	return w
}

// firstMachine starts a dispatcher on a new disk.
func (w *world) firstMachine(random *rand.Rand) {
	w.t.Helper()
	w.powerOn(vfs.NewCrashableMem(), w.boot, random)
	w.t.Cleanup(w.shutDown)
}

// run lives through a world and returns what came of it. It must be called in a bubble.
func run(t *testing.T, seed uint64, s setup) *verdict {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // repeatable on purpose
	w := newWorld(t, s)
	time.Sleep(time.Duration(random.Int64N(int64(24 * time.Hour)))) // days begin somewhere in the load
	w.firstMachine(random)

	ctx, cancel := context.WithTimeout(t.Context(), s.load)
	defer cancel()
	var clients sync.WaitGroup
	for i := range s.plan.Integrations {
		for c := range 3 {
			clients.Go(func() { w.hand(ctx, i, c, rand.New(rand.NewPCG(seed, uint64(100+10*i+c)))) }) //nolint:gosec // repeatable on purpose
		}
	}
	if s.fault != nil {
		clients.Go(func() { w.suffer(ctx) })
	}
	w.trouble(ctx, random)
	clients.Wait()
	w.calm()
	v := w.judge(w.drain())
	w.noteRecovery(v)
	if s.receiver != nil {
		v.problems = append(v.problems, w.untold()...)
	}
	return v
}

// trouble lets happen what the seed has chosen, in an order and at moments that it chooses, too.
func (w *world) trouble(ctx context.Context, random *rand.Rand) {
	var events []func()
	add := func(n int, happen func()) { events = append(events, slices.Repeat([]func(){happen}, n)...) }
	add(w.crashes, func() { w.crash(ctx, random) })
	add(w.stalls, func() { w.onMachine(func(m *machine) { m.volume.stallOnce(upTo(random, 90*time.Second)) }) })
	add(w.pauses, func() { w.onMachine(func(m *machine) { w.pause(m, upTo(random, 90*time.Second)) }) })
	add(w.replans, func() { w.replan(ctx, random) })
	add(w.outages, func() { w.outage(random) })
	add(w.breakages, func() {
		w.onMachine(func(m *machine) { m.volume.next(breakable[random.IntN(len(breakable))], 1+random.IntN(3)) })
	})
	add(w.fills, func() { w.fill(ctx, random) })
	add(w.restores, func() { w.restore(ctx, random) })
	if w.longOutage {
		events = []func(){func() { w.fail(crmsim.Outage{Kind: crmsim.Reset, For: forgetting, Executed: true}) }}
		add(w.crashes, func() { w.crash(ctx, random) })
	}
	random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for _, happen := range events {
		sleep(ctx, time.Duration(random.Int64N(2*int64(w.load)/int64(len(events)+1))))
		happen()
	}
	<-ctx.Done()
}

// upTo draws from a second to most.
func upTo(random *rand.Rand, most time.Duration) time.Duration {
	return time.Second + time.Duration(random.Int64N(int64(most-time.Second)))
}

// onMachine does something to the machine, if there is one.
func (w *world) onMachine(do func(*machine)) {
	if m := w.machine.Load(); m != nil {
		do(m)
	}
}

// pause has the machine stand still between what it has decided and what it does.
func (w *world) pause(m *machine, d time.Duration) {
	w.count(func(h *happened) { h.pauses++ })
	m.link.pause(d)
	m.volume.stallOnce(d)
}

// fill has the volume run full for a while: the reserve is touched, or so little is left that a store cannot be opened, and the machine is started then.
func (w *world) fill(ctx context.Context, random *rand.Rand) {
	w.shelf.low.Store(true)
	w.shelf.full.Store(random.IntN(2) == 0)
	time.AfterFunc(upTo(random, 3*time.Minute), w.shelf.empty)
	if w.shelf.full.Load() {
		w.crash(ctx, random)
		return
	}
	w.onMachine(func(m *machine) { m.volume.expectMuch() })
	w.ask(ctx, 0, request{ // a large one: free space is looked at once for some megabyte
		method: http.MethodPut, target: "/api/v2/tickets/1.json", body: `{"ticket":{"subject":"` + strings.Repeat("s", 1<<20) + `"}}`, queued: true,
	})
}

// crash takes the power away and gives it back, to this machine or another one. Often that happens while the disk hangs: what was decided is not durable then.
func (w *world) crash(ctx context.Context, random *rand.Rand) {
	if random.IntN(2) == 0 {
		w.onMachine(func(m *machine) { m.volume.stallOnce(time.Minute) })
		sleep(ctx, time.Duration(random.IntN(60))*time.Second)
	}
	synctest.Wait()
	unsynced := []int{0, 50, 100}[random.IntN(3)]
	if w.lyingDisk {
		unsynced = 0 // a part of what was said to be synced would be found to be damaged
	}
	disk, was := w.powerOff(unsynced, random)
	if !was {
		return
	}
	doubt := w.onTheirWay(disk)
	w.count(func(h *happened) { h.crashes, h.doubt = h.crashes+1, h.doubt+doubt })
	sleep(ctx, time.Duration(random.IntN(90))*time.Second)
	w.boot = later(w.boot, random)
	w.setClock(random)
	var fails []errorfs.OpKind
	if w.breakages > 0 && random.IntN(2) == 0 {
		fails = append(fails, opening[random.IntN(len(opening))])
	}
	w.powerOn(disk, w.boot, random, fails...) //nolint:contextcheck // a machine outlives the load
}

// setClock sets the machines' time of day, unless something keeps it right: days off where the machine's boot is the same, else back only, which shows less than
// has passed.
func (w *world) setClock(random *rand.Rand) {
	if w.wallError > 0 || !w.steps {
		return
	}
	step := -time.Duration(random.Int64N(int64(20 * time.Hour)))
	if w.boot == "boot" {
		step = time.Duration(random.Int64N(int64(10*24*time.Hour))) - 5*24*time.Hour
	}
	w.wallStep.Store(int64(step))
	w.count(func(h *happened) { h.steps++ })
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
		if err := m.Scheduler.Apply(context.WithoutCancel(ctx), p); err != nil && !m.dying() {
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
	w.shelf.empty()
	w.onMachine(func(m *machine) { m.volume.mend() })
	w.restarts.Wait()
	last := w.plan
	last.Sequence = w.currentPlan().Sequence + 1
	w.apply(w.t.Context(), &last)
}
