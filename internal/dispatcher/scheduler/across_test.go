// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// sharing gives the plan of merging100 a second integration, a/y, and has both share bulk calls.
func sharing(p *contract.Plan) {
	p.Integrations[0].Batching.AcrossIntegrations = true
	y, batching := p.Integrations[0], *p.Integrations[0].Batching
	y.Name, y.UID, y.Batching = "y", "y", &batching
	p.Integrations = append(p.Integrations, y)
}

// handed is a creation that was handed in.
type handed struct {
	integration, subject string
	id                   call.ID
}

// createIn queues n creations of an integration.
func (b *bench) createIn(integration string, n int) (all []handed) {
	b.t.Helper()
	for i := range n {
		h := handed{integration: integration, subject: fmt.Sprintf("%s/%d/%d", integration, time.Now().UnixNano(), i)}
		c := create(h.subject)
		c.Integration = integration
		h.id = b.enqueue(c)
		all = append(all, h)
	}
	synctest.Wait() // the last one is known, too
	return all
}

// wantTicketEach checks that each creation succeeded with the id of the one ticket that it asked for.
func (b *bench) wantTicketEach(d *desk, all []handed) {
	b.t.Helper()
	for _, h := range all {
		r, err := b.Result(context.Background(), h.integration, h.id, 0)
		var body struct{ Ticket struct{ ID int } }
		if err != nil || r.State != call.StateSucceeded || json.Unmarshal(r.Body, &body) != nil {
			b.t.Errorf("%s is %s (%s): %d %s %v", h.subject, r.State, r.Reason, r.Status, r.Body, err)
			continue
		}
		if n := body.Ticket.ID; n < 1 || n > len(d.tickets) || d.tickets[n-1].Subject != h.subject {
			b.t.Errorf("%s was told of ticket %d", h.subject, n)
		}
	}
	if len(d.tickets) != len(all) {
		b.t.Errorf("%d tickets were made of %d calls", len(d.tickets), len(all))
	}
}

func TestWhoseCallsGoTogether(t *testing.T) {
	never := func(*contract.Plan) {}
	cases := map[string]struct {
		plan func(*contract.Plan)
		// x and y are how many creations of each wait.
		x, y           int
		bulks, singles int
	}{
		"both ask for it, and neither has enough alone": {never, 5, 5, 1, 0},
		"both together have too few":                    {never, 4, 4, 0, 8},
		"one does not ask for it":                       {func(p *contract.Plan) { p.Integrations[1].Batching.AcrossIntegrations = false }, 5, 5, 0, 10},
		"one does not merge at all":                     {func(p *contract.Plan) { p.Integrations[1].Batching = nil }, 5, 5, 0, 10},
		"they are different users of the CRM": {func(p *contract.Plan) {
			p.Credentials = contract.Credentials{Basic: &contract.BasicKeys{Username: "u", Password: "p"}}
			p.Integrations[1].Credentials = &contract.Credentials{Own: true, Secret: "y", Basic: &contract.BasicKeys{Username: "u", Password: "p"}}
		}, 5, 5, 0, 10},
		"one merges other operations":             {func(p *contract.Plan) { p.Integrations[1].Batching.Operations = []string{"UpdateTicket"} }, 5, 5, 0, 10},
		"what is too much for one call fills two": {never, 60, 60, 2, 0},
		"the smaller bound holds":                 {func(p *contract.Plan) { p.Integrations[1].Batching.MaxItems = 12 }, 10, 10, 1, 8},
		"who has more than that goes without":     {func(p *contract.Plan) { p.Integrations[1].Batching.MaxItems = 10 }, 20, 10, 2, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := &desk{takes: 5 * time.Second}
			onDesk(t, d, func(t *testing.T, b *bench) {
				b.apply(merging100(3, sharing, c.plan, held))
				all := append(b.createIn("a/x", c.x), b.createIn("a/y", c.y)...)
				b.apply(merging100(4, sharing, c.plan))
				time.Sleep(30 * time.Second)
				singles := 0
				for _, target := range b.crm.targets() {
					if target == "/api/v2/tickets.json" {
						singles++
					}
				}
				if d.bulks != c.bulks || singles != c.singles {
					t.Errorf("%d bulk calls and %d by themselves, want %d and %d", d.bulks, singles, c.bulks, c.singles)
				}
				time.Sleep(10 * time.Minute)
				b.wantTicketEach(d, all)
			})
		})
	}
}

