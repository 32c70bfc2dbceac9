// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/status"
)

func metaTime(t *testing.T, text string) *metav1.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return new(metav1.NewTime(at))
}

// watch is a CRM whose dispatcher reports figures, and whose status is written as the results say.
type watch struct {
	t       *testing.T
	facts   status.CRMFacts
	current v1alpha1.CRMStatus
	now     time.Time
	writes  int
	recheck time.Duration
}

func newWatch(t *testing.T) *watch {
	t.Helper()
	return &watch{t: t, facts: crmFacts(), now: start}
}

// tell has the dispatcher report after some time.
func (w *watch) tell(after time.Duration, edit func(*contract.Report)) {
	w.now = w.now.Add(after)
	edit(w.facts.Reported.Latest)
	w.facts.Reported.At = w.now
	w.look()
}

// look is a pass of the controller.
func (w *watch) look() {
	result := status.ForCRM(w.facts, w.current, w.now)
	if result.Changed != !cmp.Equal(w.current, result.Status) {
		w.t.Fatalf("Changed is %t, but:\n%s", result.Changed, cmp.Diff(w.current, result.Status))
	}
	w.recheck = result.RecheckAfter
	w.facts.Evidence = result.Evidence
	if !result.Changed {
		return
	}
	w.current = result.Status
	w.writes++
	if result.Numbers {
		w.facts.NumbersAt = w.now
	}
}

func minute(used int64) func(*contract.Report) {
	return func(r *contract.Report) { r.Windows[0].Used = used }
}

func queued(n int64) func(*contract.Report) {
	return func(r *contract.Report) { r.Backlog.Queued = n }
}

func TestPaceOfNumbers(t *testing.T) {
	type step struct {
		after time.Duration
		tell  func(*contract.Report)
		used  string // the printed column afterwards
		calls int64
	}
	for name, steps := range map[string][]step{
		"the first figures are published at once, and stay within a twentieth": {
			{0, minute(211), "minute 220/400", 0}, {time.Hour, minute(239), "minute 220/400", 0}, {time.Hour, minute(201), "minute 220/400", 0},
		},
		"a drift below four steps waits a minute": {
			{0, minute(200), "minute 200/400", 0}, {15 * time.Second, minute(270), "minute 200/400", 0}, {45 * time.Second, minute(270), "minute 280/400", 0},
		},
		"a drift of four steps waits fifteen seconds": {
			{0, minute(200), "minute 200/400", 0}, {14 * time.Second, minute(280), "minute 200/400", 0}, {time.Second, minute(280), "minute 280/400", 0},
		},
		"a limit that is used up is told, within a step too": {
			{0, minute(389), "minute 380/400", 0}, {time.Minute, minute(399), "minute 380/400", 0}, {time.Second, minute(400), "minute 400/400", 0},
		},
		"a limit that is free again is told, within a step too": {
			{0, minute(19), "minute 20/400", 0}, {time.Minute, minute(1), "minute 20/400", 0}, {time.Second, minute(0), "minute 0/400", 0},
		},
		"a limit that is nearly free again stays full within a step": {
			{0, minute(400), "minute 400/400", 0}, {time.Hour, minute(385), "minute 400/400", 0}, {time.Hour, minute(380), "minute 380/400", 0},
		},
		"use beyond a limit is rounded too": {
			{0, minute(452), "minute 460/400", 0}, {time.Hour, minute(470), "minute 460/400", 0},
		},
		"an emptied backlog is told within fifteen seconds": {
			{0, queued(300), "minute 0/400", 300}, {14 * time.Second, queued(0), "minute 0/400", 300}, {time.Second, queued(0), "minute 0/400", 0},
		},
		"the last few calls of a backlog linger for a minute at most": {
			{0, queued(2), "minute 0/400", 2}, {59 * time.Second, queued(0), "minute 0/400", 2}, {time.Second, queued(0), "minute 0/400", 0},
		},
		"a small backlog that comes and goes is not written each time": {
			{0, queued(0), "minute 0/400", 0}, {15 * time.Second, queued(3), "minute 0/400", 0}, {15 * time.Second, queued(0), "minute 0/400", 0},
		},
		"a large backlog is shown within fifteen seconds": {
			{0, queued(0), "minute 0/400", 0}, {15 * time.Second, queued(1234), "minute 0/400", 1200},
		},
		"a backlog keeps two digits": {
			{0, queued(1234), "minute 0/400", 1200}, {time.Hour, queued(1299), "minute 0/400", 1200}, {time.Hour, queued(1300), "minute 0/400", 1300},
		},
		"the tightest limit is printed": {
			{0, func(r *contract.Report) { r.Windows[0].Used, r.Windows[1].Used = 100, 1000 }, "day 1000/2500", 0},
		},
		"another size of a limit is published promptly": {
			{0, minute(200), "minute 200/400", 0}, {15 * time.Second, func(r *contract.Report) { r.Windows[0].Limit = 300 }, "minute 195/300", 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatch(t)
			for n, s := range steps {
				w.tell(s.after, s.tell)
				if w.current.Summary.Used != s.used || *w.current.Backlog.Calls != s.calls {
					t.Errorf("step %d: %q with %d queued, want %q with %d", n, w.current.Summary.Used, *w.current.Backlog.Calls, s.used, s.calls)
				}
			}
		})
	}
}

