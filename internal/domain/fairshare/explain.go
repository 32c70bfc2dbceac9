// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// Cause is why a call has to wait.
type Cause uint8

const (
	// UsedUp says that the limit itself is used up.
	UsedUp Cause = iota + 1
	// Reserved says that what is left of the limit is kept free for the guarantees of others.
	Reserved
	// Ceiling says that the integration has used the most that its share allows.
	Ceiling
	// NoShare says that the integration has no share of the licence.
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
	// Earliest is when the call can fit at the earliest: others may be served before, calls in flight may end later. Zero if it never fits.
	Earliest time.Time
}

// Explain says why a call of this cost by the owner, for which somebody waits, has to wait; ok is false if it need not.
func (s *Sharing) Explain(o ledger.Owner, cost int64) (e Explanation, ok bool) {
	s.refresh()
	for k := range s.terms {
		c := s.claim(k, o, s.book.Units(k, cost))
		if s.alertOnly[k] || c.fits() {
			continue
		}
		if of := s.explain(k, o, cost, c); !ok || of.Earliest.After(e.Earliest) {
			e, ok = of, true
		}
	}
	return e, ok
}

func (s *Sharing) explain(k int, o ledger.Owner, cost int64, c claim) Explanation {
	e := Explanation{Limit: k, Class: c.class, Earliest: s.earliest(k, o, cost)}
	switch {
	case s.termsOf(k, o).ceiling == 0:
		e.Cause = NoShare
	case s.book.Units(k, cost) > s.free[k]:
		e.Cause = UsedUp
	case c.over > 0:
		e.Cause = Ceiling
	default:
		e.Cause, e.ReservedFor = Reserved, s.largestReserve(k, o, c.class)
	}
	return e
}

// earliest is when limit k can have room at the earliest. As own calls are released a borrowed call can become an own one, so each class is a way.
func (s *Sharing) earliest(k int, o ledger.Owner, cost int64) time.Time {
	var earliest time.Time
	t, used, n := s.termsOf(k, o), s.book.UsedBy(k, o), s.book.Units(k, cost)
	for _, class := range []Class{OwnHard, OwnSoft, Borrowed} {
		c := s.claimAs(class, k, t, used, n)
		if c.over > used {
			continue // the part is smaller than the call
		}
		var at time.Time
		if c.over > 0 {
			at = s.book.EarliestRelease(k, o, c.over)
		}
		if c.missing > 0 {
			if free := s.book.EarliestRelease(k, ledger.NoOwner, c.missing); free.After(at) {
				at = free
			}
		}
		if earliest.IsZero() || at.Before(earliest) {
			earliest = at
		}
	}
	return earliest
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
