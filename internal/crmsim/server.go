// SPDX-License-Identifier: Apache-2.0

package crmsim

import (
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/crmsim/crm"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/judge"
	"github.com/crmquota/crm-quota-operator/internal/crmsim/limit"
)

// Server is the simulated CRM: the handler that its callers talk to. Control returns the handler that steers it.
type Server struct {
	config  Config
	started time.Time
	closing chan struct{} // closed by Close; ends every wait
	serving sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	random  *rand.Rand
	since   time.Time // of the record
	log     *judge.Log
	crm     crm.CRM
	gates   gates
	ended   []term
	outages []scheduled
	issuer  issuer

	background []*stream
	others     BackgroundCounts
}

// New returns a running CRM. It panics on a configuration that Validate refuses.
func New(config Config) *Server {
	if err := config.Validate(); err != nil {
		panic("crmsim: " + err.Error())
	}
	config = config.withDefaults()
	s := &Server{
		config:  config,
		started: time.Now(),
		closing: make(chan struct{}),
		random:  rand.New(rand.NewPCG(config.Seed, 0)), //nolint:gosec // repeatable on purpose
		issuer:  newIssuer(config.OAuth),
	}
	s.forget(s.now())
	s.gates, _ = s.gates.replace(0, config.Limits, s.random)
	s.outages = schedule(s.now(), config.Outages)
	s.startBackground(s.now(), config.Background)
	return s
}

// Close ends every call in service and waits for them. Later calls are answered with 503.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	s.mu.Unlock()
	s.serving.Wait()
}

// SetLimits replaces the limits in force. Each is judged over the calls received while it is in force; one that stays the same goes on.
func (s *Server) SetLimits(limits []limit.Limit) error {
	if err := limit.ValidateAll(limits); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var ended []term
	s.catchUp(s.now())
	s.gates, ended = s.gates.replace(s.log.Len(), limits, s.random)
	s.ended = append(s.ended, ended...)
	return nil
}

// SetOutages replaces all outages by these, counted from now.
func (s *Server) SetOutages(outages ...Outage) error {
	for _, o := range outages {
		if err := o.Validate(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outages = schedule(s.now(), outages)
	return nil
}

// Reset forgets the record, the tickets, what the limits have counted, the outages and the calls of others. The limits stay in force, tokens valid.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	limits := make([]limit.Limit, len(s.gates))
	for i, gate := range s.gates {
		limits[i] = gate.limit
	}
	s.gates, _ = gates(nil).replace(0, limits, s.random)
	s.ended, s.outages, s.background, s.others = nil, nil, nil, BackgroundCounts{}
	s.forget(s.now())
}

func (s *Server) forget(now time.Time) {
	s.since = now
	s.log = judge.NewLog(s.config.MaxRecords)
	s.crm = crms[s.config.CRM](crm.Options{
		IdempotencyValidity: s.config.IdempotencyValidity,
		JobRetention:        s.config.JobRetention,
		Users:               s.config.Users,
		MaxRecords:          s.config.MaxRecords,
		Zone:                s.config.Zone,
		JobDuration:         func() time.Duration { return s.between(s.config.JobDuration, s.config.MaxJobDuration) },
		IndexDelay:          func() time.Duration { return s.config.IndexDelay + s.upTo(s.config.IndexJitter) },
		ItemFails:           func() bool { return s.config.ItemFailures > 0 && s.random.IntN(100) < s.config.ItemFailures },
	})
}

// now is the CRM's clock. It goes by the monotonic clock from the start on, so a step of this machine's wall clock cannot make a window
// longer or shorter than it was.
func (s *Server) now() time.Time {
	return s.started.Add(time.Since(s.started) + s.config.ClockOffset)
}

// upTo draws a duration from 0 to d, both included. The caller holds the lock.
func (s *Server) upTo(d time.Duration) time.Duration {
	return time.Duration(s.random.Int64N(int64(d) + 1))
}

// between draws a duration from shortest to longest, lognormal about their geometric mean: nineteen of twenty lie well inside. The caller holds the lock.
func (s *Server) between(shortest, longest time.Duration) time.Duration {
	if longest <= shortest || shortest <= 0 {
		return shortest
	}
	low, high := math.Log(float64(shortest)), math.Log(float64(longest))
	drawn := math.Exp((low+high)/2 + (high-low)/4*s.random.NormFloat64())
	return min(max(time.Duration(drawn), shortest), longest)
}

// enter counts a call in, unless the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.serving.Add(1)
	}
	return !s.closed
}

// ServeHTTP is the CRM's API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		http.Error(w, "the simulated CRM is closed", http.StatusServiceUnavailable)
		return
	}
	defer s.serving.Done()
	if s.isTokenRequest(r) {
		s.serveToken(w, r)
		return
	}
	c := s.receive(r)
	answer := s.serve(c)
	s.finish(c, answer)
	answer.send(w)
}