// TestWhoHasUsedUpItsShareDoesNotRide at the expense of another.
func TestWhoHasUsedUpItsShareDoesNotRide(t *testing.T) {
	d := &desk{takes: 5 * time.Second}
	onDesk(t, d, func(t *testing.T, b *bench) {
		one := func(p *contract.Plan) {
			p.Integrations[1].Share = contract.Share{Part: contract.Part{MaxCalls: new(int64(1))}, Weight: 1}
		}
		b.apply(merging100(3, sharing, one))
		b.do(asY(read("/api/v2/users/1")), 0)
		b.apply(merging100(4, sharing, one, held))
		all := append(b.createIn("a/x", 9), b.createIn("a/y", 5)...)
		b.apply(merging100(5, sharing, one))
		time.Sleep(30 * time.Second)
		b.crm.look(func() {
			if len(d.tickets) != 9 || d.bulks != 1 {
				t.Errorf("%d tickets were made, by %d bulk calls", len(d.tickets), d.bulks)
			}
		})
		time.Sleep(10 * time.Minute)
		b.wantTicketEach(d, all)
	})
}

// TestWhatBecomesOfASharedBulkCall, whatever happens to it: as of one of a single integration.
func TestWhatBecomesOfASharedBulkCall(t *testing.T) {
	cases := map[string]struct {
		desk    *desk
		bulks   int
		restart time.Duration
		// gone: the integration that was charged is not in the plan any more when the dispatcher comes back.
		gone bool
	}{
		"a job of a minute":                        {desk: &desk{takes: time.Minute}, bulks: 1},
		"the answer is lost":                       {desk: &desk{takes: time.Minute, lag: 10 * time.Minute, lose: []string{"unanswered"}}, bulks: 1},
		"the call is lost":                         {desk: &desk{takes: time.Minute, lag: 10 * time.Minute, lose: []string{"unseen"}}, bulks: 2},
		"power fails while the job works":          {desk: &desk{takes: time.Minute}, bulks: 1, restart: 10 * time.Second},
		"power fails after a call that did arrive": {desk: &desk{takes: 5 * time.Minute, lag: 10 * time.Minute, lose: []string{"unanswered"}}, bulks: 1, restart: time.Second},
		"power fails after a call that did not":    {desk: &desk{lose: []string{"unseen"}}, bulks: 2, restart: time.Second},
		"who paid is gone":                         {desk: &desk{takes: time.Minute}, bulks: 1, restart: 10 * time.Second, gone: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := c.desk
			onDesk(t, d, func(t *testing.T, b *bench) {
				b.apply(merging100(3, sharing, held))
				all := append(b.createIn("a/x", 10), b.createIn("a/y", 10)...)
				b.apply(merging100(4, sharing))
				if c.restart > 0 {
					time.Sleep(c.restart)
					b.restart(3 * time.Minute)
				}
				if c.gone {
					b.apply(merging100(5, sharing, func(p *contract.Plan) { p.Integrations = p.Integrations[1:] }))
				}
				time.Sleep(3 * time.Hour)
				b.wantTicketEach(d, all)
				if d.bulks != c.bulks {
					t.Errorf("%d bulk calls were sent", d.bulks)
				}
				if s := b.snap(); s.Backlog.Sent+s.Backlog.Queued+s.Backlog.Parked != 0 {
					t.Errorf("left are %+v", s.Backlog)
				}
			})
		})
	}
}

// TestAFailedItemIsItsOwnersAlone: it goes by itself, charged to its owner; the answers of the others are not touched.
func TestAFailedItemIsItsOwnersAlone(t *testing.T) {
	d := &desk{takes: 5 * time.Second}
	onDesk(t, d, func(t *testing.T, b *bench) {
		b.apply(merging100(3, sharing, held))
		all := append(b.createIn("a/x", 10), b.createIn("a/y", 10)...)
		d.bad = []string{all[12].subject}
		b.apply(merging100(4, sharing))
		time.Sleep(10 * time.Minute)
		b.wantTicketEach(d, all)
		alone := slices.DeleteFunc(slices.Clone(b.crm.seen), func(c *call.Call) bool { return c.Operation != "CreateTicket" })
		if len(alone) != 1 || alone[0].Integration != "a/y" {
			t.Errorf("by themselves went %+v", alone)
		}
	})
}

