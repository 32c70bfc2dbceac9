// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
	_ "time/tzdata"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// server is a kind of CRM, and how a sender is to be set up for it, and one that lacks what is needed.
type server struct {
	name string
	// crm is the CRM's limit in its text form, from the offset of its windows on the sender's.
	crm         func(l licence, offset time.Duration) string
	right, lack func(l licence) sender
	// peer, if set, stands in for the sender that lacks something.
	peer func(l licence) gate
	// licences, if not the usual ones.
	licences []licence
	// start is when the world begins; a moment at which a wrong calendar shows.
	start time.Time
	// world changes how the CRM works.
	world func(w *world, c *careful)
	apps  func(l licence) []integration
	// windows is how many windows a world lasts if not as long as for the others.
	windows int
	// least is what the right sender must use of the limit, at least.
	least float64
}

func alone(l licence) []integration {
	return []integration{{name: "a", weight: 1, callers: l.calls + 1}}
}

// with is a sender with the licence's limit, changed.
func with(change func(l *limits.Limit)) func(l licence) sender {
	return func(l licence) sender {
		limit := l.limit(limits.Exact, 0)
		change(&limit)
		return sender{limits: []limits.Limit{limit}, guards: limits.DefaultGuards()}
	}
}

func guardedBy(delay time.Duration) func(l licence) sender {
	return with(func(l *limits.Limit) { l.CountingDelay = delay })
}

var (
	plain     = with(func(*limits.Limit) {})
	unguarded = guardedBy(time.Nanosecond)
	atSending = func(l licence) sender {
		s := unguarded(l)
		s.atSending, s.guards.DriftPPM = true, 0
		return s
	}
)

func shape(format string) func(l licence, offset time.Duration) string {
	return func(l licence, offset time.Duration) string {
		values := strings.NewReplacer("CALLS", fmt.Sprint(l.calls), "WINDOW", l.window.String(), "OFFSET", offset.String(), "BURST", fmt.Sprint(quarter(l)))
		return values.Replace(format)
	}
}

func quarter(l licence) int { return max(1, l.calls/4) }

