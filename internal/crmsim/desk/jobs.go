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
	// MaxJobItems is how many tickets or users one job may create or change.
	MaxJobItems = 100
	// MaxJobsInFlight is how many jobs may be queued or working.
	MaxJobsInFlight = 30
)

// Refusals of a bulk job.
var (
	ErrTooManyItems = fmt.Errorf("a job takes at most %d items", MaxJobItems)
	ErrTooManyJobs  = errors.New("too many jobs are queued or running")
	// ErrItem is why an item fails that the desk was told to let fail.
	ErrItem = errors.New("the simulated CRM lets this item fail")
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
	// Ends is when the job is completed.
	Ends time.Time `json:"-"`
}

// JobResult is what became of one item.
type JobResult struct {
	// Index is the item's place in the request, from 0. Changes have none: they are known by their record's id.
	Index *int `json:"index,omitempty"`
	// ID is the record's; of a change that failed it is the item's place, as was seen in the field.
	ID int64 `json:"id,omitempty"`
	// Action, Status and Success are those of a change.
	Action  string `json:"action,omitempty"`
	Status  string `json:"status,omitempty"`
	Success bool   `json:"success,omitempty"`
	// Error and Details are those of an item that failed; its Status is Failed.
	Error   string `json:"error,omitempty"`
	Details string `json:"details,omitempty"`
}

// job is a bulk job. Each of its items makes one change at the job's end.
type job struct {
	id      string
	items   []item
	total   int
	started time.Time
	done    time.Time
	results []JobResult // nil until done
}

type item struct {
	run func(at time.Time) (id int64, err error)
	// fails is the error's name; creates says that the result is known by its place.
	fails   string
	creates bool
}

// CreateMany queues a job that creates tickets. Its effects appear all at once, when its time has passed.
func (d *Desk) CreateMany(now time.Time, inputs []Input) (JobStatus, error) {
	items := make([]item, len(inputs))
	for i, in := range inputs {
		items[i] = item{fails: "TicketCreateError", creates: true, run: func(at time.Time) (int64, error) {
			t, err := d.create(at, in)
			return t.ID, err
		}}
	}
	return d.queue(now, items)
}

// Change is what a job changes of one ticket.
type Change struct {
	ID int64 `json:"id"`
	Input
}

// UpdateMany queues a job that changes tickets.
func (d *Desk) UpdateMany(now time.Time, changes []Change) (JobStatus, error) {
	items := make([]item, len(changes))
	for i, change := range changes {
		items[i] = item{fails: "TicketUpdateError", run: func(at time.Time) (int64, error) {
			t, err := d.update(at, change.ID, change.Input)
			return t.ID, err
		}}
	}
	return d.queue(now, items)
}

// queue starts a job.
func (d *Desk) queue(now time.Time, items []item) (JobStatus, error) {
	d.settle(now)
	if len(items) > MaxJobItems {
		return JobStatus{}, ErrTooManyItems
	}
	if len(d.JobsInFlight(now)) >= MaxJobsInFlight {
		return JobStatus{}, ErrTooManyJobs
	}
	d.jobSeq++
	sum := sha256.Sum256(fmt.Appendf(nil, "job %d", d.jobSeq))
	duration := d.options.JobDuration()
	j := &job{
		id: hex.EncodeToString(sum[:16]), items: items, total: len(items), started: now.Add(duration / 4), done: now.Add(duration),
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

// NextJobEnd returns how long it takes until the first of the jobs in flight ends, 0 if there are none.
func (d *Desk) NextJobEnd(now time.Time) time.Duration {
	d.settle(now)
	var next time.Duration
	for _, j := range d.jobs {
		if left := j.done.Sub(now); j.results == nil && (next == 0 || left < next) {
			next = left
		}
	}
	return next
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

// settle brings the desk to the present: ends the jobs whose time has passed, in the order of their ends, and forgets old ones.
func (d *Desk) settle(now time.Time) {
	var due []*job
	for _, j := range d.jobs {
		if j.results == nil && !now.Before(j.done) {
			due = append(due, j)
		}
	}
	slices.SortStableFunc(due, func(a, b *job) int { return a.done.Compare(b.done) })
	for _, j := range due {
		d.run(j)
	}
	d.jobs = slices.DeleteFunc(d.jobs, func(j *job) bool { return now.Sub(j.done) >= d.options.JobRetention })
}

func (d *Desk) run(j *job) {
	j.results = make([]JobResult, 0, len(j.items))
	for i, item := range j.items {
		id, err := int64(0), ErrItem
		if !d.options.ItemFails() {
			id, err = item.run(j.done)
		}
		j.results = append(j.results, item.result(i, id, err))
	}
	// The order of results is not documented by any CRM we know; last to first shows whoever relies on it.
	slices.Reverse(j.results)
	j.items = nil
}

func (it item) result(index int, id int64, err error) JobResult {
	switch {
	case err != nil && it.creates:
		return JobResult{Index: &index, Error: it.fails, Details: err.Error(), Status: "Failed"}
	case err != nil:
		return JobResult{ID: int64(index), Error: it.fails, Details: err.Error(), Status: "Failed"}
	case it.creates:
		return JobResult{Index: &index, ID: id}
	default:
		return JobResult{ID: id, Action: "update", Status: "Updated", Success: true}
	}
}

func (j *job) status(now time.Time) JobStatus {
	s := JobStatus{ID: j.id, Status: "queued", Total: j.total, Results: j.results, Ends: j.done}
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
