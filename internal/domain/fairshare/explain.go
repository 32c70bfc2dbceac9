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
	// Paced says that the limit has room, but calls to it are spread over time.
	Paced
)

// Explanation says why a call has to wait.
type Explanation struct {
	Cause Cause
	// Limit is the number of the binding limit: of those that hold the call back the one that can be free last.
	Limit int
	Class Class
	// ReservedFor is the integration with the largest reserve in that limit, if the cause is Reserved.
	ReservedFor string
	// Earliest is when the call can fit at the earliest: others may be served before, calls in flight may end later. Zero if it never fits. It holds while
	// forecasts, shares and limits stay as they are and no charge is refunded or corrected.
	Earliest time.Time
}

// Explain says why a head, which need not be offered, has to wait at now; ok is false if it need not.
func (s *Sharing) Explain(now time.Time, h Head) (e Explanation, ok bool) {
	s.book.Advance(now)
	s.grow()
	s.refresh()
	for _, k := range s.shared {
		n := s.units(k, &h)
		if n == 0 {
			continue
		}
		st := s.standing(k, h.Owner)
		c := s.claimAs(st.classOf(n), k, st, n)
		if c.fits() {
			continue
		}
		if of := s.explain(k, h.Owner, n, c); !ok || of.later(e) {
			e, ok = of, true
		}
	}
	return e, ok
}

// later says whether e can be free only after f, where a zero time is never.
func (e Explanation) later(f Explanation) bool {
	return !f.Earliest.IsZero() && (e.Earliest.IsZero() || e.Earliest.After(f.Earliest))
}

func (s *Sharing) explain(k int, o ledger.Owner, n int64, c claim) Explanation {
	e := Explanation{Limit: k, Class: c.class, Earliest: s.earliest(k, o, n)}
	switch {
	case s.standing(k, o).ceiling == 0:
		e.Cause = NoShare
	case n > s.accounts[k].unused:
		e.Cause = UsedUp
	case c.over > 0:
		e.Cause = Ceiling
	case c.missing > 0:
		e.Cause, e.ReservedFor = Reserved, s.largestReserve(k, o, c.class)
	default:
		e.Cause = Paced
	}
	return e
}

// Earliest is when limit k, which must be shared out, can let n units of the owner through at the earliest, as Explanation says it; zero if it never can.
func (s *Sharing) Earliest(k int, o ledger.Owner, n int64) time.Time {
	s.grow()
	s.refresh()
	return s.earliest(k, o, n)
}

// earliest knows that as own calls are released a borrowed call can become an own one, so each class is a way.
func (s *Sharing) earliest(k int, o ledger.Owner, n int64) time.Time {
	var earliest time.Time
	st := s.standing(k, o)
	for class := range Class(classes) {
		c := s.claimAs(class, k, st, n)
		if c.over > st.used {
			continue // the part is smaller than the call
		}
		var at time.Time
		wait := func(until time.Time) {
			if until.After(at) {
				at = until
			}
		}
		if c.over > 0 {
			wait(s.book.EarliestRelease(k, o, c.over))
		}
		if c.missing > 0 {
			wait(s.book.EarliestRelease(k, ledger.NoOwner, c.missing))
		}
		if c.early > 0 {
			wait(s.book.EarliestPaced(k, n))
		}
		if earliest.IsZero() || at.Before(earliest) {
			earliest = at
		}
	}
	return earliest
}

func (s *Sharing) largestReserve(k int, except ledger.Owner, class Class) string {
	largest, of := int64(0), ledger.NoOwner
	for o := range s.members {
		hard, soft := s.Reserved(k, ledger.Owner(o))
		if class != Borrowed {
			soft = hard
		}
		if ledger.Owner(o) != except && soft > largest {
			largest, of = soft, ledger.Owner(o)
		}
	}
	if of == ledger.NoOwner {
		return ""
	}
	return s.book.Name(of)
}
