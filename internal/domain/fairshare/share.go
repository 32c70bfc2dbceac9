// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"maps"
	"math/bits"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// Amount is a part of a limit: in percent of it, or in its units if InUnits is set.
type Amount struct {
	Percent int64
	Units   int64
	InUnits bool
}

// Of is the amount of a limit that allows so many units: at most all of them, rounded down.
func (a Amount) Of(limit int64) int64 {
	if a.InUnits {
		return min(a.Units, limit)
	}
	return limit * a.Percent / 100
}

// Part is a part of one limit.
type Part struct {
	// Guaranteed units can be used whatever others do; those that are lent, once they are given back.
	Guaranteed Amount
	// Ceiling is the most that can be used, what is borrowed included. It is one unit at least: a share that rounds to nothing would hold its calls for ever.
	Ceiling Amount
}

// Band is the priority of an integration among those that want what nobody has reserved: the lower goes first.
type Band uint8

const (
	// Interactive calls have people who wait for them. Calls that have waited for long enough join this band.
	Interactive Band = iota
	// Standard calls are neither.
	Standard
	// Bulk calls can wait.
	Bulk
)

const bands = 3

// Share is one integration's part of a licence.
type Share struct {
	// Part of every limit that PerLimit does not name.
	Part
	// PerLimit are parts of single limits, by their names.
	PerLimit map[string]Part
	// Weight, at least 1 (0 is taken as 1): the part of what nobody has reserved, relative to others of the band that want it.
	Weight int64
	// LendPercent of a guarantee is lent while it is not used and not forecast to be.
	LendPercent int64
	// ReclaimWithinWindow lends all of it, forecast or not: what was lent comes back as it is released.
	ReclaimWithinWindow bool
	Band                Band
	// Credentials are those that the calls go out with: a limit that counts for another credential has no part for them. Empty: they may be any.
	Credentials []string
	// External: calls do not come through us, and are not seen before they were made. So nothing of the guarantee is lent, whatever else the share says. It
	// never has heads.
	External bool
}

// of is the share's part of a limit.
func (s Share) of(l limits.Limit) Part {
	if of := l.Meter.Credential; of != "" && len(s.Credentials) > 0 && !slices.Contains(s.Credentials, of) {
		return Part{}
	}
	if p, named := s.PerLimit[l.Name]; named {
		return p
	}
	return s.Part
}

// hard is what is never lent of a guarantee.
func (s Share) hard(guaranteed int64) int64 {
	switch {
	case s.External:
		return guaranteed
	case s.ReclaimWithinWindow:
		return 0
	default:
		return guaranteed * (100 - s.LendPercent) / 100
	}
}

// SetShares puts shares in force, by the integrations' keys. It has to be called again after the ledger was restored, and, after Reset, when its limits have
// changed. Guarantees that add up to more than a limit shrink in proportion. Forecasts and expectations of live calls start anew. Heads stay offered, and
// everybody keeps the turn.
func (s *Sharing) SetShares(shares map[string]Share) {
	s.clearLots()
	keys := slices.Sorted(maps.Keys(shares))
	for _, key := range keys {
		s.book.Owner(key)
	}
	s.measure()
	for len(s.members) < s.book.Owners() {
		s.meet()
	}
	s.standings = make([]standing, len(s.members)*s.width)
	for o := range s.members {
		s.members[o].setShare(shares[s.book.Name(ledger.Owner(o))])
	}
	for _, k := range s.shared {
		s.setParts(k, keys, shares)
	}
}

// measure takes over the ledger's limits.
func (s *Sharing) measure() {
	s.width = s.book.Limits()
	s.accounts = make([]account, s.width)
	s.closed = make([]heap, s.width*classes)
	s.shared, s.paced = s.shared[:0], s.paced[:0]
	slowest := 0.0
	for k := range s.width {
		l := s.book.Limit(k)
		if l.AlertOnly || l.Meter.PerRecord {
			continue
		}
		s.shared = append(s.shared, k)
		if _, paced := (limits.Guards{}).Pace(l); paced {
			s.paced = append(s.paced, k)
		}
		s.accounts[k] = account{shared: true, limit: l.Max}
		slowest = max(slowest, renewal(l))
	}
	s.needs = make([]need, s.width)
	if len(s.paced) > 0 {
		s.needs = make([]need, 2*s.width)
	}
	for _, k := range s.shared {
		s.accounts[k].price = max(leastPrice, int64(tagUnit*(renewal(s.book.Limit(k))/slowest)))
	}
}

// renewal is the time in seconds in which the limit gives back one unit to those who use all of it.
func renewal(l limits.Limit) float64 {
	window := time.Second // about as long as a call holds its slot
	switch l.Kind {
	case limits.Rolling:
		window = l.Window
	case limits.Calendar:
		window = l.Period.Longest()
	case limits.Concurrent:
	}
	return window.Seconds() / float64(l.Max)
}

// setParts puts the parts of limit k in force.
func (s *Sharing) setParts(k int, keys []string, shares map[string]Share) {
	limit := s.book.Limit(k)
	total := int64(0)
	for _, key := range keys {
		part, st := shares[key].of(limit), s.standing(k, s.book.Owner(key))
		st.guaranteed = part.Guaranteed.Of(limit.Max)
		st.ceiling = max(1, part.Ceiling.Of(limit.Max))
		total += st.guaranteed
	}
	for _, key := range keys {
		st := s.standing(k, s.book.Owner(key))
		if total > limit.Max {
			st.guaranteed = scale(st.guaranteed, limit.Max, total)
		}
		st.hard = shares[key].hard(st.guaranteed)
	}
	for o := range s.members {
		st := s.standing(k, ledger.Owner(o))
		st.used = s.book.UsedBy(k, ledger.Owner(o))
		st.to = -1 // unknown yet
		s.reserve(k, st, 1)
	}
}

// scale is n*numerator/denominator, rounded down, where n is at most the denominator.
func scale(n, numerator, denominator int64) int64 {
	hi, lo := bits.Mul64(uint64(n), uint64(numerator))
	quotient, _ := bits.Div64(hi, lo, uint64(denominator))
	return int64(quotient)
}
