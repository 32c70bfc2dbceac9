// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// with returns a share that was changed.
func with(s fairshare.Share, change func(*fairshare.Share)) fairshare.Share {
	change(&s)
	return s
}

func inBand(b fairshare.Band, s fairshare.Share) fairshare.Share {
	return with(s, func(s *fairshare.Share) { s.Band = b })
}

func lending(percent int64, s fairshare.Share) fairshare.Share {
	return with(s, func(s *fairshare.Share) { s.LendPercent = percent })
}

// sentBy counts choices by the owner's name.
func (o *office) sentBy(choices []fairshare.Choice) map[string]int {
	sent := map[string]int{}
	for _, c := range choices {
		sent[o.book.Name(c.Owner)]++
	}
	return sent
}

// TestWhatIsKeptOfAnIdleGuarantee lets one integration take all it can get of a limit of ten, of which another is guaranteed four and asks for nothing.
func TestWhatIsKeptOfAnIdleGuarantee(t *testing.T) {
	only := func(limit string) fairshare.Share {
		return with(percent(0), func(s *fairshare.Share) { s.PerLimit = map[string]fairshare.Part{limit: percent(40).Part} })
	}
	external := func(s *fairshare.Share) { s.External = true }
	withinWindow := func(s *fairshare.Share) { s.ReclaimWithinWindow = true }
	for name, tc := range map[string]struct {
		idle   fairshare.Share
		demand int64
		want   int
	}{
		"nothing is lent":                           {lending(0, percent(40)), 0, 6},
		"half is lent":                              {lending(50, percent(40)), 0, 8},
		"all is lent":                               {lending(100, percent(40)), 0, 10},
		"what is forecast is not lent":              {lending(100, percent(40)), 3, 7},
		"a forecast beyond the guarantee":           {lending(100, percent(40)), 9, 6},
		"a forecast of what is kept anyway":         {lending(50, percent(40)), 1, 8},
		"what cannot be seen is not lent":           {with(lending(100, percent(40)), external), 0, 6},
		"reclaimed within the window, all is lent":  {with(lending(0, percent(40)), withinWindow), 0, 10},
		"then forecasts do not matter":              {with(lending(0, percent(40)), withinWindow), 9, 10},
		"what cannot be seen cannot be reclaimed":   {with(with(lending(100, percent(40)), withinWindow), external), 0, 6},
		"a limit that is named keeps its own part":  {only("minute"), 0, 8},
		"a limit of another name does not":          {only("hour"), 0, 10},
		"what is forecast and not guaranteed":       {percent(0), 9, 10},
		"a guarantee in units":                      {lending(0, calls(7)), 0, 3},
		"a guarantee of more units than there are":  {lending(0, calls(70)), 0, 0},
		"a third of what rounds down is never lent": {lending(70, percent(49)), 0, 9},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, map[string]fairshare.Share{"idle": tc.idle, "greedy": percent(0)}, perMinute(10))
			o.sharing.SetDemand(0, o.book.Owner("idle"), tc.demand)
			if got := len(o.drain(o.head("greedy"))); got != tc.want {
				t.Errorf("the other one got %d of ten, want %d", got, tc.want)
			}
		})
	}
}

// TestOwnSoftLeavesHardReservesAlone: what an integration may take back of its own guarantee is not what another never lends.
func TestOwnSoftLeavesHardReservesAlone(t *testing.T) {
	o := newOffice(t, map[string]fairshare.Share{"a": lending(100, percent(50)), "b": lending(0, percent(50)), "c": percent(0)}, perMinute(10))
	o.send("c", 3)
	if got := len(o.drain(o.head("a"))); got != 2 {
		t.Errorf("a sent %d calls of its guarantee of 5, want 2: of ten units c has 3, and b keeps 5", got)
	}
	if got := len(o.drain(o.head("b"))); got != 5 {
		t.Errorf("b sent %d calls of its hard guarantee of 5", got)
	}
}

