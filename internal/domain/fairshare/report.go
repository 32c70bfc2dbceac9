// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// figures are an owner's in limit k; nothing for owners and limits that are not shared out.
func (s *Sharing) figures(k int, o ledger.Owner) standing {
	if !s.known(k, o) {
		return standing{}
	}
	return *s.standing(k, o)
}

// Guaranteed is how many units of limit k are guaranteed to the owner.
func (s *Sharing) Guaranteed(k int, o ledger.Owner) int64 { return s.figures(k, o).guaranteed }

// Ceiling is the most units of limit k that the owner may use; 0 without a share.
func (s *Sharing) Ceiling(k int, o ledger.Owner) int64 { return s.figures(k, o).ceiling }

// Live is how many units limit k keeps free of the owner's own backlog.
func (s *Sharing) Live(k int, o ledger.Owner) int64 { return s.figures(k, o).live }

// Reserved is how many units of limit k are kept free for the owner: hard from everybody, soft, hard included, from those that would borrow them.
func (s *Sharing) Reserved(k int, o ledger.Owner) (hard, soft int64) {
	st := s.figures(k, o)
	return st.hardReserve(), st.softReserve()
}

// Room is how many units of limit k the owner could take now, for calls that somebody waits for; 0 if the limit is not shared out.
func (s *Sharing) Room(k int, o ledger.Owner) int64 {
	if !s.known(k, o) {
		return 0
	}
	s.refresh()
	st, most := s.standing(k, o), int64(0)
	for class := range Class(classes) {
		none := s.claimAs(class, k, st, 0)
		most = max(most, min(-none.missing, -none.over, -none.early))
	}
	return most
}

// LentBy is how many units of what limit k guarantees to the owner, and the owner does not use, others may borrow now.
func (s *Sharing) LentBy(k int, o ledger.Owner) int64 {
	st := s.figures(k, o)
	return max(0, st.guaranteed-st.used-st.softReserve())
}

// BorrowedBy is by how many units of limit k the owner has used more than is guaranteed to it.
func (s *Sharing) BorrowedBy(k int, o ledger.Owner) int64 {
	st := s.figures(k, o)
	return max(0, st.used-st.guaranteed)
}

// Lent is LentBy of all owners together.
func (s *Sharing) Lent(k int) int64 { return s.total(k, s.LentBy) }

// Borrowed is BorrowedBy of all owners together.
func (s *Sharing) Borrowed(k int) int64 { return s.total(k, s.BorrowedBy) }

func (s *Sharing) total(k int, of func(int, ledger.Owner) int64) (sum int64) {
	for o := range s.members {
		sum += of(k, ledger.Owner(o))
	}
	return sum
}
