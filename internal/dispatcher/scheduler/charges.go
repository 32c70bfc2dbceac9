// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/tariff"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

func kindOf(h fairshare.Head) tariff.Kind { return tariff.Kind(h.Kind) }

// amountsOf is what the store has to know of the cost of a call that goes out as a user of the CRM: all but what counts every call as one, and what counts other
// users' calls.
func (s *Scheduler) amountsOf(cost ledger.Cost, user string) (amounts []backlog.Amount) {
	for k, n := range cost {
		l := s.ledger.Limit(k)
		a := amountOn(l.Meter, l.Unit, n)
		if l.Meter == limits.EveryCall || l.Meter.Credential != "" && l.Meter.Credential != user || slices.ContainsFunc(amounts, a.sameMeter) {
			continue
		}
		amounts = append(amounts, a.Amount)
	}
	return amounts
}

// metered is an amount that can be compared by its meter.
type metered struct{ backlog.Amount }

func amountOn(m limits.Meter, u limits.Unit, n int64) metered {
	return metered{backlog.Amount{Subject: m.Subject, Credential: m.Credential, PerRecord: m.PerRecord, Execution: u == limits.Milliseconds, N: n}}
}

func (m metered) sameMeter(a backlog.Amount) bool {
	a.N = m.N
	return a == m.Amount
}

// sameButCredential says whether an amount is of another user's meter that counts the same.
func (m metered) sameButCredential(a backlog.Amount) bool {
	if m.Credential == "" || a.Credential == "" {
		return false
	}
	a.Credential = m.Credential
	return m.sameMeter(a)
}

func unitOf(a backlog.Amount) limits.Unit {
	if a.Execution {
		return limits.Milliseconds
	}
	return limits.Calls
}

// entryOf is a stored charge, of which the end is known, in terms of the limits in force.
func (s *Scheduler) entryOf(c backlog.Charge) ledger.Entry {
	e := ledger.Entry{ID: ledger.ID(c.ID), Owner: c.Integration, Record: ledger.Record(c.Record), Calls: c.Calls, End: s.epoch.Add(c.End), InDoubt: c.InDoubt, JobEnded: c.JobEnded}
	used := make([]bool, len(c.Amounts))
	for k := range s.ledger.Limits() {
		l := s.ledger.Limit(k)
		amount := int64(ledger.Unknown)
		if l.Meter == limits.EveryCall {
			amount = max(1, c.Calls)
		} else if i := slices.IndexFunc(c.Amounts, amountOn(l.Meter, l.Unit, 0).sameMeter); i >= 0 {
			amount, used[i] = c.Amounts[i].N, true
		} else if slices.ContainsFunc(c.Amounts, amountOn(l.Meter, l.Unit, 0).sameButCredential) {
			amount = 0 // the call went out as somebody else
		}
		e.Cost = append(e.Cost, amount)
	}
	for i, a := range c.Amounts {
		if !used[i] && a.Credential != "" && a.N > 0 {
			m := limits.Meter{Subject: a.Subject, Credential: a.Credential, PerRecord: a.PerRecord}
			e.Gone = append(e.Gone, ledger.Part{Meter: m, Unit: unitOf(a), Amount: a.N})
		}
	}
	return e
}

// ran puts the execution time that a call has taken in place of what was estimated.
func ran(amounts []backlog.Amount, took time.Duration) []backlog.Amount {
	amounts = slices.Clone(amounts)
	for i := range amounts {
		if amounts[i].Execution && amounts[i].N > 0 {
			amounts[i].N = max(1, (took + time.Millisecond - 1).Milliseconds())
		}
	}
	return amounts
}
