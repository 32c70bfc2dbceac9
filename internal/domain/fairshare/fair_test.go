// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// market has room for every call, so that only weights decide who is next.
type market struct {
	tb      tester
	sharing *fairshare.Sharing
	book    *ledger.Ledger
	now     time.Time
	sent    ledger.ID
	offered []fairshare.Head
}

// borrower is a share without a guarantee.
func borrower(weight int64) fairshare.Share {
	return fairshare.Share{Part: fairshare.Part{Ceiling: fairshare.Amount{Percent: 100}}, Weight: weight}
}

// plenty is a limit that never binds. Calls can take any amount of it.
func plenty(name string) limits.Limit {
	return limits.Limit{Name: name, Kind: limits.Rolling, Max: 1 << 40, Window: time.Minute, Meter: limits.Meter{Subject: name}}
}

func newMarket(tb tester, weights []int64, ls ...limits.Limit) *market {
	tb.Helper()
	if len(ls) == 0 {
		ls = []limits.Limit{plenty("units")}
	}
	shares := map[string]fairshare.Share{}
	for i, weight := range weights {
		shares[fmt.Sprintf("%04d", i)] = borrower(weight)
	}
	return newMarketOf(tb, shares, ls...)
}

func newMarketOf(tb tester, shares map[string]fairshare.Share, ls ...limits.Limit) *market {
	tb.Helper()
	book, err := ledger.New(begin, ls, limits.DefaultGuards())
	if err != nil {
		tb.Fatal(err)
	}
	m := &market{tb: tb, sharing: fairshare.New(book), book: book, now: begin}
	m.sharing.SetShares(shares)
	return m
}

// ask offers these heads and no others.
func (m *market) ask(heads ...fairshare.Head) {
	for _, h := range m.offered {
		m.sharing.Withdraw(h.Owner, h.Lane, h.Kind)
	}
	m.offered = append(m.offered[:0], heads...)
	for _, h := range heads {
		m.sharing.Offer(h)
	}
}

// next sends the head that is picked of these.
func (m *market) next(heads ...fairshare.Head) fairshare.Choice {
	m.tb.Helper()
	m.ask(heads...)
	choice, ok := m.sharing.Pick(m.now)
	if !ok {
		m.tb.Fatal("no head was picked although there is room for all")
	}
	m.sent++
	m.must(m.sharing.Charge(m.now, m.sent, choice, ledger.NoRecord))
	return choice
}

func (m *market) must(err error) {
	if err != nil {
		m.tb.Helper()
		m.tb.Fatal(err)
	}
}

// unit is a head of a call that takes so much of the only limit.
func unit(owner int, cost int64) fairshare.Head {
	return fairshare.Head{Owner: ledger.Owner(owner), Cost: ledger.Cost{cost}, Since: begin}
}

// units are heads of calls that take one unit, one for each owner.
func units(owners int) []fairshare.Head {
	heads := make([]fairshare.Head, owners)
	for i := range heads {
		heads[i] = unit(i, 1)
	}
	return heads
}

// fewer is how many of n tries are left with -short, which is for runs by the hundred.
func fewer(n int) int {
	if testing.Short() {
		return n / 4
	}
	return n
}

