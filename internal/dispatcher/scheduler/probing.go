// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
)

const (
	// costlyProbe is how long after its pause an outage is probed by a call that is parked if it fails, where no other has probed it. Each of them costs a person a
	// look into the CRM: with a probe each half minute, as they are on average, two hours would leave 250.
	costlyProbe = 5 * time.Minute
	// fewFailures in a row, which are some ten seconds, are no outage yet: one connection breaks now and then.
	fewFailures = 4
)

// failQueued shuts the gate of the backlog because of a queued call; parks says that one which cannot be sent again is parked after such a failure. Nobody waits for the
// answer, so the log says what is wrong.
func (s *Scheduler) failQueued(now time.Time, f *flight, o upstream.Outcome, parks bool) {
	s.outages.fail(now, f.id, s.lastID, 0, s.options.Random.Float64())
	s.costly = parks
	if now.Sub(s.outageLogged) < verdictsEvery {
		return
	}
	s.outageLogged = now
	status := 0
	if o.Answer != nil {
		status = o.Answer.Status
	}
	s.options.Logger.Warn("The CRM fails queued calls; one at a time probes it", "status", status, "error", o.Err, "failuresInARow", s.outages.failures)
}

// sparedUntil says until when a queued call does not probe an outage, because it would be parked if it failed; zero if nothing speaks against it.
func (s *Scheduler) sparedUntil(now time.Time, h *queued) time.Time {
	if !s.outages.shut || !s.costly || s.outages.failures <= fewFailures || h.Repeat.Class != call.RepeatNever {
		return time.Time{}
	}
	if until := s.outages.until.Add(costlyProbe); until.After(now) {
		return until
	}
	return time.Time{}
}