func TestAFigureThatWaitsIsPublishedByTime(t *testing.T) {
	w := newWatch(t)
	w.tell(0, minute(200))
	w.tell(40*time.Second, minute(270))
	if w.recheck != 20*time.Second {
		t.Fatalf("recheck after %s, want 20s: when the minute is over", w.recheck)
	}
	w.now = w.now.Add(w.recheck)
	w.look()
	if w.current.Summary.Used != "minute 280/400" {
		t.Errorf("used is %q after that, want minute 280/400", w.current.Summary.Used)
	}
}

func TestAWriteThatHappensAnywayTakesNumbersAlong(t *testing.T) {
	w := newWatch(t)
	w.tell(0, minute(200))
	w.facts.PodReady = false
	w.tell(time.Second, minute(240))
	if w.current.Summary.Used != "minute 240/400" || w.writes != 2 {
		t.Errorf("used %q after %d writes, want minute 240/400 after 2", w.current.Summary.Used, w.writes)
	}
}

func TestInDoubtIsShownOnlyWhileThereIsAny(t *testing.T) {
	w := newWatch(t)
	w.tell(0, func(r *contract.Report) { r.Windows[0].Used, r.Windows[0].InDoubt = 300, 41 })
	if got := w.current.Windows[0].InDoubt; got == nil || *got != 40 {
		t.Errorf("in doubt %v, want 40", got)
	}
	w.tell(15*time.Second, func(r *contract.Report) { r.Windows[0].InDoubt = 0 })
	if got := w.current.Windows[0].InDoubt; got != nil {
		t.Errorf("in doubt %d, want none", *got)
	}
}

func TestETAColumn(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"<1m": 59 * time.Second, "1m": time.Minute, "7m": 7*time.Minute + 20*time.Second, "25m": 24 * time.Minute, "1h": 59 * time.Minute,
		"2h30m": 2*time.Hour + 35*time.Minute, "3h": 3*time.Hour - 10*time.Minute, "14h": 14*time.Hour + 20*time.Minute, "3d": 70 * time.Hour,
	} {
		t.Run(want, func(t *testing.T) {
			w := newWatch(t)
			w.tell(0, func(r *contract.Report) { r.Backlog.Queued, r.Backlog.DrainSeconds = 500, new(int64(d/time.Second)) })
			if w.current.Summary.ETA != want {
				t.Errorf("ETA %q for %s, want %q", w.current.Summary.ETA, d, want)
			}
			w.tell(time.Hour, func(r *contract.Report) { *r.Backlog.DrainSeconds += int64(d/time.Second) / 50 })
			if w.current.Summary.ETA != want {
				t.Errorf("ETA %q when it is 2 %% longer, want still %q", w.current.Summary.ETA, want)
			}
		})
	}
	w := newWatch(t)
	w.tell(0, queued(500))
	if w.current.Summary.ETA != "unknown" || w.current.Backlog.DrainETA != nil {
		t.Errorf("ETA %q, %v without a forecast, want unknown and no time", w.current.Summary.ETA, w.current.Backlog.DrainETA)
	}
	w.tell(time.Minute, queued(0))
	if w.current.Summary.ETA != "" {
		t.Errorf("ETA %q of an empty backlog, want none", w.current.Summary.ETA)
	}
}

