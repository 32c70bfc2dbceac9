// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
)

const (
	// checkpointEvery is how old the stored clock may get while charges are kept. It matters when another machine takes the volume over.
	checkpointEvery = 5 * time.Minute
	// tidyEvery is how long what need not survive a crash waits for a decision that has to, and is written with it.
	tidyEvery = 100 * time.Millisecond
	// memoryEvery is how much of what was learnt of demand a crash can cost.
	memoryEvery = 15 * time.Minute
	// horizonStep keeps the store from being told of every charge that is past all windows.
	horizonStep = time.Minute
)

// writing is a batch that the store takes while the loop goes on, and what becomes visible by it. done, with its error, is nil while there is none.
type writing struct {
	batch   *backlog.Batch
	effects []func()
	done    chan error
}

// commit makes the turn's decisions durable, then visible. It reports whether queued calls have become ready by them.
//
// The loop goes on meanwhile if they are about charges alone: answers need not wait for the disk then, and what is decided before it is done is the next batch. The
// store must know of decisions about acknowledged calls before it is asked about them again.
func (s *Scheduler) commit(now time.Time) (more bool, err error) {
	if s.mayWait(now) {
		show(s.effects)
		s.effects = s.effects[:0]
		return false, nil
	}
	aside := !s.batch.BeyondCharges() && !s.ended()
	if s.writing.done != nil {
		if aside && len(s.batch.Charges) < maxSends {
			return false, nil
		}
		if err := s.written(<-s.writing.done); err != nil {
			return false, err
		}
	}
	s.complete(now)
	batch, effects := s.batch, s.effects
	s.batch, s.effects, s.checkpoint = newBatch(), nil, now
	if aside {
		s.writeAside(batch, effects)
		return false, nil
	}
	ready, err := s.options.Store.Commit(batch)
	if err != nil {
		return false, err
	}
	s.position = batch.Clock.Position
	for _, r := range ready {
		l := s.lane(r.Integration)
		l.queue.ready(r.Head)
		l.stale = true
	}
	show(effects)
	return len(ready) > 0, nil
}

// mayWait says whether the store need not be told yet: nothing that was decided since it was told last has to survive a crash.
func (s *Scheduler) mayWait(now time.Time) bool {
	wait := tidyEvery
	if s.batch.Empty() {
		wait = checkpointEvery
	}
	return !s.batch.Durable() && !s.ended() && now.Before(s.checkpoint.Add(wait))
}

// ended says whether this is the last turn.
func (s *Scheduler) ended() bool { return s.stopping && len(s.flights) == 0 }

// complete adds to the batch what is written with every one, and what is due.
func (s *Scheduler) complete(now time.Time) {
	if h := s.ledger.Horizon(); h.Sub(s.horizon) >= horizonStep {
		s.horizon = h
	}
	s.batch.Clock = s.clock(now)
	if s.batch.Durable() {
		s.batch.Clock.Position++
	}
	if now.Sub(s.memorisedAt) >= memoryEvery || s.ended() {
		s.memorisedAt, s.batch.Memory = now, s.memorise()
		s.forgetJobs(now)
	}
}

func (s *Scheduler) writeAside(b *backlog.Batch, effects []func()) {
	w := writing{batch: b, effects: effects, done: make(chan error, 1)}
	s.writing = w
	go func() {
		w.done <- s.useStore(func() error {
			_, err := s.options.Store.Commit(b) // no call becomes ready by charges
			return err
		})
	}()
}

// written takes what became of the batch that was written aside.
func (s *Scheduler) written(err error) error {
	w := s.writing
	s.writing = writing{}
	if err == nil {
		s.position = w.batch.Clock.Position
		show(w.effects)
	}
	return err
}

// wait returns when the store knows of the batch.
func (w *writing) wait() {
	if w.done != nil {
		w.done <- <-w.done // the loop takes it
	}
}

func show(effects []func()) {
	for _, f := range effects {
		f()
	}
}
