// SPDX-License-Identifier: Apache-2.0

package observe

import "time"

// enough answers in a row have to say the same limit before it is believed: single endpoints may tell of limits of their own.
const enough = 5

// size is what answers say that the limit is.
type size struct {
	believed, heard int64
	// times in a row that heard was said.
	times int
}

func (s *size) hear(limit int64) {
	switch {
	case limit == 0:
		return
	case limit != s.heard:
		s.heard, s.times = limit, 0
	}
	if s.times++; s.times >= enough {
		s.believed = limit
	}
}

// Reported is the limit that the CRM says; false while it has not said so in several answers, or cannot be believed.
func (w *Watch) Reported(now time.Time) (int64, bool) {
	return w.size.believed, w.size.believed > 0 && !w.trust.lost(now)
}
