// SPDX-License-Identifier: Apache-2.0

// Package callbacks tells integrations' receivers what became of their queued calls, by the scheme of Standard Webhooks: at least once, in any order, with the same
// message ID each time. What is to be told is in the store; nothing here is on the way of a call.
package callbacks

import (
	"context"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
)

const (
	// maxFlights bounds the requests that are under way, perEndpoint those to one receiver: a slow one leaves room for the others.
	maxFlights  = 64
	perEndpoint = 4
	// page is how many callbacks of a queue are looked at in one turn.
	page = 64
	// lookEvery is how soon it is noticed that a Secret has come, storeAgain how soon a store is asked again that has failed.
	lookEvery  = 10 * time.Second
	storeAgain = time.Second
)

// Options of a Sender. All but Secrets and Observe are required.
type Options struct {
	Store backlog.Callbacks
	// Plan in force, nil before the first, and a channel that is closed when it changes.
	Plan func() (*contract.Plan, <-chan struct{})
	// Secrets has a folder for each mounted Secret that integrations name, with one file for each key; nil if none is mounted.
	Secrets fs.FS
	// Transport carries the requests; see NewTransport. It must not follow redirects.
	Transport http.RoundTripper
	// Now is the dispatcher's timeline.
	Now func() time.Time
	// Random spreads pauses.
	Random *rand.Rand
	Log    *slog.Logger
	// Observe, if set, is told of each request; status is 0 if no answer came.
	Observe func(integration, endpoint string, status int)
}

// Sender delivers callbacks while Run runs.
type Sender struct {
	options Options
	landed  chan landing
	// flying counts the requests that are under way; turn says with which queue the next look begins.
	flying, turn int

	// mu guards what Report reads.
	mu    sync.Mutex
	lanes map[backlog.CallbackQueue]*lane
	// givenUp is when a callback of an integration was given up last.
	givenUp map[string]time.Time
}

// lane is a queue that is not empty.
type lane struct {
	queue backlog.CallbackQueue
	// flying are the message IDs of those that are under way.
	flying map[string]bool
	gate   gate
}

// landing is a request that has ended.
type landing struct {
	lane     *lane
	callback backlog.Callback
	outcome  outcome
}

// New returns a Sender.
func New(o Options) *Sender {
	if o.Observe == nil {
		o.Observe = func(string, string, int) {}
	}
	return &Sender{options: o, landed: make(chan landing), lanes: map[backlog.CallbackQueue]*lane{}, givenUp: map[string]time.Time{}}
}

// Run works until ctx ends, and then until the requests have ended that are under way: 10 s at most.
func (s *Sender) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		plan, changed := s.options.Plan()
		now := s.options.Now()
		timer.Reset(max(0, s.look(plan, now).Sub(now))) //nolint:contextcheck // a request goes on to its end when ctx does
		select {
		case <-ctx.Done():
			for s.flying > 0 {
				s.land(<-s.landed)
			}
			return
		case l := <-s.landed:
			s.land(l)
		case <-s.options.Store.CallbacksStored():
		case <-changed:
		case <-timer.C:
		}
	}
}