// TestAGuaranteeGoesBeforeAnybodysPriority: own-hard first, then own-soft, then what is borrowed, whatever the bands.
func TestAGuaranteeGoesBeforeAnybodysPriority(t *testing.T) {
	shares := map[string]fairshare.Share{
		"bulk": inBand(fairshare.Bulk, lending(50, percent(40))), "urgent": inBand(fairshare.Interactive, percent(0)),
	}
	o := newOffice(t, shares, perMinute(10))
	var got []string
	for _, c := range o.drain(o.head("urgent"), o.head("bulk")) {
		got = append(got, o.book.Name(c.Owner)+[]string{" hard", " soft", " borrowed"}[c.Class])
	}
	want := append([]string{"bulk hard", "bulk hard", "bulk soft", "bulk soft"}, slices.Repeat([]string{"urgent borrowed"}, 6)...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// TestBandsGoStrictlyFirst: weights count within a band only.
func TestBandsGoStrictlyFirst(t *testing.T) {
	heavy := func(s *fairshare.Share) { s.Weight = 1000 }
	o := newOffice(t, map[string]fairshare.Share{
		"bulk": with(inBand(fairshare.Bulk, ceiling(100)), heavy), "standard": with(inBand(fairshare.Standard, ceiling(30)), heavy), "interactive": ceiling(40),
	}, perMinute(10))
	var order string
	for _, c := range o.drain(o.head("bulk"), o.head("standard"), o.head("interactive")) {
		order += o.book.Name(c.Owner)[:1]
	}
	if want := "iiiisssbbb"; order != want {
		t.Errorf("order is %s, want %s: as far as their ceilings, one band after the other", order, want)
	}
}

// TestWeightsDivideABand as exactly as whole calls can.
func TestWeightsDivideABand(t *testing.T) {
	o := newOffice(t, map[string]fairshare.Share{"a": borrower(5), "b": borrower(3), "c": borrower(2)}, perMinute(100))
	want := map[string]int{"a": 50, "b": 30, "c": 20}
	if diff := cmp.Diff(want, o.sentBy(o.drain(o.head("a"), o.head("b"), o.head("c")))); diff != "" {
		t.Errorf("calls of a hundred (-want +got):\n%s", diff)
	}
}

// TestCallsSentUnaskedCount, also for a head that is offered already: each uses up some of what its integration has.
func TestCallsSentUnaskedCount(t *testing.T) {
	l := plenty("units")
	l.Max = 20
	share := with(percent(40), func(s *fairshare.Share) { s.Ceiling.Percent = 60 })
	for cost, want := range map[int64]string{1: "hhhhssssbbbb-", 3: "hhssssbbbb-"} {
		m := newMarketOf(t, map[string]fairshare.Share{"0": share}, l)
		m.ask(unit(0, cost))
		got := ""
		for {
			choice, ok := m.sharing.Pick(m.now)
			if !ok {
				got += "-"
				break
			}
			got += []string{"h", "s", "b"}[choice.Class]
			m.sent++
			m.must(m.book.Charge(m.now, m.sent, 0, ledger.Cost{1}, ledger.NoRecord))
		}
		if got != want {
			t.Errorf("the classes of a call of %d are %s, want %s", cost, got, want)
		}
	}
}

// TestACeilingHolds while everything else is free, and in units as in percent.
func TestACeilingHolds(t *testing.T) {
	units := with(ceiling(0), func(s *fairshare.Share) { s.Ceiling = fairshare.Amount{Units: 7, InUnits: true} })
	o := newOffice(t, map[string]fairshare.Share{"percent": ceiling(30), "units": units}, perMinute(100))
	want := map[string]int{"percent": 30, "units": 7}
	if diff := cmp.Diff(want, o.sentBy(o.drain(o.head("percent"), o.head("units")))); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	for id := range o.nextID {
		if err := o.book.Settle(id+1, begin); err != nil {
			t.Fatal(err)
		}
	}
	if choice, ok := o.sharing.Pick(begin.Add(time.Minute)); !ok || choice.Class != fairshare.Borrowed {
		t.Errorf("when their calls are released: %+v, %t", choice, ok)
	}
}

// TestOldCallsJoinTheTopBand, where they compete by weight; before that time, and without ageing, they go last.
func TestOldCallsJoinTheTopBand(t *testing.T) {
	for name, tc := range map[string]struct {
		ageing *time.Duration
		waited time.Duration
		want   int
	}{
		"by default not before a minute":   {nil, fairshare.DefaultAgeing - 1, 0},
		"by default after a minute":        {nil, fairshare.DefaultAgeing, 5},
		"when it is set, not before":       {new(5 * time.Second), 5*time.Second - 1, 0},
		"when it is set, then":             {new(5 * time.Second), 5 * time.Second, 5},
		"never if it is switched off":      {new(time.Duration(0)), time.Hour, 0},
		"an hour is not too long to count": {new(time.Hour), time.Hour, 5},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMarketOf(t, map[string]fairshare.Share{"0": borrower(1), "1": inBand(fairshare.Bulk, borrower(1))}, plenty("units"))
			urgent, old := unit(0, 1), unit(1, 1)
			m.next(urgent, old) // it is in its own band first
			if tc.ageing != nil {
				m.sharing.SetAgeing(*tc.ageing)
			}
			m.now = begin.Add(tc.waited)
			urgent.Since = m.now
			sent := 0
			for range 10 {
				sent += int(m.next(urgent, old).Owner)
			}
			if sent != tc.want {
				t.Errorf("%d of ten calls were old ones of the lowest band, want %d", sent, tc.want)
			}
		})
	}
}

