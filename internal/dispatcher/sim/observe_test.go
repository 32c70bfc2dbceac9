// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/crmsim"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/scheduler"
)

// newWatched returns a world with one limit, of which others use so much behind our back.
func newWatched(t *testing.T, provider string, here contract.Limit, kind limit.Kind, others crmsim.Background, change func(*contract.Plan)) *world {
	t.Helper()
	s := choose(1)
	s.plan.Limits, s.crm.Limits, s.plan.Integrations = nil, nil, s.plan.Integrations[:1]
	s.plan.CRM.Provider, s.crm.CRM = provider, provider
	s.plan.Integrations[0].Share.MaxPercent = 100
	s.addLimit(here)
	s.crm.Limits[0].Kind = kind
	s.crm.Background = []crmsim.Background{others}
	s.crm.Latency, s.crm.Jitter, s.crm.LateBy, s.crm.ClockOffset = 100*time.Millisecond, 200*time.Millisecond, 0, 0
	change(&s.plan)
	w := newWorld(t, s)
	w.firstMachine(rand.New(rand.NewPCG(1, 7))) //nolint:gosec // repeatable on purpose
	return w
}

func (w *world) snapshot() scheduler.Snapshot {
	w.t.Helper()
	snap, err := w.machine.Load().Scheduler.Snapshot(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return snap
}

// TestTheFirstDayShowsWhoUsesWhat: under Observe nothing is sent but the question what has been used, at most one call in a hundred of the limit, and after some hours it
// is known to a tenth what others use.
func TestTheFirstDayShowsWhoUsesWhat(t *testing.T) {
	minute := contract.Limit{Name: "minute", Calls: 400, WindowSeconds: 60}
	day := contract.Limit{Name: "day", Calls: 100_000, WindowSeconds: 86400}
	for name, test := range map[string]struct {
		provider string
		limit    contract.Limit
		kind     limit.Kind
		others   crmsim.Background
		seconds  int64
		want     float64
	}{
		"a minute of Zendesk":    {"Zendesk", minute, limit.Fixed, crmsim.Background{Calls: 120, Per: time.Minute}, 60, 120},
		"24 hours of Salesforce": {"Salesforce", day, limit.Rolling, crmsim.Background{Calls: 3000, Per: time.Hour}, 300, 18_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWatched(t, test.provider, test.limit, test.kind, test.others, func(p *contract.Plan) {
					p.Observe, p.Enforce, p.UsageSeconds = true, false, test.seconds
				})
				const hours = 6
				time.Sleep(hours * time.Hour)
				snap := w.snapshot()
				window := snap.Windows[0]
				if window.External == nil || math.Abs(float64(*window.External)/test.want-1) > .1 {
					t.Errorf("the window is %+v, want about %.0f used by others", window, test.want)
				}
				calls := len(w.server.Arrivals())
				most := float64(test.limit.Calls) / 100 * hours * 3600 / float64(test.limit.WindowSeconds)
				if float64(calls) > most+1 || int64(calls) != snap.UsageCalls || calls < hours {
					t.Errorf("%d calls were made and %d of them asked, want at most %.0f", calls, snap.UsageCalls, most)
				}
				if a := snap.Answering; !a.Known || a.Trouble != "" {
					t.Errorf("the CRM is said to be %+v", a)
				}
			})
		})
	}
}

// TestAskingShowsThatThereIsRoomAgain: others have used Salesforce's 24 hours up and then stop. No call of ours goes, so no header tells when there is room.
func TestAskingShowsThatThereIsRoomAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		day := contract.Limit{Name: "day", Calls: 15_000, WindowSeconds: 86400}
		w := newWatched(t, "Salesforce", day, limit.Rolling, crmsim.Background{Calls: 14_500, Per: time.Hour}, func(p *contract.Plan) { p.UsageSeconds = 300 })
		time.Sleep(time.Hour)
		if err := w.server.SetBackground(nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		before := w.snapshot().Windows[0]
		time.Sleep(26 * time.Hour)
		after := w.snapshot()
		if before.External == nil || *before.External < 13_500 || after.Windows[0].External == nil || *after.Windows[0].External > 100 {
			t.Errorf("others are said to have used %v, and a day later %v", before.External, after.Windows[0].External)
		}
		w.ask(t.Context(), 0, request{method: http.MethodGet, target: "/services/data/v60.0/query?q=SELECT+Id+FROM+Case"})
		if !slices.ContainsFunc(w.server.Arrivals(), func(a judge.Arrival) bool { return a.Operation == "Query" }) {
			t.Error("with all that room a call was not sent")
		}
	})
}

// TestTheSecondDayShowsEachApplication: the log of the first one is read, in parts as it is longer than what is read at once, and has every call of the others, and ours.
func TestTheSecondDayShowsEachApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		day := contract.Limit{Name: "day", Calls: 100_000, WindowSeconds: 86400}
		others := crmsim.Background{Calls: 3000, Per: time.Hour, Call: limit.Call{Credential: "etl"}}
		w := newWatched(t, "Salesforce", day, limit.Rolling, others, func(p *contract.Plan) {
			p.Observe, p.Enforce, p.UsageSeconds = true, false, 300
		})
		first := w.began.UTC().Truncate(24 * time.Hour)
		time.Sleep(time.Until(first.Add(24 * time.Hour)))
		calls, ours := w.server.Report().Background.Calls, len(w.server.Arrivals())
		time.Sleep(14 * time.Hour)
		snap := w.snapshot()
		window := snap.Windows[0]
		if window.AppsDay == nil || !window.AppsDay.Equal(first) || len(window.Apps) != 2 {
			t.Fatalf("on the second day the window is %+v", window)
		}
		if etl := window.Apps[0]; etl.Name != "etl" || (etl.Used-int64(calls)) > 5 || etl.Used < int64(calls)-5 || calls < 70_000 {
			t.Errorf("of others' %d calls there are %+v", calls, etl)
		}
		if own := window.Apps[1]; own.Used < int64(ours)-1 || own.Used > int64(ours) || ours < 250 {
			t.Errorf("of our %d calls there are %+v", ours, own)
		}
		if d := int64(len(w.server.Arrivals())) - snap.UsageCalls; d != 0 {
			t.Errorf("%d calls are not counted", d)
		}
		if lost := snap.Windows[0].InDoubt; lost != 0 {
			t.Errorf("%d calls are in doubt: the log was not read to its end", lost)
		}
	})
}