var servers = []server{
	{name: "rolling", crm: shape("l=CALLS/WINDOW"), right: plain, lack: atSending, least: 0.7},
	{
		name: "fixed, at any offset", crm: shape("l=CALLS/WINDOW:fixed:OFFSET"), right: plain, least: 0.7,
		peer: func(l licence) gate { return &fixedWindow{licence: l, phase: l.window / 2} },
	},
	{
		name: "token bucket, burst a quarter", crm: shape("l=CALLS/WINDOW:bucket:BURST"), lack: plain, least: 0.25,
		right: func(l licence) sender {
			return sender{limits: []limits.Limit{l.limit(limits.TokenBucket, quarter(l))}, guards: limits.DefaultGuards()}
		},
	},
	{
		name: "weighted sliding counter", crm: shape("l=CALLS/WINDOW:weighted:OFFSET"), lack: plain, least: 0.1,
		right: with(func(l *limits.Limit) { l.Counting = limits.Approximate }),
	},
	{name: "rolling in steps of 1 s", crm: shape("l=CALLS/WINDOW:stepped:1s"), right: guardedBy(time.Second), lack: unguarded, least: 0.7},
	{name: "rolling in steps of 2 s", crm: shape("l=CALLS/WINDOW:stepped:2s"), right: guardedBy(2 * time.Second), lack: plain, least: 0.7},
	{name: "nodes with skewed clocks, 0.5 s", crm: shape("l=CALLS/WINDOW,skew=500ms"), right: guardedBy(time.Second), lack: unguarded, least: 0.7},
	{
		name: "fixed, nodes skewed by 2 s", crm: shape("l=CALLS/WINDOW:fixed:OFFSET,skew=2s"), right: guardedBy(4 * time.Second), lack: unguarded,
		least: 0.6, windows: 120,
	},
	{name: "counted up to 5 s late", crm: shape("l=CALLS/WINDOW,late=5s"), right: guardedBy(5 * time.Second), lack: unguarded, least: 0.6, windows: 60},
	{
		name: "cost of 1 and 3", crm: shape("l=CALLS/WINDOW,cost=Search:3"), least: 0.7,
		right: func(l licence) sender {
			s := with(func(l *limits.Limit) { l.Meter, l.Most = limits.Meter{Subject: "cost"}, 3 })(l)
			s.costs = []ledger.Cost{{1}, {3}}
			return s
		},
		lack: plain,
		apps: func(l licence) []integration {
			return []integration{{name: "a", weight: 1, callers: l.calls + 1}, {name: "b", weight: 1, callers: l.calls + 1}}
		},
		world: func(w *world, _ *careful) { w.calls = []limit.Call{{Operation: "GetTicket"}, {Operation: "Search"}} },
	},
	{
		name: "one method and path only", crm: shape("l=CALLS/WINDOW,method=PUT,path=/api/v2/tickets/*"), least: 0.7,
		right: func(l licence) sender {
			s := with(func(l *limits.Limit) { l.Meter.Subject = "PUT tickets" })(l)
			s.costs = []ledger.Cost{{0}, {1}}
			return s
		},
		lack: func(l licence) sender {
			s := with(func(l *limits.Limit) { l.Meter.Subject = "PUT tickets" })(l)
			s.costs = []ledger.Cost{{0}, {0}}
			return s
		},
		apps: func(l licence) []integration {
			return []integration{{name: "a", weight: 1, callers: 1}, {name: "b", weight: 1, callers: l.calls + 1}}
		},
		world: func(w *world, _ *careful) {
			w.calls = []limit.Call{{Method: "GET", Path: "/api/v2/tickets/7"}, {Method: "PUT", Path: "/api/v2/tickets/7"}}
		},
		windows: 1,
	},
	{
		name: "each record for itself", crm: shape("l=CALLS/WINDOW,path=/api/v2/tickets/*,per=record"), least: 1.4,
		right: with(func(l *limits.Limit) { l.Meter = limits.Meter{Subject: "record", PerRecord: true} }),
		lack: func(l licence) sender {
			s := with(func(l *limits.Limit) { l.Meter = limits.Meter{Subject: "record", PerRecord: true} })(l)
			s.blindToRecords = true
			return s
		},
		apps: func(l licence) []integration {
			return []integration{{name: "7", weight: 1, callers: l.calls + 1}, {name: "8", weight: 1, callers: l.calls + 1}}
		},
		world: func(w *world, _ *careful) {
			w.calls = []limit.Call{{Path: "/api/v2/tickets/7"}, {Path: "/api/v2/tickets/8"}}
		},
		windows: 2,
	},
	{
		name: "in flight", crm: shape("l=CALLS/concurrent"), least: 0,
		right: slots(limits.DefaultGuards(), false), lack: slots(limits.Guards{}, false),
		world: func(w *world, _ *careful) {
			w.lingers, w.network = limits.DefaultGuards().SlotRelease, network{time.Millisecond, 20 * time.Millisecond}
		},
		windows: 1, licences: []licence{{20, 10 * time.Second}, {5, 10 * time.Second}},
	},
	{
		name: "jobs in flight", crm: shape("l=CALLS/jobs,operation=Job"), least: 0,
		right: slots(limits.DefaultGuards(), true), lack: slots(limits.DefaultGuards(), false),
		world: func(w *world, c *careful) {
			w.calls = []limit.Call{{Operation: "Job"}}
			w.jobs, w.poll = 8*time.Second, 2*time.Second
			w.seen = func(now time.Time, id uint64) { c.book.EndJob(ledger.ID(id), now) }
		},
		windows: 1,
	},
	{
		name: "hour in Kolkata", crm: shape("l=CALLS/hour:Asia/Kolkata,skew=500ms"), least: 0.9, windows: 24,
		right: calendar(limits.Hour, "Asia/Kolkata"), lack: calendar(limits.Hour, "UTC"), licences: []licence{{300, time.Hour}},
		start: time.Date(2026, 3, 2, 9, 45, 0, 0, time.UTC),
	},
	{
		name: "day in Berlin, one of 23 hours", crm: shape("l=CALLS/calendar:Europe/Berlin,skew=500ms"), least: 0.9, windows: 40,
		right: calendar(limits.Day, "Europe/Berlin"), lack: calendar(limits.Day, "UTC"), licences: []licence{{200, 24 * time.Hour}},
		start: time.Date(2026, 3, 2, 23, 30, 0, 0, time.UTC),
	},
	{
		name: "month in Berlin", crm: shape("l=CALLS/month:Europe/Berlin,skew=500ms"), least: 0.9, windows: 4,
		right: calendar(limits.Month, "Europe/Berlin"), lack: calendar(limits.Month, "UTC"), licences: []licence{{300, 30 * 24 * time.Hour}},
		start: time.Date(2026, 3, 31, 22, 30, 0, 0, time.UTC),
	},
}

