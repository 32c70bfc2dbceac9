// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/provider/zendesk"
)

// desk is a CRM that makes tickets, one by one and in jobs.
type desk struct {
	// tickets are their subjects, by id less 1, with their tags and when they were made.
	tickets []ticket
	jobs    map[string]job
	// takes is how long a job takes, lag how long a ticket cannot be found, forgets how long after its start a job is known.
	takes, lag, forgets time.Duration
	// slow is how long the answer to a bulk call takes.
	slow time.Duration
	// lose says of a bulk call, by its number from 0, what becomes of it: "" all is well, "down" it is not sent, "unseen" it does not arrive, "unanswered" it does, without an answer.
	lose []string
	// blind: searches are refused.
	blind bool
	// bad are subjects that no job makes a ticket of.
	bad   []string
	bulks int
}

type ticket struct {
	Subject string   `json:"subject"`
	Tags    []string `json:"tags"`
	made    time.Time
}

type job struct {
	started time.Time
	items   []ticket
	ids     []int
}

// answer is called by one request at a time.
func (d *desk) answer(what *call.Call) answer {
	d.work()
	path, query, _ := strings.Cut(what.Target, "?")
	switch strings.TrimSuffix(path, ".json") {
	case "/api/v2/tickets":
		var body struct{ Ticket ticket }
		if json.Unmarshal(what.Body, &body) != nil {
			return answer{status: http.StatusBadRequest}
		}
		return answer{status: http.StatusCreated, body: fmt.Sprintf(`{"ticket":{"id":%d}}`, d.make(body.Ticket, time.Now()))}
	case "/api/v2/tickets/create_many":
		return d.start(what.Body)
	case "/api/v2/job_statuses/show_many":
		return d.show(strings.Split(strings.TrimPrefix(query, "ids="), "%2C"))
	case "/api/v2/search":
		if d.blind {
			return answer{status: http.StatusForbidden}
		}
		return d.find(query)
	}
	return answer{status: http.StatusNotFound}
}

func (d *desk) make(t ticket, at time.Time) int {
	t.made = at
	d.tickets = append(d.tickets, t)
	return len(d.tickets)
}

func (d *desk) start(body []byte) answer {
	fate := ""
	if d.bulks < len(d.lose) {
		fate = d.lose[d.bulks]
	}
	d.bulks++
	var all struct{ Tickets []ticket }
	if fate == "down" {
		return answer{down: true}
	}
	if fate == "unseen" || json.Unmarshal(body, &all) != nil {
		return answer{broken: true}
	}
	name := fmt.Sprintf("job%d", d.bulks)
	d.jobs[name] = job{started: time.Now(), items: all.Tickets}
	return answer{status: http.StatusOK, body: fmt.Sprintf(`{"job_status":{"id":%q,"status":"queued"}}`, name), broken: fate == "unanswered", after: d.slow}
}

// work ends the jobs whose time has come.
func (d *desk) work() {
	for name, j := range d.jobs {
		if j.ids != nil || time.Since(j.started) < d.takes {
			continue
		}
		for _, t := range j.items {
			id := 0
			if !slices.Contains(d.bad, t.Subject) {
				id = d.make(t, j.started.Add(d.takes))
			}
			j.ids = append(j.ids, id)
		}
		d.jobs[name] = j
	}
}

func (d *desk) show(names []string) answer {
	var all []string
	for _, name := range names {
		j, known := d.jobs[name]
		if !known || d.forgets > 0 && time.Since(j.started) > d.forgets {
			continue
		}
		status, results := "working", "null"
		if j.ids != nil {
			var each []string
			for i, id := range j.ids {
				each = append([]string{fmt.Sprintf(`{"index":%d,"id":%d}`, i, id)}, each...)
				if id == 0 {
					each[0] = fmt.Sprintf(`{"index":%d,"error":"TicketCreateError","status":"Failed"}`, i)
				}
			}
			status, results = "completed", "["+strings.Join(each, ",")+"]"
		}
		all = append(all, fmt.Sprintf(`{"id":%q,"status":%q,"results":%s}`, name, status, results))
	}
	return answer{status: http.StatusOK, body: `{"job_statuses":[` + strings.Join(all, ",") + `]}`}
}

func (d *desk) find(query string) answer {
	_, tag, _ := strings.Cut(query, "tags%3A")
	found := []map[string]any{}
	for i, t := range d.tickets {
		if slices.Contains(t.Tags, tag) && time.Since(t.made) >= d.lag {
			found = append(found, map[string]any{"id": i + 1, "tags": t.Tags})
		}
	}
	body, err := json.Marshal(map[string]any{"results": found})
	if err != nil {
		panic(err)
	}
	return answer{status: http.StatusOK, body: string(body)}
}

