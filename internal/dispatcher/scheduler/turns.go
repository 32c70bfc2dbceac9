// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// Calls with one ordering key, and those that refer to each other, are sent one after the other. However much room the limits have, each takes as long as the CRM
// needs to answer it.

// inTurn is how long so many calls take one after the other, on average. known is false while no call has ended since the process began.
func (s *Scheduler) inTurn(n int64) (d time.Duration, known bool) {
	return time.Duration(n) * s.meanDuration, n == 0 || s.meanDuration > 0
}

// longestLine is how many calls with an ordering key may stand before another one that is to be sent within its maximum age.
type longestLine struct {
	// most is 0 if the line need not be looked at: it cannot be as long, or is too long to be counted for each call that comes.
	most int64
	// each is how long one of them takes.
	each time.Duration
}

// lineFor says how long the line may be in which a call is going to stand. Expires of the call is set.
func (s *Scheduler) lineFor(c *call.Call) longestLine {
	if c.OrderKey == "" || s.meanDuration <= 0 {
		return longestLine{}
	}
	most := int64(c.Expires.Sub(s.options.Now()) / s.meanDuration)
	inLine := s.options.Store.Tally(c.Integration).Queued + 1 // at most: all that are queued, and one that is sent
	if most >= min(backlog.MaxLine, inLine) {
		return longestLine{}
	}
	return longestLine{most: most, each: s.meanDuration}
}

// check refuses a call that would be too old when its turn comes. It reads the store, and so runs outside the loop.
func (l longestLine) check(store backlog.Store, c *call.Call) error {
	if l.most <= 0 {
		return nil
	}
	n, err := store.Line(c.Integration, c.OrderKey, l.most+1)
	if err == nil && n > l.most {
		err = &call.Refusal{
			Code: contract.ReasonQueueTooSlow, RetryAfter: l.each,
			Detail: "the calls before it with its ordering key may take longer, one after the other, than queue.maxAgeSeconds",
		}
	}
	return err
}
