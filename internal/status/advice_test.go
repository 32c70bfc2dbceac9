// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/status"
)

// step is a report that comes after some time, and the condition then.
type step struct {
	after time.Duration
	tell  func(*contract.Report)
	want  string
}

// follow tells a CRM's reports and checks a condition after each.
func follow(t *testing.T, condition string, facts func(*status.CRMFacts), steps []step) *watch {
	t.Helper()
	w := newWatch(t)
	if facts != nil {
		facts(&w.facts)
	}
	for n, s := range steps {
		w.tell(s.after, s.tell)
		if got := say(w.current.Conditions, condition); got != s.want {
			t.Fatalf("step %d: %s is %s, want %s", n, condition, got, s.want)
		}
	}
	return w
}

func same(*contract.Report) {}

func message(w *watch, condition string) string {
	return meta.FindStatusCondition(w.current.Conditions, condition).Message
}

func exhaustion(window int, p50, p95 *time.Time) func(*contract.Report) {
	return func(r *contract.Report) {
		r.Windows[window].Exhaustion = &contract.ExhaustionForecast{P50: p50, P95: p95}
	}
}

func TestBudgetOnTrack(t *testing.T) {
	const well, forecast, usedUp = "True/OnTrack", "False/ExhaustionForecast", "False/LimitUsedUp"
	soon, early := start.Add(6*time.Hour), start.Add(4*time.Hour)
	none := func(r *contract.Report) { r.Windows[1].Exhaustion = nil }
	used := func(n int64) func(*contract.Report) {
		return func(r *contract.Report) { r.Windows[1].Used, r.Windows[1].Exhaustion = n, nil }
	}
	for name, row := range map[string]struct {
		facts func(*status.CRMFacts)
		steps []step
	}{
		"a forecast counts after two minutes": {nil, []step{
			{0, same, well}, {15 * time.Second, exhaustion(1, &soon, &early), well}, {119 * time.Second, same, well}, {time.Second, same, forecast},
		}},
		"one that goes meanwhile does not": {nil, []step{
			{0, same, well}, {time.Second, exhaustion(1, &soon, &early), well}, {time.Minute, none, well}, {time.Second, exhaustion(1, &soon, &early), well},
			{100 * time.Second, same, well}, {20 * time.Second, same, forecast},
		}},
		"it turns back after two minutes too": {nil, []step{
			{0, same, well}, {time.Second, exhaustion(1, &soon, nil), well}, {2 * time.Minute, same, forecast}, {time.Second, none, forecast},
			{119 * time.Second, same, forecast}, {time.Second, same, well},
		}},
		"one case of twenty is no news": {nil, []step{{0, exhaustion(1, nil, &early), well}, {time.Hour, same, well}}},
		"a new CRM is not known until there is evidence": {nil, []step{
			{0, exhaustion(1, &soon, &early), "Unknown/NotKnown"}, {2 * time.Minute, same, forecast},
		}},
		"a minute that fills up is no news": {nil, []step{{0, exhaustion(0, &soon, &soon), well}, {time.Hour, same, well}, {time.Hour, minute(400), well}}},
		"nor is an hour": {func(f *status.CRMFacts) { f.Compiled.Plan.Limits[0].WindowSeconds = 3600 }, []step{
			{0, exhaustion(0, &soon, &soon), well}, {time.Hour, same, well},
		}},
		"a longer window is": {func(f *status.CRMFacts) { f.Compiled.Plan.Limits[0].WindowSeconds = 3601 }, []step{
			{0, same, well}, {0, exhaustion(0, &soon, &soon), well}, {time.Hour, same, forecast},
		}},
		"a limit that is used up, until it looks so no more": {nil, []step{
			{0, used(2499), well}, {time.Hour, same, well}, {time.Second, used(2500), well}, {2 * time.Minute, same, usedUp}, {time.Minute, used(2499), usedUp},
			{time.Hour, used(2400), usedUp}, {time.Second, used(2300), usedUp}, {2 * time.Minute, same, well},
		}},
		"from used up to a forecast it changes at once": {nil, []step{
			{0, same, well}, {0, used(2500), well}, {2 * time.Minute, same, usedUp}, {time.Hour, func(r *contract.Report) {
				used(1000)(r)
				exhaustion(1, &soon, nil)(r)
			}, forecast},
		}},
	} {
		t.Run(name, func(t *testing.T) { follow(t, v1alpha1.ConditionBudgetOnTrack, row.facts, row.steps) })
	}
}