// TestNobodyFallsACallBehind compares with the exact division by weights after every call: no integration is ever a call behind or ahead. The weights are the
// ones for which serving by least start is 9 calls off.
func TestNobodyFallsACallBehind(t *testing.T) {
	light := func(n int) []int64 {
		weights := make([]int64, n)
		for i := range weights {
			weights[i] = 1
		}
		return weights
	}
	for name, weights := range map[string][]int64{
		"three equal ones":             {1, 1, 1},
		"three to one to one":          {3, 1, 1},
		"weights without a common one": {7, 3, 2},
		"weights that do not divide":   {999, 700, 300},
		"one heavy among 20":           append([]int64{10}, light(20)...),
		"one heavy among 100":          append([]int64{10}, light(100)...),
		"one very heavy, last":         append(light(50), 1000),
	} {
		t.Run(name, func(t *testing.T) {
			dear := plenty("dear")
			dear.Window = 100 * 365 * 24 * time.Hour
			m, total := newMarket(t, weights, plenty("units"), dear), int64(0)
			for _, weight := range weights {
				total += weight
			}
			served, heads := make([]int64, len(weights)), units(len(weights))
			for i := range heads {
				heads[i].Cost = ledger.Cost{1, 0} // cheap, so that what division leaves over counts
			}
			for calls := int64(1); calls <= int64(fewer(20_000)); calls++ {
				served[m.next(heads...).Owner]++
				for i, weight := range weights {
					if off := served[i]*total - calls*weight; off >= total || off <= -total {
						off := float64(off) / float64(total)
						t.Fatalf("after %d calls integration %d of weight %d has sent %d: %.2f calls off", calls, i, weight, served[i], off)
					}
				}
			}
		})
	}
}

// TestPairwiseFairness is Q5: while two integrations compete, both get service by their weights. From the moment all begin the margin is one call of each. In
// any part of the time, whatever others do, it is one and a half.
func TestPairwiseFairness(t *testing.T) {
	for name, tc := range map[string]struct {
		maxCost             int64
		restless            bool
		fromBegin, anywhere float64
	}{
		"all compete all the time":             {maxCost: 1, fromBegin: 1, anywhere: 1.5},
		"others come and go":                   {maxCost: 1, restless: true, fromBegin: 1.5, anywhere: 1.5},
		"others come and go, costs are uneven": {maxCost: 3, restless: true, fromBegin: 1.5, anywhere: 1.5},
	} {
		t.Run(name, func(t *testing.T) {
			fromBegin, anywhere := 0.0, 0.0
			for seed := range uint64(fewer(2000)) {
				b, a := margins(t, rand.New(rand.NewPCG(seed, 1)), tc.maxCost, tc.restless)
				fromBegin, anywhere = max(fromBegin, b), max(anywhere, a)
			}
			t.Logf("margin from the begin %.3f, anywhere %.3f", fromBegin, anywhere)
			if fromBegin > tc.fromBegin || anywhere > tc.anywhere {
				t.Errorf("margin from the begin %.3f, want at most %.3f; anywhere %.3f, want at most %.3f", fromBegin, tc.fromBegin, anywhere, tc.anywhere)
			}
		})
	}
}

// margins runs 150 calls of up to 6 integrations and returns the largest |W_i/w_i - W_j/w_j| of any two while both compete, in units of maxCost * (1/w_i +
// 1/w_j).
func margins(t *testing.T, r *rand.Rand, maxCost int64, restless bool) (fromBegin, anywhere float64) {
	t.Helper()
	n := 2 + r.IntN(5)
	weights, heads, away := make([]int64, n), make([]fairshare.Head, n), make([]bool, n)
	for i := range weights {
		weights[i] = 1 + r.Int64N(10)
		heads[i] = unit(i, 1+r.Int64N(maxCost))
	}
	m, leads := newMarket(t, weights), make([]lead, n*n)
	for range 150 {
		var asking []fairshare.Head
		for i := range heads {
			if restless && r.IntN(6) == 0 {
				away[i] = !away[i]
			}
			if !away[i] {
				asking = append(asking, heads[i])
			}
		}
		if len(asking) == 0 {
			continue
		}
		choice := m.next(asking...)
		for i := range heads {
			for j := range i {
				l, unit := &leads[i*n+j], float64(maxCost)*(1/float64(weights[i])+1/float64(weights[j]))
				if away[i] || away[j] {
					*l = lead{}
				}
				switch served := float64(choice.Cost[0]) / float64(weights[choice.Owner]); int(choice.Owner) {
				case i:
					l.move(served)
				case j:
					l.move(-served)
				}
				fromBegin, anywhere = max(fromBegin, l.most/unit, -l.least/unit), max(anywhere, (l.most-l.least)/unit)
			}
		}
	}
	return fromBegin, anywhere
}

