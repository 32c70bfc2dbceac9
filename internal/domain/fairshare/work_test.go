// SPDX-License-Identifier: Apache-2.0

package fairshare

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// rollingOf is a limit of some units a minute.
func rollingOf(name string, most int64) limits.Limit {
	return limits.Limit{Name: name, Kind: limits.Rolling, Max: most, Window: time.Minute, Meter: limits.Meter{Subject: name}}
}

// shareOf is a share with a guarantee in units, of which half is lent.
func shareOf(guaranteed int64) Share {
	return Share{Part: Part{Guaranteed: Amount{Units: guaranteed, InUnits: true}, Ceiling: Amount{Percent: 100}}, Weight: 1, LendPercent: 50}
}

func newSharing(t *testing.T, shares map[string]Share, ls ...limits.Limit) *Sharing {
	t.Helper()
	book, err := ledger.New(noon, ls, limits.Guards{})
	if err != nil {
		t.Fatal(err)
	}
	s := New(book)
	s.SetShares(shares)
	return s
}

// TestWorkIsWhatWasLookedAt since it was asked for last. That heaps are small here makes it the same each time.
func TestWorkIsWhatWasLookedAt(t *testing.T) {
	s := newSharing(t, map[string]Share{"a": shareOf(0), "b": shareOf(0)}, rollingOf("calls", 10), rollingOf("searches", 10))
	steps := []struct {
		name string
		do   func()
		want int64
	}{
		{"nothing waits: what is left of two limits, and the gates of three classes of both", func() { s.Pick(noon) }, 2 + 6},
		{"nothing was done", func() {}, 0},
		{"a head is judged, found and looked at once more before it goes", func() {
			s.Offer(Head{Cost: ledger.Cost{1, 1}, Since: noon})
			s.Pick(noon)
		}, 8 + 2 + 2 + 2},
		{"it is found again", func() { s.Pick(noon) }, 8 + 2 + 2},
		{"another one of which the same is asked: its lot, its place there, and a comparison", func() {
			s.Offer(Head{Owner: 1, Cost: ledger.Cost{1, 1}, Since: noon})
			s.Pick(noon)
		}, 8 + 2 + 1 + 1 + 2 + 2},
		{"whether a call is admissible", func() { s.Admissible(0, ledger.Cost{1, 1}) }, 2},
	}
	s.Work()
	for _, step := range steps {
		step.do()
		if got := s.Work(); got != step.want {
			t.Errorf("%s: %d were looked at, want %d", step.name, got, step.want)
		}
	}
}

// TestAHeapLooksAtWhatItCompares: the parents above, or four children of each level below.
func TestAHeapLooksAtWhatItCompares(t *testing.T) {
	var h heap
	var x index
	for id := range int32(21) { // three levels: 1, 4, 16
		x.extend()
		h.set(&x, item{int64(id), 0, id})
	}
	for name, tc := range map[string]struct {
		it   item
		want int64
	}{
		"it stays where it is":      {item{0, 0, 0}, 0},
		"down to the lowest level":  {item{100, 0, 0}, 8},
		"up from there to the top":  {item{-1, 0, 0}, 2},
		"one comparison, no change": {item{19, 1, 20}, 1},
	} {
		h := slices.Clone(h)
		x := index{at: slices.Clone(x.at)}
		if name == "up from there to the top" {
			h.set(&x, item{100, 0, 0})
			x.looked = 0
		}
		if h.set(&x, tc.it); x.looked != tc.want {
			t.Errorf("%s: %d were looked at, want %d", name, x.looked, tc.want)
		}
	}
}

// TestHeadsAreJudgedAnewOnlyWhenTheyHaveTo: the range of use in which the same is asked for a call is as wide as it is.
func TestHeadsAreJudgedAnewOnlyWhenTheyHaveTo(t *testing.T) {
	const most = 24
	rapid.Check(t, func(t *rapid.T) {
		st := standing{guaranteed: rapid.Int64Range(0, most).Draw(t, "guaranteed"), demand: rapid.Int64Range(0, most).Draw(t, "demand")}
		st.hard = rapid.Int64Range(0, st.guaranteed).Draw(t, "hard")
		st.ceiling = rapid.Int64Range(0, most).Draw(t, "ceiling")
		st.used = rapid.Int64Range(0, most+4).Draw(t, "used")
		n := rapid.Int64Range(1, 5).Draw(t, "n")
		st.to = math.MaxInt64
		asked := func(used int64) [2]int64 {
			other := st
			other.used = used
			c, needed := other.ask(n, most)
			return [2]int64{int64(c), needed}
		}
		as := asked(st.used)
		from, to := st.used, st.used
		for from > 0 && asked(from-1) == as {
			from--
		}
		const farthest = 4 * most
		for to < farthest && asked(to+1) == as {
			to++
		}
		st.ask(n, most)
		if st.from != from || min(st.to, farthest) != to {
			t.Fatalf("the same is asked while %d to %d are used, it says %d to %d: %+v, a call of %d", from, to, st.from, st.to, st, n)
		}
	})
}

