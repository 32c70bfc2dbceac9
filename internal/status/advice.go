// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// advise adds the conditions that never move Ready.
func (f *CRMFacts) advise(c *conditions, w *weighing, numbers *figures[v1alpha1.WindowStatus], h hearing, now time.Time) {
	for _, advice := range []struct {
		condition string
		patience  time.Duration
		observe   func() (verdict, time.Duration)
	}{
		{v1alpha1.ConditionCRMAnswering, Patience, func() (verdict, time.Duration) { return f.answering(w.current, now) }},
		{v1alpha1.ConditionBudgetOnTrack, Patience, func() (verdict, time.Duration) { return f.budget(numbers.windows, w.current), 0 }},
		{v1alpha1.ConditionLicenceAdequate, Patience, func() (verdict, time.Duration) { return f.licence(), 0 }},
		{v1alpha1.ConditionBacklogHealthy, Patience, func() (verdict, time.Duration) { return f.backlogs(now) }},
		{v1alpha1.ConditionLedgerTrusted, 0, func() (verdict, time.Duration) { return f.ledger(w), 0 }},
		{v1alpha1.ConditionLimitsMatch, Patience, func() (verdict, time.Duration) { return f.limitsMatch(), 0 }},
		{v1alpha1.ConditionUsageAccounted, Patience, func() (verdict, time.Duration) { return f.usageAccounted(numbers.windows), 0 }},
	} {
		v, held := f.word(h, advice.condition, w.current, advice.observe)
		c.advise(w.current, advice.condition, w.settle(advice.condition, v, held, advice.patience))
	}
	c.set(v1alpha1.ConditionLicenceValid, f.valid(w)) // no report is needed for it
}

// word is what the dispatcher's report says, or why it says nothing.
func (f *CRMFacts) word(h hearing, condition string, current []metav1.Condition, observe func() (verdict, time.Duration)) (verdict, time.Duration) {
	switch {
	case f.Compiled.Plan == nil:
		return notRunning, 0
	case h != heard:
		return doubt(h, f.Reported.Failure, f.PodReady, current, condition), 0
	default:
		return observe()
	}
}

// longWindow is from where a rolling limit that is used up is worth a word: shorter ones fill up every day.
const longWindow = time.Hour

// budget looks at the limits that are renewed seldom. It reads figures as they are published, which do not swing: a limit is used up when it really is, and
// stays so while it looks so.
func (f *CRMFacts) budget(windows []v1alpha1.WindowStatus, current []metav1.Condition) verdict {
	was := keep(current, v1alpha1.ConditionBudgetOnTrack).reason == v1alpha1.ReasonLimitUsedUp
	var forecast verdict
	for _, w := range windows {
		if !f.renewedSeldom(string(w.Name)) {
			continue
		}
		renewed := "as its window passes"
		if w.ResetTime != nil {
			renewed = "at " + minuteOf(w.ResetTime)
		}
		switch {
		case f.usedUp(string(w.Name)) || was && deref(w.Used) >= deref(w.Limit):
			return no(v1alpha1.ReasonLimitUsedUp, fmt.Sprintf("Limit %s is used up; it is renewed %s.", w.Name, renewed))
		case w.Exhaustion.ExpectedTime != nil && forecast == verdict{}:
			early := ""
			if w.Exhaustion.EarlyTime != nil {
				early = fmt.Sprintf(", in one case of twenty by %s", minuteOf(w.Exhaustion.EarlyTime))
			}
			forecast = no(v1alpha1.ReasonExhaustionForecast, fmt.Sprintf("Limit %s is likely to be used up by %s%s, before it is renewed %s.",
				w.Name, minuteOf(w.Exhaustion.ExpectedTime), early, renewed))
		}
	}
	if forecast != (verdict{}) {
		return forecast
	}
	return yes(v1alpha1.ReasonOnTrack, "No limit of more than an hour is likely to be used up before it is renewed.")
}

func (f *CRMFacts) usedUp(limit string) bool {
	return slices.ContainsFunc(f.Reported.Latest.Windows, func(w contract.WindowReport) bool { return w.Name == limit && w.Used >= w.Limit })
}

func (f *CRMFacts) renewedSeldom(limit string) bool {
	return slices.ContainsFunc(f.Compiled.Plan.Limits, func(l contract.Limit) bool {
		return l.Name == limit && (l.Calendar != nil || time.Duration(l.WindowSeconds)*time.Second > longWindow)
	})
}

