// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

func folding(p *contract.Plan) { p.Integrations[0].Batching.FoldUpdates = true }

// prioritise sets another field than setSubject.
func prioritise(ticket int) *call.Call {
	c := setSubject(ticket, "")
	c.Body = []byte(`{"ticket":{"priority":"high"}}`)
	return c
}

// TestUpdatesOfOneRecordBecomeOne: of few tickets by single calls, of many in a bulk call; callers get the one answer, which says that it is not theirs alone.
func TestUpdatesOfOneRecordBecomeOne(t *testing.T) {
	cases := map[string]struct {
		tickets, each  int
		bulks, singles int
		restart        bool
		lost           int
	}{
		"of two tickets":                      {tickets: 2, each: 10, singles: 2},
		"of as many as are worth a bulk call": {tickets: 9, each: 4, bulks: 1},
		"power fails while the job works":     {tickets: 9, each: 4, bulks: 1, restart: true},
		"the answer to the bulk call is lost": {tickets: 9, each: 4, bulks: 2, lost: 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := &office{takes: time.Minute, lost: c.lost}
			inOffice(t, o, func(t *testing.T, b *bench) {
				var calls []*call.Call
				for n := range c.each {
					calls = append(calls, updates(c.tickets, fmt.Sprint("s", n))...)
				}
				ids := b.queueHeld(3, calls, folding)
				if c.restart {
					time.Sleep(10 * time.Second)
					b.restart(0)
				}
				time.Sleep(2 * time.Hour)
				for i, id := range ids {
					r := b.result(id)
					if want := fmt.Sprintf(`{"ticket":{"id":%d}}`, firstTicket+i%c.tickets); r.State != call.StateSucceeded || string(r.Body) != want || !r.Composed {
						t.Errorf("update %d is %s (%s): %d %s", i, r.State, r.Reason, r.Status, r.Body)
					}
				}
				if o.bulks != c.bulks || o.singles != c.singles {
					t.Errorf("%d bulk calls and %d by themselves, want %d and %d", o.bulks, o.singles, c.bulks, c.singles)
				}
				for i := range c.tickets {
					if got := o.changes[fmt.Sprint(firstTicket+i)]; len(got) == 0 || got[len(got)-1] != fmt.Sprint("s", c.each-1) {
						t.Errorf("ticket %d was changed to %q", firstTicket+i, got)
					}
				}
				if saved := b.snap().Integrations[0].Counters.Saved; c.singles > 0 && saved != int64(len(ids)-c.singles) {
					t.Errorf("%d calls were saved", saved)
				}
			})
		})
	}
}

// TestNothingIsFoldedPastAComment, nor past an update that cannot be folded: they go one after the other.
func TestNothingIsFoldedPastAComment(t *testing.T) {
	cases := map[string]*call.Call{"a comment": comment(firstTicket, "middle"), "another form": setSubject(firstTicket, "middle")}
	cases["another form"].Body = []byte(`{"ticket":{"subject":"middle","custom_fields":[]}}`)
	for name, middle := range cases {
		t.Run(name, func(t *testing.T) {
			o := &office{}
			inOffice(t, o, func(t *testing.T, b *bench) {
				ids := b.queueHeld(3, []*call.Call{
					setSubject(firstTicket, "first"), setSubject(firstTicket, "second"), middle, setSubject(firstTicket, "third"), setSubject(firstTicket, "last"),
				}, folding)
				time.Sleep(10 * time.Minute)
				for _, id := range ids {
					if r := b.result(id); r.State != call.StateSucceeded {
						t.Errorf("it is %s: %s", r.State, r.Reason)
					}
				}
				got := o.changes[fmt.Sprint(firstTicket)]
				at := slices.Index(got, "middle")
				if at < 1 || got[at-1] != "second" || got[len(got)-1] != "last" || slices.Contains(got, "first") {
					t.Errorf("it was changed to %q", got)
				}
			})
		})
	}
}

// TestUpdatesThatTheCRMDoesNotTakeTogetherGoByThemselves, in their order, so that each caller gets its own answer.
func TestUpdatesThatTheCRMDoesNotTakeTogetherGoByThemselves(t *testing.T) {
	o := &office{}
	inOffice(t, o, func(t *testing.T, b *bench) {
		refuses := 1
		b.crm.reply = func(what *call.Call) answer {
			if refuses--; refuses == 0 {
				return answer{status: 422}
			}
			return o.answer(what)
		}
		ids := b.queueHeld(3, []*call.Call{setSubject(firstTicket, "first"), setSubject(firstTicket, "second"), setSubject(firstTicket, "last")}, folding)
		time.Sleep(10 * time.Minute)
		for _, id := range ids {
			if r := b.result(id); r.State != call.StateSucceeded || r.Composed {
				t.Errorf("it is %s, %v: %s", r.State, r.Composed, r.Reason)
			}
		}
		if got := o.changes[fmt.Sprint(firstTicket)]; !slices.Equal(got, []string{"first", "second", "last"}) {
			t.Errorf("it was changed to %q", got)
		}
	})
}

// TestAFoldedUpdateIsLost: before it arrived or after, by a broken connection or a crash, all of it is sent again, and a later update comes after that.
func TestAFoldedUpdateIsLost(t *testing.T) {
	for name, crash := range map[string]bool{"the connection breaks": false, "the power fails": true} {
		t.Run(name, func(t *testing.T) {
			o := &office{}
			inOffice(t, o, func(t *testing.T, b *bench) {
				lost := 1
				b.crm.reply = func(what *call.Call) answer {
					a := o.answer(what)
					if lost--; lost == 0 {
						a.broken, a.after = !crash, 5*time.Second
					}
					return a
				}
				ids := b.queueHeld(3, []*call.Call{setSubject(firstTicket, "first"), prioritise(firstTicket), setSubject(firstTicket, "last")}, folding)
				time.Sleep(time.Second)
				if crash {
					b.restart(0)
				}
				ids = append(ids, b.enqueue(setSubject(firstTicket, "later")))
				time.Sleep(20 * time.Minute)
				for _, id := range ids {
					if r := b.result(id); r.State != call.StateSucceeded {
						t.Errorf("it is %s: %s", r.State, r.Reason)
					}
				}
				got := o.changes[fmt.Sprint(firstTicket)]
				if len(got) < 2 || got[0] != "last" || got[len(got)-1] != "later" {
					t.Errorf("it was changed to %q", got)
				}
			})
		})
	}
}

// TestFoldedUpdatesAreChargedOnce to the limit of their record.
func TestFoldedUpdatesAreChargedOnce(t *testing.T) {
	o := &office{}
	inOffice(t, o, func(t *testing.T, b *bench) {
		perTicket := func(p *contract.Plan) {
			p.Limits = append(p.Limits, contract.Limit{
				Name: "per-ticket", Calls: 1, WindowSeconds: 600, PerRecord: true, Match: &contract.Match{Methods: []string{"PUT"}, Path: "/api/v2/tickets/*"},
			})
		}
		b.queueHeld(3, []*call.Call{setSubject(firstTicket, "first"), setSubject(firstTicket, "last")}, folding, perTicket)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := o.changes[fmt.Sprint(firstTicket)]; !slices.Equal(got, []string{"last"}) {
			t.Errorf("it was changed to %q", got)
		}
	})
}
