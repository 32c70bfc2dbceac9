// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// Snapshot is the scheduler at one moment, in the words of the report.
type Snapshot struct {
	// Plan in force; nil before the first.
	Plan *contract.Plan
	// Enforcing is false under Observe, Shadow and bypass.
	Enforcing    bool
	Windows      []contract.WindowReport
	Backlog      contract.BacklogReport
	Integrations []contract.IntegrationReport
	// Volume is the identity of the store, Ledger what the ledger started from.
	Volume string
	// Position counts what was made durable on it.
	Position int64
	Ledger   contract.LedgerReport
	// Advice on the licence; nil while too little was seen.
	Advice *contract.LicenceAdvice
	// RefusedUntil is set while the CRM's refusal holds calls back.
	RefusedUntil *time.Time
	// CredentialsRefused: the CRM has not taken the credentials of the last calls.
	CredentialsRefused bool
	// Answering says whether the CRM takes calls, Usage how it answered when it was asked what has been used; nil if it never was.
	Answering contract.AnsweringReport
	Usage     *contract.UsageReport
	// UsageCalls asked that, since the volume was made.
	UsageCalls int64
	// Refusals by the CRM since the process started, by their verdict.
	Refusals map[contract.Verdict]int64
	// Learnt are limits that are not declared and were learnt from refusals.
	Learnt []contract.LearntLimit
	// Waiting calls have a client that waits and were not sent; InFlight requests have no end yet.
	Waiting, InFlight int
}

// Snapshot returns the state between two turns. Its error is that of ctx, or that the scheduler has stopped.
func (s *Scheduler) Snapshot(ctx context.Context) (Snapshot, error) {
	return onLoop(ctx, s, s.snapshot)
}

func (s *Scheduler) snapshot() Snapshot {
	now := s.options.Now()
	s.ledger.Advance(now)
	snap := Snapshot{Plan: s.plan, InFlight: len(s.flights), Volume: s.origin.volume, Position: s.position, Ledger: s.originReport()}
	snap.Answering, snap.Usage = s.answering.report(), s.usage.last
	tallies := s.tallies()
	snap.UsageCalls = tallies[ownUse].Dispatched
	for _, key := range slices.Sorted(maps.Keys(tallies)) {
		addBacklog(&snap.Backlog, backlogOf(tallies[key]))
	}
	if s.plan == nil {
		return snap
	}
	snap.CredentialsRefused = s.licensed().refused()
	snap.Enforcing = s.plan.Enforce && !s.bypassed(now)
	if s.refusals.shut && now.Before(s.refusals.until) {
		snap.RefusedUntil = new(s.refusals.until.UTC())
	}
	s.narrow(now)
	snap.Refusals, snap.Learnt = maps.Clone(s.word.refusals), s.learntReport(now)
	s.foresee(now)
	for k := range s.ledger.Limits() {
		if s.tariff.IsLicence(k) {
			snap.Windows = append(snap.Windows, s.windowReport(now, k))
		}
	}
	snap.Advice = s.advice(now)
	for _, l := range s.order {
		snap.Waiting += len(l.waiting)
		if l.spec == nil {
			continue
		}
		r := s.integrationReport(now, l, tallies[l.key])
		snap.Integrations = append(snap.Integrations, r)
		snap.Backlog.OldestQueued = earliest(snap.Backlog.OldestQueued, r.Backlog.OldestQueued)
	}
	snap.Backlog.DrainSeconds = longest(snap.Integrations, func(b contract.BacklogReport) *int64 { return b.DrainSeconds })
	snap.Backlog.DrainP95Seconds = longest(snap.Integrations, func(b contract.BacklogReport) *int64 { return b.DrainP95Seconds })
	return snap
}

// tallies are the store's with what it has not been told yet.
func (s *Scheduler) tallies() map[string]backlog.Tally {
	s.writing.wait()
	all := s.options.Store.Tallies()
	for key, t := range s.batch.Tallies {
		sum := all[key]
		sum.Add(t)
		all[key] = sum
	}
	return all
}

