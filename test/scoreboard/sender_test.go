// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// sender is how our side is set up for a CRM.
type sender struct {
	limits []limits.Limit
	guards limits.Guards
	// atSending has calls charged from their sending on, as careless senders do.
	atSending bool
	// costs by owner; every call counts 1 where there are none.
	costs []ledger.Cost
	// blindToRecords leaves limits per record out.
	blindToRecords bool
}

func (s sender) make(start time.Time, apps []integration) *careful {
	o := newOurs(start, s.limits, s.guards, apps)
	o.book.SetOffset(limits.Offset{Min: -time.Second, Max: time.Second}) // the CRM's Date headers have whole seconds
	if s.costs != nil {
		o.costs = s.costs
	}
	return &careful{ours: o, sender: s, held: make([]time.Time, len(apps))}
}

// careful is ours with limits per record: each owner stands for a record.
type careful struct {
	*ours
	sender sender
	// held are the calls that their record holds back, by owner, and since when they were asked for.
	held []time.Time
}

// perRecord is the number of the limit per record, -1 if there is none or it is not looked at.
func (c *careful) perRecord() int {
	for k := range c.book.Limits() {
		if c.book.Limit(k).Meter.PerRecord && !c.sender.blindToRecords {
			return k
		}
	}
	return -1
}

func recordOf(owner int) ledger.Record { return ledger.Record(owner + 1) }

func (c *careful) next(now time.Time) (owner int, id uint64, again time.Time, ok bool) {
	k := c.perRecord()
	c.book.Advance(now)
	c.foresee(now)
	for owner, since := range c.held {
		if !since.IsZero() && c.book.RecordFree(k, recordOf(owner)) > 0 {
			c.held[owner] = time.Time{}
			c.offer(owner, since)
		}
	}
	for {
		choice, ok := c.sharing.Pick(now)
		if !ok {
			return 0, 0, c.again(now, k), false
		}
		record := recordOf(int(choice.Owner))
		if k >= 0 && c.book.RecordFree(k, record) <= 0 {
			c.sharing.Withdraw(choice.Owner, fairshare.Waiting, 0)
			c.held[choice.Owner] = choice.Since
			continue
		}
		c.id++
		if err := c.sharing.Charge(now, c.id, choice, record); err != nil {
			panic(err) // a new ID and the cost that was offered
		}
		if c.sender.atSending {
			c.ours.answered(now, uint64(c.id))
		}
		return int(choice.Owner), uint64(c.id), time.Time{}, true
	}
}

// again is when time alone can let a call leave.
func (c *careful) again(now time.Time, k int) time.Time {
	again := now.Add(time.Hour)
	if release, due := c.book.NextRelease(); due && release.Before(again) {
		again = release
	}
	for owner, since := range c.held {
		if !since.IsZero() {
			if free := c.book.EarliestRecord(k, recordOf(owner), 1); free.After(now) && free.Before(again) {
				again = free
			}
		}
	}
	return again
}

func (c *careful) answered(now time.Time, id uint64) {
	if !c.sender.atSending {
		c.ours.answered(now, id)
	}
}
