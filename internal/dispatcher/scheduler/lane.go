// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// lane is one integration: what it waits for and what it may have.
type lane struct {
	key   string
	owner ledger.Owner
	// spec is the plan's word on it; nil while the plan does not name it. Its queued calls wait for it to come back, or for their age.
	spec    *contract.Integration
	waiting []*waiter
	queue   window
	// access is that of the user as whom its calls go out; where clients bring their own credentials, of the first of users, and no call goes out with it.
	access *access
	users  []string

	// offers are the heads that the shares know of. stale is set when they may not be the right ones any more, at the latest at staleAt if that is set.
	offers  []offer
	stale   bool
	staleAt time.Time

	// merging is how queued calls become bulk calls, by operation or as several; owes is how many calls were spent on that and have not been saved yet, since the process
	// began.
	merging map[string]*merging
	owes    int64
	// changing counts, by operation and record, the members of bulk calls that change one and of which it is not known what became.
	changing map[string]int
	// onlyMerged: calls that go together are not offered by themselves, too.
	onlyMerged bool

	demand demand
	// retries is what may be spent on sending calls again.
	retries retries
	// missedSince is when a call within the guarantee was first seen to wait for the licence; zero if none is.
	missedSince time.Time
}

// waiter is a call that somebody waits for. The loop owns it.
type waiter struct {
	call     *call.Call
	price    price
	lane     *lane
	access   *access
	since    time.Time
	deadline time.Time
	// held is what held it back when it came, of a call that is traced.
	held Held
	// refused is the CRM's own refusal of an earlier sending, kept for the case that no other answer comes in time.
	refused *call.Answer
	// urgency is the call's, or that of a follower that is more urgent.
	urgency int8
	// repeated: it was sent again after its answer was lost.
	repeated bool
	// gone: the client does not wait any more. own: there is none, it asks what became of a bulk call.
	gone, own bool
	// followers have the same answer and wait for it; leader is whose answer it waits for itself.
	followers []*waiter
	leader    *waiter
	answered  chan reply
}

// reply is the end of waiting: an answer or an error.
type reply struct {
	answer *call.Answer
	err    error
}

// give ends the waiting. An answer that nobody waits for any more is closed.
func (w *waiter) give(r reply) {
	if w.refused != nil && w.refused != r.answer {
		_ = w.refused.Body.Close() // it is in memory
	}
	if w.gone && r.answer != nil {
		_ = r.answer.Body.Close() // nobody reads it
		return
	}
	w.answered <- r
}

// countFor counts what became of a waiting call, unless it is one of ours.
func (s *Scheduler) countFor(w *waiter, t backlog.Tally) {
	if !w.own {
		s.count(w.lane.key, t)
	}
}

// lane returns an integration's lane, a new one if there is none.
func (s *Scheduler) lane(key string) *lane {
	l := s.lanes[key]
	if l == nil {
		l = &lane{key: key, owner: s.ledger.Owner(key), queue: newWindow(), access: newAccess("")}
		s.lanes[key], s.byOwner[l.owner] = l, l
		at, _ := slices.BinarySearchFunc(s.order, key, func(l *lane, key string) int { return compareKeys(l.key, key) })
		s.order = slices.Insert(s.order, at, l)
	}
	return l
}

// setLanes gives each integration of the plan its lane. What waits is priced anew.
func (s *Scheduler) setLanes(p *contract.Plan) {
	for _, l := range s.order {
		l.spec = nil
	}
	for i := range p.Integrations {
		s.lane(p.Integrations[i].Key()).spec = &p.Integrations[i]
	}
	s.setAccesses(p)
	for _, l := range s.order {
		l.offers, l.stale = l.offers[:0], true
		for _, w := range l.waiting {
			w.price = s.priceCall(w.access, w.call)
		}
		l.queue.reprice()
		s.setMerging(l)
	}
	s.setPools()
}

// shadowed says whether the integration's waiting calls pass through untouched.
func (s *Scheduler) shadowed(l *lane, now time.Time) bool {
	return l.spec != nil && (!s.plan.Enforce || !l.spec.Enforce || s.bypassed(now))
}

func (s *Scheduler) bypassed(now time.Time) bool {
	return s.plan.BypassUntil != nil && now.Before(*s.plan.BypassUntil)
}

// refill reads heads from the store where the memory runs short. It must not be called between a decision and its commit: the store would not know of it.
func (s *Scheduler) refill() (found bool, err error) {
	for _, l := range s.order {
		if l.queue.anew {
			l.queue.know(s.options.Store.Kinds(l.key))
		}
		for {
			kind, after, n, some := l.queue.wants()
			if !some {
				break
			}
			heads, err := s.options.Store.Heads(l.key, kind, after, n)
			if err != nil {
				return found, err
			}
			l.queue.extend(kind, heads, n)
			l.stale = true
			found = found || len(heads) > 0
		}
	}
	return found, nil
}

// ref names a queued call of the lane.
func (l *lane) ref(id call.ID) backlog.Ref { return backlog.Ref{Integration: l.key, ID: id} }