// TestAgeingCountsAtOnce, also for heads that are offered already.
func TestAgeingCountsAtOnce(t *testing.T) {
	m := newMarketOf(t, map[string]fairshare.Share{"0": inBand(fairshare.Bulk, borrower(1)), "1": borrower(1)}, plenty("units"))
	m.ask(units(2)...)
	m.now = begin.Add(30 * time.Second)
	var got []ledger.Owner
	for _, ageing := range []time.Duration{time.Minute, 30 * time.Second, 0, time.Second} {
		m.sharing.SetAgeing(ageing)
		choice, _ := m.sharing.Pick(m.now)
		got = append(got, choice.Owner)
	}
	if diff := cmp.Diff([]ledger.Owner{1, 0, 1, 0}, got); diff != "" {
		t.Errorf("the old call of the lower band has the lower number, so it goes first when it joins the top band (-want +got):\n%s", diff)
	}
}

// TestKindsDoNotWaitForEachOther: what one limit holds back does not hold back calls that it does not count. Of those that fit, the one that waits longest is
// first.
func TestKindsDoNotWaitForEachOther(t *testing.T) {
	m := newMarketOf(t, map[string]fairshare.Share{"a": borrower(1)},
		limits.Limit{Name: "searches", Kind: limits.Rolling, Max: 2, Window: time.Minute, Meter: limits.Meter{Subject: "search"}}, plenty("all"))
	kind := func(kind int, since time.Duration, cost ...int64) fairshare.Head {
		return fairshare.Head{Kind: kind, Cost: cost, Since: begin.Add(since)}
	}
	var got []int
	for range 5 {
		got = append(got, m.next(kind(2, 2*time.Second, 0, 1), kind(1, time.Second, 1, 1), kind(3, 2*time.Second, 0, 1)).Kind)
	}
	if diff := cmp.Diff([]int{1, 1, 2, 2, 2}, got); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

// TestABetterClassGoesAheadOfTheOtherLane: a cheap call of the backlog within the guarantee does not wait behind a dear one that has to borrow.
func TestABetterClassGoesAheadOfTheOtherLane(t *testing.T) {
	l := plenty("units")
	l.Max = 10
	m := newMarketOf(t, map[string]fairshare.Share{"a": lending(0, percent(20)), "b": percent(0)}, l)
	dear, cheap := unit(0, 3), unit(0, 1)
	cheap.Lane = fairshare.Backlog
	if choice := m.next(dear, cheap); choice.Lane != fairshare.Backlog || choice.Class != fairshare.OwnHard {
		t.Errorf("%+v went first, want the one that is own-hard", choice)
	}
}

// TestPacedLimits: a reserve that is larger than what may be sent at once must not stop calls that borrow.
func TestPacedLimits(t *testing.T) {
	paced := limits.Limit{Name: "minute", Kind: limits.Rolling, Max: 60, Window: time.Minute, Counting: limits.TokenBucket, Burst: 2}
	o := newOffice(t, map[string]fairshare.Share{"idle": lending(0, percent(50)), "greedy": percent(0)}, paced)
	if got := len(o.drain(o.head("greedy"))); got != 2 {
		t.Errorf("%d calls were sent at once, want the burst of 2", got)
	}
	e, waits := o.sharing.Explain(begin, o.head("greedy"))
	want := fairshare.Explanation{Cause: fairshare.Paced, Class: fairshare.Borrowed, Earliest: begin.Add(time.Second)}
	if diff := cmp.Diff(want, e); !waits || diff != "" {
		t.Errorf("waits: %t, explanation (-want +got):\n%s", waits, diff)
	}
	for id := ledger.ID(1); id <= 2; id++ {
		if err := o.book.Settle(id, begin); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := o.sharing.Pick(begin.Add(time.Second - 1)); ok {
		t.Error("a call was sent before its time")
	}
	if _, ok := o.sharing.Pick(begin.Add(time.Second)); !ok {
		t.Error("no call was sent a second later")
	}
}

// TestWhatIsNotSharedOutHoldsNothingBack: limits that only alert, and those of each record, which have no integrations.
func TestWhatIsNotSharedOutHoldsNothingBack(t *testing.T) {
	alert, record := perMinute(1), perMinute(1)
	alert.AlertOnly = true
	record.Meter = limits.Meter{Subject: "update", PerRecord: true}
	o := newOffice(t, map[string]fairshare.Share{"a": percent(0)}, alert, record, perHour(5))
	if got := len(o.drain(o.head("a"))); got != 5 {
		t.Errorf("%d calls were sent, want 5", got)
	}
	if e, _ := o.sharing.Explain(begin, o.head("a")); e.Limit != 2 || o.sharing.Guaranteed(0, 0) != 0 || o.sharing.Ceiling(1, 0) != 0 {
		t.Errorf("the next one waits for %+v", e)
	}
}

// TestTheScarcestLimitPricesACall: a second of a limit that gives back a unit each second counts as much as one of another that gives back a hundred.
func TestTheScarcestLimitPricesACall(t *testing.T) {
	calls, credits := plenty("calls"), plenty("credits")
	calls.Max, credits.Max = 60_000_000, 6_000_000_000
	for name, tc := range map[string]struct {
		cost ledger.Cost
		want int
	}{
		"half of the time":                      {ledger.Cost{0, 50}, 200},
		"the dearer one of two counts":          {ledger.Cost{1, 50}, 150},
		"dear in what is plenty":                {ledger.Cost{1, 200}, 100},
		"one unit of everything counts for one": {ledger.Cost{1, 1}, 150},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMarketOf(t, map[string]fairshare.Share{"0": borrower(1), "1": borrower(1)}, calls, credits)
			sent := 0
			for range 300 {
				sent += int(m.next(
					fairshare.Head{Owner: 0, Cost: ledger.Cost{1, 0}, Since: begin},
					fairshare.Head{Owner: 1, Cost: tc.cost, Since: begin},
				).Owner)
			}
			if sent != tc.want {
				t.Errorf("%d of 300 calls cost %v, want %d", sent, tc.cost, tc.want)
			}
		})
	}
}