// onDesk runs a test with a desk as the CRM, and a plan under which calls are merged.
func onDesk(t *testing.T, d *desk, test func(t *testing.T, b *bench)) {
	t.Helper()
	inBubble(t, func(t *testing.T, b *bench) {
		b.stop()
		d.jobs = map[string]job{}
		b.crm.reply, b.dialect = d.answer, zendesk.Zendesk{}
		b.fresh()
		b.apply(merging100(2))
		test(t, b)
	})
}

// merging100 is a plan with room for 100 calls a minute.
func merging100(sequence int64, change ...func(*contract.Plan)) *contract.Plan {
	return plan(sequence, append([]func(*contract.Plan){func(p *contract.Plan) {
		p.Limits[0].Calls = 100
		p.Integrations[0].Batching = &contract.Batching{Mode: contract.BatchWhenWaiting}
	}}, change...)...)
}

func held(p *contract.Plan) { p.Hold = true }

// create makes a ticket.
func create(subject string) *call.Call {
	c := write("/api/v2/tickets.json", call.RepeatKeyed)
	c.Operation, c.Body = "CreateTicket", fmt.Appendf(nil, `{"ticket":{"subject":%q}}`, subject)
	return c
}

// createHeld queues n creations while nothing is sent, and then lets them go.
func (b *bench) createHeld(n int) []call.ID {
	b.t.Helper()
	b.apply(merging100(3, held))
	var ids []call.ID
	for i := range n {
		ids = append(ids, b.enqueue(create(fmt.Sprintf("s%d", i))))
	}
	synctest.Wait() // the last one is known, too
	b.apply(merging100(4))
	return ids
}

// wantOwnTickets checks that each call succeeded with the id of the one ticket that it asked for.
func (b *bench) wantOwnTickets(d *desk, ids []call.ID) {
	b.t.Helper()
	for i, id := range ids {
		r := b.result(id)
		var body struct{ Ticket struct{ ID int } }
		if r.State != call.StateSucceeded || r.Status != http.StatusCreated || json.Unmarshal(r.Body, &body) != nil {
			b.t.Errorf("call %d is %s (%s): %d %s", i, r.State, r.Reason, r.Status, r.Body)
			continue
		}
		if n := body.Ticket.ID; n < 1 || n > len(d.tickets) || d.tickets[n-1].Subject != fmt.Sprintf("s%d", i) {
			b.t.Errorf("call %d was told of ticket %d", i, n)
		}
	}
	if len(d.tickets) != len(ids) {
		b.t.Errorf("%d tickets were made of %d calls", len(d.tickets), len(ids))
	}
}

func TestQueuedCallsGoTogether(t *testing.T) {
	d := &desk{takes: 20 * time.Second}
	onDesk(t, d, func(t *testing.T, b *bench) {
		ids := b.createHeld(1000)
		time.Sleep(2 * time.Minute)
		b.wantOwnTickets(d, ids)
		n := len(b.crm.targets())
		t.Logf("%d calls", n)
		if n > 25 {
			t.Errorf("it took %d calls", n)
		}
		if s := b.snap().Integrations[0].Counters; s.Saved != 1000-int64(len(b.crm.targets())) || s.Dispatched != int64(len(b.crm.targets())) {
			t.Errorf("%d calls, %d saved of %d dispatched", len(b.crm.targets()), s.Saved, s.Dispatched)
		}
	})
}

