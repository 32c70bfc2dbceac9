// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog/disk"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
)

// longest is how long a backlog may take to drain before a world counts as stuck.
const longest = 10 * 24 * time.Hour

// collectEvery is how many looks at the backlog pass between two at the results: they are kept for a day. decideEvery is after how many a person looks at the
// parked calls although there are as many as before.
const (
	collectEvery = 200
	decideEvery  = 12
)

// verdict is what came of a world.
type verdict struct {
	report crmsim.Report
	// overruns of limits the plan knows.
	overruns int
	promised int
	states   map[call.State]int
	// lost promises: unknown, or ended without what they promise.
	lost []string
	// disorder is what arrived in another order than its ordering key says.
	disorder []string
	// ordered is how many promises have an ordering key, decided how many orders were given about parked ones.
	ordered, decided int
	// doubled tickets, and requests that arrived without a charge.
	doubled, uncharged int
	happened           happened
	// together is how many promises were kept by bulk calls.
	together int
	// filled is how many requests arrived at the ticket that they referred to.
	filled int
	// problems are all other broken promises.
	problems []string
	// dispatched is how many requests went to the CRM by the dispatcher's count.
	dispatched int
	// told is what was seen of a fault, recovery how long after its end the CRM executed the next call, drained the last one; 0 if none came. backlogThen is how
	// many calls were queued at its end.
	told              told
	recovery, drained time.Duration
	backlogThen       int64
}

// onTheirWay is how many acknowledged calls were sent, and not known to have ended, when the disk was left.
func (w *world) onTheirWay(left *vfs.MemFS) int {
	copied := left.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 5))}) //nolint:gosec // repeatable on purpose
	store, err := disk.Open(disk.Options{
		FS: copied, Dir: dataDir, Entropy: rand.NewChaCha8([32]byte{}), Logger: slog.New(slog.DiscardHandler),
		Fatal: func(reason string) { panic(reason) },
	})
	if err != nil {
		w.t.Errorf("what a crash left cannot be opened: %v", err)
		return 0
	}
	r, err := store.Restore()
	if err := errors.Join(err, store.Close()); err != nil {
		w.t.Errorf("what a crash left cannot be read: %v", err)
	}
	sent := len(r.Sent)
	for _, b := range r.Bulks {
		if w.mixed { // else they are found, or sent again
			sent += len(b.Members)
		}
	}
	return sent
}

// happened counts what a world had to bear.
type happened struct {
	// crashes are losses of power, doubt is how many acknowledged calls were on their way then.
	crashes, doubt int
	// pauses of a machine between what it decided and what it does; steps of its time of day.
	pauses, steps int
	// diskErrors are failed operations, ends of processes that did not trust their disks any more; failedStarts did not come so far.
	diskErrors, ends, failedStarts int
	// full is how many calls were refused because the volume was.
	full int
	// restores of the volume to an earlier state, by which so many acknowledged calls were forgotten.
	restores, forgotten int
}

// drain waits until nothing is queued, and keeps the results of calls that end meanwhile: the dispatcher forgets them after a day.
func (w *world) drain() bool {
	m := w.machine.Load()
	left := int64(-1) // parked calls that hold nobody up
	for n, end := 0, time.Now().Add(longest); time.Now().Before(end); n++ {
		time.Sleep(5 * time.Minute)
		if n%collectEvery == 0 {
			w.collect(m.Scheduler)
		}
		snap, err := m.Scheduler.Snapshot(context.Background())
		if err != nil {
			w.t.Errorf("no snapshot: %v", err)
			return false
		}
		if snap.Backlog.Parked != left || n%decideEvery == 0 {
			left = snap.Backlog.Parked - int64(w.decideParked(m.Scheduler))
			continue // what was decided shows in the next snapshot
		}
		if snap.Backlog.Queued+snap.Backlog.Sent == 0 {
			time.Sleep(time.Minute) // the CRM's own jobs end, too
			w.collect(m.Scheduler)
			return true
		}
	}
	return false
}