// TestTheRangeIsThatOfAllHeads of an integration: the narrowest of theirs.
func TestTheRangeIsThatOfAllHeads(t *testing.T) {
	st := standing{guaranteed: 10, hard: 10, ceiling: 20, from: 3, to: 7}
	if st.ask(1, 20); st.from != 3 || st.to != 7 {
		t.Errorf("a call that asks the same from 0 to 9 has made a range of 3 to 7 one of %d to %d", st.from, st.to)
	}
}

// TestACeilingAsHighAsTheLimit holds nothing back that the limit does not: a head that has to wait for the limit is not taken for one whose own ceiling is
// reached.
func TestACeilingAsHighAsTheLimit(t *testing.T) {
	for ceiling, want := range map[int64]int64{10: 2, 9: 0} {
		st := standing{ceiling: ceiling, used: 9}
		if _, needed := st.ask(2, 10); needed != want {
			t.Errorf("with a ceiling of %d of 10 that %d are left is asked, want %d", ceiling, needed, want)
		}
	}
}

// TestNoRoundingAddsUp: after any calls a tag is what they count in all, divided by the weight; and it is where it was due.
func TestNoRoundingAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tag tag
		weight, total := rapid.Int64Range(1, 1000).Draw(t, "weight"), int64(0)
		for _, amount := range rapid.SliceOfN(rapid.Int64Range(1, 1e6), 1, 30).Draw(t, "amounts") {
			due := tag.due(amount, weight)
			tag.serve(amount, weight)
			if total += amount; tag.start != total/weight || due != tag.start {
				t.Fatalf("after %d of weight %d the tag is %d, was due at %d, want %d", total, weight, tag.start, due, total/weight)
			}
		}
	})
}

// different offers n heads of which each asks something else.
func different(s *Sharing, n int) {
	for i := range n {
		s.Offer(Head{Kind: i, Cost: ledger.Cost{int64(i + 1)}, Since: noon})
	}
	s.Pick(noon)
}

// TestLotsAreFoundAgain, however many there are, without going through many others; and what is empty is used again.
func TestLotsAreFoundAgain(t *testing.T) {
	const lots = 1000
	s := newSharing(t, map[string]Share{"a": shareOf(0)}, rollingOf("calls", 1<<20))
	for range 3 {
		different(s, lots)
		if s.lotsIn != lots || len(s.lots) != lots || len(s.gates) > lots || len(s.posts) > 2*lots {
			t.Fatalf("%d lots, %d at %d gates, %d posts, for %d heads", s.lotsIn, len(s.lots), len(s.gates), len(s.posts), lots)
		}
		if n := len(s.buckets); n != 1024 {
			t.Fatalf("%d lots are found in %d buckets, want the next power of two", lots, n)
		}
		if found, longest := s.chains(); found != lots || longest > 9 {
			t.Fatalf("%d lots are found, want %d, up to %d of them in one bucket", found, lots, longest)
		}
		// Of one head more of each kind the same is asked.
		for i := range lots {
			s.Offer(Head{Owner: s.book.Owner("b"), Kind: i, Cost: ledger.Cost{int64(i + 1)}, Since: noon})
		}
		s.SetShares(map[string]Share{"a": shareOf(0), "b": shareOf(0)})
		s.Pick(noon)
		if s.lotsIn != lots {
			t.Fatalf("twice as many heads are in %d lots, want %d", s.lotsIn, lots)
		}
		for i := range lots {
			s.Withdraw(0, Waiting, i)
			s.Withdraw(s.book.Owner("b"), Waiting, i)
		}
		s.Pick(noon)
		s.SetShares(map[string]Share{"a": shareOf(0)})
		if s.lotsIn != 0 || len(s.gateOf) != 0 {
			t.Fatalf("without heads there are %d lots at %d gates", s.lotsIn, len(s.gateOf))
		}
	}
	if len(New(s.book).buckets) != 16 {
		t.Errorf("a new one has %d buckets", len(New(s.book).buckets))
	}
}

// chains is how many lots are found in all buckets, and in that with most.
func (s *Sharing) chains() (found, longest int) {
	for _, id := range s.buckets {
		chain := 0
		for ; id != none; id = s.lots[id].next {
			chain++
		}
		found, longest = found+chain, max(longest, chain)
	}
	return found, longest
}