func TestWhatBecomesOfABulkCall(t *testing.T) {
	cases := map[string]struct {
		desk  *desk
		bulks int
		// restart: the power fails after so long.
		restart time.Duration
	}{
		"a job of a minute":                         {desk: &desk{takes: time.Minute}, bulks: 1},
		"a member fails":                            {desk: &desk{takes: 5 * time.Second, bad: []string{"s3", "s7"}}, bulks: 1},
		"the answer is lost":                        {desk: &desk{takes: time.Minute, lag: 10 * time.Minute, lose: []string{"unanswered"}}, bulks: 1},
		"the call is lost":                          {desk: &desk{takes: time.Minute, lag: 10 * time.Minute, lose: []string{"unseen"}}, bulks: 2},
		"power fails while the job works":           {desk: &desk{takes: time.Minute}, bulks: 1, restart: 10 * time.Second},
		"the job is forgotten while power is away":  {desk: &desk{takes: time.Minute, forgets: 2 * time.Minute, lag: time.Minute}, bulks: 1, restart: 10 * time.Second},
		"power fails after a call that did arrive":  {desk: &desk{takes: 5 * time.Minute, lag: 10 * time.Minute, lose: []string{"unanswered"}}, bulks: 1, restart: time.Second},
		"power fails after a call that did not":     {desk: &desk{lose: []string{"unseen"}}, bulks: 2, restart: time.Second},
		"power fails while it is found out, by far": {desk: &desk{lose: []string{"unseen"}}, bulks: 2, restart: 75 * time.Minute},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := c.desk
			onDesk(t, d, func(t *testing.T, b *bench) {
				ids := b.createHeld(30)
				if c.restart > 0 {
					time.Sleep(c.restart)
					b.restart(3 * time.Minute)
				}
				time.Sleep(3 * time.Hour)
				b.wantOwnTickets(d, ids)
				if d.bulks != c.bulks {
					t.Errorf("%d bulk calls were sent", d.bulks)
				}
			})
		})
	}
}

// TestACrashBetweenABulkCallAndItsAnswer: the power fails while the CRM works on the call itself.
func TestACrashBetweenABulkCallAndItsAnswer(t *testing.T) {
	d := &desk{takes: time.Minute, lag: 10 * time.Minute, slow: 5 * time.Second}
	onDesk(t, d, func(t *testing.T, b *bench) {
		ids := b.createHeld(30)
		time.Sleep(time.Second)
		if got := b.snap().Backlog.Sent; got != 30 {
			t.Errorf("%d are sent", got)
		}
		b.restart(0)
		time.Sleep(3 * time.Hour)
		b.wantOwnTickets(d, ids)
		if d.bulks != 1 {
			t.Errorf("%d bulk calls were sent", d.bulks)
		}
	})
}

func TestWhatHappensToFewOrManyCalls(t *testing.T) {
	always := func(p *contract.Plan) {
		p.Integrations[0].Batching = &contract.Batching{Mode: contract.BatchAlways, MaxLingerSeconds: 30}
	}
	cases := map[string]struct {
		plan func(*contract.Plan)
		// calls come in, all at once or one a second.
		calls   int
		spread  bool
		bulks   int
		singles int
	}{
		"few are not worth a job":              {func(*contract.Plan) {}, 8, false, 0, 8},
		"so many are":                          {func(*contract.Plan) {}, 9, false, 1, 0},
		"one after the other, nothing waits":   {func(*contract.Plan) {}, 20, true, 0, 20},
		"one after the other, each waits":      {always, 20, true, 1, 0},
		"in the end too few have come":         {always, 4, true, 0, 4},
		"as many as the plan says go together": {func(p *contract.Plan) { p.Integrations[0].Batching.MaxItems = 10 }, 30, false, 3, 0},
		"not merged unless the plan says so":   {func(p *contract.Plan) { p.Integrations[0].Batching = nil }, 20, false, 0, 20},
		"a day that will not last is worth waiting": {func(p *contract.Plan) {
			p.Integrations[0].Batching.MaxLingerSeconds = 30
			p.Integrations[0].Queue.MaxAgeSeconds = 7 * 86400
			p.Limits = append(p.Limits, contract.Limit{Name: "day", Calls: 5, WindowSeconds: 86400})
		}, 20, true, 1, 1},
		"no slot for a job, so they go by themselves": {func(p *contract.Plan) {
			p.Limits = append(p.Limits, contract.Limit{
				Name: "jobs", Concurrent: 1, UntilJobEnds: true, Match: &contract.Match{Operations: []string{"CreateTickets"}},
			})
			p.Integrations[0].Batching.MaxItems = 10
		}, 20, false, 1, 10},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := &desk{takes: 10 * time.Minute}
			onDesk(t, d, func(t *testing.T, b *bench) {
				hold := held
				if c.spread {
					hold = func(*contract.Plan) {}
				}
				b.apply(merging100(3, c.plan, hold))
				for i := range c.calls {
					b.enqueue(create(fmt.Sprintf("s%d", i)))
					if c.spread {
						time.Sleep(time.Second)
					}
				}
				synctest.Wait()
				b.apply(merging100(4, c.plan))
				time.Sleep(5 * time.Minute)
				singles := 0
				for _, target := range b.crm.targets() {
					if target == "/api/v2/tickets.json" {
						singles++
					}
				}
				if d.bulks != c.bulks || singles != c.singles {
					t.Errorf("%d bulk calls and %d by themselves, want %d and %d", d.bulks, singles, c.bulks, c.singles)
				}
			})
		})
	}
}