// collect keeps the results of promises that have ended.
func (w *world) collect(s *scheduler.Scheduler) {
	for _, p := range w.promises {
		if p.final != nil {
			continue
		}
		r, err := s.Result(context.Background(), p.integration, p.id, 0)
		if errors.Is(err, call.ErrUnknown) {
			p.final = &call.Result{}
		} else if err == nil && r.State != call.StateQueued && r.State != call.StateSent && (r.State != call.StateParked || !p.holdsUp()) {
			p.final = &r
		}
	}
}

// judge compares what was promised with what the CRM holds, and has the CRM judge its limits.
func (w *world) judge(drained bool) *verdict {
	v := &verdict{report: w.server.Report(), promised: len(w.promises), decided: w.decided, states: map[call.State]int{}}
	if !drained {
		v.problems = append(v.problems, fmt.Sprintf("the backlog is not drained after %s", longest))
	}
	for _, l := range v.report.Limits {
		if l.Limit.Name != "hidden" {
			v.overruns += l.OverrunCount
		}
	}
	if !w.hidden && v.report.Refusals > 0 {
		v.problems = append(v.problems, fmt.Sprintf("the CRM refused %d calls", v.report.Refusals))
	}
	v.doubled = v.report.Tickets.DuplicateCount
	tickets := w.server.TicketsByExternalID()
	judge := w.judgePromise
	if w.mixed {
		judge = w.judgeWrite
	}
	for _, p := range w.promises {
		if p.final == nil || p.final.State == "" {
			v.lost = append(v.lost, string(p.id))
			continue
		}
		v.states[p.final.State]++
		judge(v, p, tickets)
	}
	w.judgeCharges(v)
	w.judgeOrder(v, tickets)
	w.judgeReferences(v, tickets)
	v.happened = w.happened
	if w.trusty() && v.parked() > v.happened.doubt {
		v.problems = append(v.problems, fmt.Sprintf("%d calls are parked, and %d were on their way at crashes", v.parked(), v.happened.doubt))
	}
	return v
}

// trusty says whether answers get lost by crashes only, and not by a CRM that fails, a machine that stands still or a process that ends by itself.
func (w *world) trusty() bool {
	return w.outages == 0 && !w.longOutage && (w.fault == nil || w.fault.long) && w.pauses == 0 && w.happened.ends == 0 && w.happened.restores == 0
}

// parked is how many calls were parked, those included about which somebody has decided.
func (v *verdict) parked() int { return v.states[call.StateParked] + v.decided }

func (w *world) judgePromise(v *verdict, p *promise, tickets map[string][]int64) {
	switch p.final.State {
	case call.StateSucceeded:
		own := p.final.Target == "/api/v2/tickets.json" || w.crm.ItemFailures == 0 // else an item of the client's own job may have failed
		if p.external != "" && own && len(tickets[p.external]) != 1 {
			v.lost = append(v.lost, fmt.Sprintf("%s (succeeded, ticket %q is not there)", p.id, p.external))
		}
		if cut := w.fault != nil && w.fault.long && len(p.final.Body) == 0; p.final.Target == "/api/v2/tickets.json" && !cut {
			judgeTicket(v, p, tickets)
		}
	case call.StateParked, call.StateDead:
		if p.final.Reason == "" {
			v.problems = append(v.problems, fmt.Sprintf("%s is %s without a reason", p.id, p.final.State))
		}
	case call.StateFailed:
		// The CRM answered 500, or there was no ticket to update: its word, kept as it is.
		if !slices.Contains([]int{500, 404}, p.final.Status) {
			v.problems = append(v.problems, fmt.Sprintf("%s failed with %d", p.id, p.final.Status))
		}
	default: // collect takes no others
	}
}

// judgeCharges: no request reached the CRM without a charge.
func (w *world) judgeCharges(v *verdict) {
	snap, err := w.machine.Load().Scheduler.Snapshot(context.Background())
	if err != nil {
		w.t.Errorf("no snapshot: %v", err)
		return
	}
	dispatched := int64(0)
	for _, i := range snap.Integrations {
		dispatched += i.Counters.Dispatched
	}
	v.dispatched = int(dispatched)
	if w.happened.restores == 0 { // else the count was put back, too
		v.uncharged = max(0, v.report.Arrivals-v.dispatched)
	}
}
