// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 10 << 20

// call is one request on its way through the CRM.
type call struct {
	crm.Call
	server  *Server
	bodyErr error

	log     *judge.Log
	logID   int
	arrival judge.Arrival
	slots   []*count
	full    *limit.Limit // the concurrent limit that was reached at the arrival
	outage  *scheduled

	// before and after are the latency on either side of the count, late what is added when the client has gone by then.
	before, after, late time.Duration
	// goneAt is when the client went, by the CRM's clock.
	goneAt    atomic.Pointer[time.Time]
	stopWatch func() bool
}

// receive records the arrival, decides its fate by seeded chance, and reads the body.
func (s *Server) receive(r *http.Request) *call {
	c := &call{server: s, logID: -1}
	c.Request, c.Endpoint, c.Base, c.Jobs = r, s.crm.Endpoint(r.Method, r.URL.Path), s.base(r), c
	c.stopWatch = context.AfterFunc(r.Context(), func() { c.goneAt.Store(new(s.now())) })

	s.mu.Lock()
	now := s.now()
	c.arrival = judge.Arrival{
		Method: r.Method, Path: r.URL.Path, Operation: c.Operation, Credential: s.credentialName(r),
		IdempotencyKey: r.Header.Get("Idempotency-Key"), Record: c.Record, Session: s.crm.Session(r), Received: now,
	}
	c.log = s.log
	c.logID = c.log.Begin(c.arrival)
	c.slots, c.full = s.gates.enter(c.arrival.Call())
	c.outage = s.outageFor(now, c.arrival.Operation)
	s.planLatency(c)
	s.mu.Unlock()

	c.Body, c.bodyErr = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if c.bodyErr == nil && len(c.Body) > maxBody {
		c.bodyErr = errTooLarge
	}
	return c
}

var errTooLarge = errors.New("the body is larger than the simulator takes")

func (s *Server) outageFor(now time.Time, operation string) *scheduled {
	draw := s.random.IntN(100)
	for i := range s.outages {
		if s.outages[i].strikes(now, operation, draw) {
			return &s.outages[i]
		}
	}
	return nil
}

func (s *Server) planLatency(c *call) {
	total := s.config.Latency + s.upTo(s.config.Jitter)
	if c.outage != nil && c.outage.Kind == Slow {
		total += c.outage.Delay
	}
	switch s.config.Stamp {
	case AtArrival:
		c.after = total
	case AtAnswer:
		c.before, c.late = total, s.config.LateBy
	default:
		c.before, c.late = s.upTo(total), s.upTo(s.config.LateBy)
		c.after = total - c.before
	}
}

// serve takes the call through its latency, counts it, executes it, and returns what to answer.
func (s *Server) serve(c *call) reply {
	s.sleep(c, c.before)
	if at, gone := c.clientGone(s.now()); gone {
		s.linger(at.Add(c.late).Sub(s.now()))
	}
	answer := s.countAndExecute(c)
	s.sleep(c, c.after)
	if c.outage != nil && c.outage.Kind == Hang {
		s.sleep(c, c.outage.until.Sub(s.now()))
	}
	return answer
}

// countAndExecute happens at one moment: no other call is counted meanwhile.
func (s *Server) countAndExecute(c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	c.Now, c.Standings = now, s.gates.standings(now, c.arrival.Call())
	c.arrival.Earliest, c.arrival.Latest = now, now
	s.catchUp(now)

	select {
	case <-s.closing:
		c.arrival.Outcome = judge.Closed
		return reply{Reply: s.crm.Fail(http.StatusServiceUnavailable, "the simulated CRM is closed")}
	default:
	}
	answer := s.answerFor(c, now)
	s.crm.Show(&c.Call, &answer.Reply)
	answer.Header.Set("Date", now.UTC().Format(http.TimeFormat))
	return answer
}

func (s *Server) answerFor(c *call, now time.Time) reply {
	c.Credential, c.Known = c.arrival.Credential, s.authenticated(c.Request, c.arrival.Received)
	if !c.Known {
		c.arrival.Outcome = judge.Unauthorized
		return reply{Reply: s.crm.Fail(http.StatusUnauthorized, "")}
	}
	if c.full != nil {
		c.arrival.Outcome = judge.Refused
		return reply{Reply: s.crm.Refuse(&c.Call, crm.Refusal{Limit: *c.full})}
	}
	c.arrival.Weight = s.crm.Weight(&c.Call)
	if refused := s.gates.admit(now, c.arrival.Call()); refused != nil {
		c.arrival.Outcome = judge.Refused
		return reply{Reply: s.crm.Refuse(&c.Call, *refused)}
	}
	s.crm.Counted(now, c.arrival.Call())
	if c.outage == nil || c.outage.Kind == Slow {
		c.arrival.Outcome = judge.Answered
		return reply{Reply: s.execute(c)}
	}
	c.arrival.Outcome = judge.Failed
	if c.outage.Executed {
		s.execute(c)
	}
	return s.outageReply(c.outage)
}

// execute runs the endpoint.
func (s *Server) execute(c *call) crm.Reply {
	switch {
	case errors.Is(c.bodyErr, errTooLarge):
		return s.crm.Fail(http.StatusRequestEntityTooLarge, errTooLarge.Error())
	case c.bodyErr != nil:
		return s.crm.Fail(http.StatusBadRequest, "the body could not be read")
	}
	return c.Run(&c.Call)
}

// Fit reports whether the call may start a job.
func (c *call) Fit() bool { return c.server.gates.jobFits(c.Now, c.arrival.Call()) }

// Start counts a job that the call has started.
func (c *call) Start(end time.Time) {
	c.arrival.JobEnd = end
	c.server.gates.startJob(c.arrival.Call(), end)
}

// base is what absolute links start with: the name that the CRM believes to have.
func (s *Server) base(r *http.Request) string {
	switch {
	case s.config.PublicURL != "":
		return strings.TrimSuffix(s.config.PublicURL, "/")
	case r.TLS != nil:
		return "https://" + r.Host
	default:
		return "http://" + r.Host
	}
}

// sleep waits until d has passed, the client has gone, or the server is closed.
func (s *Server) sleep(c *call, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.Request.Context().Done():
	case <-s.closing:
	}
}

// linger waits until d has passed, for a client that has gone, or the server is closed.
func (s *Server) linger(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closing:
	}
}

// finish completes the record, before the first byte of the answer: all that the CRM does lies between the caller's sending and its
// having read the answer.
func (s *Server) finish(c *call, answer reply) {
	c.stopWatch()
	a := &c.arrival
	now := s.now()
	a.Released = now
	if !answer.dropsConnection() {
		a.Status = answer.Status
	}
	goneAt, gone := c.clientGone(now)
	a.ClientGone = gone
	if s.config.Stamp == Anywhere {
		a.Earliest, a.Latest = a.Received, now
		if gone {
			a.Latest = goneAt.Add(s.config.LateBy)
		}
		a.Released = a.Latest
	}
	s.mu.Lock()
	leave(c.slots)
	s.mu.Unlock()
	c.log.End(c.logID, *a)
}

// clientGone returns whether the client has gone, and when. The watch may be a moment behind the context.
func (c *call) clientGone(now time.Time) (at time.Time, gone bool) {
	if at := c.goneAt.Load(); at != nil {
		return *at, true
	}
	return now, c.Request.Context().Err() != nil
}
