// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

// bulk is a dialect in which calls to /bulk start a job of the same name as the number of the answer's header, and others tell of its end.
type bulk struct{ testDialect }

func (bulk) Jobs(method string, _ int, body []byte) (started, ended []string) {
	name := strings.TrimPrefix(string(body), "answer to ")
	switch {
	case method == http.MethodPost && strings.HasPrefix(name, "/bulk/"):
		return []string{strings.TrimPrefix(name, "/bulk/")}, nil
	case strings.HasPrefix(name, "/done/"):
		return nil, []string{strings.TrimPrefix(name, "/done/")}
	}
	return nil, nil
}

// PollJobs asks about one at a time.
func (bulk) PollJobs(jobs []string) (poll dialect.Request, asked int) {
	return dialect.Request{Method: http.MethodGet, Target: "/done/" + jobs[0]}, 1
}

// TestJobsHoldSlots until an answer says that they have ended, whoever asked for it.
func TestJobsHoldSlots(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.stop()
		b.dialect = bulk{}
		b.start()
		b.apply(limited(2, contract.Limit{Name: "jobs", Concurrent: 2, UntilJobEnds: true, Match: &contract.Match{Methods: []string{"POST"}, Path: "/**"}}))
		used := func(what string, want int64) {
			t.Helper()
			time.Sleep(time.Second)
			if got := b.snap().Windows[1].Used; got != want {
				t.Errorf("%s: %d slots are used, want %d", what, got, want)
			}
		}
		b.do(write("/single", call.RepeatNever), 0)
		used("after a call that started no job", 0)
		b.do(write("/bulk/a", call.RepeatNever), 0)
		b.do(write("/bulk/b", call.RepeatNever), 0)
		used("after two that did", 2)
		if r := b.refused(write("/bulk/c", call.RepeatNever), 0); r.Limit != "jobs" {
			t.Errorf("a third job is refused with %+v", r)
		}
		b.do(read("/done/a"), 0)
		used("when one has ended", 1)
		b.stop()
		b.start()
		used("after a restart", 1)
		time.Sleep(time.Hour)
		used("after an hour without news", 0)
	})
}

// TestJobsAreKnownAfterARestart: an answer that says that a job has ended frees the slot which it took before the restart, and only that.
func TestJobsAreKnownAfterARestart(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.stop()
		b.dialect = bulk{}
		b.start()
		b.apply(limited(2, contract.Limit{Name: "jobs", Concurrent: 3, UntilJobEnds: true, Match: &contract.Match{Methods: []string{"POST"}, Path: "/**"}}))
		for _, job := range []string{"a", "b", "c"} {
			b.do(write("/bulk/"+job, call.RepeatNever), 0)
		}
		b.restart(time.Second) // power is lost right after the answer to the last
		b.do(read("/done/c"), 0)
		b.restart(time.Second)
		b.do(read("/done/c"), 0)
		b.do(read("/done/b"), 0)
		time.Sleep(time.Second)
		if used := b.snap().Windows[1].Used; used != 1 {
			t.Errorf("%d slots are used, want that of the job that goes on", used)
		}
		b.do(read("/other"), 0) // its intent is durable, and so is what was written before
		b.restart(time.Second)
		if used := b.snap().Windows[1].Used; used != 1 {
			t.Errorf("after another restart %d slots are used, want 1", used)
		}
	})
}

// TestJobsAreAskedAboutForWhoWaits: a client that starts jobs and never asks about them does not hold up others, nor itself, and as long as it does not nothing is asked.
func TestJobsAreAskedAboutForWhoWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.stop()
		b.dialect = bulk{}
		b.start()
		b.apply(limited(2, contract.Limit{Name: "jobs", Concurrent: 2, UntilJobEnds: true, Match: &contract.Match{Methods: []string{"POST"}, Path: "/**"}}))
		b.do(write("/bulk/a", call.RepeatNever), 0)
		b.do(write("/bulk/b", call.RepeatNever), 0)
		time.Sleep(10 * time.Minute)
		if n := b.crm.asked("/done/a") + b.crm.asked("/done/b"); n != 0 {
			t.Errorf("it was asked %d times while nobody waited", n)
		}
		b.do(read("/other"), 0) // its intent is durable, and so are the names of the jobs
		b.restart(time.Second)
		b.crm.look(func() {
			b.crm.reply = func(c *call.Call) answer {
				if c.Target == "/done/a" {
					return answer{status: http.StatusOK, body: "it works on it"}
				}
				return answer{status: http.StatusOK}
			}
		})
		id := b.enqueue(write("/bulk/c", call.RepeatNever))
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if r := b.result(id); r.State != call.StateSucceeded {
			t.Errorf("the third job is %+v, want it started in place of the one that has ended", r)
		}
		if a, ended := b.crm.asked("/done/a"), b.crm.asked("/done/b"); a != 1 || ended != 1 {
			t.Errorf("it was asked %d times about the job that goes on and %d times about the one that has ended, want once each", a, ended)
		}
		b.crm.look(func() {
			b.crm.reply = func(*call.Call) answer { return answer{status: http.StatusServiceUnavailable, body: "away"} }
		})
		waits := b.enqueue(write("/bulk/d", call.RepeatNever))
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if n := b.crm.asked("/done/a") + b.crm.asked("/done/c"); n < 10 || n > 40 {
			t.Errorf("it was asked %d times in half an hour of failures, want about once a minute", n)
		}
		if r := b.result(waits); r.State != call.StateQueued {
			t.Errorf("the fourth job is %+v", r)
		}
	})
}
