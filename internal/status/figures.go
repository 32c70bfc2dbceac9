// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// pace says whether figures whose change has to wait may be published now, and otherwise when. A write that happens anyway takes them along.
func pace(wait time.Duration, anyway bool, numbersAt, now time.Time) (bool, time.Duration) {
	if wait == 0 {
		return false, 0
	}
	left := wait - now.Sub(numbersAt)
	if anyway || numbersAt.IsZero() || left <= 0 {
		return true, 0
	}
	return false, left
}

// figures are numbers as they would be published now, and how long since the last write of numbers they have to wait; 0 if nothing differs.
type figures[W any] struct {
	windows []W
	backlog v1alpha1.BacklogStatus
	summary v1alpha1.Summary
	// learnt limits, of a CRM.
	learnt []v1alpha1.LearntLimitStatus
	// saved calls, of an Integration.
	saved *int64
	wait  time.Duration
}

// figures rounds the report's numbers. Without a fresh report those published stay, and so they do while the dispatcher has another volume than the plan speaks
// of: what is published of the lost one may be all that is known of it.
func (f *CRMFacts) figures(s *v1alpha1.CRMStatus, h hearing, now time.Time) figures[v1alpha1.WindowStatus] {
	r := f.Reported.Latest
	if f.Compiled.Plan == nil {
		return figures[v1alpha1.WindowStatus]{}
	}
	if h != heard || otherVolume(r, f.Compiled.Plan) {
		return figures[v1alpha1.WindowStatus]{windows: s.Windows, learnt: s.LearntLimits, backlog: s.Backlog, summary: s.Summary}
	}
	out := figures[v1alpha1.WindowStatus]{windows: make([]v1alpha1.WindowStatus, 0, len(r.Windows))}
	uses := make([]use, 0, len(r.Windows))
	for _, w := range r.Windows {
		window, d := crmWindow(s.Windows, w, unitOf(f.Compiled.Plan, r, w.Name), now)
		out.wait = soonest(out.wait, d)
		out.windows = append(out.windows, window)
		uses = append(uses, use{w.Name, deref(window.Used), deref(window.Limit)})
	}
	out.finish(len(s.Windows), s.Backlog, s.Summary, r.Backlog, uses, now)
	learnt, d := learntStatus(s.LearntLimits, r.Learnt)
	out.learnt, out.wait = learnt, soonest(out.wait, d)
	return out
}

// finish adds what is the same for both kinds.
func (o *figures[W]) finish(published int, was v1alpha1.BacklogStatus, summary v1alpha1.Summary, r contract.BacklogReport, uses []use, now time.Time) {
	if len(o.windows) != published {
		o.wait = quickly
	}
	var d time.Duration
	o.backlog, d = backlogOf(was, r, now)
	o.wait = soonest(o.wait, d)
	o.summary = summaryOf(summary, uses, r)
	if o.summary != summary {
		o.wait = soonest(o.wait, slowly)
	}
}

func otherVolume(r *contract.Report, p *contract.Plan) bool {
	return r.Volume != "" && p.Ledger.Volume != "" && r.Volume != p.Ledger.Volume
}

// unitOf is how many of the report's units of a limit are one of the manifest's: execution is declared in seconds and reported in milliseconds.
func unitOf(p *contract.Plan, r *contract.Report, limit string) int64 {
	for _, l := range p.Limits {
		if l.Name == limit && l.ExecutionSeconds > 0 && l.Size() == sizeOf(r, limit) {
			return 1000
		}
	}
	return 1
}

// sizeOf is the licence's limit of that name in a report.
func sizeOf(r *contract.Report, limit string) int64 {
	for _, w := range r.Windows {
		if w.Name == limit {
			return w.Limit
		}
	}
	return 0
}

