// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"context"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

const (
	// kills of a test run; KILLS in the environment is another number.
	kills = 20
	// clients hand in calls side by side.
	clients = 8
	// perSecond is the licence.
	perSecond = 300
)

func numberOfKills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("KILLS")
	if text == "" {
		return kills
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("KILLS must be a number: %v", err)
	}
	return n
}

// startCRM starts the simulated CRM, which executes each bulk call at once.
func startCRM(t *testing.T) (*crmsim.Server, string) {
	t.Helper()
	sim := crmsim.New(crmsim.Config{
		Tokens: []string{crmToken}, Latency: 3 * time.Millisecond, Jitter: 10 * time.Millisecond, JobDuration: time.Millisecond,
		Limits: []limit.Limit{{Name: "second", Calls: perSecond, Kind: limit.Rolling, Window: time.Second}},
	})
	server := httptest.NewServer(sim)
	t.Cleanup(func() {
		server.Close()
		sim.Close()
	})
	return sim, server.URL
}

// TestKilledUnderLoad kills the dispatcher (SIGKILL) under load at random moments, some of them while it starts: each call that it acknowledged reaches the CRM, and none
// reaches it twice. Parked are at most those that were on their way.
func TestKilledUnderLoad(t *testing.T) {
	sim, url := startCRM(t)
	v := newVolume(t, newPlan(url, perSecond))
	l := &load{acknowledged: map[string]string{}}
	p := v.start(t)
	l.at.Store(&p.intake)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan struct{})
	go func() { defer close(done); l.run(ctx, clients) }()

	early := 0
	for n := range numberOfKills(t) {
		if n%5 == 4 { // while it starts
			time.Sleep(rand.N(60 * time.Millisecond))
		} else {
			p.awaitReady(t)
			time.Sleep(rand.N(400 * time.Millisecond))
		}
		if !p.isReady(t) {
			early++
		}
		p.kill(t)
		p = v.start(t)
		l.at.Store(&p.intake)
	}
	p.awaitReady(t)
	time.Sleep(200 * time.Millisecond)
	stop()
	<-done
	t.Logf("%d kills, %d of them while it started; %d requests had no good answer", numberOfKills(t), early, l.broken)
	judge(t, sim, p.intake, l, numberOfKills(t))
}

// judge holds what was promised against what the CRM has, after so many kills.
func judge(t *testing.T, sim *crmsim.Server, at string, l *load, kills int) {
	t.Helper()
	states := map[string]int{}
	outcomes := map[string]string{}
	promised := l.promised()
	drained := time.Now().Add(patience + time.Duration(len(promised))*time.Second/perSecond) // all of them may be queued
	for name, location := range promised {
		outcomes[name] = outcome(t, at, location, drained)
		states[outcomes[name]]++
	}
	time.Sleep(100 * time.Millisecond) // bulk jobs end
	tickets, report := sim.TicketsByExternalID(), sim.Report()
	for name, state := range outcomes {
		switch n := len(tickets[name]); {
		case state == "parked" && n > 1, state == "succeeded" && n != 1, state != "parked" && state != "succeeded":
			t.Errorf("call %s is %s, and the CRM has %d tickets of it", name, state, n)
		}
	}
	t.Logf("%d calls acknowledged: %v; %d requests arrived, %d tickets made twice", len(outcomes), states, report.Arrivals, report.Tickets.DuplicateCount)
	if report.Tickets.DuplicateCount > 0 {
		t.Errorf("tickets made twice: %v", report.Tickets.Duplicates)
	}
	if report.Limits[0].OverrunCount > 0 || report.Refusals > 0 {
		t.Errorf("the licence was overrun: %v", report.Problems())
	}
	// Each life has at most as many calls on their way as the licence lets through in the time that they take.
	if most := kills * perSecond / 10; states["parked"] > most {
		t.Errorf("%d calls are parked, more than %d can have been on their way", states["parked"], most)
	}
	if len(outcomes) < 10*kills {
		t.Errorf("only %d calls were acknowledged: that is no load", len(outcomes))
	}
}