// lead is W_i/w_i - W_j/w_j since both compete, and the least and the most it has been.
type lead struct{ now, least, most float64 }

func (l *lead) move(by float64) {
	l.now += by
	l.least, l.most = min(l.least, l.now), max(l.most, l.now)
}

// TestLeavingDoesNotPay: one of several integrations leaves for a round whenever it was served, so as to come back as if it had not been. It may not get more
// than its part.
func TestLeavingDoesNotPay(t *testing.T) {
	for name, weights := range map[string][]int64{
		"it is one of four equals": {1, 1, 1, 1},
		"it is a light one":        {1, 3, 5},
		"it is a heavy one":        {4, 1, 1, 1, 1, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			m, heads, total := newMarket(t, weights), units(len(weights)), int64(0)
			for _, weight := range weights {
				total += weight
			}
			const calls = 5000
			got, away := int64(0), false
			for range calls {
				asking := heads
				if away {
					asking = heads[1:]
				}
				if away = m.next(asking...).Owner == 0; away {
					got++
				}
			}
			if part := calls * weights[0] / total; got > part+1 {
				t.Errorf("it got %d of %d calls, its part are %d", got, calls, part)
			}
		})
	}
}

// TestAPauseIsNotOwed: who did not ask for a while gets its part again from then on, and does not catch up.
func TestAPauseIsNotOwed(t *testing.T) {
	m := newMarket(t, []int64{1, 1})
	for range 100 {
		m.next(unit(0, 1))
	}
	served := [2]int{}
	for range 20 {
		served[m.next(units(2)...).Owner]++
	}
	if served[0] < 9 || served[1] < 9 {
		t.Errorf("after the pause they got %d of 20 calls, want about half each", served)
	}
}

// TestBacklogKeepsAFifth: a waiting call goes ahead of its integration's backlog, but not of more than four fifths of it.
func TestBacklogKeepsAFifth(t *testing.T) {
	waiting, backlog := unit(0, 1), unit(0, 1)
	backlog.Lane = fairshare.Backlog
	m := newMarket(t, []int64{1})
	var order string
	send := func(calls int, heads ...fairshare.Head) {
		for range calls {
			order += []string{"w", "b"}[m.next(heads...).Lane]
		}
	}
	send(10, backlog, waiting)
	send(5, waiting)
	send(6, backlog)
	send(6, waiting, backlog)
	if want := "wwwwbwwwwb" + "wwwww" + "bbbbbb" + "wwwwbw"; order != want {
		t.Errorf("order is %s, want %s", order, want)
	}
}

// TestTheFifthIsCountedInCost and not in calls.
func TestTheFifthIsCountedInCost(t *testing.T) {
	for name, tc := range map[string]struct{ waiting, backlog, calls, wantWaiting int64 }{
		"calls of the backlog are dear": {waiting: 1, backlog: 2, calls: 90, wantWaiting: 80},
		"waiting calls are dear":        {waiting: 3, backlog: 1, calls: 70, wantWaiting: 40},
	} {
		t.Run(name, func(t *testing.T) {
			m, sent := newMarket(t, []int64{1}), int64(0)
			waiting, backlog := unit(0, tc.waiting), unit(0, tc.backlog)
			backlog.Lane = fairshare.Backlog
			for range tc.calls {
				if m.next(waiting, backlog).Lane == fairshare.Waiting {
					sent++
				}
			}
			if sent != tc.wantWaiting {
				t.Errorf("%d of %d calls were waiting ones, want %d: four fifths by cost", sent, tc.calls, tc.wantWaiting)
			}
		})
	}
}

