// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// Class is whose part of a limit a call would use.
type Class uint8

const (
	// OwnHard is the part of the own guarantee that is never lent.
	OwnHard Class = iota
	// OwnSoft is the part of the own guarantee that can be lent.
	OwnSoft
	// Borrowed is what nobody has reserved.
	Borrowed
)

// Admissible says whether a call of this cost by the owner, for which somebody waits, may be sent now. The class is the one that is worst off over all limits
// that hold calls back.
func (s *Sharing) Admissible(o ledger.Owner, cost int64) (class Class, ok bool) {
	return s.admissible(Head{Owner: o, Lane: Waiting, Cost: cost})
}

func (s *Sharing) admissible(h Head) (class Class, ok bool) {
	s.refresh()
	for k := range s.terms {
		if s.alertOnly[k] {
			continue
		}
		units := s.book.Units(k, h.Cost)
		if h.Lane == Backlog {
			units += s.termsOf(k, h.Owner).live
		}
		c := s.claim(k, h.Owner, units)
		if !c.fits() {
			return c.class, false
		}
		class = max(class, c.class)
	}
	return class, true
}

// claim is what one limit says to a call.
type claim struct {
	class Class
	// missing units have to be released, or given up by those they are reserved for.
	missing int64
	// over is by how much the own part, for Borrowed the ceiling, would be passed.
	over int64
}

func (c claim) fits() bool { return c.missing <= 0 && c.over <= 0 }

// claim judges a call of n units in the class it has now: the best one whose part it does not pass.
func (s *Sharing) claim(k int, o ledger.Owner, n int64) claim {
	t, used := s.termsOf(k, o), s.book.UsedBy(k, o)
	switch after := used + n; {
	case after <= t.hard:
		return s.claimAs(OwnHard, k, t, used, n)
	case after <= t.guaranteed:
		return s.claimAs(OwnSoft, k, t, used, n)
	default:
		return s.claimAs(Borrowed, k, t, used, n)
	}
}

// claimAs judges a call of n units as if it were of the class, by an owner with these terms that has used so much.
func (s *Sharing) claimAs(class Class, k int, t terms, used, n int64) claim {
	missing, after := n-s.free[k], used+n
	switch class {
	case OwnHard:
		return claim{class: class, missing: missing, over: after - t.hard}
	case OwnSoft:
		return claim{class: class, missing: missing + s.hard[k] - t.hardReserve(used), over: after - t.guaranteed}
	default:
		return claim{class: class, missing: missing + s.soft[k] - t.softReserve(used), over: after - t.ceiling}
	}
}

// refresh computes what is free and reserved anew if anything it depends on has changed.
func (s *Sharing) refresh() {
	if !s.stale && s.version == s.book.Version() {
		return
	}
	for k, of := range s.terms {
		s.free[k] = s.book.Limit(k).Max - s.book.Used(k)
		s.hard[k], s.soft[k] = 0, 0
		for o, t := range of {
			used := s.book.UsedBy(k, ledger.Owner(o))
			s.hard[k] += t.hardReserve(used)
			s.soft[k] += t.softReserve(used)
		}
	}
	s.version, s.stale = s.book.Version(), false
}
