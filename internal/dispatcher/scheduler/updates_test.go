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

// office is a CRM with tickets that are there, which it changes one by one and in jobs.
type office struct {
	// changes has, for each ticket, the subjects that were set, in order.
	changes map[string][]string
	jobs    []changing
	// takes is how long a job takes, lost how many answers to bulk calls are lost.
	takes time.Duration
	lost  int
	// bad are subjects that no job sets, and a single call does.
	bad []string
	// bulks and singles are how many calls came in.
	bulks, singles int
}

// changing is a job that changes tickets.
type changing struct {
	until time.Time
	items []change
	done  bool
}

type change struct {
	ID      json.Number
	Subject string
}

// answer is called by one request at a time.
func (o *office) answer(what *call.Call) answer {
	o.work()
	path, query, _ := strings.Cut(strings.TrimSuffix(what.Target, ".json"), "?")
	id, isTicket := strings.CutPrefix(path, "/api/v2/tickets/")
	switch {
	case path == "/api/v2/tickets/update_many":
		var body struct{ Tickets []change }
		if json.Unmarshal(what.Body, &body) != nil {
			return answer{status: http.StatusBadRequest}
		}
		o.bulks++
		o.jobs = append(o.jobs, changing{until: time.Now().Add(o.takes), items: body.Tickets})
		return answer{status: http.StatusOK, body: fmt.Sprintf(`{"job_status":{"id":"%d","status":"queued"}}`, len(o.jobs)-1), broken: o.bulks <= o.lost}
	case isTicket:
		var body struct{ Ticket change }
		if json.Unmarshal(what.Body, &body) != nil {
			return answer{status: http.StatusBadRequest}
		}
		o.singles++
		o.changes[id] = append(o.changes[id], body.Ticket.Subject)
		return answer{status: http.StatusOK, body: `{"ticket":{"id":` + id + `}}`}
	case strings.HasPrefix(path, "/api/v2/job_statuses"):
		return o.show(strings.Split(strings.TrimPrefix(strings.TrimSuffix(query, ".json"), "ids="), "%2C"))
	}
	return answer{status: http.StatusNotFound}
}

// work ends the jobs whose time has come.
func (o *office) work() {
	for n := range o.jobs {
		j := &o.jobs[n]
		if j.done || time.Now().Before(j.until) {
			continue
		}
		j.done = true
		for _, item := range j.items {
			if !slices.Contains(o.bad, item.Subject) {
				o.changes[item.ID.String()] = append(o.changes[item.ID.String()], item.Subject)
			}
		}
	}
}

func (o *office) show(names []string) answer {
	var all []string
	for _, name := range names {
		var n int
		if _, err := fmt.Sscan(name, &n); err != nil || n >= len(o.jobs) {
			continue
		}
		status, results := "working", "null"
		if o.jobs[n].done {
			var each []string
			for place, item := range o.jobs[n].items {
				result := fmt.Sprintf(`{"id":%s,"action":"update","status":"Updated","success":true}`, item.ID)
				if slices.Contains(o.bad, item.Subject) {
					result = fmt.Sprintf(`{"id":%d,"error":"TicketUpdateError","status":"Failed"}`, place)
				}
				each = append([]string{result}, each...)
			}
			status, results = "completed", "["+strings.Join(each, ",")+"]"
		}
		all = append(all, fmt.Sprintf(`{"id":%q,"status":%q,"results":%s}`, name, status, results))
	}
	return answer{status: http.StatusOK, body: `{"job_statuses":[` + strings.Join(all, ",") + `]}`}
}

// inOffice runs a test with an office as the CRM, and a plan under which calls are merged.
func inOffice(t *testing.T, o *office, test func(t *testing.T, b *bench)) {
	t.Helper()
	inBubble(t, func(t *testing.T, b *bench) {
		b.stop()
		o.changes = map[string][]string{}
		b.crm.reply, b.dialect = o.answer, zendesk.Zendesk{}
		b.fresh()
		b.apply(merging100(2))
		test(t, b)
		o.work()
	})
}

// setSubject sets a ticket's subject.
func setSubject(ticket int, subject string) *call.Call {
	c := write(fmt.Sprintf("/api/v2/tickets/%d.json", ticket), call.RepeatIdempotent)
	c.Method, c.Operation, c.Body = http.MethodPut, "UpdateTicket", fmt.Appendf(nil, `{"ticket":{"subject":%q}}`, subject)
	return c
}