// look starts what can be started now, and returns when time alone changes something.
func (s *Sender) look(plan *contract.Plan, now time.Time) (wake time.Time) {
	wake = now.Add(lookEvery)
	if plan == nil {
		return wake
	}
	queues, err := s.options.Store.CallbackQueues()
	if err != nil {
		s.options.Log.Error("Callbacks cannot be read", "error", err)
		return now.Add(storeAgain)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(queues)
	s.turn++
	for i := range queues {
		next, err := s.serve(plan, queues[(i+s.turn)%len(queues)], now)
		if err != nil {
			s.options.Log.Error("Callbacks cannot be read or written", "error", err)
			next = now.Add(storeAgain)
		}
		if next.Before(wake) {
			wake = next
		}
	}
	return wake
}

// keep has a lane for each queue, and forgets those of queues that are empty.
func (s *Sender) keep(queues []backlog.CallbackQueue) {
	lanes := make(map[backlog.CallbackQueue]*lane, len(queues))
	for _, q := range queues {
		if lanes[q] = s.lanes[q]; lanes[q] == nil {
			lanes[q] = &lane{queue: q, flying: map[string]bool{}}
		}
	}
	s.lanes = lanes
}

// serve starts or gives up the next callbacks of a queue, and returns when to look at it again; an end of a request has it looked at, too.
func (s *Sender) serve(plan *contract.Plan, q backlog.CallbackQueue, now time.Time) (wake time.Time, err error) {
	l := s.lanes[q]
	later := now.Add(lookEvery)
	if now.Before(l.gate.until) {
		return l.gate.until, nil
	}
	to := s.receiver(plan, q)
	found, err := s.options.Store.Callbacks(q, page)
	if err != nil {
		return later, err
	}
	for _, c := range found {
		switch {
		case l.flying[c.MessageID()]:
		case to.gone || expired(c, now) && (to.missing || l.gate.failures > 0):
			if err := s.giveUp(c, now, "its endpoint is gone, or has taken none for a day"); err != nil {
				return later, err
			}
		case to.missing || s.flying >= maxFlights || len(l.flying) >= l.gate.room():
			return later, nil
		case c.Due.After(now):
			return c.Due, nil
		default:
			s.start(l, to, c)
		}
	}
	if len(found) == page {
		return now, nil
	}
	return later, nil
}

// giveUp ends a callback that is not told to anybody.
func (s *Sender) giveUp(c backlog.Callback, now time.Time, why string) error {
	s.givenUp[c.Integration] = now
	s.options.Log.Warn("A callback is given up", "integration", c.Integration, "endpoint", c.Endpoint, "message", c.MessageID(), "attempts", c.Attempts, "reason", why)
	return s.options.Store.EndCallback(c, backlog.CallbackGivenUp)
}

func (s *Sender) start(l *lane, to receiver, c backlog.Callback) {
	l.flying[c.MessageID()] = true
	s.flying++
	go func() { s.landed <- landing{l, c, s.send(to, c)} }()
}

// land notes what became of a request. A callback that was not taken is due again later, for a day after the result that it tells of.
func (s *Sender) land(l landing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, c, o := s.options.Now(), l.callback, l.outcome
	s.flying--
	delete(l.lane.flying, c.MessageID())
	s.options.Observe(c.Integration, c.Endpoint, o.status)
	failing := l.lane.gate.failures > 0
	var err error
	switch {
	case o.taken():
		err = s.options.Store.EndCallback(c, backlog.CallbackDelivered)
	case o.gone():
		err = s.giveUp(c, now, o.detail)
	case expired(c, now):
		err = s.giveUp(c, now, o.detail)
	default:
		due := now.Add(max(o.retryAfter, s.spread(retryPause(c.Attempts+1))))
		err = s.options.Store.PostponeCallback(c, earlier(due, c.At.Add(keepTrying)))
	}
	if err != nil { // it is told once more then
		s.options.Log.Error("What became of a callback cannot be stored", "error", err)
		o = outcome{detail: "the dispatcher's store has failed"}
	}
	if o.taken() || o.gone() {
		l.lane.gate = gate{}
	} else {
		l.lane.gate.fail(now, o.detail, max(o.retryAfter, s.spread(probePause(l.lane.gate.failures+1))))
	}
	switch now := l.lane.gate.failures > 0; {
	case now && !failing:
		s.options.Log.Warn("A receiver does not take callbacks", "integration", c.Integration, "endpoint", c.Endpoint, "detail", o.detail)
	case failing && !now:
		s.options.Log.Info("A receiver takes callbacks again", "integration", c.Integration, "endpoint", c.Endpoint)
	}
}

// spread draws from the upper half of a pause.
func (s *Sender) spread(pause time.Duration) time.Duration {
	return pause/2 + time.Duration(s.options.Random.Int64N(int64(pause/2)+1))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
