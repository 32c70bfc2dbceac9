// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"errors"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/upstream"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// enoughUnauthorised answers in a row show that the credentials are wrong, and not that one call asks for what they do not give.
const enoughUnauthorised = 3

// access is how the CRM takes one of its users, as whom the calls of one or more integrations go out. What is wrong with one says nothing of the others.
type access struct {
	user string
	// gate holds queued calls back while the credentials are missing or the CRM does not take them; open is what the lanes were last offered by.
	gate gate
	open bool
	// unauthorised is how many answers in a row have said that the CRM does not take them.
	unauthorised int
	// pollAt is when the jobs of bulk calls are asked about next; polling, they are being asked about. A job is known to the user who started it.
	pollAt  time.Time
	polling bool
	// tab is who owes what of the calls that integrations share. It does not outlive the process: what is forgotten is less than a call for each.
	tab fairshare.Tab
}

func newAccess(user string) *access {
	return &access{user: user, open: true, gate: gate{least: time.Second, most: time.Minute}}
}

// setAccesses gives each lane that a plan names its access. What is known of one that stays is kept.
func (s *Scheduler) setAccesses(p *contract.Plan) {
	before := s.accesses
	s.accesses = map[string]*access{}
	for _, user := range p.Users() {
		s.accesses[user] = before[user]
		if s.accesses[user] == nil {
			s.accesses[user] = newAccess(user)
		}
	}
	for _, l := range s.order {
		if l.spec == nil {
			continue
		}
		l.users = p.UsersOf(l.spec)
		l.access = s.accesses[l.users[0]]
		for _, w := range l.waiting {
			w.access = s.accessOf(l, w.call)
			for _, f := range w.followers {
				f.access = w.access
			}
		}
	}
}

// licensed is the access of the CRM's own credentials.
func (s *Scheduler) licensed() *access { return s.accesses[s.plan.Credentials.User()] }

// accessOf is that of the user as whom a call of the lane goes out: of its client, if that brings its own credential.
func (s *Scheduler) accessOf(l *lane, c *call.Call) *access {
	if c.Credential == nil {
		return l.access
	}
	user := contract.ClientUser(c.Integration, c.Client)
	if a := s.accesses[user]; a != nil {
		return a
	}
	return newAccess(user) // the plan does not have it any more
}

// refreshAccesses has lanes offered anew whose queued calls are held back, or are not any more, because of their credentials, and says whether there are any.
func (s *Scheduler) refreshAccesses(now time.Time) (some bool) {
	for _, a := range s.accesses {
		if open := a.gate.open(now); open != a.open {
			a.open, some = open, true
			for _, l := range s.order {
				l.stale = l.stale || l.access == a
			}
		}
	}
	return some
}

// blame shuts the gate that a queued call stands behind which was not sent or got no good answer: that of its credentials, or that of the CRM as a whole.
func (s *Scheduler) blame(now time.Time, f *flight, o upstream.Outcome, what fate) {
	if what == unauthorised || isUnsigned(o.Err) {
		f.access.gate.fail(now, f.id, s.lastID, 0, s.options.Random.Float64())
		s.outages.forget(f.id)
		return
	}
	s.failQueued(now, f, o, what == unavailable || what == lost)
	f.access.gate.forget(f.id)
}

// queuedSent, queuedWell and queuedUntold note of a queued call that it was let through, that it fared well, and that it told nothing of CRM or credentials.
func (s *Scheduler) queuedSent(l *lane, id ledger.ID) {
	s.outages.sent(id)
	l.access.gate.sent(id)
}

func (s *Scheduler) queuedWell(f *flight) {
	s.outages.pass(f.id)
	f.access.gate.pass(f.id)
}

func (s *Scheduler) queuedUntold(f *flight) {
	s.outages.forget(f.id)
	f.access.gate.forget(f.id)
}

// isUnsigned says whether a call was not sent because there is nothing to sign it with.
func isUnsigned(err error) bool {
	return errors.Is(err, upstream.ErrCredentialsMissing) || errors.Is(err, upstream.ErrHostNotAllowed) || errors.Is(err, upstream.ErrNoToken)
}

// noteCredentials counts the answers by which the CRM does not take the credentials of a call.
func (a *access) noteCredentials(what fate) {
	switch what {
	case unauthorised:
		a.unauthorised++
	case succeeded, failed, refused:
		a.unauthorised = 0
	case unsent, unavailable, lost: // they tell nothing of the credentials
	}
}

// refused says whether the CRM has not taken the credentials of the last calls.
func (a *access) refused() bool { return a.unauthorised >= enoughUnauthorised }

// countsLane says whether limit k counts any of the lane's calls.
func (s *Scheduler) countsLane(k int, l *lane) bool {
	return slices.ContainsFunc(l.users, func(user string) bool { return s.tariff.Counts(k, user) })
}

// counts says whether limit k counts calls that go out with this access.
func (s *Scheduler) counts(k int, a *access) bool { return s.tariff.Counts(k, a.user) }
