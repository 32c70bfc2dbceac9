// SPDX-License-Identifier: Apache-2.0

package zendesk

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/desk"
)

func (z *Zendesk) createMany(c *crm.Call) crm.Reply {
	var body struct {
		Tickets []desk.Input `json:"tickets"`
	}
	if err := json.Unmarshal(c.Body, &body); err != nil || len(body.Tickets) == 0 {
		return malformed(`{"tickets": [{...}, ...]}`)
	}
	return z.startJob(c, func() (desk.JobStatus, error) { return z.desk.CreateMany(c.Now, body.Tickets) })
}

// updateMany takes a change for each ticket, or one change for the tickets that the query names.
func (z *Zendesk) updateMany(c *crm.Call) crm.Reply {
	var body struct {
		Tickets []desk.Change `json:"tickets"`
		Ticket  *desk.Input   `json:"ticket"`
	}
	err := json.Unmarshal(c.Body, &body)
	if body.Ticket != nil {
		for _, id := range idsOf(c) {
			body.Tickets = append(body.Tickets, desk.Change{ID: id, Input: *body.Ticket})
		}
	}
	if err != nil || len(body.Tickets) == 0 {
		return malformed(`{"tickets": [{"id": 1, ...}, ...]}, or {"ticket": {...}} with ids in the query`)
	}
	return z.startJob(c, func() (desk.JobStatus, error) { return z.desk.UpdateMany(c.Now, body.Tickets) })
}

func (z *Zendesk) destroyMany(c *crm.Call) crm.Reply  { return z.destroy(c, z.desk.DestroyMany) }
func (z *Zendesk) destroyUsers(c *crm.Call) crm.Reply { return z.destroy(c, z.desk.DestroyUsers) }

// destroy takes the ids of the query.
func (z *Zendesk) destroy(c *crm.Call, queue func(now time.Time, ids []int64) (desk.JobStatus, error)) crm.Reply {
	return z.startJob(c, func() (desk.JobStatus, error) { return queue(c.Now, idsOf(c)) })
}

// idsOf reads the ids of a query; what is no id names no record.
func idsOf(c *crm.Call) []int64 {
	var ids []int64
	for text := range strings.SplitSeq(c.Request.URL.Query().Get("ids"), ",") {
		id, _ := strconv.ParseInt(text, 10, 64)
		ids = append(ids, id)
	}
	return ids
}

func (z *Zendesk) startJob(c *crm.Call, queue func() (desk.JobStatus, error)) crm.Reply {
	if !c.Jobs.Fit() {
		return z.tooManyJobs(c)
	}
	job, err := queue()
	if errors.Is(err, desk.ErrTooManyJobs) {
		return z.tooManyJobs(c)
	}
	if err != nil {
		return deskFailure(err)
	}
	c.Jobs.Start(job.Ends)
	answer := crm.JSON(http.StatusOK, map[string]any{"job_status": z.linkedJobs(c, job)[0]})
	z.jobHeaders(c, answer)
	return answer
}

// tooManyJobs is 429; Zendesk's documentation leaves the status open.
func (z *Zendesk) tooManyJobs(c *crm.Call) crm.Reply {
	answer := crm.JSON(http.StatusTooManyRequests, map[string]any{
		"error": "TooManyJobs", "description": desk.ErrTooManyJobs.Error(), "current_job_ids": z.desk.JobsInFlight(c.Now),
	})
	answer.Header.Set("Retry-After", crm.Seconds(max(z.desk.NextJobEnd(c.Now), time.Second)))
	z.jobHeaders(c, answer)
	return answer
}

// jobHeaders shows how many jobs may still be queued.
func (z *Zendesk) jobHeaders(c *crm.Call, answer crm.Reply) {
	remaining := desk.MaxJobsInFlight - len(z.desk.JobsInFlight(c.Now))
	answer.Header.Set("zendesk-ratelimit-inflight-jobs",
		fmt.Sprintf("total=%d; remaining=%d; resets=%s", desk.MaxJobsInFlight, remaining, crm.Seconds(z.desk.NextJobEnd(c.Now))))
}

func (z *Zendesk) getJob(c *crm.Call) crm.Reply {
	jobs := z.linkedJobs(c, z.desk.Jobs(c.Now, c.Record)...)
	if len(jobs) == 0 {
		return deskFailure(desk.ErrNotFound)
	}
	return crm.JSON(http.StatusOK, map[string]any{"job_status": jobs[0]})
}

func (z *Zendesk) showManyJobs(c *crm.Call) crm.Reply {
	ids := strings.Split(c.Request.URL.Query().Get("ids"), ",")
	return z.jobsReply(c, z.desk.Jobs(c.Now, ids...))
}

func (z *Zendesk) listJobs(c *crm.Call) crm.Reply { return z.jobsReply(c, z.desk.Jobs(c.Now)) }

func (z *Zendesk) jobsReply(c *crm.Call, jobs []desk.JobStatus) crm.Reply {
	return crm.JSON(http.StatusOK, map[string]any{"job_statuses": z.linkedJobs(c, jobs...), "count": len(jobs)})
}

func (z *Zendesk) linkedJobs(c *crm.Call, jobs ...desk.JobStatus) []desk.JobStatus {
	for i := range jobs {
		jobs[i].URL = c.Link("/api/v2/job_statuses/" + jobs[i].ID + ".json")
	}
	return jobs
}
