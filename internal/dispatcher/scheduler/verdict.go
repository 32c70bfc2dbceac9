// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"log/slog"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// verdictsEvery is how often a verdict is logged, however many refusals it is about.
const verdictsEvery = time.Minute

// nearlyFull, in tenths, is how much of a limit must be used for a refusal to be no surprise.
const nearlyFull = 9

// judgeRefusal finds out who is to blame for a refusal by the CRM, from its own words and the ledger's record.
func (s *Scheduler) judgeRefusal(now time.Time, f *flight, cost ledger.Cost, scope dialect.Scope, readings map[int]dialect.Reading) contract.Verdict {
	v, limit := s.verdict(f.price.record, cost, scope, readings)
	s.word.refusals[v]++
	if now.Sub(s.word.logged[v]) < verdictsEvery {
		return v
	}
	s.word.logged[v] = now
	level := slog.LevelWarn
	if v == contract.VerdictOwnFault {
		level = slog.LevelError
	}
	s.options.Logger.Log(s.flying, level, "The CRM refused a call for quota", "verdict", v, "limit", limit, "operation", f.call.Operation, "ofThisVerdict", s.word.refusals[v])
	return v
}

// verdict names who is to blame, and the limit if that is known.
func (s *Scheduler) verdict(record ledger.Record, cost ledger.Cost, scope dialect.Scope, readings map[int]dialect.Reading) (v contract.Verdict, limit string) {
	said := false
	for k, r := range readings {
		if cost[k] == 0 || r.Remaining == nil {
			continue
		}
		said = true
		if *r.Remaining >= cost[k] {
			continue
		}
		declared := s.word.declared[k]
		settled, open := s.ledger.Own(k)
		switch size := max(r.Limit, 0); {
		case size > 0 && size < declared.Max:
			return contract.VerdictLowerLimit, declared.Name
		case settled+open < s.ledger.Limit(k).Max:
			return contract.VerdictExternalUse, declared.Name
		default:
			return contract.VerdictOwnFault, declared.Name
		}
	}
	if tight := s.nearlyUsedUp(record, cost, readings); tight != "" {
		return contract.VerdictUnclear, tight
	}
	if said || scope != dialect.ScopeLicence {
		return contract.VerdictHiddenLimit, ""
	}
	return contract.VerdictOwnFault, ""
}

// nearlyUsedUp names a limit of which the CRM says nothing and the ledger that hardly any is left.
func (s *Scheduler) nearlyUsedUp(record ledger.Record, cost ledger.Cost, readings map[int]dialect.Reading) string {
	for k, n := range cost {
		l := s.ledger.Limit(k)
		if r, said := readings[k]; n == 0 || said && r.Remaining != nil {
			continue
		}
		used := s.ledger.Used(k)
		if l.Meter.PerRecord {
			used = l.Max - s.ledger.RecordFree(k, record)
		}
		if used+n > l.Max*nearlyFull/10 {
			return l.Name
		}
	}
	return ""
}
