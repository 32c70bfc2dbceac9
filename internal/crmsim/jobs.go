// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/desk"
)

func (s *Server) createMany(c *call) reply {
	var body struct {
		Tickets []desk.Input `json:"tickets"`
	}
	if err := json.Unmarshal(c.body, &body); err != nil || len(body.Tickets) == 0 {
		return malformed(`{"tickets": [{...}, ...]}`)
	}
	if !s.gates.jobFits(c.now, c.arrival.Call()) {
		return s.tooManyJobs(c)
	}
	job, err := s.desk.CreateMany(c.now, body.Tickets)
	if errors.Is(err, desk.ErrTooManyJobs) {
		return s.tooManyJobs(c)
	}
	if err != nil {
		return deskFailure(err)
	}
	c.arrival.JobEnd = c.now.Add(s.config.JobDuration)
	s.gates.startJob(c.arrival.Call(), c.arrival.JobEnd)
	answer := ok(http.StatusOK, map[string]any{"job_status": s.linkedJobs(c, job)[0]})
	s.jobHeaders(c, answer)
	return answer
}

func (s *Server) tooManyJobs(c *call) reply {
	answer := ok(http.StatusTooManyRequests, map[string]any{
		"error": "TooManyJobs", "description": desk.ErrTooManyJobs.Error(), "current_job_ids": s.desk.JobsInFlight(c.now),
	})
	answer.header.Set("Retry-After", seconds(s.config.JobDuration))
	s.jobHeaders(c, answer)
	return answer
}

// jobHeaders shows how many jobs may still be queued.
func (s *Server) jobHeaders(c *call, answer reply) {
	remaining := desk.MaxJobsInFlight - len(s.desk.JobsInFlight(c.now))
	answer.header.Set("zendesk-ratelimit-inflight-jobs",
		fmt.Sprintf("total=%d; remaining=%d; resets=%s", desk.MaxJobsInFlight, remaining, seconds(s.config.JobDuration)))
}

func (s *Server) getJob(c *call) reply {
	jobs := s.linkedJobs(c, s.desk.Jobs(c.now, c.id)...)
	if len(jobs) == 0 {
		return deskFailure(desk.ErrNotFound)
	}
	return ok(http.StatusOK, map[string]any{"job_status": jobs[0]})
}

func (s *Server) showManyJobs(c *call) reply {
	ids := strings.Split(c.request.URL.Query().Get("ids"), ",")
	return s.jobsReply(c, s.desk.Jobs(c.now, ids...))
}

func (s *Server) listJobs(c *call) reply { return s.jobsReply(c, s.desk.Jobs(c.now)) }

func (s *Server) jobsReply(c *call, jobs []desk.JobStatus) reply {
	return ok(http.StatusOK, map[string]any{"job_statuses": s.linkedJobs(c, jobs...), "count": len(jobs)})
}

func (s *Server) linkedJobs(c *call, jobs ...desk.JobStatus) []desk.JobStatus {
	for i := range jobs {
		jobs[i].URL = s.link(c, "/api/v2/job_statuses/"+jobs[i].ID+".json")
	}
	return jobs
}