// comment adds a comment, too.
func comment(ticket int, subject string) *call.Call {
	c := setSubject(ticket, subject)
	c.Repeat.Class = call.RepeatNever
	c.Body = fmt.Appendf(nil, `{"ticket":{"subject":%q,"comment":{"body":"b"}}}`, subject)
	return c
}

// queueHeld queues calls while nothing is sent, and then lets them go.
func (b *bench) queueHeld(sequence int64, calls []*call.Call, change ...func(*contract.Plan)) (ids []call.ID) {
	b.t.Helper()
	b.apply(merging100(sequence, append(change, held)...))
	for _, c := range calls {
		ids = append(ids, b.enqueue(c))
	}
	synctest.Wait() // the last one is known, too
	b.apply(merging100(sequence+1, change...))
	return ids
}

// firstTicket is where the tickets of these tests begin: no place in a bulk call is one.
const firstTicket = 1001

// updates are n of them, each of another ticket.
func updates(n int, subject string) (calls []*call.Call) {
	for i := range n {
		calls = append(calls, setSubject(firstTicket+i, subject))
	}
	return calls
}

// wantUpdated checks that each call was answered with its own ticket.
func (b *bench) wantUpdated(ids []call.ID) {
	b.t.Helper()
	for i, id := range ids {
		r := b.result(id)
		if want := fmt.Sprintf(`{"ticket":{"id":%d}}`, firstTicket+i); r.State != call.StateSucceeded || r.Status != http.StatusOK || string(r.Body) != want {
			b.t.Errorf("update %d is %s (%s): %d %s", i, r.State, r.Reason, r.Status, r.Body)
		}
	}
}

func TestQueuedUpdatesGoTogether(t *testing.T) {
	cases := map[string]struct {
		office *office
		// bulks and singles are what is sent, restart is when the power fails.
		bulks, singles int
		restart        time.Duration
	}{
		"a job of a minute":                        {office: &office{takes: time.Minute}, bulks: 1},
		"a member fails":                           {office: &office{takes: 5 * time.Second, bad: []string{"s"}}, bulks: 1, singles: 30},
		"the answer is lost":                       {office: &office{takes: time.Minute, lost: 1}, bulks: 2},
		"power fails while the job works":          {office: &office{takes: 10 * time.Minute}, bulks: 1, restart: 10 * time.Second},
		"power fails after a call that did arrive": {office: &office{takes: 5 * time.Minute, lost: 1}, bulks: 2, restart: time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := c.office
			inOffice(t, o, func(t *testing.T, b *bench) {
				ids := b.queueHeld(3, updates(30, "s"))
				if c.restart > 0 {
					time.Sleep(c.restart)
					b.restart(3 * time.Minute)
				}
				time.Sleep(3 * time.Hour)
				b.wantUpdated(ids)
				if o.bulks != c.bulks || o.singles != c.singles {
					t.Errorf("%d bulk calls and %d by themselves, want %d and %d", o.bulks, o.singles, c.bulks, c.singles)
				}
			})
		})
	}
}

// TestALaterUpdateIsNotUndone: while it is not known what became of an update in a bulk call, a later one of the same record waits, though it has no ordering key.
func TestALaterUpdateIsNotUndone(t *testing.T) {
	cases := map[string]struct {
		office  *office
		restart time.Duration
	}{
		"the job takes long":              {office: &office{takes: 40 * time.Minute}},
		"and its name is not known":       {office: &office{takes: 40 * time.Minute, lost: 1}},
		"and the power fails":             {office: &office{takes: 40 * time.Minute}, restart: 10 * time.Minute},
		"and all of that":                 {office: &office{takes: 40 * time.Minute, lost: 1}, restart: 10 * time.Minute},
		"one that is sent again is first": {office: &office{takes: time.Second, lost: 1}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := c.office
			inOffice(t, o, func(t *testing.T, b *bench) {
				b.queueHeld(3, updates(30, "first"))
				time.Sleep(5 * time.Minute)
				later, other := b.enqueue(setSubject(firstTicket, "second")), b.enqueue(setSubject(firstTicket+30, "other"))
				time.Sleep(time.Minute)
				if r := b.result(other); r.State != call.StateSucceeded {
					t.Errorf("an update of another ticket is %s", r.State)
				}
				if c.restart > 0 {
					b.restart(c.restart)
				}
				time.Sleep(3 * time.Hour)
				if r := b.result(later); r.State != call.StateSucceeded {
					t.Errorf("the later one is %s", r.State)
				}
				got := o.changes[fmt.Sprint(firstTicket)]
				if len(got) < 2 || got[len(got)-1] != "second" || slices.Contains(got[:len(got)-1], "second") {
					t.Errorf("it was changed to %q", got)
				}
			})
		})
	}
}

