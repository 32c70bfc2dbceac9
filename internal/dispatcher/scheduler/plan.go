// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// inForce is the plan as others see it. It is replaced as a whole.
type inForce struct {
	plan    *contract.Plan
	changed chan struct{}
}

// Plan returns the plan in force, nil before the first, and a channel that is closed when another one is. The plan must not be changed.
func (s *Scheduler) Plan() (*contract.Plan, <-chan struct{}) {
	p := s.published.Load()
	return p.plan, p.changed
}

// Apply puts a plan in force, and durably so when it returns. It refuses a plan for another licence and one that is older than the plan in force; the error
// says so. The plan in force again is no error.
func (s *Scheduler) Apply(ctx context.Context, p *contract.Plan) error {
	done := make(chan error, 1)
	if err := s.submit(ctx, func() { s.apply(p, done) }); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-s.stopped:
		return errStopped
	}
}

// apply decides under the new plan from this turn on. What is decided in it becomes visible after the turn's commit, which holds the plan: one that tightens
// is enforced before it is durable, one that loosens after.
func (s *Scheduler) apply(p *contract.Plan, done chan<- error) {
	encoded, err := json.Marshal(p)
	if err == nil {
		err = compatible(s.plan, s.encodedPlan, p, encoded)
	}
	if err != nil || bytes.Equal(encoded, s.encodedPlan) {
		done <- err
		return
	}
	if err := s.enforce(p); err != nil {
		done <- err
		return
	}
	s.begin(s.options.Now())
	s.encodedPlan, s.batch.Plan = encoded, encoded
	s.visible(func() {
		s.publish(p)
		done <- nil
	})
}

// compatible says why the next plan must not follow the one in force.
func compatible(now *contract.Plan, encodedNow []byte, next *contract.Plan, encodedNext []byte) error {
	switch {
	case next.Schema != contract.PlanSchema:
		return fmt.Errorf("schema %d is not the one this version knows, %d", next.Schema, contract.PlanSchema)
	case now == nil:
		return nil
	case next.CRM.Provider != now.CRM.Provider || next.CRM.Account != now.CRM.Account:
		return fmt.Errorf("crm: the volume belongs to account %q of %s, not to %q of %s: another licence needs a volume of its own",
			now.CRM.Account, now.CRM.Provider, next.CRM.Account, next.CRM.Provider)
	case next.CRM.UID != now.CRM.UID:
		return nil // the CRM object was made anew, and its sequence with it
	case next.Sequence < now.Sequence:
		return fmt.Errorf("sequence %d is older than %d, which is in force", next.Sequence, now.Sequence)
	case next.Sequence == now.Sequence && !bytes.Equal(encodedNext, encodedNow):
		return fmt.Errorf("sequence %d is in force with other content", next.Sequence)
	}
	return nil
}

// enforce puts a plan in force in memory.
func (s *Scheduler) enforce(p *contract.Plan) error {
	provider, found := s.options.Provider(p)
	if !found {
		return fmt.Errorf("crm.provider: %q is not known to this version", p.CRM.Provider)
	}
	now := s.options.Now()
	prices, until, err := tariffAt(now, p, provider.Canonical)
	if err != nil {
		return err
	}
	if err := s.setSchedules(p); err != nil {
		return err
	}
	before := s.word
	ls := s.limitsInForce(now, p, prices)
	if err := s.ledger.SetLimits(now, ls); err != nil {
		s.word = before
		return err
	}
	s.plan, s.provider, s.tariff, s.limitsUntil = p, provider, prices, until
	s.setGuards(p)
	s.recordLimits, s.jobLimits = nil, nil
	for k, l := range ls {
		if l.UntilJobEnds {
			s.jobLimits = append(s.jobLimits, k)
		}
		if l.Meter.PerRecord && !l.AlertOnly {
			s.recordLimits = append(s.recordLimits, k)
		}
	}
	s.refusals.most = longestWindow(ls)
	s.sharing.Reset()
	s.setLanes(p)
	s.share(now)
	for _, l := range s.order {
		l.demand.setLimits(ls, func(k int) bool { return s.countsLane(k, l) })
	}
	s.total.setLimits(ls, func(int) bool { return true })
	s.setAdvisors(ls)
	s.usage.setSurveys(ls, s.word.watches)
	s.setUsage(p)
	s.ahead = make([]forecast.Curve, len(ls))
	s.forgetDeclared(now)
	return nil
}

// setGuards takes over what the plan says of the CRM.
func (s *Scheduler) setGuards(p *contract.Plan) {
	s.guards.MaxServerDelay = s.options.Guards.MaxServerDelay
	if p.MaxServerDelaySeconds > 0 {
		s.guards.MaxServerDelay = time.Duration(p.MaxServerDelaySeconds) * time.Second
	}
	s.ledger.SetMaxServerDelay(s.guards.MaxServerDelay)
}

func (s *Scheduler) publish(p *contract.Plan) {
	before := s.published.Swap(&inForce{plan: p, changed: make(chan struct{})})
	close(before.changed)
}

func longestWindow(ls []limits.Limit) time.Duration {
	longest := time.Minute
	for _, l := range ls {
		longest = max(longest, l.Window)
	}
	return longest
}