func TestTheBudgetsWordsFollowTheFigures(t *testing.T) {
	soon, early := start.Add(6*time.Hour), start.Add(4*time.Hour)
	w := follow(t, v1alpha1.ConditionBudgetOnTrack, nil, []step{
		{0, same, "True/OnTrack"}, {0, exhaustion(1, &soon, &early), "True/OnTrack"}, {2 * time.Minute, same, "False/ExhaustionForecast"},
	})
	const want = "Limit day is likely to be used up by 2026-11-23 15:00 UTC, in one case of twenty by 2026-11-23 13:00 UTC, before it is renewed at 2026-11-24 00:00 UTC."
	if got := message(w, v1alpha1.ConditionBudgetOnTrack); got != want {
		t.Errorf("message %q, want %q", got, want)
	}
	writes := w.writes
	w.tell(15*time.Second, exhaustion(1, new(soon.Add(10*time.Minute)), &early))
	if w.writes != writes {
		t.Errorf("a forecast that moves by less than 5 %% is written: %q", message(w, v1alpha1.ConditionBudgetOnTrack))
	}
	w.tell(time.Minute, exhaustion(1, new(soon.Add(2*time.Hour)), nil))
	const later = "Limit day is likely to be used up by 2026-11-23 17:00 UTC, before it is renewed at 2026-11-24 00:00 UTC."
	if got := message(w, v1alpha1.ConditionBudgetOnTrack); got != later || w.writes != writes+1 {
		t.Errorf("message %q after %d writes, want %q after one", got, w.writes-writes, later)
	}
}