func minuteOf(t *metav1.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// licence repeats the dispatcher's advice.
func (f *CRMFacts) licence() verdict {
	a := f.Reported.Latest.Advice
	switch {
	case a == nil:
		return unknown(v1alpha1.ReasonNotKnown, "Too little has been seen yet to judge the licence.")
	case a.Adequate && f.smallerTier(a.Tier):
		return yes(v1alpha1.ReasonAdequate, fmt.Sprintf(
			"The licence is large enough for what is asked of it; the smaller limits of tier %s would do as well.", a.Tier))
	case a.Adequate:
		return yes(v1alpha1.ReasonAdequate, "The licence is large enough for what is asked of it.")
	}
	unit := unitOf(f.Compiled.Plan, f.Reported.Latest, a.Limit)
	message := fmt.Sprintf("Limit %s of %d is too small for what is asked of it: %d would do",
		a.Limit, sizeOf(f.Reported.Latest, a.Limit)/unit, roundedUp(a.NeededP95/unit))
	if a.Tier != "" {
		message += ", which tier " + a.Tier + " has"
	}
	if a.NeededP95 == 0 {
		message = fmt.Sprintf("Limit %s of %d is far too small for what is asked of it: no size up to sixteen times it would do",
			a.Limit, sizeOf(f.Reported.Latest, a.Limit)/unit)
	}
	message += "."
	if a.BatchingSaves >= 10 {
		message += fmt.Sprintf(" What is queued would be about %d calls fewer in bulk calls.", roundedUp(a.BatchingSaves))
	}
	return no(v1alpha1.ReasonDemandExceedsLicence, message)
}

// roundedUp to two digits.
func roundedUp(n int64) int64 {
	step := digitStep(n)
	return (n + step - 1) / step * step
}

// ledger says whether anything had to be assumed, and for how long that matters.
func (f *CRMFacts) ledger(w *weighing) verdict {
	l := f.Reported.Latest.Ledger
	reason, what := v1alpha1.ReasonLedgerLost, "The dispatcher's volume was lost"
	if l.Restored != nil && (l.Assumed == nil || !l.Assumed.Before(*l.Restored)) {
		reason, what = v1alpha1.ReasonVolumeRestored, "The dispatcher's volume was put back to an earlier state, and calls that may have been sent since are parked"
	}
	if l.Waiting {
		return no(reason, what+": calls wait until it is told what had been used.")
	}
	if l.Assumed != nil {
		end := l.Assumed.Add(longest(f.Compiled.Plan.Limits))
		if left := end.Sub(w.now); left > 0 {
			w.wait = soonest(w.wait, left)
			return no(reason, fmt.Sprintf(what+": until %s it goes by what licence.afterLedgerLoss (%s) assumes.",
				minuteOf(new(metav1.NewTime(end))), f.Compiled.Plan.Ledger.AfterLoss))
		}
	}
	return yes(v1alpha1.ReasonTrusted, "The dispatcher knows itself what was sent.")
}

var periods = map[contract.CalendarUnit]limits.Period{
	contract.CalendarHour: limits.Hour, contract.CalendarDay: limits.Day, contract.CalendarMonth: limits.Month,
}

// longest window or period of the limits.
func longest(declared []contract.Limit) time.Duration {
	var most time.Duration
	for _, l := range declared {
		most = max(most, time.Duration(l.WindowSeconds)*time.Second)
		if l.Calendar != nil {
			most = max(most, periods[l.Calendar.Unit].Longest())
		}
	}
	return most
}

// troubles are what a backlog can suffer from, the gravest first.
var troubles = []string{v1alpha1.ReasonOldestTooOld, v1alpha1.ReasonDrainsTooLate, v1alpha1.ReasonCallsParked, v1alpha1.ReasonCallsDead}

// trouble of one integration's backlog: the gravest, and for how long it has been there as far as the report tells. Empty if there is none.
func trouble(r contract.BacklogReport, maxAgeSeconds int64, now time.Time) (reason string, held time.Duration) {
	most := time.Duration(maxAgeSeconds) * time.Second
	if r.OldestQueued != nil {
		if late := now.Sub(*r.OldestQueued) - most/2; late > 0 {
			return v1alpha1.ReasonOldestTooOld, late
		}
	}
	switch {
	case r.Queued > 0 && r.DrainP95Seconds != nil && *r.DrainP95Seconds > maxAgeSeconds:
		return v1alpha1.ReasonDrainsTooLate, 0
	case r.Parked > 0:
		return v1alpha1.ReasonCallsParked, 0
	case r.Dead > 0:
		return v1alpha1.ReasonCallsDead, 0
	default:
		return "", 0
	}
}

var healthy = yes(v1alpha1.ReasonHealthy, "Queued calls are sent in time; none is parked or dead.")

const namedIntegrations = 3

// backlogs sums up the integrations'.
func (f *CRMFacts) backlogs(now time.Time) (verdict, time.Duration) {
	names := make(map[string][]string)
	longest := make(map[string]time.Duration)
	for _, r := range f.Reported.Latest.Integrations {
		n := slices.IndexFunc(f.Compiled.Plan.Integrations, func(e contract.Integration) bool { return e.UID == r.UID })
		if n < 0 {
			continue
		}
		if reason, held := trouble(r.Backlog, f.Compiled.Plan.Integrations[n].Queue.MaxAgeSeconds, now); reason != "" {
			names[reason] = append(names[reason], r.Name)
			longest[reason] = max(longest[reason], held)
		}
	}
	for _, reason := range troubles {
		if found := names[reason]; len(found) > 0 {
			slices.Sort(found)
			more := ""
			if len(found) > namedIntegrations {
				more = fmt.Sprintf(" and %d more", len(found)-namedIntegrations)
			}
			return no(reason, fmt.Sprintf("The backlog of %s%s is in trouble: see the condition of that name there.",
				strings.Join(found[:min(len(found), namedIntegrations)], ", "), more)), longest[reason]
		}
	}
	return healthy, 0
}

// guaranteePatience is shorter than Patience: the report itself says for how long a guarantee has been missed.
const guaranteePatience = time.Minute

// advise adds the conditions that never move Ready.
func (f *IntegrationFacts) advise(c *conditions, w *weighing, numbers *figures[v1alpha1.ShareStatus], h hearing, now time.Time) {
	for _, advice := range []struct {
		condition string
		patience  time.Duration
		observe   func(*contract.IntegrationReport, *contract.Integration) (verdict, time.Duration)
	}{
		{v1alpha1.ConditionGuaranteeMet, guaranteePatience, guarantee},
		{v1alpha1.ConditionBacklogHealthy, Patience, func(r *contract.IntegrationReport, e *contract.Integration) (verdict, time.Duration) {
			return backlog(r, e, numbers.backlog, now)
		}},
		{v1alpha1.ConditionCallbacksDelivered, Patience, func(r *contract.IntegrationReport, _ *contract.Integration) (verdict, time.Duration) {
			return callbacks(r.Callbacks, w, now)
		}},
	} {
		if advice.condition == v1alpha1.ConditionCallbacksDelivered && len(f.Integration.Spec.Callbacks.Endpoints) == 0 {
			continue
		}
		v, held := f.word(h, advice.condition, w.current, advice.observe)
		c.advise(w.current, advice.condition, w.settle(advice.condition, v, held, advice.patience))
	}
}

func (f *IntegrationFacts) word(
	h hearing, condition string, current []metav1.Condition, observe func(*contract.IntegrationReport, *contract.Integration) (verdict, time.Duration),
) (verdict, time.Duration) {
	if f.Plan == nil {
		return notKnown, 0
	}
	if h != heard {
		return doubt(h, f.Reported.Failure, f.PodReady, current, condition), 0
	}
	report, entry := f.report(), f.entry()
	if report == nil || entry == nil {
		return notKnown, 0
	}
	return observe(report, entry)
}

func guarantee(r *contract.IntegrationReport, entry *contract.Integration) (verdict, time.Duration) {
	some := slices.ContainsFunc(r.Windows, func(w contract.ShareReport) bool { return w.Guaranteed > 0 })
	switch {
	case entry.External:
		return yes(v1alpha1.ReasonKeptFree, "The guarantee is kept free for calls that do not go through the dispatcher."), 0
	case r.GuaranteeMissedSeconds > 0:
		message := "A call within the part of the guarantee that is never lent has been waiting for the licence for more than a minute"
		if r.Waiting != nil && r.Waiting.Limit != "" {
			message += ", for limit " + r.Waiting.Limit
		}
		return no(v1alpha1.ReasonGuaranteeMissed, message+"."), time.Duration(r.GuaranteeMissedSeconds) * time.Second
	case !some:
		return yes(v1alpha1.ReasonNoGuarantee, "Nothing is guaranteed."), 0
	default:
		return yes(v1alpha1.ReasonGuaranteeMet, "No call within the guarantee has been waiting for the licence."), 0
	}
}

func backlog(r *contract.IntegrationReport, entry *contract.Integration, figures v1alpha1.BacklogStatus, now time.Time) (verdict, time.Duration) {
	reason, held := trouble(r.Backlog, entry.Queue.MaxAgeSeconds, now)
	switch reason {
	case v1alpha1.ReasonOldestTooOld:
		return no(reason, fmt.Sprintf("The oldest queued call has waited for more than half of overflow.queue.maxAgeSeconds (%d), at which calls end as dead.",
			entry.Queue.MaxAgeSeconds)), held
	case v1alpha1.ReasonDrainsTooLate:
		return no(reason, fmt.Sprintf(
			"In one case of twenty the backlog takes longer than overflow.queue.maxAgeSeconds (%d): send fewer calls, or raise the share or the licence.",
			entry.Queue.MaxAgeSeconds)), held
	case v1alpha1.ReasonCallsParked:
		return no(reason, fmt.Sprintf(
			"The outcome of %d calls is not known, and they cannot be repeated safely: look up what became of them.", deref(figures.Parked))), held
	case v1alpha1.ReasonCallsDead:
		return no(reason, fmt.Sprintf("%d accepted calls ended without an answer from the CRM: see their results.", deref(figures.Dead))), held
	default:
		return healthy, 0
	}
}
