// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// endOverdue ends the queued and parked calls that have reached their maximum age, and forgets results nobody fetched in time. It reads the store, so it comes
// before the turn's decisions about queued calls.
func (s *Scheduler) endOverdue(now time.Time) error {
	if s.nextDue.IsZero() || now.Before(s.nextDue) {
		return nil
	}
	due, next, err := s.options.Store.Due(now, maxOverdue)
	if err != nil {
		return err
	}
	s.nextDue = next
	for _, d := range due {
		if ends(d.State) {
			s.batch.ForgetCalls = append(s.batch.ForgetCalls, d.Ref)
			continue
		}
		reason := "it reached its maximum age before it could be sent"
		if d.State == call.StateParked {
			reason = d.Reason + "; it reached its maximum age"
		}
		s.end(now, d.Ref, d.State, reason)
	}
	return nil
}