// calendar is a sender that counts by the calendar of a zone.
func calendar(p limits.Period, zone string) func(l licence) sender {
	return func(l licence) sender {
		location, err := time.LoadLocation(zone)
		if err != nil {
			panic(err) // the zones are written in this file
		}
		return sender{
			limits: []limits.Limit{{Name: "limit", Kind: limits.Calendar, Max: int64(l.calls), Period: p, Location: location}},
			guards: limits.DefaultGuards(),
		}
	}
}

// slots is a sender that bounds its calls in flight by the licence's number.
func slots(g limits.Guards, untilJobEnds bool) func(l licence) sender {
	return func(l licence) sender {
		return sender{guards: g, limits: []limits.Limit{{Name: "slots", Kind: limits.Concurrent, Max: int64(l.calls), UntilJobEnds: untilJobEnds}}}
	}
}

var licences = []licence{{400, time.Minute}, {100, 10 * time.Second}, {5, 10 * time.Second}}

// outcome is what became of one sender's worlds.
type outcome struct {
	refused, answers, overruns, worst int
	use                               float64
}

// run has a sender drain in some worlds. A nil one stands for the peer.
func (s server) run(l licence, set func(l licence) sender) (o outcome) {
	const seeds = 3
	windows := s.windows
	if windows == 0 {
		windows = int(12 * time.Minute / l.window)
	}
	for seed := range uint64(seeds) {
		apps := alone(l)
		if s.apps != nil {
			apps = s.apps(l)
		}
		there := limit.MustParse(s.crm(l, time.Duration(seed)*l.window/seeds+l.window/7))[0]
		start := s.start
		if start.IsZero() {
			start = epoch
		}
		w := s.newWorld(newDrain(nil, apps, start), l, set, seed, there)
		w.run(start.Add(time.Duration(windows) * l.window))
		verdict := judge.Judge(there, w.arrivals)
		o.refused += w.refused
		o.answers += w.answers
		o.overruns += verdict.OverrunCount
		o.worst = max(o.worst, verdict.Peak.Calls)
		o.use += w.unitsTaken() / float64(l.calls*windows) / seeds
	}
	return o
}

func (s server) newWorld(d *drain, l licence, set func(l licence) sender, seed uint64, there limit.Limit) *world {
	w := newWorld(d, l, d.since, seed, there)
	if set == nil {
		d.limiter = newFirstCome(len(d.apps), s.peer(l))
		return w
	}
	c := set(l).make(d.since, d.apps)
	d.limiter = c
	if s.world != nil {
		s.world(w, c)
	}
	return w
}

// unitsTaken is what the CRM took of its first limit since the drain began to measure.
func (w *world) unitsTaken() float64 {
	units := 0
	for _, a := range w.arrivals {
		if a.Outcome == judge.Answered && !a.Earliest.Before(w.since) && w.limits[0].Applies(a.Call()) {
			units += w.limits[0].UnitsOf(a.Call())
		}
	}
	return float64(units)
}

// TestServers has a sender that always has calls waiting before each kind of CRM. Set up right it is never refused, and the judge finds no window with too
// much; without what the setting is for, it is refused: so the world is hard enough to show it.
func TestServers(t *testing.T) {
	table := tabwriter.NewWriter(&logged{t}, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(table, format+"\n", args...) }
	line("CRM\tLIMIT\tREFUSED\tWORST\tUSE\tWITHOUT THE SETTING: REFUSED\tWORST")
	for _, s := range servers {
		ls := s.licences
		if ls == nil {
			ls = licences
		}
		for _, l := range ls {
			right, lack := s.run(l, s.right), s.run(l, s.lack)
			use := "-" // of slots
			if s.least > 0 {
				use = fmt.Sprintf("%.3f", right.use)
			}
			line("%s\t%v\t%d of %d\t%d\t%s\t%d of %d\t%d", s.name, l, right.refused, right.answers, right.worst, use, lack.refused, lack.answers, lack.worst)
			if right.refused > 0 || right.overruns > 0 {
				t.Errorf("%s, %v: %d refused and %d overruns, up to %d, with the right setting", s.name, l, right.refused, right.overruns, right.worst)
			}
			if lack.refused == 0 {
				t.Errorf("%s, %v: nothing is refused without the setting: this world does not show that it is needed", s.name, l)
			}
			if right.use < s.least {
				t.Errorf("%s, %v: the right setting uses %.3f of the limit, want at least %.2f", s.name, l, right.use, s.least)
			}
		}
	}
	if err := table.Flush(); err != nil {
		t.Error(err)
	}
}

// logged writes whole lines to the test's log.
type logged struct{ *testing.T }

func (l *logged) Write(text []byte) (int, error) {
	if testing.Verbose() {
		return os.Stdout.Write(text)
	}
	return len(text), nil
}
