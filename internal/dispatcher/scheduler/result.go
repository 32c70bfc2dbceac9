// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"sync"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Result returns what is known of an acknowledged call, or call.ErrUnknown if there is none for this integration. With wait above 0 it returns when the call
// has ended, or after wait.
func (s *Scheduler) Result(ctx context.Context, integration string, id call.ID, wait time.Duration) (call.Result, error) {
	ref := backlog.Ref{Integration: integration, ID: id}
	ended, forget := s.watchers.watch(ref)
	defer forget()
	r, err := s.look(ref)
	if err == nil && wait > 0 && !ends(r.State) {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-ended:
		case <-timer.C:
		case <-s.stopped:
		case <-ctx.Done():
			return r, context.Cause(ctx)
		}
		r, err = s.look(ref)
	}
	if err == nil {
		s.foretell(ctx, &r)
	}
	return r, err
}

func (s *Scheduler) look(ref backlog.Ref) (r call.Result, err error) {
	err = s.useStore(func() (err error) {
		r, err = s.options.Store.Result(ref)
		return err
	})
	return r, refuseSealed(err)
}

// foretell says when a queued call is expected to be sent, if that can be foreseen.
func (s *Scheduler) foretell(ctx context.Context, r *call.Result) {
	if r.State != call.StateQueued || r.Turns == call.UnknownTurns {
		return
	}
	r.ETA, _ = onLoop(ctx, s, func() time.Time {
		now, l := s.options.Now(), s.lanes[r.Integration]
		left, _, ok := s.drainTime(now, l, r.Ahead+1)
		if turns, known := s.inTurn(r.Turns); ok && known {
			return now.Add(max(left, turns))
		}
		return time.Time{}
	})
}

// watchers wait for calls to end.
type watchers struct {
	mu  sync.Mutex
	all map[backlog.Ref]*watch
}

// watch is shared by those who wait for one call.
type watch struct {
	ended chan struct{}
	users int
}

// watch returns a channel that is closed when the call ends. The returned function must be called.
func (w *watchers) watch(ref backlog.Ref) (ended <-chan struct{}, forget func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[backlog.Ref]*watch{}
	}
	one := w.all[ref]
	if one == nil {
		one = &watch{ended: make(chan struct{})}
		w.all[ref] = one
	}
	one.users++
	return one.ended, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if one.users--; one.users == 0 && w.all[ref] == one {
			delete(w.all, ref)
		}
	}
}

func (w *watchers) notify(ref backlog.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.all[ref]; one != nil {
		close(one.ended)
		delete(w.all, ref)
	}
}
