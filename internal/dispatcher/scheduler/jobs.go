// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"bytes"
	"io"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// watchJobs learns from an answer which jobs the call has started and which have ended: their slots are free again. It is called when the charge has ended.
func (s *Scheduler) watchJobs(now time.Time, f *flight, o upstream.Outcome) {
	if len(s.jobLimits) == 0 {
		return
	}
	var started, ended []string
	if o.Answer != nil && o.Rest == nil {
		started, ended = s.provider.Jobs(f.call.Method, o.Answer.Status, peek(o.Answer))
	}
	for _, id := range started {
		s.jobs[id], f.charge.Job = f, id
		s.batch.Charges = append(s.batch.Charges, f.charge) // a restart knows whose slot it is
	}
	for _, id := range ended {
		if of := s.jobs[id]; of != nil {
			delete(s.jobs, id)
			s.endJob(now, of)
		}
	}
	if o.Answer != nil && o.Rest == nil && len(started) == 0 {
		s.endJob(now, f)
	}
}

// endJob frees the slot that a call holds for its job.
func (s *Scheduler) endJob(now time.Time, f *flight) {
	if f.charge.JobEnded || f.charge.Open {
		return
	}
	s.ledger.EndJob(f.id, now)
	f.charge.JobEnded = true
	s.batch.Charges = append(s.batch.Charges, f.charge)
}

// restoreJob goes on with the job that a call has started before a restart.
func (s *Scheduler) restoreJob(c backlog.Charge) {
	if c.Job != "" && !c.JobEnded {
		s.jobs[c.Job] = &flight{id: ledger.ID(c.ID), charge: c}
	}
}

// forgetJobs forgets the jobs whose slots were freed for want of news.
func (s *Scheduler) forgetJobs(now time.Time) {
	for id, f := range s.jobs {
		if s.jobAge(now, f) > s.guards.MaxJob {
			delete(s.jobs, id)
		}
	}
}

// peek reads a body that is in memory and leaves it to be read again.
func peek(a *call.Answer) []byte {
	body, err := io.ReadAll(a.Body)
	if err != nil {
		body = nil // cannot be: it is in memory
	}
	_ = a.Body.Close()
	a.Body = io.NopCloser(bytes.NewReader(body))
	return body
}
