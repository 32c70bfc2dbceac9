// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
)

// Snapshot is the scheduler at one moment, in the words of the report.
type Snapshot struct {
	// Plan in force; nil before the first.
	Plan *contract.Plan
	// Enforcing is false under Shadow and bypass.
	Enforcing    bool
	Windows      []contract.WindowReport
	Backlog      contract.BacklogReport
	Integrations []contract.IntegrationReport
	// RefusedUntil is set while the CRM's refusal holds calls back.
	RefusedUntil *time.Time
	// Waiting calls have a client that waits and were not sent; InFlight requests have no end yet.
	Waiting, InFlight int
}

// Snapshot returns the state between two turns. Its error is that of ctx, or that the scheduler has stopped.
func (s *Scheduler) Snapshot(ctx context.Context) (Snapshot, error) {
	taken := make(chan Snapshot, 1)
	if err := s.submit(ctx, func() { taken <- s.snapshot() }); err != nil {
		return Snapshot{}, err
	}
	return <-taken, nil
}

func (s *Scheduler) snapshot() Snapshot {
	now := s.options.Now()
	s.ledger.Advance(now)
	snap := Snapshot{Plan: s.plan, InFlight: len(s.flights)}
	tallies := s.options.Store.Tallies()
	for _, key := range slices.Sorted(maps.Keys(tallies)) {
		addBacklog(&snap.Backlog, backlogOf(tallies[key]))
	}
	if s.plan == nil {
		return snap
	}
	snap.Enforcing = s.plan.Enforce && !s.bypassed(now)
	if s.refusals.shut && now.Before(s.refusals.until) {
		snap.RefusedUntil = new(s.refusals.until.UTC())
	}
	for k := range s.ledger.Limits() {
		snap.Windows = append(snap.Windows, s.windowReport(k))
	}
	for _, l := range s.order {
		snap.Waiting += len(l.waiting)
		if l.spec == nil {
			continue
		}
		r := s.integrationReport(now, l, tallies[l.key])
		snap.Integrations = append(snap.Integrations, r)
		snap.Backlog.OldestQueued = earliest(snap.Backlog.OldestQueued, r.Backlog.OldestQueued)
	}
	snap.Backlog.DrainSeconds = longest(snap.Integrations)
	return snap
}

func (s *Scheduler) windowReport(k int) contract.WindowReport {
	limit := s.ledger.Limit(k)
	w := contract.WindowReport{Name: limit.Name, Limit: limit.Max, Used: s.ledger.Used(k), InDoubt: s.ledger.InDoubt(k)}
	if _, end, ok := s.ledger.Period(k); ok {
		w.Reset = new(end.UTC())
	}
	return w
}

func (s *Scheduler) integrationReport(now time.Time, l *lane, t backlog.Tally) contract.IntegrationReport {
	r := contract.IntegrationReport{
		Namespace: l.spec.Namespace, Name: l.spec.Name, UID: l.spec.UID, Generation: l.spec.Generation,
		Enforcing: !s.shadowed(l, now),
		Backlog:   backlogOf(t),
		Counters: contract.IntegrationCounters{
			Accepted: t.Accepted, Dispatched: t.Dispatched, Drained: t.Drained, Refused: t.Refused, Forwarded: t.Forwarded, Overheld: t.Overheld,
		},
	}
	for k := range s.ledger.Limits() {
		r.Windows = append(r.Windows, contract.ShareReport{
			Name: s.ledger.Limit(k).Name, Guaranteed: s.sharing.Guaranteed(k, l.owner), Used: s.ledger.UsedBy(k, l.owner),
		})
	}
	if t.Queued > 0 && len(l.queue.heads) > 0 {
		r.Backlog.OldestQueued = new(l.queue.heads[0].AcceptedAt.UTC())
	}
	if left, ok := s.drainTime(now, l, t.Queued); ok {
		r.Backlog.DrainSeconds = new(int64(left / time.Second))
	}
	return r
}

func backlogOf(t backlog.Tally) contract.BacklogReport {
	return contract.BacklogReport{Queued: t.Queued, Sent: t.Sent, Parked: t.Parked, Dead: t.Dead}
}

func addBacklog(sum *contract.BacklogReport, b contract.BacklogReport) {
	sum.Queued += b.Queued
	sum.Sent += b.Sent
	sum.Parked += b.Parked
	sum.Dead += b.Dead
}

func earliest(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// longest is the longest of the integrations' drain times, nil if one that has calls queued cannot be foreseen.
func longest(all []contract.IntegrationReport) *int64 {
	var most *int64
	for _, i := range all {
		switch seconds := i.Backlog.DrainSeconds; {
		case seconds == nil && i.Backlog.Queued > 0:
			return nil
		case most == nil || seconds != nil && *seconds > *most:
			most = seconds
		}
	}
	return most
}
