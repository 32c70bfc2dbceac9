// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// ownUser gives the plan a second integration, a/y, whose calls go out as another user of the CRM, and ten calls a minute to each user.
func ownUser(p *contract.Plan) {
	p.Credentials = contract.Credentials{Basic: &contract.BasicKeys{Username: "u", Password: "p"}}
	p.Limits = []contract.Limit{{Name: "minute", Calls: 100, WindowSeconds: 60}, {Name: "user", Calls: 10, WindowSeconds: 60, PerCredential: true}}
	y := p.Integrations[0]
	y.Name, y.UID = "y", "y"
	y.Credentials = &contract.Credentials{Own: true, Secret: "y", Basic: &contract.BasicKeys{Username: "u", Password: "p"}}
	p.Integrations = append(p.Integrations, y)
}

// asY is a call of a/y.
func asY(c *call.Call) *call.Call {
	c.Integration = "a/y"
	return c
}

// TestEachUserOfTheCRMHasItsLimits: calls go out with the credentials of their integration, which has all of its own user's limit, whatever others are guaranteed.
func TestEachUserOfTheCRMHasItsLimits(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, ownUser))
		for n := range 10 {
			b.do(read(fmt.Sprint("/x/", n)), 0)
			b.do(asY(read(fmt.Sprint("/y/", n))), 0)
		}
		for _, c := range []*call.Call{read("/x"), asY(read("/y"))} {
			if r := b.refused(c, 0); r.Limit != "user" || r.RetryAfter < 50*time.Second {
				t.Errorf("one call more of %s is refused with %+v", c.Integration, r)
			}
		}
		for n, what := range b.crm.seen {
			want := map[string]string{"a/x": "/u", "a/y": "y/u"}[what.Integration]
			if got := b.crm.to[n].Credentials.User(); got != want {
				t.Errorf("a call of %s went out as %q, want %q", what.Integration, got, want)
			}
		}
		s := b.snap()
		if len(s.Windows) != 2 || s.Windows[1].Used != 10 {
			t.Errorf("the licence's windows are %+v", s.Windows)
		}
		for _, i := range s.Integrations {
			if len(i.Windows) != 2 || i.Windows[1].Name != "user" || i.Windows[1].Used != 10 {
				t.Errorf("%s has the windows %+v", i.Name, i.Windows)
			}
		}
	})
}

// TestCallsOfAnotherUserDoNotCountAfterARestart: an integration that gets its own user has all of that user's limit, though others have used up theirs.
func TestCallsOfAnotherUserDoNotCountAfterARestart(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, ownUser, func(p *contract.Plan) {
			p.Integrations[1].Credentials, p.Integrations[1].Share.GuaranteedPercent = nil, 0
		}))
		for n := range 10 {
			b.do(read(fmt.Sprint("/x/", n)), 0)
		}
		b.restart(time.Second)
		b.apply(plan(3, ownUser))
		if r := b.refused(read("/x"), 0); r.Limit != "user" {
			t.Errorf("one call more is refused with %+v", r)
		}
		for n := range 10 {
			if status := b.do(asY(read(fmt.Sprint("/y/", n))), 0); status != http.StatusOK {
				t.Fatalf("call %d of the new user: %d", n, status)
			}
		}
		b.restart(time.Second)
		for _, c := range []*call.Call{read("/x"), asY(read("/y"))} {
			if r := b.refused(c, 0); r.Limit != "user" {
				t.Errorf("after another restart a call of %s is refused with %+v", c.Integration, r)
			}
		}
	})
}

// TestWhatIsWrongWithOneUserHoldsUpNoOther, and calls in the queue wait until it is mended.
func TestWhatIsWrongWithOneUserHoldsUpNoOther(t *testing.T) {
	for name, bad := range map[string]answer{"its credentials are not taken": {status: http.StatusUnauthorized}, "its Secret is missing": {unsigned: true}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				mended := false
				b.crm.reply = func(what *call.Call) answer {
					if what.Integration == "a/y" && !mended {
						return bad
					}
					return answer{status: http.StatusOK}
				}
				b.apply(plan(2, ownUser))
				for n := range 5 {
					b.enqueue(asY(write(fmt.Sprint("/y/", n), call.RepeatNever)))
				}
				time.Sleep(10 * time.Minute)
				for n := range 5 {
					id := b.enqueue(write(fmt.Sprint("/x/", n), call.RepeatNever))
					if r := b.result(id); r.State != call.StateSucceeded {
						t.Errorf("a queued call of the other is %s", r.State)
					}
				}
				s := b.snap()
				own := s.Integrations[1]
				if own.Backlog.Queued != 5 || own.Waiting == nil || own.Waiting.Cause != contract.CauseCredentials {
					t.Errorf("%d calls wait: %+v", own.Backlog.Queued, own.Waiting)
				}
				if refused := bad.status != 0; s.CredentialsRefused || own.Credentials == nil || own.Credentials.Refused != refused {
					t.Errorf("refused: the CRM's %t, its own %+v", s.CredentialsRefused, own.Credentials)
				}
				if s.Integrations[0].Credentials != nil {
					t.Errorf("the other is said to have credentials of its own: %+v", s.Integrations[0].Credentials)
				}
				b.crm.mu.Lock()
				mended = true
				b.crm.mu.Unlock()
				time.Sleep(5 * time.Minute)
				if s := b.snap(); s.Integrations[1].Backlog.Queued != 0 || s.Integrations[1].Credentials.Refused {
					t.Errorf("after it was mended: %+v", s.Integrations[1])
				}
			})
		})
	}
}

