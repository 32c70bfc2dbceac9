// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// leap is by how much the time of day can go wrong at a leap second although it is kept right.
const leap = time.Second

// downtime is the least time that has passed between two readings; proven is false if nothing tells. Within one boot of one machine its boot clock does. Else the
// time of day does if on both machines something keeps it right, less what that allows it to be wrong by.
func downtime(last, now backlog.Machine) (least time.Duration, proven bool) {
	switch {
	case last.BootID != "" && last.BootID == now.BootID:
		return max(0, now.Boot-last.Boot), true
	case last.WallError > 0 && now.WallError > 0:
		return max(0, now.Wall.Sub(last.Wall)-last.WallError-now.WallError-leap), true
	}
	return 0, false
}

// tooOld says why a queued call must not be sent again at now, or returns the empty string.
func (s *Scheduler) tooOld(h *backlog.Head, now time.Time) string {
	if h.Repeat.Class == call.RepeatKeyed && h.Attempts > 0 && h.FirstSent.Before(s.unsure) {
		return "it is not known whether the CRM took the call, nor how long ago: the dispatcher was down for a time that no clock proves, and the idempotency key may be forgotten by now"
	}
	return tooOld(h.Repeat, h.Progress, now, s.guards.MaxServerDelay)
}