// TestTheBacklogIsPassedInAnyClass: waiting calls that go ahead as they are within the guarantee count, too, if the backlog could have borrowed.
func TestTheBacklogIsPassedInAnyClass(t *testing.T) {
	l := plenty("units")
	l.Max = 100
	m := newMarketOf(t, map[string]fairshare.Share{"0": lending(0, percent(5))}, l)
	m.sharing.SetLive(0, 0, 4, 0)
	waiting, backlog := unit(0, 1), unit(0, 1)
	backlog.Lane = fairshare.Backlog
	var order string
	for range 7 {
		choice := m.next(waiting, backlog)
		order += []string{"w", "b"}[choice.Lane] + []string{"h", "s", "b"}[choice.Class] + " "
	}
	if want := "wh wh wh wh wh bb wb "; order != want {
		t.Errorf("lanes and classes are %s, want %s", order, want)
	}
}

// TestHeldBackNeitherGainsNorLoses: some integrations need one or both of two slots that are taken at times. While they are, the others go on. Two of those
// that are held back together stay as far apart as they were, however often; two that are not are fair to each other from when both may send again. As the mean
// is that of ever other integrations the margin is two calls of each.
func TestHeldBackNeitherGainsNorLoses(t *testing.T) {
	together, apart := 0.0, 0.0
	for seed := range uint64(fewer(500)) {
		a, b := gatedMargins(t, rand.New(rand.NewPCG(seed, 2)))
		together, apart = max(together, a), max(apart, b)
	}
	t.Logf("margin of those held back together %.3f, of others %.3f", together, apart)
	if together > 2 || apart > 2 {
		t.Errorf("margin of those held back together %.3f, of others %.3f, want at most 2", together, apart)
	}
}

// gatedMargins is margins where a stranger takes the slots from time to time.
func gatedMargins(t *testing.T, r *rand.Rand) (together, apart float64) {
	t.Helper()
	units, slot, other := plenty("units"), slots("slot"), slots("other")
	units.Max, units.Window = 1<<20, 100*365*24*time.Hour // it renews so slowly that slots do not price the calls
	n := 4 + r.IntN(8)
	weights, heads := make([]int64, n), make([]fairshare.Head, n)
	for i := range weights {
		weights[i] = 1 + r.Int64N(10)
		heads[i] = fairshare.Head{Owner: ledger.Owner(i), Cost: ledger.Cost{1, int64(i & 1), int64(i >> 1 & 1)}, Since: begin}
	}
	m, leads := newMarket(t, weights, units, slot, other), make([]lead, n*n)
	taken, id := [3]ledger.ID{}, ledger.ID(1<<40) // by limit
	held := func(h fairshare.Head) bool { return h.Cost[1] > 0 && taken[1] > 0 || h.Cost[2] > 0 && taken[2] > 0 }
	for range 300 {
		if k := 1 + r.IntN(2); r.IntN(4) == 0 {
			if taken[k] > 0 {
				m.must(m.book.Settle(taken[k], m.now))
				taken[k] = 0
			} else {
				cost := ledger.Cost{0, 0, 0}
				cost[k], id = 1, id+1
				taken[k] = id
				m.must(m.book.Charge(m.now, id, m.book.Owner("stranger"), cost, ledger.NoRecord))
			}
		}
		m.now = m.now.Add(time.Second)
		choice := m.next(heads...)
		m.must(m.book.Settle(m.sent, m.now))
		m.now = m.now.Add(time.Second)
		m.book.Advance(m.now)
		for i := range heads {
			for j := range i {
				l, unit := &leads[i*n+j], 1/float64(weights[i])+1/float64(weights[j])
				if held(heads[i]) != held(heads[j]) {
					*l = lead{}
				}
				switch served := 1 / float64(weights[choice.Owner]); int(choice.Owner) {
				case i:
					l.move(served)
				case j:
					l.move(-served)
				}
				if margin := (l.most - l.least) / unit; i&3 == j&3 {
					together = max(together, margin)
				} else {
					apart = max(apart, margin)
				}
			}
		}
	}
	return together, apart
}

// slots is a limit of a single slot.
func slots(name string) limits.Limit {
	return limits.Limit{Name: name, Kind: limits.Concurrent, Max: 1, Meter: limits.Meter{Subject: name}}
}