// TestOrderHoldsThroughBulkCalls: of calls with one ordering key each waits for the outcome of the one before it, in whatever call that went.
func TestOrderHoldsThroughBulkCalls(t *testing.T) {
	d := &desk{takes: 20 * time.Second}
	onDesk(t, d, func(t *testing.T, b *bench) {
		b.apply(merging100(3, held))
		const keys, each = 12, 3
		var ids []call.ID
		for i := range keys * each {
			c := create(fmt.Sprintf("s%d", i))
			c.OrderKey = fmt.Sprint(i % keys)
			ids = append(ids, b.enqueue(c))
		}
		synctest.Wait() // the last one is known, too
		b.apply(merging100(4))
		time.Sleep(30 * time.Minute)
		b.wantOwnTickets(d, ids)
		if d.bulks != each {
			t.Errorf("%d bulk calls were sent", d.bulks)
		}
		made := map[string]time.Time{}
		for _, one := range d.tickets {
			made[one.Subject] = one.made
		}
		for i := keys; i < keys*each; i++ {
			if before, after := made[fmt.Sprintf("s%d", i-keys)], made[fmt.Sprintf("s%d", i)]; !before.Before(after) {
				t.Errorf("call %d took effect at %v, the one before it at %v", i, after, before)
			}
		}
	})
}

// TestCallsThatCannotBeMergedGoByThemselves: the others go together.
func TestCallsThatCannotBeMergedGoByThemselves(t *testing.T) {
	d := &desk{takes: 5 * time.Second}
	onDesk(t, d, func(t *testing.T, b *bench) {
		b.apply(merging100(3, held))
		var ids []call.ID
		for i := range 20 {
			c := create(fmt.Sprintf("s%d", i))
			if i%2 == 0 {
				c.Body = fmt.Appendf(nil, `{"ticket":{"subject":"s%d"},"more":1}`, i)
			}
			ids = append(ids, b.enqueue(c))
		}
		synctest.Wait() // the last one is known, too
		b.apply(merging100(4))
		time.Sleep(5 * time.Minute)
		b.wantOwnTickets(d, ids)
		if d.bulks != 1 {
			t.Errorf("%d bulk calls were sent", d.bulks)
		}
	})
}

// TestAJobThatDoesNotEndIsLeftToPeople: what it makes after all is not made twice.
func TestAJobThatDoesNotEndIsLeftToPeople(t *testing.T) {
	d := &desk{takes: 30 * time.Hour}
	onDesk(t, d, func(t *testing.T, b *bench) {
		b.apply(merging100(3, func(p *contract.Plan) { p.Integrations[0].Queue.MaxAgeSeconds = 7 * 86400 }))
		b.apply(merging100(4, held, func(p *contract.Plan) { p.Integrations[0].Queue.MaxAgeSeconds = 7 * 86400 }))
		var ids []call.ID
		for i := range 10 {
			ids = append(ids, b.enqueue(create(fmt.Sprintf("s%d", i))))
		}
		synctest.Wait()
		b.apply(merging100(5))
		time.Sleep(40 * time.Hour)
		for _, id := range ids {
			if r := b.result(id); r.State != call.StateParked {
				t.Errorf("it is %s: %s", r.State, r.Reason)
			}
		}
		if len(d.tickets) != 0 || d.bulks != 1 {
			t.Errorf("%d tickets were made by %d bulk calls", len(d.tickets), d.bulks)
		}
	})
}

// TestABulkCallThatCannotBeSearchedForIsLeftToPeople: nothing is sent again meanwhile.
func TestABulkCallThatCannotBeSearchedForIsLeftToPeople(t *testing.T) {
	d := &desk{blind: true, lose: []string{"unanswered"}}
	onDesk(t, d, func(t *testing.T, b *bench) {
		ids := b.createHeld(10)
		time.Sleep(24 * time.Hour)
		if r := b.result(ids[0]); r.State != call.StateSent {
			t.Errorf("after a day it is %s", r.State)
		}
		time.Sleep(3 * time.Hour)
		for _, id := range ids {
			if r := b.result(id); r.State != call.StateParked && r.State != call.StateDead || !strings.Contains(r.Reason, inDoubt) {
				t.Errorf("it is %s: %s", r.State, r.Reason)
			}
		}
		if len(d.tickets) != 10 {
			t.Errorf("%d tickets were made", len(d.tickets))
		}
	})
}