func crmWindow(published []v1alpha1.WindowStatus, r contract.WindowReport, unit int64, now time.Time) (v1alpha1.WindowStatus, time.Duration) {
	var old v1alpha1.WindowStatus
	if n := slices.IndexFunc(published, func(w v1alpha1.WindowStatus) bool { return string(w.Name) == r.Name }); n >= 0 {
		old = published[n]
	}
	limit := r.Limit / unit
	if old.Limit == nil || *old.Limit != limit {
		old = v1alpha1.WindowStatus{} // another limit: its rounding starts anew
	}
	w := v1alpha1.WindowStatus{Name: v1alpha1.LimitName(r.Name), Limit: new(limit), Assurance: v1alpha1.AssuranceExact}
	var p pending
	w.Used = p.number(twentieths(old.Used, r.Used/unit, limit))
	if r.InDoubt > 0 {
		w.InDoubt = p.number(twentieths(old.InDoubt, r.InDoubt/unit, limit))
	} else if old.InDoubt != nil {
		p.add(quickly)
	}
	w.External = p.number(ifTold(old.External, r.External, limit))
	apps, wait := appsOf(old.Apps, r.Apps, limit)
	w.Apps = apps
	p.add(wait)
	if r.AppsDay != nil {
		w.AppsDate = r.AppsDay.UTC().Format(time.DateOnly)
	}
	if w.AppsDate != old.AppsDate {
		p.add(quickly)
	}
	w.KeptFree = p.number(ifAny(old.KeptFree, r.KeptFree/unit, limit))
	if w.Reported = r.Reported; deref(w.Reported) != deref(old.Reported) {
		p.add(quickly)
	}
	w.Lent = p.number(ifAny(old.Lent, r.Lent/unit, limit))
	w.Borrowed = p.number(ifAny(old.Borrowed, r.Borrowed/unit, limit))
	w.ResetTime = p.time(moment(old.ResetTime, timeOf(r.Reset), now))
	if e := r.Exhaustion; e != nil {
		w.Exhaustion.ExpectedTime = p.time(moment(old.Exhaustion.ExpectedTime, timeOf(e.P50), now))
		w.Exhaustion.EarlyTime = p.time(moment(old.Exhaustion.EarlyTime, timeOf(e.P95), now))
	} else if old.Exhaustion != (v1alpha1.ExhaustionStatus{}) {
		p.add(slowly)
	}
	if r.Estimated {
		w.Assurance = v1alpha1.AssuranceEstimated
	}
	if r.GuardMilliseconds > 0 {
		w.GuardMilliseconds = new(r.GuardMilliseconds)
	}
	if w.Assurance != old.Assurance || deref(w.GuardMilliseconds) != deref(old.GuardMilliseconds) {
		p.add(quickly)
	}
	return w, p.wait
}

// figures as in CRMFacts.
func (f *IntegrationFacts) figures(s *v1alpha1.IntegrationStatus, h hearing, now time.Time) figures[v1alpha1.ShareStatus] {
	r := f.report()
	if f.Plan == nil {
		return figures[v1alpha1.ShareStatus]{}
	}
	if h != heard || r == nil || otherVolume(f.Reported.Latest, f.Plan) {
		return figures[v1alpha1.ShareStatus]{windows: s.Windows, backlog: s.Backlog, summary: s.Summary, saved: s.CallsSaved}
	}
	out := figures[v1alpha1.ShareStatus]{windows: make([]v1alpha1.ShareStatus, 0, len(r.Windows))}
	uses := make([]use, 0, len(r.Windows))
	for _, w := range r.Windows {
		unit := unitOf(f.Plan, f.Reported.Latest, w.Name)
		limit := sizeOf(f.Reported.Latest, w.Name) / unit
		window, d := shareWindow(s.Windows, w, unit, limit)
		out.wait = soonest(out.wait, d)
		out.windows = append(out.windows, window)
		uses = append(uses, use{w.Name, deref(window.Used), limit})
	}
	if out.saved = s.CallsSaved; r.Counters.Saved > 0 {
		saved, wait := twoDigits(s.CallsSaved, r.Counters.Saved)
		out.saved, out.wait = saved, soonest(out.wait, wait)
	}
	out.finish(len(s.Windows), s.Backlog, s.Summary, r.Backlog, uses, now)
	return out
}

