// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
)

// longest is how long a backlog may take to drain before a world counts as stuck.
const longest = 10 * 24 * time.Hour

// collectEvery is how many looks at the backlog pass between two at the results: they are kept for a day.
const collectEvery = 200

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
	// together is how many promises were kept by bulk calls.
	together int
	// problems are all other broken promises.
	problems []string
}

// drain waits until nothing is queued, and keeps the results of calls that end meanwhile: the dispatcher forgets them after a day.
func (w *world) drain() bool {
	m := w.machine.Load()
	for n, end := 0, time.Now().Add(longest); time.Now().Before(end); n++ {
		time.Sleep(5 * time.Minute)
		if n%collectEvery == 0 {
			w.collect(m.Scheduler)
		}
		w.decideParked(m.Scheduler)
		snap, err := m.Scheduler.Snapshot(context.Background())
		if err != nil {
			w.t.Errorf("no snapshot: %v", err)
			return false
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
		} else if err == nil && r.State != call.StateQueued && r.State != call.StateSent && (r.State != call.StateParked || p.order == "") {
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
	if n := v.report.Tickets.DuplicateCount; n > 0 {
		v.problems = append(v.problems, fmt.Sprintf("%d tickets were made twice: %v", n, v.report.Tickets.Duplicates))
	}
	tickets := w.server.TicketsByExternalID()
	for _, p := range w.promises {
		w.judgePromise(v, p, tickets)
	}
	w.judgeCharges(v)
	w.judgeOrder(v, tickets)
	return v
}

func (w *world) judgePromise(v *verdict, p *promise, tickets map[string][]int64) {
	if p.final == nil || p.final.State == "" {
		v.lost = append(v.lost, string(p.id))
		return
	}
	v.states[p.final.State]++
	switch p.final.State {
	case call.StateSucceeded:
		own := p.final.Target == "/api/v2/tickets.json" || w.crm.ItemFailures == 0 // else an item of the client's own job may have failed
		if p.external != "" && own && len(tickets[p.external]) != 1 {
			v.lost = append(v.lost, fmt.Sprintf("%s (succeeded, ticket %q is not there)", p.id, p.external))
		}
		if p.final.Target == "/api/v2/tickets.json" {
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
	if int64(v.report.Arrivals) > dispatched {
		v.problems = append(v.problems, fmt.Sprintf("%d requests arrived under %d charges", v.report.Arrivals, dispatched))
	}
}
