// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"runtime"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

const (
	// Bounds of one turn: many events share its fsync, but none waits for too many others.
	maxCommands = 256
	maxSends    = 256
	maxOverdue  = 256
	// forecastEvery is how old the forecasts of integrations that ask for nothing new may be, fadeEvery how soon those who wait are looked at again because
	// they have faded. They fade over minutes.
	forecastEvery = time.Second
	fadeEvery     = 10 * time.Second
	// landing is how long calls in flight may take to end after Run was told to stop.
	landing = 20 * time.Second
)

// Run works until ctx ends: then it sends nothing more, waits up to 20 s for the calls in flight, and returns nil. An error means that the store failed, or that the
// plan's next limits, which were read before, cannot be put in force.
func (s *Scheduler) Run(ctx context.Context) error {
	defer s.land()
	defer s.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	stop := ctx.Done()
	for {
		select {
		case <-stop:
			stop = nil
			s.stop()
			defer time.AfterFunc(landing, s.land).Stop()
		case f := <-s.commands:
			f()
			runtime.Gosched() // who is about to hand in another one shares this turn's fsync
			s.takeMore(maxCommands - 1)
		case err := <-s.writing.done:
			if err := s.written(err); err != nil {
				return err
			}
		case <-timer.C:
		}
		wake, err := s.turn()
		if err != nil {
			return err
		}
		if s.ended() {
			return nil
		}
		timer.Reset(max(0, wake.Sub(s.options.Now())))
	}
}

// takeMore runs commands that wait already.
func (s *Scheduler) takeMore(n int) {
	for range n {
		select {
		case f := <-s.commands:
			f()
		default:
			return
		}
	}
}

// turn decides what can be decided now, makes it durable and visible, and returns when to look again.
func (s *Scheduler) turn() (wake time.Time, err error) {
	now := s.options.Now()
	s.ledger.SetOffset(s.crmClock.now(now))
	s.ledger.Advance(now)
	if err := s.endOverdue(now); err != nil {
		return wake, err
	}
	s.carryOut(now)
	if err := s.renewLicence(now); err != nil {
		return wake, err
	}
	if err := s.endErased(now); err != nil {
		return wake, err
	}
	s.parkDoubtful(now)
	s.shareAnew(now)
	s.heed(now)
	s.tendBulks(now)
	more := s.dispatch(now)
	s.pollJobs(now)
	s.askUsage(now)
	s.giveUp(now)
	ready, err := s.commit(now)
	if err != nil {
		return wake, err
	}
	found, err := s.refill()
	if err != nil || more || ready || found || len(s.orders)+len(s.erasures) > 0 {
		return now, err
	}
	return s.nextWake(now), nil
}

// nextWake is when time alone changes something.
func (s *Scheduler) nextWake(now time.Time) time.Time {
	wake := earlier(now.Add(checkpointEvery), s.nextDue)
	if !s.batch.Empty() && s.writing.done == nil {
		wake = earlier(wake, s.checkpoint.Add(tidyEvery))
	}
	wake = earlier(earlier(wake, s.sharesUntil), s.limitsUntil)
	wake = earlier(wake, s.usageDue(now))
	if s.sends() {
		wake = earlier(earlier(wake, s.nextTending()), s.nextJobPoll(now))
	}
	deadline, waits := s.nextDeadline()
	wake = earlier(wake, deadline)
	if !waits || !s.sends() {
		return wake
	}
	wake = earlier(wake, s.nextProbe(now))
	if !s.refusals.open(now) {
		return wake // nothing but that counts until then
	}
	for _, l := range s.order {
		wake = earlier(wake, l.staleAt)
	}
	if next, ok := s.ledger.NextRelease(); ok {
		wake = earlier(wake, next)
	}
	return earlier(earlier(wake, s.nextWord(now)), now.Add(fadeEvery))
}

// nextDeadline is when somebody who waits gives up first; zero if nobody does. waits says whether any call waits, queued ones included.
func (s *Scheduler) nextDeadline() (at time.Time, waits bool) {
	for _, l := range s.order {
		for _, w := range l.waiting {
			waits = true
			at = earlier(at, w.deadline)
		}
		waits = waits || len(l.queue.heads) > 0 && l.spec != nil
	}
	return at, waits
}

// nextProbe is when a call may find out again whether the CRM takes any; zero if none has to.
func (s *Scheduler) nextProbe(now time.Time) (at time.Time) {
	gates := []*gate{&s.refusals, &s.outages}
	for _, a := range s.accesses {
		gates = append(gates, &a.gate)
	}
	for _, g := range gates {
		if g.shut && g.probe == 0 && g.until.After(now) {
			at = earlier(at, g.until)
		}
	}
	return at
}

// sends says whether calls of integrations are sent at all.
func (s *Scheduler) sends() bool { return s.reaches() && !s.plan.Observe }

// reaches says whether any calls are sent, be they our own.
func (s *Scheduler) reaches() bool {
	return s.plan != nil && !s.plan.Hold && !s.stopping && !s.origin.waiting
}

// stop takes no more calls and sends none: who waits is told, what is queued stays in the store.
func (s *Scheduler) stop() {
	s.stopping = true
	for _, l := range s.order {
		for _, w := range l.waiting {
			s.count(l.key, backlog.Tally{Refused: int64(1 + len(w.followers))})
			s.conclude(s.options.Now(), w, reply{err: refuseDraining()}, true)
		}
		l.waiting = nil
	}
}

// close lets nobody use the store any more, and waits for those who do.
func (s *Scheduler) close() {
	close(s.stopped)
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.users.Wait()
}

// useStore runs f unless the store may be closed.
func (s *Scheduler) useStore(f func() error) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errStopped
	}
	s.users.Add(1)
	s.mu.Unlock()
	defer s.users.Done()
	return f()
}

// newID numbers the charges.
func (s *Scheduler) newID() ledger.ID {
	s.lastID++
	return s.lastID
}