func TestLicenceAdequate(t *testing.T) {
	advice := func(a contract.LicenceAdvice) func(*contract.Report) {
		return func(r *contract.Report) { r.Advice = &a }
	}
	short := contract.LicenceAdvice{Limit: "minute", NeededP95: 611, Tier: "SuiteEnterprise"}
	w := follow(t, v1alpha1.ConditionLicenceAdequate, nil, []step{
		{0, same, "Unknown/NotKnown"}, {0, advice(contract.LicenceAdvice{Adequate: true}), "True/Adequate"},
		{time.Hour, advice(short), "True/Adequate"}, {2 * time.Minute, same, "False/DemandExceedsLicence"},
	})
	if got, want := message(w, v1alpha1.ConditionLicenceAdequate), "Limit minute of 400 is too small for what is asked of it: 620 would do, which tier SuiteEnterprise has."; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
	w.tell(15*time.Second, advice(contract.LicenceAdvice{Limit: "minute", NeededP95: 705}))
	writes := w.writes
	w.tell(59*time.Second, advice(contract.LicenceAdvice{Limit: "minute", NeededP95: 805}))
	if w.writes != writes {
		t.Error("other words are written within a minute")
	}
	w.tell(time.Second, same)
	if got, want := message(w, v1alpha1.ConditionLicenceAdequate), "Limit minute of 400 is too small for what is asked of it: 810 would do."; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
	w.tell(time.Minute, advice(contract.LicenceAdvice{Limit: "minute", BatchingSaves: 812}))
	if got, want := message(w, v1alpha1.ConditionLicenceAdequate), "Limit minute of 400 is far too small for what is asked of it: no size up to sixteen times it would do. "+
		"What is queued would be about 820 calls fewer in bulk calls."; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

func TestLedgerTrusted(t *testing.T) {
	const trusted, lost = "True/Trusted", "False/LedgerLost"
	assumed := start.Add(time.Minute)
	w := follow(t, v1alpha1.ConditionLedgerTrusted, func(f *status.CRMFacts) { f.Compiled.Plan.Ledger.AfterLoss = contract.LedgerBounded }, []step{
		{0, same, trusted},
		{30 * time.Second, func(r *contract.Report) { r.Ledger.Waiting = true }, lost},
		{30 * time.Second, func(r *contract.Report) { r.Ledger = contract.LedgerReport{Assumed: &assumed} }, lost},
		{25*time.Hour - time.Second, same, lost},
	})
	const want = "The dispatcher's volume was lost: until 2026-11-24 10:01 UTC it goes by what licence.afterLedgerLoss (Bounded) assumes."
	if got := message(w, v1alpha1.ConditionLedgerTrusted); got != want {
		t.Errorf("message %q, want %q", got, want)
	}
	if w.recheck != time.Second {
		t.Errorf("recheck after %s, want 1s: when the longest day is over", w.recheck)
	}
	w.tell(time.Second, same)
	if got := say(w.current.Conditions, v1alpha1.ConditionLedgerTrusted); got != trusted {
		t.Errorf("LedgerTrusted is %s one longest window later, want %s", got, trusted)
	}
}

func TestAVolumeThatWasPutBackIsNotTrusted(t *testing.T) {
	const trusted, lost, restored = "True/Trusted", "False/LedgerLost", "False/VolumeRestored"
	found := start.Add(time.Minute)
	w := follow(t, v1alpha1.ConditionLedgerTrusted, func(f *status.CRMFacts) { f.Compiled.Plan.Ledger.AfterLoss = contract.LedgerBounded }, []step{
		{0, same, trusted},
		{time.Minute, func(r *contract.Report) { r.Ledger = contract.LedgerReport{Waiting: true, Restored: &found} }, restored},
		{time.Minute, func(r *contract.Report) { r.Ledger = contract.LedgerReport{Assumed: &found, Restored: &found} }, restored},
		{25*time.Hour - time.Minute, same, trusted},
		{time.Minute, func(r *contract.Report) { r.Ledger.Assumed = new(start.Add(26 * time.Hour)) }, restored},
	})
	const want = "The dispatcher's volume was put back to an earlier state, and calls that may have been sent since are parked: " +
		"until 2026-11-25 12:00 UTC it goes by what licence.afterLedgerLoss (Bounded) assumes."
	if got := message(w, v1alpha1.ConditionLedgerTrusted); got != want {
		t.Errorf("message %q, want %q", got, want)
	}
	w.tell(time.Second, func(r *contract.Report) {
		r.Ledger = contract.LedgerReport{Assumed: new(start.Add(26 * time.Hour)), Restored: new(start.Add(27 * time.Hour))}
	})
	if got := say(w.current.Conditions, v1alpha1.ConditionLedgerTrusted); got != lost {
		t.Errorf("LedgerTrusted is %s, want %s", got, lost)
	}
}

func TestEvidenceIsLookedAtByTime(t *testing.T) {
	w := follow(t, v1alpha1.ConditionBudgetOnTrack, nil, []step{{0, same, "True/OnTrack"}, {15 * time.Second, exhaustion(1, new(start.Add(time.Hour)), nil), "True/OnTrack"}})
	if w.recheck != status.StaleAfter {
		t.Errorf("recheck after %s, want %s", w.recheck, status.StaleAfter)
	}
	w.tell(100*time.Second, same)
	if w.recheck != 20*time.Second {
		t.Errorf("recheck after %s, want 20s", w.recheck)
	}
	w.now = w.now.Add(w.recheck)
	w.look()
	if got := say(w.current.Conditions, v1alpha1.ConditionBudgetOnTrack); got != "False/ExhaustionForecast" {
		t.Errorf("BudgetOnTrack is %s then, want False/ExhaustionForecast", got)
	}
}

func TestAdviceOfASilentDispatcherIsNotKnown(t *testing.T) {
	f := crmFacts(func(f *status.CRMFacts) { f.Reported.At = start.Add(-status.StaleAfter) })
	got := sayAll(forCRM(t, f, v1alpha1.CRMStatus{}, start).Status.Conditions, "BudgetOnTrack", "LicenceAdequate", "BacklogHealthy", "LedgerTrusted")
	for _, condition := range got {
		if condition != "Unknown/NotReporting" {
			t.Errorf("advice %v, want Unknown/NotReporting of all", got)
		}
	}
}

func TestBacklogHealthyOfACRM(t *testing.T) {
	const maxAge = 3600
	integrations := func(backlogs ...contract.BacklogReport) (func(*status.CRMFacts), func(*contract.Report)) {
		return func(f *status.CRMFacts) {
				f.Compiled.Plan.Integrations = nil
				for n := range backlogs {
					f.Compiled.Plan.Integrations = append(f.Compiled.Plan.Integrations, contract.Integration{UID: fmt.Sprint(n), Queue: contract.Queue{MaxAgeSeconds: maxAge}})
				}
			}, func(r *contract.Report) {
				r.Integrations = nil
				for n, b := range backlogs {
					r.Integrations = append(r.Integrations, contract.IntegrationReport{Name: string(rune('e' - n)), UID: fmt.Sprint(n), Backlog: b})
				}
			}
	}
	parked, dead, late := contract.BacklogReport{Parked: 1}, contract.BacklogReport{Dead: 1}, contract.BacklogReport{Queued: 1, DrainP95Seconds: new(int64(maxAge + 1))}
	for name, row := range map[string]struct {
		backlogs []contract.BacklogReport
		want     string
		message  string
	}{
		"nothing waits":           {[]contract.BacklogReport{{}, {}}, "True/Healthy", "Queued calls are sent in time"},
		"the gravest is named":    {[]contract.BacklogReport{dead, parked, late, parked}, "False/DrainsTooLate", "The backlog of c is in trouble"},
		"all who have it are":     {[]contract.BacklogReport{parked, dead, parked}, "False/CallsParked", "The backlog of c, e is in trouble"},
		"but not more than three": {[]contract.BacklogReport{dead, dead, dead, dead, dead}, "False/CallsDead", "The backlog of a, b, c and 2 more is in trouble"},
	} {
		t.Run(name, func(t *testing.T) {
			facts, tell := integrations(row.backlogs...)
			w := follow(t, v1alpha1.ConditionBacklogHealthy, facts, []step{{0, func(r *contract.Report) { r.Integrations = nil }, "True/Healthy"}, {0, tell, "True/Healthy"}, {2 * time.Minute, same, row.want}})
			if got := message(w, v1alpha1.ConditionBacklogHealthy); !strings.HasPrefix(got, row.message) {
				t.Errorf("message %q, want %q", got, row.message)
			}
		})
	}
}

// shares follows an Integration as watch does a CRM.
type shares struct {
	facts   status.IntegrationFacts
	current v1alpha1.IntegrationStatus
	now     time.Time
}

func (s *shares) tell(t *testing.T, after time.Duration, edit func(*contract.IntegrationReport)) {
	t.Helper()
	s.now = s.now.Add(after)
	edit(&s.facts.Reported.Latest.Integrations[0])
	s.facts.Reported.At = s.now
	result := forIntegration(t, s.facts, s.current, s.now)
	s.current, s.facts.Evidence = result.Status, result.Evidence
}

func TestIntegrationAdvice(t *testing.T) {
	const met, missed, well = "True/GuaranteeMet", "False/GuaranteeMissed", "True/Healthy"
	type told struct {
		after time.Duration
		tell  func(*contract.IntegrationReport)
		want  string
	}
	nothing := func(*contract.IntegrationReport) {}
	misses := func(seconds int64) func(*contract.IntegrationReport) {
		return func(r *contract.IntegrationReport) { r.GuaranteeMissedSeconds = seconds }
	}
	backlog := func(b contract.BacklogReport) func(*contract.IntegrationReport) {
		return func(r *contract.IntegrationReport) { r.Backlog = b }
	}
	oldest := func(at time.Time) contract.BacklogReport { return contract.BacklogReport{Queued: 5, OldestQueued: &at} }
	late := contract.BacklogReport{Queued: 5, DrainP95Seconds: new(int64(3601))}
	const delivered = "True/Delivered"
	withCallbacks := func(f *status.IntegrationFacts) {
		f.Integration.Spec.Callbacks = v1alpha1.Callbacks{Endpoints: []v1alpha1.CallbackEndpoint{{Name: "app", URL: "https://app.example.com"}}}
	}
	tells := func(c contract.CallbacksReport) func(*contract.IntegrationReport) {
		return func(r *contract.IntegrationReport) { r.Callbacks = &c }
	}
	failing := contract.CallbacksReport{Failing: []contract.CallbackFailure{{Endpoint: "app", Since: start, Detail: "the answer was 502 Bad Gateway"}}}
	for name, row := range map[string]struct {
		condition string
		facts     func(*status.IntegrationFacts)
		steps     []told
		message   string
	}{
		"a guarantee that is missed for a minute": {v1alpha1.ConditionGuaranteeMet, nil, []told{
			{0, nothing, met}, {15 * time.Second, misses(45), met}, {14 * time.Second, misses(59), met}, {time.Second, misses(60), missed},
			{time.Second, misses(0), missed}, {59 * time.Second, nothing, missed}, {time.Second, nothing, met},
		}, "No call within the guarantee"},
		"the limit is named": {v1alpha1.ConditionGuaranteeMet, nil, []told{
			{0, nothing, met}, {time.Minute, func(r *contract.IntegrationReport) {
				r.GuaranteeMissedSeconds, r.Waiting = 75, &contract.WaitingReport{Limit: "day"}
			}, missed},
		}, "has been waiting for the licence for more than a minute, for limit day."},
		"without a guarantee": {v1alpha1.ConditionGuaranteeMet, nil, []told{{0, func(r *contract.IntegrationReport) {
			for n := range r.Windows {
				r.Windows[n].Guaranteed = 0
			}
		}, "True/NoGuarantee"}}, "Nothing is guaranteed."},
		"an external one": {v1alpha1.ConditionGuaranteeMet, func(f *status.IntegrationFacts) { f.Plan.Integrations[0].External = true }, []told{
			{0, nothing, "True/KeptFree"},
		}, "kept free"},
		"one that is not in force": {v1alpha1.ConditionGuaranteeMet, func(f *status.IntegrationFacts) { f.Plan.Integrations = nil }, []told{
			{0, nothing, "Unknown/NotKnown"},
		}, "Nothing has been observed yet."},
		"the oldest call is too old": {v1alpha1.ConditionBacklogHealthy, nil, []told{
			{0, backlog(oldest(start.Add(-1800 * time.Second))), well}, {119 * time.Second, nothing, well}, {time.Second, nothing, "False/OldestTooOld"},
		}, "has waited for more than half of overflow.queue.maxAgeSeconds (3600)"},
		"what the report itself has seen for minutes counts at once": {v1alpha1.ConditionBacklogHealthy, nil, []told{
			{0, nothing, well}, {time.Second, backlog(oldest(start.Add(-2000 * time.Second))), "False/OldestTooOld"},
		}, "has waited"},
		"the backlog drains too late": {v1alpha1.ConditionBacklogHealthy, nil, []told{
			{0, nothing, well}, {time.Second, backlog(late), well}, {2 * time.Minute, nothing, "False/DrainsTooLate"},
		}, "takes longer than overflow.queue.maxAgeSeconds (3600)"},
		"in time is in time": {v1alpha1.ConditionBacklogHealthy, nil, []told{
			{0, backlog(contract.BacklogReport{Queued: 5, DrainP95Seconds: new(int64(3600)), OldestQueued: new(start.Add(time.Hour))}), well}, {time.Hour, nothing, well},
		}, "Queued calls are sent in time"},
		"calls are parked": {v1alpha1.ConditionBacklogHealthy, nil, []told{
			{0, nothing, well}, {time.Second, backlog(contract.BacklogReport{Parked: 123, Dead: 7}), well}, {2 * time.Minute, nothing, "False/CallsParked"},
		}, "The outcome of 120 calls is not known"},
		"callbacks cannot be signed": {v1alpha1.ConditionCallbacksDelivered, withCallbacks, []told{
			{0, tells(contract.CallbacksReport{}), delivered}, {time.Second, tells(contract.CallbacksReport{KeyTrouble: "Secret keys is missing"}), delivered},
			{2 * time.Minute, nothing, "False/SigningKeyMissing"}, {time.Second, tells(contract.CallbacksReport{}), "False/SigningKeyMissing"}, {2 * time.Minute, nothing, delivered},
		}, "Receivers take their callbacks."},
		"a receiver takes none": {v1alpha1.ConditionCallbacksDelivered, withCallbacks, []told{
			{0, tells(contract.CallbacksReport{}), delivered}, {time.Second, tells(failing), delivered}, {118 * time.Second, nothing, delivered},
			{time.Second, nothing, "False/ReceiverFailing"},
		}, "Endpoint app has taken no callback since 2026-11-23 09:00 UTC: the answer was 502 Bad Gateway. Each is tried for a day."},
		"callbacks were given up": {v1alpha1.ConditionCallbacksDelivered, withCallbacks, []told{
			{0, tells(contract.CallbacksReport{}), delivered}, {time.Second, tells(contract.CallbacksReport{GivenUpAt: new(start)}), delivered},
			{2 * time.Minute, nothing, "False/CallbacksGivenUp"}, {24*time.Hour - 2*time.Minute, nothing, "False/CallbacksGivenUp"}, {2 * time.Minute, nothing, delivered},
		}, "Receivers take their callbacks."},
		"callbacks that are not in force yet": {v1alpha1.ConditionCallbacksDelivered, withCallbacks, []told{{0, nothing, "Unknown/NotKnown"}}, "Nothing has been observed yet."},
		"calls are dead": {v1alpha1.ConditionBacklogHealthy, nil, []told{
			{0, nothing, well}, {time.Second, backlog(contract.BacklogReport{Dead: 7}), well}, {2 * time.Minute, nothing, "False/CallsDead"},
		}, "7 accepted calls ended without an answer"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shares{facts: integrationFacts(), now: start}
			s.facts.Plan.Integrations[0].Queue.MaxAgeSeconds = 3600
			if row.facts != nil {
				row.facts(&s.facts)
			}
			for n, step := range row.steps {
				s.tell(t, step.after, step.tell)
				if got := say(s.current.Conditions, row.condition); got != step.want {
					t.Fatalf("step %d: %s, want %s", n, got, step.want)
				}
			}
			if got := meta.FindStatusCondition(s.current.Conditions, row.condition).Message; !strings.Contains(got, row.message) {
				t.Errorf("message %q, want %q in it", got, row.message)
			}
		})
	}
}