// TestErasureOfOneIntegrationLeavesTheOthersIn a bulk call: its own calls leave no answer, and are made if they were on their way.
func TestErasureOfOneIntegrationLeavesTheOthersIn(t *testing.T) {
	d := &desk{takes: time.Minute}
	onDesk(t, d, func(t *testing.T, b *bench) {
		b.ring.Store(new(oneKey))
		b.restart(time.Second)
		encrypted := func(p *contract.Plan) { p.Encryption = &contract.Encryption{Current: "current", Former: "former"} }
		b.apply(merging100(3, sharing, encrypted, held))
		x, y := b.createIn("a/x", 10), b.createIn("a/y", 10)
		b.apply(merging100(4, sharing, encrypted))
		time.Sleep(10 * time.Second)
		if d.bulks != 1 {
			t.Fatalf("%d bulk calls were sent", d.bulks)
		}
		if _, err := b.Erase(t.Context(), "a/y", time.Now().Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		for _, h := range y {
			if r, err := b.Result(t.Context(), h.integration, h.id, 0); err != nil || r.State != call.StateSucceeded || r.Body != nil || r.Reason != "erased by order" {
				t.Errorf("what was erased is %s, %s: %q %v", r.State, r.Reason, r.Body, err)
			}
		}
		for _, h := range x {
			if r, err := b.Result(t.Context(), h.integration, h.id, 0); err != nil || r.State != call.StateSucceeded || !strings.Contains(string(r.Body), `"id"`) {
				t.Errorf("what was not erased is %s, %s: %q %v", r.State, r.Reason, r.Body, err)
			}
		}
		if len(d.tickets) != 20 {
			t.Errorf("%d tickets were made", len(d.tickets))
		}
	})
}

// TestSharedCallsArePaidInProportion to the items of each, its polls included, and what is saved is what was not sent.
func TestSharedCallsArePaidInProportion(t *testing.T) {
	d := &desk{takes: 5 * time.Second}
	onDesk(t, d, func(t *testing.T, b *bench) {
		const rounds, x, y = 40, 3, 9
		var all []handed
		for round := range int64(rounds) {
			b.apply(merging100(3+2*round, sharing, held))
			all = append(append(all, b.createIn("a/x", x)...), b.createIn("a/y", y)...)
			b.apply(merging100(4+2*round, sharing))
			time.Sleep(2 * time.Minute)
		}
		b.wantTicketEach(d, all)
		if d.bulks != rounds {
			t.Errorf("%d bulk calls were sent", d.bulks)
		}
		paid, saved, sent := map[string]int64{}, int64(0), float64(len(b.crm.targets()))
		for _, i := range b.snap().Integrations {
			paid[i.Name] = i.Counters.Dispatched
			saved += i.Counters.Saved
		}
		t.Logf("%d creations took %v calls, of which x paid for %d and y for %d", len(all), sent, paid["x"], paid["y"])
		if want := sent * x / (x + y); math.Abs(float64(paid["x"])-want) >= 2 {
			t.Errorf("of %v calls x paid for %d and y for %d, with %d and %d items", sent, paid["x"], paid["y"], x, y)
		}
		if want := int64(len(all) - len(b.crm.targets())); saved < want || saved > want+2 {
			t.Errorf("%d calls were saved by sending %v for %d", saved, sent, len(all))
		}
	})
}

// TestWhatWasNotSentIsNotPaid, by whoever's turn it was.
func TestWhatWasNotSentIsNotPaid(t *testing.T) {
	d := &desk{takes: 5 * time.Second, lose: []string{"down"}}
	onDesk(t, d, func(t *testing.T, b *bench) {
		b.apply(merging100(3, sharing, held))
		all := append(b.createIn("a/x", 10), b.createIn("a/y", 10)...)
		b.apply(merging100(4, sharing))
		time.Sleep(10 * time.Minute)
		b.wantTicketEach(d, all)
		// One of them has paid for the bulk call, the other for the poll.
		if owed := b.debts("a/x", "a/y"); owed[0] != 0 || owed[1] != 0 {
			t.Errorf("they owe %v calls", owed)
		}
		if got := b.crm.targets(); d.bulks != 2 || len(got) != 3 {
			t.Errorf("tried were %v", got)
		}
	})
}

// TestARecordIsChangedByOneIntegrationInACall: what others ask for goes after it.
func TestARecordIsChangedByOneIntegrationInACall(t *testing.T) {
	o := &office{takes: 5 * time.Second}
	inOffice(t, o, func(t *testing.T, b *bench) {
		folding := func(p *contract.Plan) { p.Integrations[1].Batching.FoldUpdates = true }
		b.apply(merging100(3, sharing, folding, held))
		for i := range 10 {
			b.enqueue(setSubject(firstTicket+i, "x"))
		}
		for i := range 20 {
			for _, subject := range []string{"y", "z"} {
				b.enqueue(asY(setSubject(firstTicket+5+i, subject)))
			}
		}
		synctest.Wait()
		b.apply(merging100(4, sharing, folding))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		for i := range 25 {
			want := []string{"x"}
			switch {
			case i >= 10:
				want = []string{"z"} // two updates became one
			case i >= 5:
				want = []string{"x", "z"}
			}
			got := slices.Sorted(slices.Values(o.changes[fmt.Sprint(firstTicket+i)]))
			if !slices.Equal(got, want) {
				t.Errorf("ticket %d was changed to %v, want %v", firstTicket+i, got, want)
			}
		}
		if items := len(o.jobs[0].items); o.bulks != 1 || items != 25 || o.singles != 5 {
			t.Errorf("%d bulk calls, the first of %d items, and %d by themselves", o.bulks, items, o.singles)
		}
	})
}

// TestInseparableBulkCallsAreNotShared: of those of strict it is not said that each item takes effect by itself.
func TestInseparableBulkCallsAreNotShared(t *testing.T) {
	d := &desk{takes: 5 * time.Second}
	onDesk(t, d, func(t *testing.T, b *bench) {
		b.stop()
		b.dialect = strict{}
		b.fresh()
		named := func(p *contract.Plan) {
			for i := range p.Integrations {
				p.Integrations[i].Batching.Operations = []string{"CreateTicket"}
			}
		}
		b.apply(merging100(5, sharing, named, held))
		all := append(b.createIn("a/x", 10), b.createIn("a/y", 10)...)
		b.apply(merging100(6, sharing, named))
		time.Sleep(10 * time.Minute)
		b.wantTicketEach(d, all)
		if d.bulks != 2 {
			t.Errorf("%d bulk calls were sent", d.bulks)
		}
	})
}

// TestVersionsOfAnAPIDoNotGoTogether: those of another one would be left out of the call, and then go by themselves.
func TestVersionsOfAnAPIDoNotGoTogether(t *testing.T) {
	for targets, same := range map[[2]string]bool{
		{"/services/data/v60.0/sobjects/Case", "/services/data/v59.0/sobjects/Case"}:           false,
		{"/services/data/v60.0/sobjects/Case/500A", "/services/data/v60.0/sobjects/Case/500B"}: true,
		{"/api/v2/tickets.json", "/api/v2/tickets"}:                                            true,
		{"/crm/v3/objects/contacts?x=1", "/crm/v3/objects/contacts"}:                           true,
		{"/crm/v3/objects/contacts", "/crm/v4/objects/contacts"}:                               false,
	} {
		if got := apiOf(targets[0]) == apiOf(targets[1]); got != same {
			t.Errorf("%v go together: %v", targets, got)
		}
	}
}

// TestSharedCallsKeepEveryShare: whatever the shares are, nobody is charged more than its ceiling, nor all together more than the limit, and nobody owes calls.
func TestSharedCallsKeepEveryShare(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable on purpose
			d := &desk{takes: time.Duration(5+r.IntN(30)) * time.Second}
			onDesk(t, d, func(t *testing.T, b *bench) {
				names, ceilings := []string{"a/x", "a/y", "a/z"}, map[string]int64{}
				shares := func(p *contract.Plan) {
					z := p.Integrations[1]
					z.Name, z.UID = "z", "z"
					p.Integrations = append(p.Integrations, z)
					p.Limits[0].Calls = 20
					for i := range p.Integrations {
						ceilings[p.Integrations[i].Name] = 4 + (int64(seed)+int64(i)*7)%12 // at least what is guaranteed
						p.Integrations[i].Share = contract.Share{
							Part:   contract.Part{GuaranteedPercent: 10 * int64(i), MaxCalls: new(ceilings[p.Integrations[i].Name])},
							Weight: 1 + int64(i), LendPercent: 50,
						}
					}
				}
				b.apply(merging100(3, sharing, shares))
				var all []handed
				for range 60 {
					all = append(all, b.createIn(names[r.IntN(len(names))], r.IntN(12))...)
					time.Sleep(time.Duration(r.IntN(10)) * time.Second)
					s := b.snap()
					if s.Windows[0].Used > 20 {
						t.Errorf("%d are charged of 20", s.Windows[0].Used)
					}
					for _, i := range s.Integrations {
						if used := i.Windows[0].Used; used > ceilings[i.Name] {
							t.Errorf("%s is charged %d, its ceiling is %d", i.Name, used, ceilings[i.Name])
						}
					}
				}
				time.Sleep(6 * time.Hour)
				b.wantTicketEach(d, all)
				sum := 0.0
				for i, owes := range b.debts(names...) {
					if sum += owes; math.Abs(owes) >= float64(len(names)) {
						t.Errorf("%s owes %.2f calls", names[i], owes)
					}
				}
				if sum != 0 {
					t.Errorf("more is owed than is due: %v", sum)
				}
			})
		})
	}
}

// debts are what integrations owe of the calls that they have shared.
func (b *bench) debts(names ...string) []float64 {
	b.t.Helper()
	synctest.Wait()
	owed := make(chan []float64, 1)
	if err := b.submit(b.t.Context(), func() {
		var all []float64
		for _, name := range names {
			all = append(all, b.licensed().tab.Owes(b.lanes[name].owner))
		}
		owed <- all
	}); err != nil {
		b.t.Fatal(err)
	}
	return <-owed
}
