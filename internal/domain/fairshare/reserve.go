// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// account is what is known of one limit.
type account struct {
	// shared: it is shared out, so it holds calls back.
	shared bool
	// limit is E; hard and soft are the sums of R and S over all owners.
	limit, hard, soft int64
	// As of the last refresh: unused is E - U; left to each class is that less its sum, but to OwnHard what the ledger lets through now.
	unused int64
	left   [classes]int64
	// price is what one unit counts in fair queuing.
	price int64
}

// standing is an integration's figures in one limit: 64 bytes, one line of the cache.
type standing struct {
	guaranteed, hard, ceiling, demand int64
	// live units are kept free from the integration's own backlog.
	live int64
	used int64
	// While no less than from and no more than to is used, its heads ask the same of the limit.
	from, to int64
}

// hardReserve is R: what nobody else may take.
func (st *standing) hardReserve() int64 { return max(0, st.hard-st.used) }

// softReserve is S: what may not be borrowed.
func (st *standing) softReserve() int64 {
	return max(st.hardReserve(), min(st.guaranteed, st.demand)-st.used)
}

func (s *Sharing) standing(k int, o ledger.Owner) *standing { return &s.standings[int(o)*s.width+k] }

// known says whether there is a standing of the owner in limit k.
func (s *Sharing) known(k int, o ledger.Owner) bool {
	return k < s.width && int(o) < len(s.members) && s.accounts[k].shared
}

// reserve adds R and S of a standing to their sums; with a sign of -1 it takes them off, before a figure is changed.
func (s *Sharing) reserve(k int, st *standing, sign int64) {
	a := &s.accounts[k]
	a.hard += sign * st.hardReserve()
	a.soft += sign * st.softReserve()
}

// Changed tells what the owner now has used of limit k. The ledger calls it.
func (s *Sharing) Changed(k int, o ledger.Owner, _, is int64) {
	s.grow()
	if !s.known(k, o) {
		return
	}
	st := s.standing(k, o)
	s.reserve(k, st, -1)
	st.used = is
	s.reserve(k, st, 1)
	if is < st.from || is > st.to {
		s.touch(o)
	}
}

// SetDemand tells how many units of limit k the owner is forecast to have used when it is renewed, what is used already included.
func (s *Sharing) SetDemand(k int, o ledger.Owner, units int64) {
	if !s.known(k, o) || s.members[o].lendsAll {
		return
	}
	st := s.standing(k, o)
	if st.demand == units {
		return
	}
	s.reserve(k, st, -1)
	st.demand = units
	s.reserve(k, st, 1)
	s.touch(o)
}

// SetLive tells how many units of limit k the owner's live calls, for which somebody waits, are expected to take within its window, and how many they took in
// the last.
func (s *Sharing) SetLive(k int, o ledger.Owner, expected, sent int64) {
	if !s.known(k, o) {
		return
	}
	st := s.standing(k, o)
	live := max(0, min(expected, st.guaranteed*(backlogPart-1)/backlogPart)-sent)
	if st.live != live {
		st.live = live
		s.touch(o)
	}
}

// refresh computes what is left to each class of each limit.
func (s *Sharing) refresh() {
	for _, k := range s.shared {
		a := &s.accounts[k]
		a.unused = a.limit - s.book.Used(k)
		a.left = [classes]int64{OwnHard: s.book.Free(k), OwnSoft: a.unused - a.hard, Borrowed: a.unused - a.soft}
	}
	s.looked += int64(len(s.shared))
}

// grow makes room for owners the ledger has met since.
func (s *Sharing) grow() {
	for len(s.members) < s.book.Owners() {
		s.meet()
		s.standings = append(s.standings, make([]standing, s.width)...)
	}
}
