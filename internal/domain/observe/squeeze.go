// SPDX-License-Identifier: Apache-2.0

package observe

import "time"

const (
	// nearlyFull: a limit of which no more than this part is left refuses calls of others now and then.
	nearlyFull = 16
	// sparePart is the part of a limit, in tenths, that is kept free at first for others who were refused.
	sparePart = 3
	// mostHalvings of what is kept free come before nothing is, each after two windows: what others want shows in the second.
	mostHalvings = 4
)

// squeeze keeps more free than others use where they cannot use what they want: of a limit that is always nearly full, what they use tells only what we left
// to them. Where the limit is renewed at once they come first in each window, and show what they want.
type squeeze struct {
	// since is when that was last seen, or halved.
	since time.Time
	// halvings of what is kept free since it was last seen that the limit was full; 0 for nothing kept.
	halvings int
}

func (s *squeeze) hear(now time.Time, length time.Duration, full bool) {
	switch {
	case full:
		s.halvings, s.since = 1, now
	case s.halvings > 0 && now.Sub(s.since) >= 2*length:
		if s.halvings++; s.halvings > mostHalvings {
			s.halvings = 0
		}
		s.since = now
	}
}

// spare units of a limit of this size are kept free at now. What was seen is over when no answer has come for some windows.
func (s *squeeze) spare(now time.Time, length time.Duration, size int64) int64 {
	if s.halvings == 0 || now.Sub(s.since) > 4*length {
		return 0
	}
	return sparePart * size / 10 >> (s.halvings - 1)
}
