// SPDX-License-Identifier: Apache-2.0

package desk

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The bounds of bulk jobs.
const (
	// MaxJobItems is how many tickets one job may create.
	MaxJobItems = 100
	// MaxJobsInFlight is how many jobs may be queued or working.
	MaxJobsInFlight = 30
)

// Refusals of a bulk job.
var (
	ErrTooManyItems = fmt.Errorf("a job takes at most %d items", MaxJobItems)
	ErrTooManyJobs  = errors.New("too many jobs are queued or running")
)

// JobStatus is what a poll shows of a job.
type JobStatus struct {
	ID  string `json:"id"`
	URL string `json:"url"`
	// Status is queued, working or completed.
	Status   string  `json:"status"`
	Total    int     `json:"total"`
	Progress int     `json:"progress"`
	Message  *string `json:"message"`
	// Results are absent until the job is completed.
	Results []JobResult `json:"results"`
}

// JobResult is what became of one item. Index is its place in the request, from 0.
type JobResult struct {
	Index int   `json:"index"`
	ID    int64 `json:"id,omitempty"`
	// Error, Details and Status are those of an item that failed.
	Error   string `json:"error,omitempty"`
	Details string `json:"details,omitempty"`
	Status  string `json:"status,omitempty"`
}

type job struct {
	id      string
	items   []Input
	total   int
	started time.Time
	done    time.Time
	results []JobResult // nil until done
}

// CreateMany queues a job that creates tickets. Its effects appear all at once, when its time has passed.
func (d *Desk) CreateMany(now time.Time, items []Input) (JobStatus, error) {
	d.settle(now)
	if len(items) > MaxJobItems {
		return JobStatus{}, ErrTooManyItems
	}
	if len(d.JobsInFlight(now)) >= MaxJobsInFlight {
		return JobStatus{}, ErrTooManyJobs
	}
	d.jobSeq++
	sum := sha256.Sum256(fmt.Appendf(nil, "job %d", d.jobSeq))
	j := &job{
		id: hex.EncodeToString(sum[:16]), items: items, total: len(items),
		started: now.Add(d.options.JobDuration / 4), done: now.Add(d.options.JobDuration),
	}
	d.jobs = append(d.jobs, j)
	return j.status(now), nil
}

// JobsInFlight returns the ids of the jobs that are queued or working.
func (d *Desk) JobsInFlight(now time.Time) []string {
	d.settle(now)
	var ids []string
	for _, j := range d.jobs {
		if j.results == nil {
			ids = append(ids, j.id)
		}
	}
	return ids
}

// Jobs returns the status of the jobs with these ids, or of all when there are none. Unknown ids are left out.
func (d *Desk) Jobs(now time.Time, ids ...string) []JobStatus {
	d.settle(now)
	out := []JobStatus{}
	for _, j := range d.jobs {
		if len(ids) == 0 || slices.Contains(ids, j.id) {
			out = append(out, j.status(now))
		}
	}
	return out
}

// settle brings the desk to the present: ends the jobs whose time has passed and forgets old ones.
func (d *Desk) settle(now time.Time) {
	for _, j := range d.jobs {
		if j.results == nil && !now.Before(j.done) {
			d.run(j)
		}
	}
	d.jobs = slices.DeleteFunc(d.jobs, func(j *job) bool { return now.Sub(j.done) >= d.options.JobRetention })
}

func (d *Desk) run(j *job) {
	j.results = make([]JobResult, 0, len(j.items))
	for i, item := range j.items {
		result := JobResult{Index: i}
		if t, err := d.create(j.done, item); err != nil {
			result.Error, result.Details, result.Status = "TicketCreateError", err.Error(), "Failed"
		} else {
			result.ID = t.ID
		}
		j.results = append(j.results, result)
	}
	// The order of results is not documented by any CRM we know; last to first shows whoever relies on it.
	slices.Reverse(j.results)
	j.items = nil
}

func (j *job) status(now time.Time) JobStatus {
	s := JobStatus{ID: j.id, Status: "queued", Total: j.total, Results: j.results}
	switch {
	case j.results != nil:
		s.Status, s.Progress = "completed", j.total
	case !now.Before(j.started):
		s.Status = "working"
		if span := j.done.Sub(j.started); span > 0 {
			s.Progress = int(int64(j.total) * int64(now.Sub(j.started)) / int64(span))
		}
	}
	return s
}