func (s *Scheduler) windowReport(now time.Time, k int) contract.WindowReport {
	limit := s.ledger.Limit(k)
	w := contract.WindowReport{
		Name: limit.Name, Limit: limit.Max, Used: s.ledger.Used(k), InDoubt: s.ledger.InDoubt(k),
		KeptFree: s.external(k), Lent: s.sharing.Lent(k), Borrowed: s.sharing.Borrowed(k),
		Estimated:         limit.Unit == limits.Milliseconds || limit.AlertOnly,
		GuardMilliseconds: s.ledger.Guard(k).Milliseconds(),
	}
	s.reportWord(now, k, &w)
	if limit.Meter.PerRecord { // the record that has used most
		w.Used = limit.Max - s.ledger.RecordFree(k, ledger.NoRecord)
		return w
	}
	renewal := limit.Window
	if _, end, ok := s.ledger.Period(k); ok {
		w.Reset = new(end.UTC())
		renewal = max(0, end.Sub(now))
	}
	if limit.Kind == limits.Concurrent {
		return w
	}
	even, late := s.ahead[k].At(limit.Length())
	w.DemandP50, w.DemandP95 = int64(even), int64(late)
	w.Exhaustion = s.exhaustion(now, k, renewal)
	return w
}

// external is what limit k keeps free for callers outside the dispatcher.
func (s *Scheduler) external(k int) (sum int64) {
	for o := range s.ledger.Owners() {
		l := s.byOwner[ledger.Owner(o)]
		if l != nil && l.spec != nil && l.spec.External || s.ledger.Name(ledger.Owner(o)) == undeclared {
			sum += s.sharing.Guaranteed(k, ledger.Owner(o))
		}
	}
	return sum
}

// releaseSteps is how finely what a limit will release is told to the forecast.
const releaseSteps = 16

func (s *Scheduler) exhaustion(now time.Time, k int, renewal time.Duration) *contract.ExhaustionForecast {
	waiting := 0.0
	for _, l := range s.order {
		if l.spec != nil && s.countsLane(k, l) {
			waiting += float64(int64(len(l.waiting))+s.options.Store.Tally(l.key).Queued) * l.demand.perCall(k)
		}
	}
	e := forecast.Exhaustion{
		Free: s.ledger.Free(k) - s.external(k), Waiting: int64(waiting), Renewal: renewal, Ahead: &s.ahead[k],
	}
	for _, r := range s.ledger.Releases(k, releaseSteps) {
		e.Releases = append(e.Releases, forecast.Release{After: max(0, r.By.Sub(now)), Units: r.Units})
	}
	if _, _, calendar := s.ledger.Period(k); calendar {
		e.Releases = nil
	}
	s.surveyed(now, k, &e)
	even, early := forecast.Exhaust(now, e)
	if even.IsZero() && early.IsZero() {
		return nil
	}
	f := &contract.ExhaustionForecast{}
	if !even.IsZero() {
		f.P50 = new(even.UTC())
	}
	if !early.IsZero() {
		f.P95 = new(early.UTC())
	}
	return f
}

func (s *Scheduler) integrationReport(now time.Time, l *lane, t backlog.Tally) contract.IntegrationReport {
	r := contract.IntegrationReport{
		Namespace: l.spec.Namespace, Name: l.spec.Name, UID: l.spec.UID, Generation: l.spec.Generation,
		Enforcing: !s.shadowed(l, now),
		Backlog:   backlogOf(t),
		Counters: contract.IntegrationCounters{
			Accepted: t.Accepted, Dispatched: t.Dispatched, Drained: t.Drained, Refused: t.Refused, Forwarded: t.Forwarded, Overheld: t.Overheld,
			Saved: t.Saved,
		},
	}
	if l.spec.Callbacks != nil || t.CallbacksWaiting > 0 {
		r.Callbacks = &contract.CallbacksReport{Waiting: t.CallbacksWaiting, Delivered: t.CallbacksDelivered, GivenUp: t.CallbacksGivenUp}
	}
	if l.spec.Credentials != nil {
		r.Credentials = &contract.CredentialsReport{Refused: l.access.refused()}
	}
	for k := range s.ledger.Limits() {
		if !s.countsLane(k, l) {
			continue
		}
		w := contract.ShareReport{
			Name: s.ledger.Limit(k).Name, Guaranteed: s.sharing.Guaranteed(k, l.owner), Used: s.ledger.UsedBy(k, l.owner),
			Lent: s.sharing.LentBy(k, l.owner), Borrowed: s.sharing.BorrowedBy(k, l.owner), Demand: l.demand.likely[k],
		}
		same := slices.IndexFunc(r.Windows, func(before contract.ShareReport) bool { return before.Name == w.Name })
		switch { // of clients who are different users of the CRM, the one who has used most is shown
		case same < 0:
			r.Windows = append(r.Windows, w)
		case r.Windows[same].Used < w.Used:
			r.Windows[same] = w
		}
	}
	if t.Queued > 0 && len(l.queue.heads) > 0 {
		r.Backlog.OldestQueued = new(l.queue.heads[0].AcceptedAt.UTC())
	}
	if even, late, ok := s.drainTime(now, l, t.Queued); ok {
		r.Backlog.DrainSeconds, r.Backlog.DrainP95Seconds = new(int64(even/time.Second)), new(int64(late/time.Second))
	}
	r.Waiting, r.GuaranteeMissedSeconds = s.waitingReport(now, l)
	return r
}