// TestALotBeginsAtItsNarrowestGate: of the limits that count it, the one with the least left beyond what it needs; it is closed if that is too little.
func TestALotBeginsAtItsNarrowestGate(t *testing.T) {
	ls := []limits.Limit{rollingOf("calls", 10), rollingOf("searches", 8), rollingOf("exports", 6), rollingOf("other", 1)}
	for name, tc := range map[string]struct {
		cost   ledger.Cost
		limit  int
		closed bool
	}{
		"the first":                       {ledger.Cost{7, 1, 1, 0}, 0, false},
		"the second":                      {ledger.Cost{1, 6, 1, 0}, 1, false},
		"the last that counts it":         {ledger.Cost{1, 1, 1, 0}, 2, false},
		"the first of two that are alike": {ledger.Cost{0, 3, 1, 0}, 1, false},
		"too little is left":              {ledger.Cost{1, 1, 7, 0}, 2, true},
	} {
		s := newSharing(t, map[string]Share{"a": shareOf(0)}, ls...)
		s.Offer(Head{Cost: tc.cost, Since: noon})
		s.refresh()
		s.place(0)
		g := s.gates[s.lots[s.posts[s.members[0].first].lot].gate]
		if g.k != tc.limit || g.need.amount() != tc.cost[tc.limit] || g.open == tc.closed {
			t.Errorf("%s: it stands at the gate of %d of limit %d, open: %t, want limit %d", name, g.need.amount(), g.k, g.open, tc.limit)
		}
	}
}

// TestWhatIsLaterIsNever: of two limits that hold a call back, the one that binds is the one that can be free last.
func TestWhatIsLaterIsNever(t *testing.T) {
	at := func(minutes int) Explanation {
		return Explanation{Earliest: noon.Add(time.Duration(minutes) * time.Minute)}
	}
	for _, tc := range []struct {
		e, f Explanation
		want bool
	}{
		{at(2), at(1), true},
		{at(1), at(2), false},
		{at(1), at(1), false},
		{Explanation{}, at(1), true},
		{at(1), Explanation{}, false},
		{Explanation{}, Explanation{}, false},
	} {
		if got := tc.e.later(tc.f); got != tc.want {
			t.Errorf("%s is later than %s: %t", tc.e.Earliest, tc.f.Earliest, got)
		}
	}
}

// TestGuaranteesOfWholeUnits: what is never lent rounds down, and all of a limit can be guaranteed as it is.
func TestGuaranteesOfWholeUnits(t *testing.T) {
	for lend, want := range map[int64]int64{0: 1000, 1: 990, 33: 670, 50: 500, 99: 10, 100: 0} {
		if got := (Share{LendPercent: lend}).hard(1000); got != want {
			t.Errorf("%d of 1,000 are never lent when %d %% are, want %d", got, lend, want)
		}
	}
	if got := (Share{ReclaimWithinWindow: true}).hard(1000); got != 0 {
		t.Errorf("%d are never lent when all is reclaimed within the window", got)
	}
	for name, tc := range map[string]struct {
		limit limits.Limit
		want  float64
	}{
		"a window":       {limits.Limit{Kind: limits.Rolling, Window: time.Minute, Max: 60}, 1},
		"a calendar day": {limits.Limit{Kind: limits.Calendar, Period: limits.Day, Max: 25}, 3600},
		"slots":          {limits.Limit{Kind: limits.Concurrent, Max: 5}, 0.2},
	} {
		if got := renewal(tc.limit); got != tc.want {
			t.Errorf("%s gives a unit back in %v seconds, want %v", name, got, tc.want)
		}
	}
	var shares []string
	s := newSharing(t, map[string]Share{"a": shareOf(6), "b": shareOf(4)}, rollingOf("calls", 10))
	for o := range ledger.Owner(2) {
		shares = append(shares, fmt.Sprint(s.Guaranteed(0, o)))
	}
	if !slices.Equal(shares, []string{"6", "4"}) {
		t.Errorf("guarantees of all of a limit are %v", shares)
	}
}

// TestHeadsOfWhichTheSameIsAskedStandBehindOneAnother, if they count the same in fair queuing, too: a call of the backlog that takes along what is expected can
// be asked the same as a dearer one for which somebody waits.
func TestHeadsOfWhichTheSameIsAskedStandBehindOneAnother(t *testing.T) {
	s := newSharing(t, map[string]Share{"a": shareOf(10)}, rollingOf("calls", 100))
	if err := s.book.Charge(noon, 1, 0, ledger.Cost{50}, ledger.NoRecord); err != nil {
		t.Fatal(err)
	}
	s.SetLive(0, 0, 1, 0)
	s.Offer(Head{Cost: ledger.Cost{3}, Since: noon})
	s.Offer(Head{Kind: 1, Cost: ledger.Cost{3}, Since: noon})
	s.Offer(Head{Lane: Backlog, Cost: ledger.Cost{2}, Since: noon})
	s.Pick(noon)
	dear := s.members[0].first
	like := s.posts[dear].next
	cheap := s.posts[like].next
	if s.posts[like].behind != dear || s.posts[like].lot != none {
		t.Errorf("a head like the first stands behind %d, in lot %d", s.posts[like].behind, s.posts[like].lot)
	}
	if s.posts[cheap].behind != none || s.posts[cheap].lot != s.posts[dear].lot {
		t.Errorf("a cheaper one of which the same is asked stands behind %d, in lot %d, want none and %d", s.posts[cheap].behind, s.posts[cheap].lot, s.posts[dear].lot)
	}
}
