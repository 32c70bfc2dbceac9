// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"time"

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

// Admissible says whether a call of this cost by the owner may be sent now. The class is the one that is worst off over all limits that hold calls back.
func (s *Sharing) Admissible(o ledger.Owner, cost int64) (class Class, ok bool) {
	s.refresh()
	for k := range s.terms {
		if s.book.Limit(k).AlertOnly {
			continue
		}
		c := s.claim(k, o, cost)
		if c.missing > 0 || c.over > 0 {
			return c.class, false
		}
		class = max(class, c.class)
	}
	return class, true
}

// claim is what one limit says to a call. The call fits if both missing and over are at most 0.
type claim struct {
	class Class
	// missing units have to be released or given up by others, of which full by anybody: the limit itself is used up.
	missing, full int64
	// over is by how much the own ceiling would be passed.
	over int64
}

func (s *Sharing) claim(k int, o ledger.Owner, cost int64) claim {
	t, used := s.termsOf(k, o), s.book.UsedBy(k, o)
	n := s.book.Units(k, cost)
	full := s.book.Used(k) + n - s.book.Limit(k).Max
	switch after := used + n; {
	case after <= t.hard:
		return claim{class: OwnHard, missing: full, full: full}
	case after <= t.guaranteed:
		return claim{class: OwnSoft, missing: full + s.hard[k] - t.hardReserve(used), full: full}
	default:
		return claim{class: Borrowed, missing: full + s.soft[k] - t.softReserve(used), full: full, over: after - t.ceiling}
	}
}

// refresh computes the sums of reserves anew if anything they depend on has changed.
func (s *Sharing) refresh() {
	if !s.stale && s.version == s.book.Version() {
		return
	}
	for k, of := range s.terms {
		s.hard[k], s.soft[k] = 0, 0
		for o, t := range of {
			used := s.book.UsedBy(k, ledger.Owner(o))
			s.hard[k] += t.hardReserve(used)
			s.soft[k] += t.softReserve(used)
		}
	}
	s.version, s.stale = s.book.Version(), false
}

// Cause is why a call has to wait.
type Cause uint8

const (
	// UsedUp: the limit itself is used up.
	UsedUp Cause = iota + 1
	// Reserved: what is left of the limit is kept free for the guarantees of others.
	Reserved
	// Ceiling: the integration has used the most that its share allows.
	Ceiling
	// NoShare: the integration has no share of the licence.
	NoShare
)

// Explanation says why a call has to wait.
type Explanation struct {
	Cause Cause
	// Limit is the number of the binding limit: of those that hold the call back the one that can be free last.
	Limit int
	Class Class
	// ReservedFor is the integration with the largest reserve in that limit, if the cause is Reserved.
	ReservedFor string
	// Earliest is when the call can fit at the earliest. Others may be served before, calls in flight may end later.
	Earliest time.Time
}

// Explain says why a call of this cost by the owner has to wait; ok is false if it need not.
func (s *Sharing) Explain(o ledger.Owner, cost int64) (e Explanation, ok bool) {
	s.refresh()
	for k := range s.terms {
		if s.book.Limit(k).AlertOnly {
			continue
		}
		c := s.claim(k, o, cost)
		if c.missing <= 0 && c.over <= 0 {
			continue
		}
		if at := s.explain(k, o, c); !ok || at.Earliest.After(e.Earliest) {
			e, ok = at, true
		}
	}
	return e, ok
}

func (s *Sharing) explain(k int, o ledger.Owner, c claim) Explanation {
	e := Explanation{Limit: k, Class: c.class}
	switch {
	case s.termsOf(k, o) == terms{}:
		e.Cause = NoShare
	case c.over > 0:
		e.Cause, e.Earliest = Ceiling, s.book.EarliestRelease(k, o, c.over)
	case c.full > 0:
		e.Cause = UsedUp
	default:
		e.Cause, e.ReservedFor = Reserved, s.largestReserve(k, o, c.class)
	}
	if c.missing > 0 {
		if at := s.book.EarliestRelease(k, ledger.NoOwner, c.missing); at.After(e.Earliest) {
			e.Earliest = at
		}
	}
	return e
}

func (s *Sharing) largestReserve(k int, except ledger.Owner, class Class) string {
	largest, of := int64(0), ledger.NoOwner
	for o, t := range s.terms[k] {
		used := s.book.UsedBy(k, ledger.Owner(o))
		reserve := t.hardReserve(used)
		if class == Borrowed {
			reserve = t.softReserve(used)
		}
		if ledger.Owner(o) != except && reserve > largest {
			largest, of = reserve, ledger.Owner(o)
		}
	}
	if of == ledger.NoOwner {
		return ""
	}
	return s.book.Name(of)
}
