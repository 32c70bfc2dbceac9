// SPDX-License-Identifier: Apache-2.0

package main

import (
	"container/heap"
	"math/rand/v2"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// epoch is when virtual time begins.
var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// network is how long calls are under way: each way takes at least oneWay, and up to jitter more at random.
type network struct{ oneWay, jitter time.Duration }

// usual is the network of every world: 0.2 s there and back, and 0 to 0.3 s more on each way.
var usual = network{oneWay: 100 * time.Millisecond, jitter: 300 * time.Millisecond}

// roundTrip is the mean time to the answer.
func (n network) roundTrip() time.Duration { return 2*n.oneWay + n.jitter }

// world runs a drain in virtual time against a CRM.
type world struct {
	*drain
	*crm
	licence licence
	network network
	random  *rand.Rand
	now     time.Time
	events  events
	order   int
	// wake is when the limiter is to be asked again, zero if that is not planned.
	wake time.Time

	// calls of each owner; nil if all are the same to the CRM.
	calls []limit.Call
	// lingers is how long after its answer was read a call may keep its slot at the CRM.
	lingers time.Duration
	// jobs take up to so long; if not 0, every call starts one. seen is told when the sender sees that it has ended, up to a poll later.
	jobs, poll time.Duration
	seen       func(now time.Time, id uint64)
}

// newWorld begins with all callers asking at once.
func newWorld(d *drain, l licence, start time.Time, seed uint64, limits ...limit.Limit) *world {
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable on purpose
	w := &world{drain: d, crm: newCRM(random, limits...), licence: l, network: usual, random: random, now: start}
	for owner, app := range d.apps {
		for range app.callers {
			w.plan(start, func() { w.ask(w.now, owner, true) })
		}
		w.people(owner, app.perWindow)
	}
	return w
}

// people ask at any moment, as many in each window on average.
func (w *world) people(owner int, perWindow float64) {
	if perWindow == 0 {
		return
	}
	gap := time.Duration(w.random.ExpFloat64() / perWindow * float64(w.licence.window))
	w.plan(w.now.Add(gap), func() {
		w.ask(w.now, owner, false)
		w.people(owner, perWindow)
	})
}

// event is something that happens at a moment; ties in the order of their planning.
type event struct {
	at    time.Time
	order int
	do    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func (w *world) plan(at time.Time, do func()) {
	w.order++
	heap.Push(&w.events, event{at: at, order: w.order, do: do})
}

// run lets virtual time pass until the end.
func (w *world) run(end time.Time) {
	for len(w.events) > 0 && w.events[0].at.Before(end) {
		w.now = w.events[0].at
		for len(w.events) > 0 && w.events[0].at.Equal(w.now) {
			heap.Pop(&w.events).(event).do()
		}
		w.turn()
	}
	w.now = end
}

// turn sends what may leave now, and plans when to ask again.
func (w *world) turn() {
	leaving, again := w.send(w.now)
	for _, c := range leaving {
		w.plan(w.now.Add(w.way()), func() { w.arrive(c) })
	}
	if again.After(w.now) && (again.Before(w.wake) || !w.wake.After(w.now)) {
		w.wake = again
		w.plan(again, func() {})
	}
}

func (w *world) way() time.Duration {
	return w.network.oneWay + w.upTo(w.network.jitter)
}

// upTo draws a duration from 0 to d, both included.
func (w *world) upTo(d time.Duration) time.Duration {
	return time.Duration(w.random.Int64N(int64(d) + 1))
}

// arrive has the CRM answer a call.
func (w *world) arrive(c *call) {
	what := limit.Call{}
	if w.calls != nil {
		what = w.calls[c.owner]
	}
	answered := w.now.Add(w.way())
	jobEnd := w.now.Add(w.upTo(w.jobs))
	taken := w.receive(w.now, answered.Add(w.upTo(w.lingers)), jobEnd, what)
	id := c.id
	w.plan(answered, func() { w.answered(w.now, c, !taken) })
	if w.seen == nil {
		return
	}
	// A call that was refused has started no job, which its answer tells.
	ended := answered
	if taken && jobEnd.After(answered) {
		ended = jobEnd.Add(w.upTo(w.poll))
	}
	w.plan(ended, func() { w.seen(w.now, id) })
}