// TestJobsAreAskedAboutByTheUserWhoStartedThem: the CRM tells nobody else.
func TestJobsAreAskedAboutByTheUserWhoStartedThem(t *testing.T) {
	d := &desk{takes: 20 * time.Second}
	onDesk(t, d, func(t *testing.T, b *bench) {
		both := func(p *contract.Plan) {
			ownUser(p)
			p.Limits[1].Calls = 100
		}
		b.apply(merging100(3, both, held))
		for n := range 10 {
			b.enqueue(create(fmt.Sprint("x", n)))
			b.enqueue(asY(create(fmt.Sprint("y", n))))
		}
		synctest.Wait()
		started := map[string]string{} // jobs, by the integration
		polls := map[string]int{}
		b.crm.reply = func(what *call.Call) answer {
			a := d.answer(what)
			switch path, query, _ := strings.Cut(what.Target, "?"); strings.TrimSuffix(path, ".json") {
			case "/api/v2/tickets/create_many":
				started[what.Integration] = fmt.Sprintf("job%d", d.bulks)
			case "/api/v2/job_statuses/show_many":
				polls[what.Integration]++
				if query != "ids="+started[what.Integration] {
					t.Errorf("%s, who started %s, asked for %s", what.Integration, started[what.Integration], query)
				}
			}
			return a
		}
		b.apply(merging100(4, both))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(d.tickets) != 20 || b.snap().Backlog.Sent+b.snap().Backlog.Queued != 0 || polls["a/x"] == 0 || polls["a/y"] == 0 {
			t.Errorf("%d tickets, %v polls, %+v", len(d.tickets), polls, b.snap().Backlog)
		}
	})
}

// TestCredentialsThatAreNotTakenLoseNoCall: queued calls stay, are tried one at a time, and are all sent once the credentials are mended.
func TestCredentialsThatAreNotTakenLoseNoCall(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for range 1000 {
			b.crm.script = append(b.crm.script, answer{status: http.StatusUnauthorized})
		}
		var ids []call.ID
		for n := range 5 {
			ids = append(ids, b.enqueue(write(fmt.Sprint("/", n), call.RepeatNever)))
		}
		time.Sleep(time.Hour)
		if s := b.snap(); s.Backlog.Queued != 5 || !s.CredentialsRefused {
			t.Errorf("%d are queued, refused %t", s.Backlog.Queued, s.CredentialsRefused)
		}
		if tried := len(b.crm.targets()); tried > 240 {
			t.Errorf("%d tries in an hour", tried)
		}
		b.crm.mu.Lock()
		b.crm.script = nil
		b.crm.mu.Unlock()
		time.Sleep(5 * time.Minute)
		for _, id := range ids {
			if r := b.result(id); r.State != call.StateSucceeded {
				t.Errorf("a call is %s", r.State)
			}
		}
		if b.snap().CredentialsRefused {
			t.Error("the credentials are still said to be refused")
		}
	})
}

// TestOneCallThatTheCredentialsDoNotAllow does not hold up the others for long, and is not said to show that they are wrong.
func TestOneCallThatTheCredentialsDoNotAllow(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.crm.script = []answer{{status: http.StatusUnauthorized}}
		b.enqueue(write("/forbidden", call.RepeatNever))
		synctest.Wait()
		other := b.enqueue(write("/other", call.RepeatNever))
		time.Sleep(2 * time.Minute)
		if r := b.result(other); r.State != call.StateSucceeded || b.snap().CredentialsRefused {
			t.Errorf("the other call is %s, refused %t", r.State, b.snap().CredentialsRefused)
		}
	})
}

// bringing gives the plan an integration a/z whose clients bring their own credentials.
func bringing(clients ...string) func(*contract.Plan) {
	return func(p *contract.Plan) {
		ownUser(p)
		z := p.Integrations[0]
		z.Name, z.UID, z.Clients = "z", "z", nil
		for _, name := range clients {
			z.Clients = append(z.Clients, contract.Client{Name: name, CRMCredentialSHA256: []string{name}})
		}
		p.Integrations = append(p.Integrations, z)
	}
}

// by is a call of a client of a/z.
func by(client, target string) *call.Call {
	c := read(target)
	c.Integration, c.Client, c.Credential = "a/z", client, call.NewCredential("Authorization", "Bearer "+client)
	return c
}

// TestClientsThatBringTheirCredentialsAreUsersOfTheirOwn: each has its limits, and none is signed for by us.
func TestClientsThatBringTheirCredentialsAreUsersOfTheirOwn(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.apply(plan(2, bringing("p", "q")))
		for n := range 10 {
			b.do(by("p", fmt.Sprint("/p/", n)), 0)
		}
		if r := b.refused(by("p", "/p"), 0); r.Limit != "user" || r.RetryAfter < 50*time.Second {
			t.Errorf("one call more is refused with %+v", r)
		}
		for n := range 10 {
			b.do(by("q", fmt.Sprint("/q/", n)), 0)
		}
		b.do(read("/x"), 0)
		for n, what := range b.crm.seen {
			if got := b.crm.to[n].Credentials; what.Credential != nil && got != (contract.Credentials{}) {
				t.Errorf("a call with its client's credential would be signed with %+v", got)
			}
		}
		for _, i := range b.snap().Integrations {
			if i.Name == "z" && (len(i.Windows) != 2 || i.Windows[1].Used < 10) {
				t.Errorf("of its users the one who has used most is to be shown: %+v", i.Windows)
			}
		}
		b.apply(plan(3, bringing("q")))
		if r := b.refused(by("p", "/p"), 0); r.Limit != "user" {
			t.Errorf("a call of a client that the plan does not have any more is refused with %+v", r)
		}
	})
}