// The budget of API writes: whatever a dispatcher reports, numbers are written at most every 15 seconds; and a steady load costs at most one write a minute.
func TestWritesOfNumbersAreBounded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWatch(t)
		w.tell(0, func(*contract.Report) {})
		var last time.Time
		for n := range 60 {
			before := w.writes
			w.tell(time.Duration(rapid.IntRange(1, 20).Draw(rt, fmt.Sprintf("seconds %d", n)))*time.Second, func(r *contract.Report) {
				r.Windows[0].Used = rapid.Int64Range(0, 420).Draw(rt, fmt.Sprintf("used %d", n))
				r.Backlog.Queued = rapid.Int64Range(0, 2000).Draw(rt, fmt.Sprintf("queued %d", n))
				r.Windows[0].Lent = rapid.Int64Range(0, 200).Draw(rt, fmt.Sprintf("lent %d", n))
				r.Windows[1].Exhaustion = &contract.ExhaustionForecast{P50: new(w.now.Add(time.Duration(rapid.IntRange(0, 9).Draw(rt, fmt.Sprintf("exhaustion %d", n))) * time.Hour))}
			})
			if w.writes > before && !advised(w.current.Conditions, w.now) {
				if !last.IsZero() && w.now.Sub(last) < 15*time.Second {
					rt.Fatalf("two writes within %s", w.now.Sub(last))
				}
				last = w.now
			}
		}
	})
}

// advised says whether a condition turned just now.
func advised(conditions []metav1.Condition, now time.Time) bool {
	for _, c := range conditions {
		if c.LastTransitionTime.Time.Equal(now) {
			return true
		}
	}
	return false
}

func TestASteadyLoadCostsAtMostOneWriteAMinute(t *testing.T) {
	for _, percent := range []int64{5, 25, 50, 75, 95} {
		t.Run(fmt.Sprintf("%d percent", percent), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(percent), 0))
			w := newWatch(t)
			w.tell(0, minute(4*percent))
			before := w.writes
			var day int64
			for range 4 * 60 { // an hour of reports; Poisson-like swings of the minute window, a day that fills, a few calls that wait now and then
				w.tell(status.ReportPeriod, func(report *contract.Report) {
					day += percent / 5
					report.Windows[0].Used = max(0, 4*percent+int64(r.NormFloat64()*15))
					report.Windows[1].Used = min(day, 2500)
					report.Backlog.Queued = max(0, r.Int64N(8)-6)
					report.Windows[0].Lent, report.Windows[0].Borrowed = max(0, 100-percent+r.Int64N(30)), r.Int64N(40)
					report.Windows[1].Exhaustion = &contract.ExhaustionForecast{
						P50: new(start.Add(10*time.Hour + time.Duration(r.NormFloat64()*float64(10*time.Minute)))), P95: new(start.Add(9 * time.Hour)),
					}
					report.Advice = &contract.LicenceAdvice{Limit: "minute", NeededP95: 596 + r.Int64N(9)}
				})
			}
			if got := w.writes - before; got > 60 {
				t.Errorf("%d writes in 60 minutes", got)
			}
		})
	}
}

func TestAnIdleDispatcherIsNeverWritten(t *testing.T) {
	w := newWatch(t)
	for range 1000 {
		w.tell(status.ReportPeriod, func(*contract.Report) {})
	}
	if w.writes != 1 {
		t.Errorf("%d writes, want the first alone", w.writes)
	}
}

