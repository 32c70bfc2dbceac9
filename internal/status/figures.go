// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
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

// figures puts the report's numbers into the status when they may be published, and says when they will be otherwise. Without a fresh report those there stay.
func (f *CRMFacts) figures(s *v1alpha1.CRMStatus, h hearing, anyway bool, now time.Time) time.Duration {
	if f.Compiled.Plan == nil {
		s.Windows, s.Backlog, s.Summary = nil, v1alpha1.BacklogStatus{}, v1alpha1.Summary{}
		return 0
	}
	if h != heard {
		return 0
	}
	r := f.Reported.Latest
	var wait time.Duration
	windows := make([]v1alpha1.WindowStatus, 0, len(r.Windows))
	for _, w := range r.Windows {
		window, d := crmWindow(s.Windows, w, now)
		wait = soonest(wait, d)
		windows = append(windows, window)
	}
	if len(windows) != len(s.Windows) {
		wait = quickly
	}
	backlog, d := backlogOf(s.Backlog, r.Backlog, now)
	wait = soonest(wait, d)
	uses := make([]use, 0, len(windows))
	for _, w := range windows {
		uses = append(uses, use{string(w.Name), deref(w.Used), deref(w.Limit)})
	}
	summary := summaryOf(s.Summary, uses, r.Backlog)
	if summary != s.Summary {
		wait = soonest(wait, slowly)
	}
	publish, due := pace(wait, anyway, f.NumbersAt, now)
	if publish {
		s.Windows, s.Backlog, s.Summary = windows, backlog, summary
	}
	return due
}

func crmWindow(published []v1alpha1.WindowStatus, r contract.WindowReport, now time.Time) (v1alpha1.WindowStatus, time.Duration) {
	var old v1alpha1.WindowStatus
	if n := slices.IndexFunc(published, func(w v1alpha1.WindowStatus) bool { return string(w.Name) == r.Name }); n >= 0 {
		old = published[n]
	}
	if old.Limit == nil || *old.Limit != r.Limit {
		old = v1alpha1.WindowStatus{} // another limit: its rounding starts anew
	}
	w := v1alpha1.WindowStatus{Name: v1alpha1.LimitName(r.Name), Limit: new(r.Limit)}
	var used, doubt, reset time.Duration
	w.Used, used = twentieths(old.Used, r.Used, r.Limit)
	if r.InDoubt > 0 {
		w.InDoubt, doubt = twentieths(old.InDoubt, r.InDoubt, r.Limit)
	} else if old.InDoubt != nil {
		doubt = quickly
	}
	w.ResetTime, reset = moment(old.ResetTime, timeOf(r.Reset), now)
	return w, soonest(used, doubt, reset)
}

// figures as in CRMFacts.
func (f *IntegrationFacts) figures(s *v1alpha1.IntegrationStatus, h hearing, anyway bool, now time.Time) time.Duration {
	if f.Plan == nil {
		s.Windows, s.Backlog, s.Summary = nil, v1alpha1.BacklogStatus{}, v1alpha1.Summary{}
		return 0
	}
	r := f.report()
	if h != heard || r == nil {
		return 0
	}
	var wait time.Duration
	windows := make([]v1alpha1.ShareStatus, 0, len(r.Windows))
	uses := make([]use, 0, len(r.Windows))
	for _, w := range r.Windows {
		limit := f.limit(w.Name)
		window, d := shareWindow(s.Windows, w, limit)
		wait = soonest(wait, d)
		windows = append(windows, window)
		uses = append(uses, use{w.Name, deref(window.Used), limit})
	}
	if len(windows) != len(s.Windows) {
		wait = quickly
	}
	backlog, d := backlogOf(s.Backlog, r.Backlog, now)
	wait = soonest(wait, d)
	summary := summaryOf(s.Summary, uses, r.Backlog)
	if summary != s.Summary {
		wait = soonest(wait, slowly)
	}
	publish, due := pace(wait, anyway, f.NumbersAt, now)
	if publish {
		s.Windows, s.Backlog, s.Summary = windows, backlog, summary
	}
	return due
}

// limit is the licence's limit of that name in the same report.
func (f *IntegrationFacts) limit(name string) int64 {
	for _, w := range f.Reported.Latest.Windows {
		if w.Name == name {
			return w.Limit
		}
	}
	return 0
}

func shareWindow(published []v1alpha1.ShareStatus, r contract.ShareReport, limit int64) (v1alpha1.ShareStatus, time.Duration) {
	var old v1alpha1.ShareStatus
	if n := slices.IndexFunc(published, func(w v1alpha1.ShareStatus) bool { return string(w.Name) == r.Name }); n >= 0 {
		old = published[n]
	}
	w := v1alpha1.ShareStatus{Name: v1alpha1.LimitName(r.Name), Guaranteed: new(r.Guaranteed)}
	var d time.Duration
	w.Used, d = twentieths(old.Used, r.Used, limit)
	if old.Guaranteed == nil || *old.Guaranteed != r.Guaranteed {
		d = quickly
	}
	return w, d
}

func backlogOf(published v1alpha1.BacklogStatus, r contract.BacklogReport, now time.Time) (v1alpha1.BacklogStatus, time.Duration) {
	var next v1alpha1.BacklogStatus
	var calls, parked, dead, oldest, eta time.Duration
	next.Calls, calls = twoDigits(published.Calls, r.Queued+r.Sent+r.Parked)
	next.Parked, parked = twoDigits(published.Parked, r.Parked)
	next.Dead, dead = twoDigits(published.Dead, r.Dead)
	next.OldestQueuedTime, oldest = moment(published.OldestQueuedTime, timeOf(r.OldestQueued), now)
	var drained *metav1.Time
	if r.DrainSeconds != nil && r.Queued > 0 {
		drained = new(metav1.NewTime(now.Add(time.Duration(*r.DrainSeconds) * time.Second)))
	}
	next.DrainETA, eta = moment(published.DrainETA, drained, now)
	return next, soonest(calls, parked, dead, oldest, eta)
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

func sameCRMNumbers(a, b *v1alpha1.CRMStatus) bool {
	return equality.Semantic.DeepEqual(a.Windows, b.Windows) && equality.Semantic.DeepEqual(a.Backlog, b.Backlog) && a.Summary == b.Summary
}

func sameIntegrationNumbers(a, b *v1alpha1.IntegrationStatus) bool {
	return equality.Semantic.DeepEqual(a.Windows, b.Windows) && equality.Semantic.DeepEqual(a.Backlog, b.Backlog) && a.Summary == b.Summary
}
