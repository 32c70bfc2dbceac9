// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"encoding/hex"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/backlog"
	"github.com/crmquota/crm-quota-operator/internal/dispatcher/call"
)

// doubtful is the reason of calls that are parked because the volume was put back to an earlier state.
const doubtful = "the volume was put back to an earlier state: the call may have been sent since, and sending it again might take effect twice"

// isEarlier says whether the store is an earlier state of the volume that others know.
func (s *Scheduler) isEarlier(past contract.LedgerPast) bool {
	return past.Volume == s.origin.volume && past.Reached > s.position
}

// disown gives the volume another identity, as what it holds is not what became of the former one: that is lost. How much had been used then is found out as after
// any loss, and what was accepted before may have been sent.
func (s *Scheduler) disown(now time.Time) {
	identity := make([]byte, 0, 16)
	for len(identity) < cap(identity) {
		identity = append(identity, byte(s.options.Random.Uint32()))
	}
	s.options.Logger.Warn("The volume was put back to an earlier state; what had been used counts as after a loss, and calls that may have been sent are parked",
		"volume", s.origin.volume, "position", s.position)
	s.origin = origin{volume: hex.EncodeToString(identity), doubted: now}
	s.batch.Volume = s.origin.volume
}

// parkDoubtful parks queued calls that may have been sent after the state in which the volume is. Whoever can look into the CRM then orders to send them again, or drops
// them. It is called with all heads known, so none is sent before it was looked at; those behind follow as they become heads.
func (s *Scheduler) parkDoubtful(now time.Time) {
	if s.origin.doubted.IsZero() {
		return
	}
	for _, l := range s.order {
		var parked []backlog.Head
		for _, h := range l.queue.heads {
			if h.Repeat.Class != call.RepeatIdempotent && !h.Ordered && !h.AcceptedAt.After(s.origin.doubted) {
				parked = append(parked, h.Head)
			}
		}
		for _, h := range parked {
			l.queue.drop(h.ID)
			l.stale = true
			s.transit(backlog.Transition{Ref: l.ref(h.ID), From: call.StateQueued, To: call.StateParked, At: now, Progress: h.Progress, Reason: doubtful}, h.Expires)
		}
	}
}
