// SPDX-License-Identifier: Apache-2.0

package records

import (
	"fmt"
	"slices"
	"time"
)

// Item is one change that a job makes, at the job's end.
type Item func(at time.Time) (*Record, error)

// Job is a bulk job.
type Job struct {
	ID string
	// Queued is when it was asked for, Started when it begins to work, Done when it ends.
	Queued, Started, Done time.Time
	// Total is how many items it has.
	Total int
	// Results are absent until the job has ended; they are in the order of the items.
	Results []Result

	items []Item
}

// Result is what became of one item: a record, or why there is none.
type Result struct {
	Record *Record
	Err    error
}

// Ended reports whether the job has ended.
func (j *Job) Ended() bool { return j.Results != nil }

// Failed is how many items have failed.
func (j *Job) Failed() int {
	failed := 0
	for _, r := range j.Results {
		if r.Err != nil {
			failed++
		}
	}
	return failed
}

// StartJob queues a job, the first quarter of whose time is spent waiting. Its effects appear all at once, at its end.
func (s *Store) StartJob(now time.Time, items []Item) *Job {
	s.settle(now)
	s.jobSeq++
	duration := s.options.JobDuration()
	j := &Job{
		ID: fmt.Sprintf("job_%d", s.jobSeq), Queued: now.UTC(), Started: now.Add(duration / 4).UTC(), Done: now.Add(duration).UTC(),
		Total: len(items), items: items,
	}
	s.jobs = append(s.jobs, j)
	return j
}

// Job returns a job, nil if there is none, or none any more.
func (s *Store) Job(now time.Time, id string) *Job {
	s.settle(now)
	i := slices.IndexFunc(s.jobs, func(j *Job) bool { return j.ID == id })
	if i < 0 {
		return nil
	}
	return s.jobs[i]
}

// settle ends the jobs whose time has passed, in the order of their ends, and forgets old ones.
func (s *Store) settle(now time.Time) {
	var due []*Job
	for _, j := range s.jobs {
		if !j.Ended() && !now.Before(j.Done) {
			due = append(due, j)
		}
	}
	slices.SortStableFunc(due, func(a, b *Job) int { return a.Done.Compare(b.Done) })
	for _, j := range due {
		s.run(j)
	}
	s.jobs = slices.DeleteFunc(s.jobs, func(j *Job) bool { return now.Sub(j.Done) >= s.options.JobRetention })
}

func (s *Store) run(j *Job) {
	items := j.items
	j.items, j.Results = nil, make([]Result, len(items)) // ended from here on: the items come back to this store
	for i, item := range items {
		if s.ItemFails() {
			j.Results[i].Err = ErrItem
			continue
		}
		j.Results[i].Record, j.Results[i].Err = item(j.Done)
	}
}
