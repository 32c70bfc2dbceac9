// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// origin is what the ledger started from.
type origin struct {
	volume string
	// begun: it is known what had been used before the volume was new. waiting: it is not, and the plan says that there was another volume; nothing is sent.
	begun, waiting bool
	// assumed is when use was assumed that this ledger has not seen; zero if it never was.
	assumed time.Time
	// doubted is when the volume was found to have been put back to an earlier state; zero if it never was.
	doubted time.Time
}

// lostUse is the key of what is assumed to have been used before the ledger was lost. No integration has it: keys of integrations have a slash.
const lostUse = "before-the-ledger-was-lost"

// begin finds out, on a new volume, whether there was another one before, and charges what may have been used then.
func (s *Scheduler) begin(now time.Time) {
	o, past := &s.origin, s.plan.Ledger
	if s.isEarlier(past) {
		s.disown(now)
	}
	if o.begun {
		return
	}
	o.waiting = false
	switch {
	case past.Volume == "" || past.Volume == o.volume:
	case past.AfterLoss == contract.LedgerFresh:
		o.assumed = now // that nothing was used
	case past.AfterLoss == contract.LedgerSpent:
		s.assume(now, func(k int) int64 { return s.ledger.Limit(k).Max })
	case past.Lost != nil && past.Lost.Found == o.volume:
		s.assume(now, func(k int) int64 { return s.usedSince(now, k, past.Lost) })
	default:
		o.waiting = true
		return
	}
	o.begun = true
}

// assume charges every limit with calls that this ledger has not seen, as if nobody listened to them any more from now on: when they were made is not known, and
// some may still be on their way. Of limits that count the same, the
// one of which most may have been used decides; of a limit per record, every record may have been.
func (s *Scheduler) assume(now time.Time, used func(k int) int64) {
	s.origin.assumed = now
	c := backlog.Charge{ID: uint64(s.newID()), Integration: lostUse, End: now.Add(s.guards.MaxServerDelay).Sub(s.epoch), InDoubt: true}
	for k := range s.ledger.Limits() {
		limit := s.ledger.Limit(k)
		n := min(used(k), ledger.MaxAmount)
		if limit.Meter == limits.EveryCall && limit.Kind != limits.Concurrent {
			c.Calls = max(c.Calls, n)
			continue
		}
		a := amountOn(limit.Meter, limit.Unit, n)
		if i := slices.IndexFunc(c.Amounts, a.sameMeter); i >= 0 {
			c.Amounts[i].N = max(c.Amounts[i].N, n)
		} else if limit.Meter != limits.EveryCall {
			c.Amounts = append(c.Amounts, a.Amount)
		}
	}
	c.Calls = max(c.Calls, 1)
	s.mustLedger(s.ledger.Enter(now, s.entryOf(c)))
	s.batch.Charges = append(s.batch.Charges, c)
}

// usedSince is the most that can have been used of limit k: what was reported, and what the shorter limits can have let through since then.
func (s *Scheduler) usedSince(now time.Time, k int, l *contract.LedgerLost) int64 {
	limit := s.ledger.Limit(k)
	if limit.Meter.PerRecord || !s.tariff.IsLicence(k) { // of an integration's own credentials no use was reported
		return limit.Max
	}
	since, most := max(0, now.Sub(l.At)), limit.Max
	for j := range s.ledger.Limits() {
		other := s.ledger.Limit(j)
		if other.Meter != limit.Meter || other.Unit != limit.Unit || other.Kind != limits.Rolling || other.AlertOnly {
			continue
		}
		// An interval of any length lies in so many windows.
		if windows := int64(since/other.Window) + 1; windows <= limit.Max/other.Max {
			most = min(most, windows*other.Max)
		}
	}
	return min(limit.Max, l.Used[limit.Name]+most)
}

func (s *Scheduler) originReport() contract.LedgerReport {
	r := contract.LedgerReport{Waiting: s.origin.waiting}
	if !s.origin.assumed.IsZero() {
		r.Assumed = new(s.origin.assumed.UTC())
	}
	if !s.origin.doubted.IsZero() {
		r.Restored = new(s.origin.doubted.UTC())
	}
	return r
}
