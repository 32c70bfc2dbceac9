// SPDX-License-Identifier: Apache-2.0

package observe

import "time"

const (
	// nearlyFull: a limit of which no more than this part is left refuses calls of others now and then.
	nearlyFull = 32
	// sparePart is the part of a limit, in tenths, that is kept free for others who were refused.
	sparePart = 3
	// probePart is the part of a limit that is kept free to see whether there are others, and probePause how many windows lie between two such looks.
	probePart  = 64
	probePause = 30
)

// squeeze keeps more free than others use where they cannot use what they want: of a limit that moves along and is always nearly full, what they use tells only
// what we left to them, and where we left nothing they are not even seen. Limits of hours and days are full too seldom to hide anybody.
type squeeze struct {
	// full is when the limit was last seen nearly full, with calls of others in it; probed when it was seen full of ours, and a little is kept free since.
	full, probed time.Time
	// used is what others had used of it when it was seen nearly full.
	used int64
}

// hear notes what is left of a limit of which others have used some.
func (s *squeeze) hear(now time.Time, length time.Duration, others, left, size int64) {
	switch {
	case length > longWindow || left > size/nearlyFull:
	case others > 0:
		s.full, s.used = now, others
	case s.probed.IsZero() || now.Sub(s.probed) > probePause*length:
		s.probed = now
	}
}

// censors says whether what others use of the window that ends now tells less than what they want.
func (s *squeeze) censors(now time.Time, length time.Duration) bool {
	return !s.full.IsZero() && now.Sub(s.full) < length
}

// spare units of a limit of this size are kept free at now: for two windows, as what others want shows in the second.
func (s *squeeze) spare(now time.Time, length time.Duration, size int64) int64 {
	switch {
	case !s.full.IsZero() && now.Sub(s.full) <= 2*length:
		return sparePart * size / 10
	case !s.probed.IsZero() && now.Sub(s.probed) <= 2*length:
		return max(1, size/probePart)
	default:
		return 0
	}
}

// least is what others want at now of which no word tells any more: what they could use when the limit was full.
func (s *squeeze) least(now time.Time, length time.Duration) int64 {
	if s.full.IsZero() || now.Sub(s.full) > 2*length {
		return 0
	}
	return s.used
}