// Once the figures rest, the status comes as close to them as its rounding says, in bounded time.
func TestFiguresArriveInTheEnd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWatch(t)
		for n := range rapid.IntRange(1, 6).Draw(rt, "reports") {
			used := rapid.Int64Range(0, 400).Draw(rt, fmt.Sprintf("used %d", n))
			waiting := rapid.Int64Range(0, 5000).Draw(rt, fmt.Sprintf("queued %d", n))
			w.tell(time.Second, func(r *contract.Report) { r.Windows[0].Used, r.Backlog.Queued = used, waiting })
		}
		w.tell(time.Minute, func(*contract.Report) {})
		r := w.facts.Reported.Latest
		if got := *w.current.Windows[0].Used; got-r.Windows[0].Used >= 20 || r.Windows[0].Used-got >= 20 || r.Windows[0].Used == 0 && got != 0 {
			rt.Fatalf("used is published as %d, is %d", got, r.Windows[0].Used)
		}
		got, is := *w.current.Backlog.Calls, r.Backlog.Queued
		step := int64(1)
		for max(got, is)/step >= 100 {
			step *= 10
		}
		if got-is >= step || is-got >= step || (is == 0) != (got == 0) {
			rt.Fatalf("backlog is published as %d, is %d", got, is)
		}
	})
}

func TestFiguresOfALimit(t *testing.T) {
	w := newWatch(t)
	exhausted := start.Add(5*time.Hour + 40*time.Second)
	w.tell(0, func(r *contract.Report) {
		day := &r.Windows[1]
		day.Used, day.InDoubt, day.External, day.KeptFree, day.Lent, day.Borrowed = 1300, 130, new(int64(500)), 250, 600, 70
		day.GuardMilliseconds = 550
		day.Exhaustion = &contract.ExhaustionForecast{P50: &exhausted, P95: new(start.Add(3 * time.Hour))}
		r.Windows[0].Estimated = true
	})
	want := v1alpha1.WindowStatus{
		Name: "day", Limit: new(int64(2500)), Used: new(int64(1250)), InDoubt: new(int64(125)), External: new(int64(500)), KeptFree: new(int64(250)), Lent: new(int64(625)),
		ResetTime: metaTime(t, "2026-11-24T00:00:00Z"), Assurance: v1alpha1.AssuranceExact, GuardMilliseconds: new(int64(550)),
		Exhaustion: v1alpha1.ExhaustionStatus{ExpectedTime: metaTime(t, "2026-11-23T14:01:00Z"), EarlyTime: metaTime(t, "2026-11-23T12:00:00Z")},
	}
	if diff := cmp.Diff(want, w.current.Windows[1]); diff != "" {
		t.Errorf("day (-want +got):\n%s", diff)
	}
	if got := w.current.Windows[0].Assurance; got != v1alpha1.AssuranceEstimated {
		t.Errorf("assurance %s, want Estimated", got)
	}
	w.tell(time.Minute, func(r *contract.Report) {
		day := &r.Windows[1]
		day.Lent, day.Borrowed, day.Exhaustion = 0, 126, nil
	})
	want.Lent, want.Borrowed, want.Exhaustion = nil, new(int64(125)), v1alpha1.ExhaustionStatus{}
	if diff := cmp.Diff(want, w.current.Windows[1]); diff != "" {
		t.Errorf("a minute later (-want +got):\n%s", diff)
	}
}

