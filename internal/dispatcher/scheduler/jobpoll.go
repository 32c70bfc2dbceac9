// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// jobPoll is asking about the jobs of clients' calls. Clients may ask late themselves, or never, and as long as the answer does not come by, the slot is held.
type jobPoll struct {
	// next is when to ask, asking is set while the answer is to come.
	next   time.Time
	asking bool
}

// pollJobs asks which jobs have ended while calls wait for their slots.
func (s *Scheduler) pollJobs(now time.Time) {
	p := &s.jobPoll
	if !s.sends() || len(s.jobs) == 0 || p.asking || now.Before(p.next) || !s.waitForJobs(now) {
		return
	}
	a, jobs := s.jobsToPoll()
	r, asked := s.provider.PollJobs(jobs)
	if asked == 0 {
		return
	}
	waiting, pause := map[*lane]int64{}, time.Duration(0)
	for _, id := range jobs[:asked] {
		f := s.jobs[id]
		f.polledAt = now
		waiting[s.lanes[f.charge.Integration]]++
		pause += s.jobAge(now, f) / 2 / time.Duration(asked)
	}
	p.asking = true
	s.askOwn(now, a, s.askers(a, r, waiting), r, func(now time.Time, status int, _ []byte) { // watchJobs has read it
		p.asking = false
		if status != http.StatusOK {
			pause = mostPoll
		}
		p.next = now.Add(max(leastPoll, min(mostPoll, pause)))
	})
}

// waitForJobs says whether a call waits that could be sent if jobs had ended.
func (s *Scheduler) waitForJobs(now time.Time) bool {
	for _, l := range s.order {
		for _, o := range l.offers {
			if !slices.ContainsFunc(s.jobLimits, func(k int) bool { return o.Cost[k] > 0 }) {
				continue
			}
			if e, waits := s.sharing.Explain(now, o.Head); waits && slices.Contains(s.jobLimits, e.Limit) {
				return true
			}
		}
	}
	return false
}

// jobsToPoll are jobs that one user of the CRM has started, those first that were not asked about for longest.
func (s *Scheduler) jobsToPoll() (a *access, jobs []string) {
	for _, id := range slices.SortedFunc(maps.Keys(s.jobs), func(x, y string) int {
		return cmp.Or(s.jobs[x].polledAt.Compare(s.jobs[y].polledAt), strings.Compare(x, y))
	}) {
		if of := s.jobAccess(s.jobs[id]); of != nil && (a == nil || a == of) {
			a, jobs = of, append(jobs, id)
		}
	}
	return a, jobs
}

// jobAccess is as whom it is asked about the job of a call; nil if it is not.
func (s *Scheduler) jobAccess(f *flight) *access {
	l := s.lanes[f.charge.Integration]
	switch b := s.bulks[f.id]; {
	case b != nil && b.polled(): // it is asked about anyway
		return nil
	case l == nil || l.spec == nil: // nobody would pay for it
		return nil
	case f.access != nil && f.access != l.access: // the client brought a credential along
		return nil
	}
	return l.access
}

// jobAge is how long ago the CRM told of the job.
func (s *Scheduler) jobAge(now time.Time, f *flight) time.Duration {
	return now.Sub(s.epoch.Add(f.charge.End))
}

// nextJobPoll is when pollJobs may have something to do; zero if only other events can give it that.
func (s *Scheduler) nextJobPoll(now time.Time) time.Time {
	if len(s.jobs) == 0 || s.jobPoll.asking || !now.Before(s.jobPoll.next) {
		return time.Time{}
	}
	return s.jobPoll.next
}
