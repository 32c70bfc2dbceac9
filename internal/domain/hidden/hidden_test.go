// SPDX-License-Identifier: Apache-2.0

package hidden_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/hidden"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// of a limit that was learnt at begin.
func of(subject string, calls int64, window time.Duration) hidden.Limit {
	return hidden.Limit{Subject: subject, Calls: calls, Window: window, Since: begin, Refused: begin, Refusals: 6}
}

// restored is a learner that goes on from such limits, ten minutes before now.
func restored(all ...hidden.Limit) (l *hidden.Learner, now time.Time) {
	l = hidden.New(begin, limits.DefaultGuards())
	l.Restore(begin, all)
	return l, begin.Add(10 * time.Minute)
}

// call has one taken that is answered a second later.
func call(l *hidden.Learner, subject string, at time.Time) {
	l.Sent(subject, at)
	l.Taken(subject, at, at.Add(time.Second))
}

func TestALimitIsKept(t *testing.T) {
	l, now := restored(of("a", 2, time.Minute))
	l.Sent("a", now)
	if _, held := l.Held("a", now); held {
		t.Error("with one call in flight a second one is held")
	}
	call(l, "a", now)
	if until, held := l.Held("a", now.Add(2*time.Second)); !held || until.Before(now.Add(61*time.Second)) || until.After(now.Add(62*time.Second)) {
		t.Errorf("a third one is held: %t, until %s; want it a minute after the second's answer", held, until.Sub(now))
	}
	if _, held := l.Held("b", now); held {
		t.Error("a call of another subject is held")
	}
	l.Sent("a", now)
	if until, held := l.Held("a", now.Add(5*time.Minute)); !held || !until.IsZero() {
		t.Errorf("with two in flight a third one is held: %t, until %s; want it until one ends", held, until)
	}
	l.Ended("a")
	if _, held := l.Held("a", now.Add(5*time.Minute)); held {
		t.Error("it is held when one has ended")
	}
}

func TestAfterARestartOneCallAtATimeIsSent(t *testing.T) {
	l := hidden.New(begin, limits.DefaultGuards())
	l.Restore(begin, []hidden.Limit{of("a", 10, time.Minute)})
	l.Sent("a", begin)
	if _, held := l.Held("a", begin.Add(time.Second)); !held {
		t.Error("a second call is let through at once")
	}
	if _, held := l.Held("a", begin.Add(62*time.Second)); held {
		t.Error("it is held when the window is over")
	}
}

// TestARefusalConfirmsOrLowers: one of calls beyond the limit confirms it, as in Shadow; one at fewer calls lowers it, and the third at far fewer drops it.
func TestARefusalConfirmsOrLowers(t *testing.T) {
	for name, test := range map[string]struct {
		taken int
		want  []int64
	}{
		"beyond the limit":         {12, []int64{8, 8, 8, 8}},
		"at somewhat fewer calls":  {7, []int64{7, 7, 7, 7}},
		"at far fewer":             {2, []int64{4, 2, 2, 2}},
		"when none had been taken": {0, []int64{4, 2, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			l, now := restored(of("a", 8, time.Minute))
			for n, want := range test.want {
				for range test.taken {
					call(l, "a", now)
				}
				l.Sent("a", now.Add(2*time.Second))
				l.Refused("a", now.Add(2*time.Second), now.Add(3*time.Second), 0)
				now = now.Add(2 * time.Minute)
				call(l, "a", now)
				now = now.Add(2 * time.Minute)
				if got, _ := l.Of("a"); got.Calls != want {
					t.Errorf("after bout %d it is %d, want %d", n+1, got.Calls, want)
				}
			}
		})
	}
}

func TestALimitExpires(t *testing.T) {
	l, _ := restored(of("a", 8, time.Minute), of("b", 3, time.Second))
	last := begin.Add(hidden.Expiry)
	if got := l.Limits(last); len(got) != 2 || !got[0].Expires().Equal(last) {
		t.Errorf("at the last moment %+v are believed", got)
	}
	if got := l.Limits(last.Add(1)); len(got) != 0 {
		t.Errorf("a moment later %+v are believed", got)
	}
}

func TestALimitThatIsKnownIsForgotten(t *testing.T) {
	l, now := restored(of("a", 8, time.Minute), of("b", 3, time.Second))
	l.Forget(now, func(limit hidden.Limit) bool { return limit.Subject == "a" })
	if got := l.Limits(now); len(got) != 1 || got[0].Subject != "b" {
		t.Errorf("%+v are believed", got)
	}
}

// TestManySubjects: memory is bounded, what was learnt and what is in flight stays.
func TestManySubjects(t *testing.T) {
	l, now := restored(of("learnt", 1, time.Minute))
	for n := range 1000 {
		call(l, fmt.Sprint("GET /", n), now.Add(time.Duration(n)*time.Millisecond))
	}
	if _, known := l.Of("learnt"); !known {
		t.Error("what was learnt is gone")
	}
	now = now.Add(5 * time.Minute)
	for n := range 1000 {
		l.Sent(fmt.Sprint("PUT /", n), now)
	}
	call(l, "learnt", now)
	if _, held := l.Held("learnt", now.Add(2*time.Second)); !held {
		t.Error("with many others in flight what was learnt is not kept")
	}
}