func TestExecutionIsShownInSeconds(t *testing.T) {
	execution := contract.Limit{Name: "execution", ExecutionSeconds: 1200, WindowSeconds: 300}
	window := contract.WindowReport{Name: "execution", Limit: 1_200_000, Used: 300_400, KeptFree: 120_000, Estimated: true}
	w := newWatch(t)
	w.facts.Compiled.Plan.Limits = append(w.facts.Compiled.Plan.Limits, execution)
	w.tell(0, func(r *contract.Report) { r.Windows = append(r.Windows, window) })
	want := v1alpha1.WindowStatus{
		Name: "execution", Limit: new(int64(1200)), Used: new(int64(300)), KeptFree: new(int64(120)), Assurance: v1alpha1.AssuranceEstimated,
	}
	if diff := cmp.Diff(want, w.current.Windows[2]); diff != "" || w.current.Summary.Used != "execution 300/1200" {
		t.Errorf("summary %q, window (-want +got):\n%s", w.current.Summary.Used, diff)
	}

	f := integrationFacts(func(f *status.IntegrationFacts) {
		f.Plan.Limits = append(f.Plan.Limits, execution)
		f.Reported.Latest.Windows = append(f.Reported.Latest.Windows, window)
	}, entry(func(r *contract.IntegrationReport) {
		r.Windows = append(r.Windows, contract.ShareReport{Name: "execution", Guaranteed: 600_500, Used: 240_000, Lent: 60_000, Borrowed: 0, Demand: 480_000})
	}))
	share := v1alpha1.ShareStatus{Name: "execution", Guaranteed: new(int64(600)), Used: new(int64(240)), Lent: new(int64(60)), Demand: new(int64(480))}
	if diff := cmp.Diff(share, forIntegration(t, f, v1alpha1.IntegrationStatus{}, start).Status.Windows[2]); diff != "" {
		t.Errorf("share (-want +got):\n%s", diff)
	}
}

// What is published may be all that is known of a volume that was lost, until the plan has told it to the dispatcher.
func TestFiguresOfAnotherVolumeAreNotPublishedBeforeItCounts(t *testing.T) {
	w := newWatch(t)
	w.facts.Compiled.Plan.Ledger.Volume = "old"
	w.tell(0, func(r *contract.Report) { r.Volume, r.Windows[0].Used = "old", 300 })
	w.tell(time.Hour, func(r *contract.Report) { r.Volume, r.Windows[0].Used = "new", 0 })
	if got := w.current.Summary.Used; got != "minute 300/400" {
		t.Errorf("used is %q, want the old volume's minute 300/400", got)
	}
	w.facts.Compiled.Plan.Ledger.Volume = "new"
	w.tell(time.Second, func(*contract.Report) {})
	if got := w.current.Summary.Used; got != "minute 0/400" {
		t.Errorf("used is %q once the new volume counts, want minute 0/400", got)
	}
}

func TestALateDrainIsPublished(t *testing.T) {
	w := newWatch(t)
	w.tell(0, func(r *contract.Report) {
		r.Backlog.Queued, r.Backlog.DrainSeconds, r.Backlog.DrainP95Seconds = 500, new(int64(3600)), new(int64(7200))
	})
	b := w.current.Backlog
	if !b.DrainETA.Time.Equal(start.Add(time.Hour)) || !b.DrainETALate.Time.Equal(start.Add(2*time.Hour)) {
		t.Errorf("drained at %s, late at %s; want in one and two hours", b.DrainETA, b.DrainETALate)
	}
}

// TestCallsSavedAreRounded to two digits, and left out while there are none.
func TestCallsSavedAreRounded(t *testing.T) {
	saved := func(calls int64) func(*status.IntegrationFacts) {
		return func(f *status.IntegrationFacts) { f.Reported.Latest.Integrations[0].Counters.Saved = calls }
	}
	none := forIntegration(t, integrationFacts(saved(0)), v1alpha1.IntegrationStatus{}, start)
	if none.Status.CallsSaved != nil {
		t.Errorf("%d calls are said to be saved, none was", *none.Status.CallsSaved)
	}
	some := forIntegration(t, integrationFacts(saved(1234)), v1alpha1.IntegrationStatus{}, start)
	if some.Status.CallsSaved == nil || *some.Status.CallsSaved != 1200 {
		t.Errorf("1,234 calls saved are said to be %v", some.Status.CallsSaved)
	}
	if next := forIntegration(t, integrationFacts(saved(1235)), some.Status, start); next.Changed {
		t.Error("one more call is written")
	}
}