// waitingReport says what holds back the oldest call of a lane, and for how long a call within what is never lent of the guarantee has been waiting.
func (s *Scheduler) waitingReport(now time.Time, l *lane) (*contract.WaitingReport, int64) {
	var oldest time.Time
	var of price
	var about subject
	in := fairshare.Waiting
	if len(l.waiting) > 0 {
		oldest, of, about = l.waiting[0].since, l.waiting[0].price, subjectOf(l.waiting[0].call)
	}
	if len(l.queue.heads) > 0 {
		if h := l.queue.heads[0]; oldest.IsZero() || h.AcceptedAt.Before(oldest) {
			oldest, of, about, in = h.AcceptedAt, s.priceOf(l, &l.queue.heads[0]), subject{h.Operation, h.Method, h.Target}, fairshare.Backlog
		}
	}
	if oldest.IsZero() {
		return nil, l.missed(now, false)
	}
	y := s.whyWaiting(now, l, of, about, in, oldest)
	r := &contract.WaitingReport{Since: oldest.UTC(), Limit: y.limit, Cause: y.cause, ReservedFor: y.reservedFor, Detail: y.detail}
	if !y.earliest.IsZero() {
		r.Earliest = new(y.earliest.UTC())
	}
	return r, l.missed(now, s.missesGuarantee(l, of, in, y))
}

// missesGuarantee says whether a call waits for the licence although it is within what is never lent of the lane's guarantee.
func (s *Scheduler) missesGuarantee(l *lane, of price, in fairshare.Lane, y why) bool {
	switch y.cause {
	case contract.CauseUsedUp, contract.CauseReserved, contract.CausePaced, contract.CauseCRMRefusing, contract.CauseLedgerLost:
		return s.ownHard(l, of, in)
	default:
		return false
	}
}

// missed is for how many seconds a guarantee has been missed, as far as snapshots saw.
func (l *lane) missed(now time.Time, misses bool) int64 {
	if !misses {
		l.missedSince = time.Time{}
		return 0
	}
	if l.missedSince.IsZero() {
		l.missedSince = now
	}
	return int64(now.Sub(l.missedSince) / time.Second)
}

// ownHard says whether a call is within what is never lent of the lane's guarantee in every limit that counts it. One that is under no guarantee is not.
func (s *Scheduler) ownHard(l *lane, of price, in fairshare.Lane) bool {
	counted := false
	for k, n := range s.tariff.Cost(of.kind) {
		if limit := s.ledger.Limit(k); n == 0 || limit.AlertOnly || limit.Meter.PerRecord {
			continue
		}
		counted = true
		if in == fairshare.Backlog {
			n += s.sharing.Live(k, l.owner)
		}
		if hard, _ := s.sharing.Reserved(k, l.owner); hard < n {
			return false
		}
	}
	return counted
}

func backlogOf(t backlog.Tally) contract.BacklogReport {
	return contract.BacklogReport{Queued: t.Queued, Sent: t.Sent, Parked: t.Parked, Dead: t.Dead, QueuedBytes: t.QueuedBytes}
}

func addBacklog(sum *contract.BacklogReport, b contract.BacklogReport) {
	sum.Queued += b.Queued
	sum.Sent += b.Sent
	sum.Parked += b.Parked
	sum.Dead += b.Dead
	sum.QueuedBytes += b.QueuedBytes
}

func earliest(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// longest is the longest of the integrations' drain times, nil if one that has calls queued cannot be foreseen.
func longest(all []contract.IntegrationReport, of func(contract.BacklogReport) *int64) *int64 {
	var most *int64
	for _, i := range all {
		switch seconds := of(i.Backlog); {
		case seconds == nil && i.Backlog.Queued > 0:
			return nil
		case most == nil || seconds != nil && *seconds > *most:
			most = seconds
		}
	}
	return most
}