// TestNothingIsSentBeforeThereAreShares, whatever is offered.
func TestNothingIsSentBeforeThereAreShares(t *testing.T) {
	book, err := ledger.New(begin, []limits.Limit{perMinute(10)}, limits.Guards{})
	if err != nil {
		t.Fatal(err)
	}
	sharing := fairshare.New(book)
	sharing.Offer(fairshare.Head{Owner: book.Owner("a"), Cost: one(1), Since: begin})
	if choice, ok := sharing.Pick(begin); ok {
		t.Errorf("%+v was picked", choice)
	}
}

// TestHeadsStayOffered while shares change; Reset drops them.
func TestHeadsStayOffered(t *testing.T) {
	o := newOffice(t, map[string]fairshare.Share{"a": percent(10)}, perMinute(10))
	o.sharing.Offer(o.head("a"))
	o.sharing.Offer(o.head("b"))
	choice, _ := o.sharing.Pick(begin)
	if o.book.Name(choice.Owner) != "a" {
		t.Errorf("%+v was picked, only a has a share", choice)
	}
	o.sharing.SetShares(map[string]fairshare.Share{"b": percent(10)})
	if choice, ok := o.sharing.Pick(begin); !ok || o.book.Name(choice.Owner) != "b" {
		t.Errorf("%+v was picked, only b has a share now", choice)
	}
	if err := o.book.SetLimits(begin, []limits.Limit{perMinute(10), perHour(10)}); err != nil {
		t.Fatal(err)
	}
	o.sharing.Reset()
	o.sharing.SetShares(map[string]fairshare.Share{"b": percent(10)})
	if choice, ok := o.sharing.Pick(begin); ok {
		t.Errorf("%+v was picked of no heads", choice)
	}
	o.sharing.Offer(o.head("b"))
	if _, ok := o.sharing.Pick(begin); !ok {
		t.Error("the head that was offered anew is not picked")
	}
	o.sharing.Withdraw(o.book.Owner("b"), fairshare.Waiting, 0)
	o.sharing.Withdraw(o.book.Owner("stranger"), fairshare.Backlog, 7)
	if choice, ok := o.sharing.Pick(begin); ok {
		t.Errorf("%+v was picked after it was withdrawn", choice)
	}
}

