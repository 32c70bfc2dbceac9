// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// restore goes on where the store ends. What it decides is committed in the first turn, before anything else is.
func (s *Scheduler) restore() error {
	stored, err := s.options.Store.Restore()
	if err != nil {
		return err
	}
	now := s.options.Now()
	s.setEpoch(now, stored.Clock)
	if s.ledger, err = ledger.New(now, nil, s.options.Guards); err != nil {
		return err
	}
	s.sharing = fairshare.New(s.ledger)
	s.origin = origin{volume: stored.Volume, begun: stored.Clock.Begun, assumed: stored.Clock.Assumed, doubted: stored.Clock.Doubted}
	s.position = stored.Clock.Position
	if stored.Plan != nil {
		if err := s.restorePlan(stored.Plan); err != nil {
			return err
		}
	}
	if err := s.restoreCharges(now, stored); err != nil {
		return err
	}
	if s.plan != nil {
		s.share(now) // what was restored is shared out, too
		if s.isEarlier(s.options.Past) {
			s.disown(now)
			s.origin.waiting = true // the stored plan is as old as the volume, and does not know
		} else {
			s.begin(now)
		}
	}
	if err := s.remember(stored.Memory); err != nil {
		s.options.Logger.Warn("What had been learnt of demand cannot be read; forecasts start anew", "error", err)
	}
	for _, sent := range stored.Sent {
		s.restoreSent(now, sent)
	}
	for _, sent := range stored.Bulks {
		s.restoreBulk(now, sent)
	}
	s.nextDue = now
	return nil
}

// setEpoch continues the clock of the store. The time that the dispatcher was down counts as far as it is proven.
func (s *Scheduler) setEpoch(now time.Time, last backlog.Clock) {
	machine := s.options.Machine()
	down, proven := downtime(last.Machine, machine)
	if !proven && last.Store > 0 {
		s.options.Logger.Warn("How long the dispatcher was down is not known: the machine is another or was started anew, and the time of day of both is not known " +
			"to be right (NTP); charges are kept as if it had not been down")
	}
	s.epoch = now.Add(-last.Store - down)
	s.unsure = last.Unsure
	slack := last.WallError + machine.WallError + leap // small beside keyMargin
	if !last.Time.IsZero() && (!proven || now.Add(slack).Before(last.Time.Add(down))) {
		s.unsure = last.Time
	}
	if last.Horizon > 0 {
		s.horizon = s.epoch.Add(last.Horizon)
	}
}

// clock is a reading of all clocks at now.
func (s *Scheduler) clock(now time.Time) backlog.Clock {
	c := backlog.Clock{
		Store: now.Sub(s.epoch), Time: now, Unsure: s.unsure, Machine: s.options.Machine(), Begun: s.origin.begun, Assumed: s.origin.assumed,
		Position: s.position, Doubted: s.origin.doubted,
	}
	if !s.horizon.IsZero() {
		c.Horizon = s.horizon.Sub(s.epoch)
	}
	return c
}

func (s *Scheduler) restorePlan(encoded []byte) error {
	var p contract.Plan
	if err := json.Unmarshal(encoded, &p); err != nil {
		return fmt.Errorf("read the stored plan: %w", err)
	}
	if err := s.enforce(&p); err != nil {
		return fmt.Errorf("enforce the stored plan: %w", err)
	}
	// Encoded anew: another version may have written it with other members.
	reencoded, err := json.Marshal(&p)
	s.encodedPlan = reencoded
	s.publish(&p)
	return err
}

// restoreCharges charges what is stored. Charges without an end are in doubt: from now on nobody listens to those calls.
func (s *Scheduler) restoreCharges(now time.Time, stored backlog.Restored) error {
	entries := make([]ledger.Entry, 0, len(stored.Charges))
	for _, c := range stored.Charges {
		s.lastID = max(s.lastID, ledger.ID(c.ID))
		if c.Open {
			c.Open, c.InDoubt = false, true
			c.End = now.Add(s.guards.MaxServerDelay).Sub(s.epoch)
			c.Amounts = ran(c.Amounts, s.guards.MaxServerDelay)
			s.batch.Charges = append(s.batch.Charges, c)
		}
		entries = append(entries, s.entryOf(c))
		s.restoreJob(c)
	}
	return s.ledger.Restore(now, entries, s.horizon)
}

// restoreSent takes a call that was on its way when the process died as one whose answer was lost.
func (s *Scheduler) restoreSent(now time.Time, sent backlog.SentCall) {
	to, reason := after(lost, sent.Head.Repeat, sent.Head.Progress, now, s.guards.MaxServerDelay)
	s.batch.Transitions = append(s.batch.Transitions, backlog.Transition{
		Ref: sent.Ref, From: call.StateSent, To: to, At: now, Progress: sent.Head.Progress, Reason: reason,
	})
}
