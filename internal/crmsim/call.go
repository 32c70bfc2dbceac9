// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 10 << 20

// call is one request on its way through the CRM.
type call struct {
	request *http.Request
	route   route
	id      string // of the record that the path names
	body    []byte
	bodyErr error

	log      *judge.Log
	logID    int
	arrival  judge.Arrival
	slots    []*count
	hasSlots bool // false when a concurrent limit was reached at the arrival
	outage   *scheduled

	// before and after are the latency on either side of the count, late what is added when the client has gone by then.
	before, after, late time.Duration
	// goneAt is when the client went, by the CRM's clock.
	goneAt    atomic.Pointer[time.Time]
	stopWatch func() bool
	now       time.Time // when the call is counted and executed
}

// receive records the arrival, decides its fate by seeded chance, and reads the body.
func (s *Server) receive(r *http.Request) *call {
	c := &call{request: r, logID: -1}
	c.route, c.id = findRoute(r.Method, r.URL.Path)
	c.stopWatch = context.AfterFunc(r.Context(), func() { c.goneAt.Store(new(s.now())) })

	s.mu.Lock()
	now := s.now()
	c.arrival = judge.Arrival{
		Method: r.Method, Path: r.URL.Path, Operation: c.route.operation, Credential: s.credentialName(r),
		IdempotencyKey: r.Header.Get("Idempotency-Key"), Record: c.id, Received: now,
	}
	c.log = s.log
	c.logID = c.log.Begin(c.arrival)
	c.slots, c.hasSlots = s.gates.enter(c.arrival.Call())
	c.outage = s.outageFor(now, c.arrival.Operation)
	s.planLatency(c)
	s.mu.Unlock()

	c.body, c.bodyErr = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if c.bodyErr == nil && len(c.body) > maxBody {
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
	c.now = now
	c.arrival.Earliest, c.arrival.Latest = now, now

	select {
	case <-s.closing:
		c.arrival.Outcome = judge.Closed
		return failure(http.StatusServiceUnavailable, "ServiceUnavailable", "the simulated CRM is closed")
	default:
	}
	answer := s.answerFor(c, now)
	s.gates.headers(now, answer.header)
	answer.header.Set("Date", now.UTC().Format(http.TimeFormat))
	return answer
}

func (s *Server) answerFor(c *call, now time.Time) reply {
	if !s.authenticated(c.request, c.arrival.Received) {
		c.arrival.Outcome = judge.Unauthorized
		return failure(http.StatusUnauthorized, "Couldn't authenticate you", "")
	}
	if !c.hasSlots {
		c.arrival.Outcome = judge.Refused
		return tooManyRequests(0)
	}
	if ok, retry := s.gates.admit(now, c.arrival.Call()); !ok {
		c.arrival.Outcome = judge.Refused
		return tooManyRequests(retry)
	}
	if c.outage == nil || c.outage.Kind == Slow {
		c.arrival.Outcome = judge.Answered
		return s.execute(c)
	}
	c.arrival.Outcome = judge.Failed
	if c.outage.Executed {
		s.execute(c)
	}
	return c.outage.answer()
}

// execute runs the endpoint.
func (s *Server) execute(c *call) reply {
	switch {
	case errors.Is(c.bodyErr, errTooLarge):
		return failure(http.StatusRequestEntityTooLarge, "RequestTooLarge", errTooLarge.Error())
	case c.bodyErr != nil:
		return failure(http.StatusBadRequest, "BadRequest", "the body could not be read")
	}
	return c.route.run(s, c)
}

// sleep waits until d has passed, the client has gone, or the server is closed.
func (s *Server) sleep(c *call, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.request.Context().Done():
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
		a.Status = answer.status
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
	return now, c.request.Context().Err() != nil
}