// TestPlansDoNotCostATurn: whoever is behind is still behind after shares were put in force again, however often.
func TestPlansDoNotCostATurn(t *testing.T) {
	shares := map[string]fairshare.Share{"0": borrower(9), "1": borrower(1)}
	m := newMarketOf(t, shares, plenty("units"))
	sent := 0
	for range 100 {
		m.ask(units(2)...)
		if _, ok := m.sharing.Pick(m.now); !ok {
			t.Fatal("nothing was picked")
		}
		m.sharing.SetShares(shares)
		sent += int(m.next(units(2)...).Owner)
	}
	if sent != 10 {
		t.Errorf("the light one has sent %d of 100 calls, want 10", sent)
	}
}

// TestTheOrderOfOffersDoesNotMatter: two sharings that are told the same in different orders choose the same.
func TestTheOrderOfOffersDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 6
		weights := rapid.SliceOfN(rapid.Int64Range(1, 3), n, n).Draw(t, "weights")
		var sequences [2][]fairshare.Head
		for i := range sequences {
			m := newMarket(t, weights)
			for range 30 {
				heads := units(n)
				if i == 1 {
					heads = rapid.Permutation(heads).Draw(t, "order")
				}
				sequences[i] = append(sequences[i], m.next(heads...).Head)
			}
		}
		if diff := cmp.Diff(sequences[0], sequences[1]); diff != "" {
			t.Fatalf("the second choice differs (-first +second):\n%s", diff)
		}
	})
}

// TestOtherKindsDoNotChangeWhoIsNext: an integration gets no more, and no less, for offering heads of several kinds besides, be they cheaper and its own last,
// or first and held back.
func TestOtherKindsDoNotChangeWhoIsNext(t *testing.T) {
	const heldBack, usual, later = 0, 1, 2
	gate := limits.Limit{Name: "gate", Kind: limits.Concurrent, Max: 1, Meter: limits.Meter{Subject: "gate"}}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(t, "integrations")
		weights := rapid.SliceOfN(rapid.Int64Range(1, 10), n, n).Draw(t, "weights")
		cost := rapid.SliceOfN(rapid.Int64Range(1, 3), n, n).Draw(t, "costs")
		more := rapid.SliceOfN(rapid.IntRange(0, 3), n, n).Draw(t, "more kinds")
		var sequences [2][]ledger.Owner
		for i := range sequences {
			m := newMarket(t, weights, plenty("units"), plenty("others"), gate)
			m.must(m.book.Charge(begin, 1<<40, m.book.Owner("stranger"), ledger.Cost{0, 0, 1}, ledger.NoRecord))
			for range 50 {
				var heads []fairshare.Head
				for o := range n {
					owner := ledger.Owner(o)
					heads = append(heads, fairshare.Head{Owner: owner, Kind: usual, Cost: ledger.Cost{cost[o], 1, 0}, Since: begin.Add(time.Second)})
					if i*more[o]&1 > 0 {
						heads = append(heads, fairshare.Head{Owner: owner, Kind: heldBack, Cost: ledger.Cost{1, 0, 1}, Since: begin})
					}
					if i*more[o]&2 > 0 {
						heads = append(heads, fairshare.Head{Owner: owner, Kind: later, Cost: ledger.Cost{1, 0, 0}, Since: begin.Add(2 * time.Second)})
					}
				}
				choice := m.next(heads...)
				if choice.Kind != usual {
					t.Fatalf("%+v was chosen", choice)
				}
				sequences[i] = append(sequences[i], choice.Owner)
			}
		}
		if diff := cmp.Diff(sequences[0], sequences[1]); diff != "" {
			t.Fatalf("with more kinds others are next (-alone +with more):\n%s", diff)
		}
	})
}