func shareWindow(published []v1alpha1.ShareStatus, r contract.ShareReport, unit, limit int64) (v1alpha1.ShareStatus, time.Duration) {
	var old v1alpha1.ShareStatus
	if n := slices.IndexFunc(published, func(w v1alpha1.ShareStatus) bool { return string(w.Name) == r.Name }); n >= 0 {
		old = published[n]
	}
	w := v1alpha1.ShareStatus{Name: v1alpha1.LimitName(r.Name), Guaranteed: new(r.Guaranteed / unit)}
	var p pending
	w.Used = p.number(twentieths(old.Used, r.Used/unit, limit))
	w.Lent = p.number(ifAny(old.Lent, r.Lent/unit, limit))
	w.Borrowed = p.number(ifAny(old.Borrowed, r.Borrowed/unit, limit))
	w.Demand = p.number(ifAny(old.Demand, r.Demand/unit, limit))
	if old.Guaranteed == nil || *old.Guaranteed != *w.Guaranteed {
		p.add(quickly)
	}
	return w, p.wait
}

func backlogOf(published v1alpha1.BacklogStatus, r contract.BacklogReport, now time.Time) (v1alpha1.BacklogStatus, time.Duration) {
	var next v1alpha1.BacklogStatus
	var p pending
	next.Calls = p.number(twoDigits(published.Calls, r.Queued+r.Sent+r.Parked))
	next.QueuedBytes = p.number(twoDigits(published.QueuedBytes, r.QueuedBytes))
	next.Parked = p.number(twoDigits(published.Parked, r.Parked))
	next.Dead = p.number(twoDigits(published.Dead, r.Dead))
	next.OldestQueuedTime = p.time(moment(published.OldestQueuedTime, timeOf(r.OldestQueued), now))
	next.DrainETA = p.time(moment(published.DrainETA, drained(r, r.DrainSeconds, now), now))
	next.DrainETALate = p.time(moment(published.DrainETALate, drained(r, r.DrainP95Seconds, now), now))
	return next, p.wait
}

// drained is when a backlog will be, nil if there is none or that cannot be foreseen.
func drained(r contract.BacklogReport, seconds *int64, now time.Time) *metav1.Time {
	if seconds == nil || r.Queued == 0 {
		return nil
	}
	return new(metav1.NewTime(now.Add(time.Duration(*seconds) * time.Second)))
}

// use of one limit, as published.
type use struct {
	name        string
	used, limit int64
}

// summaryOf writes the printed columns: the two limits with the least room, and how long the backlog takes.
func summaryOf(published v1alpha1.Summary, uses []use, backlog contract.BacklogReport) v1alpha1.Summary {
	slices.SortStableFunc(uses, func(a, b use) int {
		// used/limit without division; limits are at most 10^9.
		x, y := b.used*max(a.limit, 1), a.used*max(b.limit, 1)
		return int(min(max(x-y, -1), 1))
	})
	var s v1alpha1.Summary
	if len(uses) > 0 {
		s.Used = uses[0].String()
	}
	if len(uses) > 1 {
		s.UsedNext = uses[1].String()
	}
	switch {
	case backlog.Queued == 0:
	case backlog.DrainSeconds == nil:
		s.ETA = "unknown"
	default:
		s.ETA = spanNear(published.ETA, time.Duration(*backlog.DrainSeconds)*time.Second)
	}
	return s
}

func (u use) String() string { return fmt.Sprintf("%s %d/%d", u.name, u.used, u.limit) }

func timeOf(t *time.Time) *metav1.Time {
	if t == nil {
		return nil
	}
	return new(metav1.NewTime(*t))
}
