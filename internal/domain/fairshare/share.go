// SPDX-License-Identifier: Apache-2.0

// Package fairshare decides who may send next: what is guaranteed to an integration stays free for it, as far as it is not lent; the rest goes to those who ask
// for it, in proportion to their weights.
//
// For limit k and integration j, with
//
//	E   = the limit in force               U, u_j = live charges, of all and of j
//	g_j = floor(guarantee_j * E)           h_j    = floor((1 - lend_j) * g_j)
//	R_j = max(0, h_j - u_j)                S_j    = max(R_j, min(g_j, D_j) - u_j)    D_j = demand forecast until renewal
//
// a call of cost c by i is admissible if and only if in every limit
//
//	own-hard  (u_i + c <= h_i):  U + c <= E
//	own-soft  (u_i + c <= g_i):  U + c + sum of R_j over j other than i <= E
//	borrowed  (otherwise):       U + c + sum of S_j over j other than i <= E  and  u_i + c <= ceiling_i
//
// So U + sum R <= E always, and a call that is own-hard in every limit never waits for another integration.
//
// A call of the backlog, for which nobody waits, takes along in every limit the live calls that its own integration is expected to make next, at most four
// fifths of g with those just made: it is judged as if they were sent with it. So a backlog does not take from an integration's users what is kept free for them.
package fairshare

import (
	"maps"
	"slices"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// Share is one integration's part of a licence.
type Share struct {
	// Guaranteed calls by the name of the limit, nothing in limits it does not name. If nil, GuaranteedPercent of every limit is guaranteed, rounded down.
	Guaranteed        map[string]int64
	GuaranteedPercent int64
	// Weight, at least 1: the part of what nobody has reserved, relative to others that want it.
	Weight int64
	// MaxPercent of a limit is the most that can be used, what is borrowed included. It allows one call at least: a share that rounds to nothing would hold
	// its calls for ever.
	MaxPercent int64
	// LendPercent of a guarantee is lent while it is not used and not forecast to be.
	LendPercent int64
}

// terms are an integration's figures in one limit.
type terms struct {
	guaranteed, hard, ceiling, demand int64
	// live units are kept free from the integration's own backlog.
	live int64
}

// hardReserve is R: what nobody else may take.
func (t terms) hardReserve(used int64) int64 { return max(0, t.hard-used) }

// softReserve is S: what may not be borrowed.
func (t terms) softReserve(used int64) int64 {
	return max(t.hardReserve(used), min(t.guaranteed, t.demand)-used)
}

// Sharing shares the limits of one ledger. It is pure, and owned by the goroutine that owns the ledger.
type Sharing struct {
	book *ledger.Ledger

	// By limit, then owner. Owners without a share have no terms: they cannot send, what is charged to them still counts.
	terms   [][]terms
	members []member

	// By limit: whether it holds nothing back; and, as of the ledger's version, E - U and the sums of R and S over all owners.
	alertOnly        []bool
	free, hard, soft []int64
	version          uint64
	stale            bool

	// Of the weighted fair queuing: the round and the mean tag in it.
	round   uint64
	virtual int64
	// turn counts own-hard calls, pick counts picks.
	turn, pick uint64
	// contenders of the present pick, kept for its memory.
	contenders []ledger.Owner
}

// New returns a Sharing in which nobody has a share yet.
func New(book *ledger.Ledger) *Sharing {
	return &Sharing{book: book, stale: true}
}

// SetShares puts shares in force, by the integrations' keys. It has to be called again after the ledger's limits have changed. Guarantees that add up to more
// than a limit shrink in proportion. Forecasts start anew.
func (s *Sharing) SetShares(shares map[string]Share) {
	keys := slices.Sorted(maps.Keys(shares))
	for _, key := range keys {
		s.book.Owner(key)
	}
	s.grow()
	for o := range s.members {
		s.members[o].tag.setWeight(max(1, shares[s.book.Name(ledger.Owner(o))].Weight))
	}
	s.terms, s.alertOnly = make([][]terms, s.book.Limits()), make([]bool, s.book.Limits())
	for k := range s.terms {
		s.alertOnly[k] = s.book.Limit(k).AlertOnly
		s.terms[k] = make([]terms, len(s.members))
		s.setTerms(k, keys, shares)
	}
	n := len(s.terms)
	s.free, s.hard, s.soft = make([]int64, n), make([]int64, n), make([]int64, n)
	s.stale = true
}

func (s *Sharing) setTerms(k int, keys []string, shares map[string]Share) {
	limit := s.book.Limit(k)
	total := int64(0)
	for _, key := range keys {
		share := shares[key]
		t := &s.terms[k][s.book.Owner(key)]
		t.guaranteed = share.guaranteed(limit.Name, limit.Max)
		t.ceiling = max(1, limit.Max*share.MaxPercent/100)
		total += t.guaranteed
	}
	for _, key := range keys {
		t := &s.terms[k][s.book.Owner(key)]
		if total > limit.Max {
			t.guaranteed = t.guaranteed * limit.Max / total
		}
		t.hard = t.guaranteed * (100 - shares[key].LendPercent) / 100
	}
}

func (s Share) guaranteed(limit string, maximum int64) int64 {
	if s.Guaranteed != nil {
		return min(s.Guaranteed[limit], maximum)
	}
	return maximum * s.GuaranteedPercent / 100
}

// SetDemand tells how much of limit k the owner is forecast to have used when it is renewed, what is used already included.
func (s *Sharing) SetDemand(k int, o ledger.Owner, calls int64) {
	if int(o) < len(s.terms[k]) && s.terms[k][o].demand != calls {
		s.terms[k][o].demand = calls
		s.stale = true
	}
}

// SetLive tells how many live calls, for which somebody waits, the owner is expected to make within the window of limit k, and how many were sent in the last.
func (s *Sharing) SetLive(k int, o ledger.Owner, expected, sent int64) {
	if int(o) < len(s.terms[k]) {
		t := &s.terms[k][o]
		t.live = max(0, min(expected, t.guaranteed*(backlogPart-1)/backlogPart)-sent)
	}
}

// Live is what limit k keeps free of the owner's own backlog.
func (s *Sharing) Live(k int, o ledger.Owner) int64 { return s.termsOf(k, o).live }

// Guaranteed is what limit k guarantees to the owner.
func (s *Sharing) Guaranteed(k int, o ledger.Owner) int64 { return s.termsOf(k, o).guaranteed }

func (s *Sharing) termsOf(k int, o ledger.Owner) terms {
	if int(o) < len(s.terms[k]) {
		return s.terms[k][o]
	}
	return terms{}
}

// grow makes room for owners the ledger has met since.
func (s *Sharing) grow() {
	for len(s.members) < s.book.Owners() {
		s.members = append(s.members, member{tag: tag{weight: 1}})
	}
}
