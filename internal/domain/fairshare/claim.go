// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"math"

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

const classes = 3

// classOf is the best class whose part a call of n units does not pass.
func (st *standing) classOf(n int64) Class {
	switch after := st.used + n; {
	case after <= st.hard:
		return OwnHard
	case after <= st.guaranteed:
		return OwnSoft
	default:
		return Borrowed
	}
}

// part is the most that can be used in a class.
func (st *standing) part(c Class) int64 {
	switch c {
	case OwnHard:
		return st.hard
	case OwnSoft:
		return st.guaranteed
	default:
		return st.ceiling
	}
}

// needed is what must be left to the class for a call of n units: what is reserved for the caller itself does not stand in its way.
func (st *standing) needed(c Class, n int64) int64 {
	switch c {
	case OwnHard:
		return n
	case OwnSoft:
		return n - st.hardReserve()
	default:
		return n - st.softReserve()
	}
}

// claim is what one limit says to a call.
type claim struct {
	class Class
	// missing units have to be released, or given up by those they are reserved for.
	missing int64
	// over is by how much the own part, for Borrowed the ceiling, would be passed.
	over int64
	// early is by how much the ledger lets less through now.
	early int64
}

func (c claim) fits() bool { return c.missing <= 0 && c.over <= 0 && c.early <= 0 }

// claimAs judges a call of n units as if it were of the class.
func (s *Sharing) claimAs(c Class, k int, st *standing, n int64) claim {
	a := &s.accounts[k]
	reserved := [classes]int64{OwnSoft: a.hard, Borrowed: a.soft}
	return claim{
		class:   c,
		missing: st.needed(c, n) + reserved[c] - a.unused,
		over:    st.used + n - st.part(c),
		early:   n - a.left[OwnHard],
	}
}

// units is what a head claims of limit k, 0 if the limit does not count it.
func (s *Sharing) units(k int, h *Head) int64 {
	n := h.Cost[k]
	if n > 0 && h.Lane == Backlog {
		n += s.standing(k, h.Owner).live
	}
	return n
}

// Admissible says whether a call of this cost by the owner, for which somebody waits, may be sent now. The class is the one that is worst off over all limits
// that hold calls back.
func (s *Sharing) Admissible(o ledger.Owner, cost ledger.Cost) (class Class, ok bool) {
	s.grow()
	s.refresh()
	return s.admits(&Head{Owner: o, Lane: Waiting, Cost: cost})
}

// admits says whether a head may be sent now, and in which class.
func (s *Sharing) admits(h *Head) (class Class, ok bool) {
	for _, k := range s.shared {
		n := s.units(k, h)
		if n == 0 {
			continue
		}
		st := s.standing(k, h.Owner)
		c := s.claimAs(st.classOf(n), k, st, n)
		if !c.fits() {
			return c.class, false
		}
		class = max(class, c.class)
	}
	return class, true
}

// need is what one limit asks of a head, in one figure: that so much is left to a class. 0 where the limit does not count the head.
type need int64

func newNeed(c Class, amount int64) need { return need(amount<<2 | int64(c)) }

func (n need) class() Class  { return Class(n & 3) }
func (n need) amount() int64 { return int64(n >> 2) }

// judge leaves in needs what every limit asks of a head, and returns the worst class. With ok false its own ceiling holds it back: nothing but less use by its
// own integration can change that. It narrows how far use may change for that to stay so.
func (s *Sharing) judge(h *Head) (class Class, ok bool) {
	s.looked += int64(len(s.shared))
	for _, k := range s.shared {
		n := s.units(k, h)
		if n == 0 {
			s.needs[k] = 0
			continue
		}
		st := s.standing(k, h.Owner)
		c, needed := st.ask(n, s.accounts[k].limit)
		if needed == 0 {
			return c, false
		}
		s.needs[k] = newNeed(c, needed)
		class = max(class, c)
	}
	for _, k := range s.paced {
		s.needs[s.width+k] = newNeed(OwnHard, s.units(k, h))
	}
	return class, true
}

// ask is what must be left to which class for a call of n units, 0 if the ceiling holds it back. It narrows the range of use in which that stays so.
func (st *standing) ask(n, limit int64) (c Class, needed int64) {
	c = st.classOf(n)
	from, to := st.used, st.used // while something is reserved, it changes with each unit
	switch {
	case c == OwnHard:
		from, to, needed = 0, st.hard-n, n
	case c == OwnSoft && st.used >= st.hard:
		from, to, needed = st.hard, st.guaranteed-n, n
	case c == OwnSoft:
		needed = n - st.hardReserve()
	case st.ceiling < limit && st.used+n > st.ceiling:
		// A ceiling as high as the limit holds nothing back that the limit does not.
		from, to = max(st.ceiling, st.guaranteed)-n+1, math.MaxInt64
	case st.softReserve() == 0:
		from, to, needed = max(st.guaranteed-n+1, st.hard, min(st.guaranteed, st.demand)), math.MaxInt64, n
		if st.ceiling < limit {
			to = st.ceiling - n
		}
	default:
		needed = n - st.softReserve()
	}
	st.from, st.to = max(st.from, from), min(st.to, to)
	return c, needed
}

// lacking says whether less is left of limit k than is needed.
func (s *Sharing) lacking(k int, n need) bool {
	return n != 0 && s.accounts[k].left[n.class()] < n.amount()
}