func TestReport(t *testing.T) {
	o := newOffice(t, map[string]fairshare.Share{"a": lending(50, percent(40)), "b": lending(100, percent(20)), "c": percent(0)}, perMinute(100))
	o.send("a", 5)
	o.send("b", 30)
	o.send("c", 10)
	o.sharing.SetDemand(0, o.book.Owner("a"), 30)
	a, b, c := o.book.Owner("a"), o.book.Owner("b"), o.book.Owner("c")
	hard, soft := o.sharing.Reserved(0, a)
	for name, figure := range map[string]struct{ got, want int64 }{
		"a is guaranteed":         {o.sharing.Guaranteed(0, a), 40},
		"a may use":               {o.sharing.Ceiling(0, a), 100},
		"never lent of a":         {hard, 15},                   // 20 less 5 that are used
		"kept for a":              {soft, 25},                   // 30 are forecast, 5 of them used
		"a lends":                 {o.sharing.LentBy(0, a), 10}, // 35 less 25
		"b lends":                 {o.sharing.LentBy(0, b), 0},
		"all lend":                {o.sharing.Lent(0), 10},
		"b has borrowed":          {o.sharing.BorrowedBy(0, b), 10},
		"c has borrowed":          {o.sharing.BorrowedBy(0, c), 10},
		"all have borrowed":       {o.sharing.Borrowed(0), 20},
		"a stranger may use":      {o.sharing.Ceiling(0, o.book.Owner("stranger")), 0},
		"a stranger has borrowed": {o.sharing.BorrowedBy(0, 77), 0},
	} {
		if figure.got != figure.want {
			t.Errorf("%s: %d, want %d", name, figure.got, figure.want)
		}
	}
}

// TestNothingIsKeptForThoseWhomALimitDoesNotCount: a limit of one credential is shared by those whose calls go out with it.
func TestNothingIsKeptForThoseWhomALimitDoesNotCount(t *testing.T) {
	as := func(s fairshare.Share, credentials ...string) fairshare.Share {
		return with(s, func(s *fairshare.Share) { s.Credentials = credentials })
	}
	ofUser := perMinute(10)
	ofUser.Meter = limits.Meter{Credential: "user"}
	for name, tc := range map[string]struct {
		idle fairshare.Share
		want int
	}{
		"another credential":            {as(lending(0, percent(40)), "other"), 10},
		"the same credential":           {as(lending(0, percent(40)), "user"), 6},
		"that credential among others":  {as(lending(0, percent(40)), "other", "user"), 6},
		"any credential":                {lending(0, percent(40)), 6},
		"a named part, and other calls": {as(with(percent(0), func(s *fairshare.Share) { s.PerLimit = map[string]fairshare.Part{"minute": percent(40).Part} }), "other"), 10},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, map[string]fairshare.Share{"idle": tc.idle, "greedy": as(percent(0), "user")}, ofUser)
			if got := len(o.drain(o.head("greedy"))); got != tc.want {
				t.Errorf("the other one got %d of ten, want %d", got, tc.want)
			}
		})
	}
}
