// SPDX-License-Identifier: Apache-2.0

// Package fairshare decides who may send next: what is guaranteed to an integration stays free for it, as far as it is not lent; the rest goes to those who ask
// for it, by priority and then in proportion to their weights.
//
// For limit k and integration j, with
//
//	E   = the limit in force               U, u_j = live charges, of all and of j
//	g_j = floor(guarantee_j * E)           h_j    = floor((1 - lend_j) * g_j)
//	R_j = max(0, h_j - u_j)                S_j    = max(R_j, min(g_j, D_j) - u_j)    D_j = demand forecast until renewal
//
// a call that takes c > 0 of k, by i, is admissible if and only if in every such limit
//
//	own-hard  (u_i + c <= h_i):  U + c <= E
//	own-soft  (u_i + c <= g_i):  U + c + sum of R_j over j other than i <= E
//	borrowed  (otherwise):       U + c + sum of S_j over j other than i <= E  and  u_i + c <= ceiling_i
//
// and, where calls are paced, the pace lets c through. So U + sum R <= E always, and a call that is own-hard in every limit never waits for another
// integration, but for the pace. Limits that only alert, and those that each record has for itself, are not shared out.
//
// A call of the backlog, for which nobody waits, takes along in every limit the live calls that its own integration is expected to make next, at most four
// fifths of g with those just made: it is judged as if they were sent with it. So a backlog does not take from an integration's users what is kept free for
// them.
//
// Among admissible calls those within their integration's guarantee go first, own-hard before own-soft, whoever was served longest ago before others. The rest
// goes by priority band, and within a band by weighted fair queuing.
//
// # How a choice takes no scan
//
// What a limit asks of a head is that what is left to a class is at least some amount, where left is E - U for own-hard, less the sum of R or of S over all for
// own-soft and borrowed calls; the amount depends on nothing but the call and its own integration. So heads of which every limit asks the same are admissible
// or blocked together. They share a lot, and it takes one comparison for each limit to know about all of them. Lots stand at gates, by the need that held them
// back last, so that it takes one comparison to know about all lots that a limit holds back for the same reason. The sums follow each change that the ledger
// tells, and only heads of integrations whose own use has changed are judged anew.
//
// In lots, at gates and in queues posts are in heaps by the tags of weighted fair queuing, so that the next one is found in steps that grow with the logarithm
// of their number. The mean of the tags is the quotient of two sums that follow each change, too.
package fairshare

import (
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// DefaultAgeing is after what time a waiting call joins the top band unless SetAgeing says otherwise.
const DefaultAgeing = time.Minute

// Sharing shares the limits of one ledger, of which it is the watcher. It is pure, and owned by the goroutine that owns the ledger.
type Sharing struct {
	book *ledger.Ledger

	// width is the number of limits in force, shared the numbers of those that are shared out, paced of those among them that have a pace.
	width    int
	shared   []int
	paced    []int
	accounts []account
	// standings by owner, then limit. Owners without a share have a ceiling of 0: they cannot send, what is charged to them still counts.
	standings []standing
	members   []member
	// touched are the members whose heads must be judged anew.
	touched []ledger.Owner

	posts []post
	lots  []lot
	gates []gate
	// The first of those that are free.
	freePost, freeLot, freeGate int32
	// buckets find a lot by its hash; there are lotsIn lots in them.
	buckets []int32
	lotsIn  int
	gateOf  map[gateKey]int32
	queues  [queues]queue
	// closed gates, by limit and class.
	closed []heap

	// Where posts are in their lot and in the order of ageing, lots at their gate, and gates in their queue or among closed ones.
	inLot, inAgeing, inClosed index
	inGate, inQueue           places

	ageing time.Duration
	young  heap
	now    int64

	// turn counts calls within guarantees.
	turn int64
	// needs of the head that is being judged, kept for its memory: by limit and, if there are paces, once more what they must let through.
	needs  []need
	looked int64
}

// New returns a Sharing in which nobody has a share yet, so that nothing is admissible that a limit counts.
func New(book *ledger.Ledger) *Sharing {
	s := &Sharing{book: book, freePost: none, freeLot: none, freeGate: none, gateOf: map[gateKey]int32{}, ageing: DefaultAgeing}
	s.rehash(16)
	book.Watch(s)
	s.SetShares(nil)
	return s
}

// Work is how many limits, posts and lots have been looked at since it was asked last: what a decision costs without the noise of a clock.
func (s *Sharing) Work() int64 {
	looked := s.looked
	s.looked = 0
	for _, x := range []*index{&s.inLot, &s.inAgeing, &s.inClosed, &s.inGate.ready, &s.inGate.early, &s.inQueue.ready, &s.inQueue.early} {
		looked += x.looked
		x.looked = 0
	}
	return looked
}
