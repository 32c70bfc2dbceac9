// SPDX-License-Identifier: Apache-2.0

package hidden

import "time"

const (
	// enough bouts of refusals, three quarters of a window apart and more, are needed for a limit to be believed: those that are closer look at the same calls.
	enough = 6
	// Of the calls that were taken when half of the limit was used or more, at most one in so many may have been taken when all of it was. If refusals had nothing to do
	// with our calls, six of seven would have been: the limit is the least that had been used at any of six.
	mostAgainst = 8
)

// windows that CRMs are known to count in, and those between them. Shorter ones are over when the pause after a refusal is.
var windows = []time.Duration{
	5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second,
	time.Minute, 100 * time.Second, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour,
}

// estimate is the limit of the shortest window that explains what was seen; 0 calls if none does. Longer windows than the CRM's explain it, too, while few were seen.
// The CRM's window may move along, or all of it may be renewed at once.
func (s *subject) estimate(now int64) (calls int64, window time.Duration) {
	for _, window := range windows {
		for _, resets := range []bool{false, true} {
			if n := s.explains(now, window, resets); n > 0 {
				return n, window
			}
		}
	}
	return 0, 0
}

// explains returns how many calls such a limit allows; 0 if it does not explain what was seen.
func (s *subject) explains(now int64, window time.Duration, resets bool) int64 {
	least, bouts, next := int64(0), 0, int64(0)
	for _, r := range s.refused {
		n, covered := s.ahead(r, window, resets)
		if !covered || r.began < max(s.from, now-int64(Expiry)) {
			continue
		}
		if bouts == 0 || n < least {
			least = n
		}
		if r.began >= next {
			bouts, next = bouts+1, r.began+3*int64(window)/4
		}
	}
	if bouts < enough || least == 0 {
		return 0
	}
	against, asked := 0, 0
	for _, t := range s.taken {
		if t.began < max(s.from, s.since+int64(window)) {
			continue
		}
		n := s.before(t, window, resets)
		if n >= least {
			if against++; against*mostAgainst > len(s.taken) {
				return 0
			}
		}
		if 2*n >= least-1 {
			asked++
		}
	}
	if against*mostAgainst > asked {
		return 0
	}
	return least
}
