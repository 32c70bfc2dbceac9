// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/provider/dialect"
)

const (
	// logEvery is how often it is asked whether there is a new log: there is one a day, some time after its end.
	logEvery = 8 * time.Hour
	// logShare: at most one in so many questions asks for the newest log, and one for what is in it.
	logShare = 8
	// logDenied is how long nothing is asked about logs after an answer that is none: somebody has to change something there, or the CRM has none.
	logDenied = 24 * time.Hour
	// logHolds is how long after its day a log is of interest.
	logHolds = 72 * time.Hour
	// maxLog is how many bytes of a log are read, some three million calls. One that is said to be longer is not asked for.
	maxLog = 1 << 30
)

// appLogs is asking the CRM for its logs of what single applications have used.
type appLogs struct {
	// next is when to ask whether there is a new one.
	next time.Time
	// found is one to be read; nil for none.
	found *dialect.AppLog
	// day is the one of which a log was read last, apps what applications have used in it.
	day  time.Time
	apps []contract.AppUse
}

// tell says whether there is something of interest to tell.
func (l *appLogs) tell(now time.Time) bool {
	return !l.day.IsZero() && now.Sub(l.day) < logHolds
}

// logQuestion is what to ask about logs, false if nothing now. The first question of all is what has been used.
func (s *Scheduler) logQuestion(now time.Time) (q question, due bool) {
	u := &s.usage
	switch {
	case u.how.Logs == nil || u.last == nil:
		return q, false
	case u.logs.found != nil:
		log := *u.logs.found
		return question{ask: log.Ask, end: func(_ time.Time, f *flight, o upstream.Outcome, what fate) { s.endLog(log, f, o, what) }}, true
	case !now.Before(u.logs.next):
		return question{ask: u.how.Logs.Newest, end: s.endNewest}, true
	}
	return q, false
}

// endNewest takes the answer to the question which log is the newest. Nothing depends on it: of an error comes that it is not asked again soon.
func (s *Scheduler) endNewest(now time.Time, f *flight, o upstream.Outcome, what fate) {
	u := &s.usage
	u.logs.next = now.Add(s.usagePace(f.price, max(logEvery, logShare*u.every)))
	switch what {
	case failed:
		u.logs.next = now.Add(logDenied)
		s.options.Logger.Info("The CRM has no logs of what single applications use, or does not show them", "call", f.call.Method+" "+f.call.Target, "status", o.Answer.Status)
	case succeeded:
		if o.Answer.Status != http.StatusOK || o.Rest != nil {
			break
		}
		newest, is := u.how.Logs.ReadNewest(peek(o.Answer))
		if !is || newest.Day.Equal(u.logs.day) {
			break
		}
		if newest.Bytes > maxLog {
			s.options.Logger.Warn("The CRM's log of what applications use is too long to be read", "day", newest.Day, "bytes", newest.Bytes, "most", maxLog)
			break
		}
		u.logs.found = &newest
	default: // the next time will tell
	}
}

// endLog has a log counted as it comes, which can take minutes. It goes to whom waits for the answer, as other long ones do.
func (s *Scheduler) endLog(log dialect.AppLog, f *flight, o upstream.Outcome, what fate) {
	s.usage.logs.found = nil
	if what != succeeded || o.Answer.Status != http.StatusOK {
		return
	}
	count := s.usage.how.Logs.Count
	f.waiter.gone = false
	go func() {
		body := (<-f.waiter.answered).answer.Body
		apps, err := count(http.MaxBytesReader(nil, body, maxLog))
		_ = body.Close() // it was read, or is given up
		s.report(func() {
			if err != nil {
				s.options.Logger.Warn("The CRM's log of what applications use cannot be read", "day", log.Day, "error", err)
				return
			}
			s.usage.logs.day, s.usage.logs.apps = log.Day, appUses(apps)
		})
	}()
}