// TestNoBulkCallOvertakesAnUpdateThatWaitsForItsTime: the first is sent again after an hour, and must not undo what came after it.
func TestNoBulkCallOvertakesAnUpdateThatWaitsForItsTime(t *testing.T) {
	o := &office{takes: time.Minute, lost: 1}
	inOffice(t, o, func(t *testing.T, b *bench) {
		b.queueHeld(3, updates(10, "first"))
		time.Sleep(5 * time.Minute)
		others := updates(20, "second")[10:]
		b.queueHeld(5, slices.Insert(others, 8, setSubject(firstTicket, "second")))
		time.Sleep(3 * time.Hour)
		if got := slices.Compact(o.changes[fmt.Sprint(firstTicket)]); !slices.Equal(got, []string{"first", "second"}) {
			t.Errorf("it was changed to %q", got)
		}
	})
}

// TestOneUpdateOfEachRecordGoesAtATime: those behind it go in the next bulk call.
func TestOneUpdateOfEachRecordGoesAtATime(t *testing.T) {
	o := &office{takes: time.Minute}
	inOffice(t, o, func(t *testing.T, b *bench) {
		b.queueHeld(3, append(updates(10, "first"), updates(10, "second")...))
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		for ticket, got := range o.changes {
			if diff := slices.Compare(got, []string{"first", "second"}); diff != 0 {
				t.Errorf("ticket %s was changed to %q", ticket, got)
			}
		}
		if len(o.changes) != 10 || o.bulks != 2 || o.singles != 0 {
			t.Errorf("%d tickets were changed by %d bulk calls and %d by themselves", len(o.changes), o.bulks, o.singles)
		}
	})
}

// TestACommentIsNotSentAgain: whether it was added is not known, and only people can tell.
func TestACommentIsNotSentAgain(t *testing.T) {
	o := &office{takes: time.Minute, lost: 1}
	inOffice(t, o, func(t *testing.T, b *bench) {
		calls := updates(20, "s")
		for i := range 10 {
			calls[i] = comment(firstTicket+i, "s")
		}
		ids := b.queueHeld(3, calls)
		time.Sleep(3 * time.Hour)
		for i, id := range ids {
			r := b.result(id)
			if i < 10 && (r.State != call.StateParked || r.Reason != inDoubt) || i >= 10 && r.State != call.StateSucceeded {
				t.Errorf("call %d is %s: %s", i, r.State, r.Reason)
			}
		}
		for i := range 10 {
			if got := o.changes[fmt.Sprint(firstTicket+i)]; len(got) != 1 {
				t.Errorf("a comment was added %d times", len(got))
			}
		}
	})
}

// TestBulkUpdatesLeaveHalfOfARecordsLimit to calls by themselves, as they take from every record.
func TestBulkUpdatesLeaveHalfOfARecordsLimit(t *testing.T) {
	o := &office{takes: time.Second}
	inOffice(t, o, func(t *testing.T, b *bench) {
		perTicket := func(p *contract.Plan) {
			p.Limits = append(p.Limits, contract.Limit{
				Name: "per-ticket", Calls: 4, WindowSeconds: 600, PerRecord: true, Match: &contract.Match{Methods: []string{"PUT"}, Path: "/api/v2/tickets/*"},
			})
			p.Integrations[0].Batching.MaxItems = 10
		}
		ids := b.queueHeld(3, updates(40, "s"), perTicket)
		time.Sleep(5 * time.Minute)
		b.wantUpdated(ids)
		if o.bulks != 2 || o.singles != 20 {
			t.Errorf("%d bulk calls and %d by themselves, want 2 and 20", o.bulks, o.singles)
		}
		if used := b.snap().Windows[1].Used; used != 3 { // of a ticket that was changed by itself
			t.Errorf("of one ticket %d are used", used)
		}
	})
}
