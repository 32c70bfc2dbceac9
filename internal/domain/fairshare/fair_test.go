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
	sharing *fairshare.Sharing
	sent    ledger.ID
}

func newMarket(tb testing.TB, weights []int64) *market {
	tb.Helper()
	book, err := ledger.New(begin, []limits.Limit{{Name: "minute", Kind: limits.Rolling, Max: 1 << 40, Window: time.Minute}}, limits.Guards{})
	if err != nil {
		tb.Fatal(err)
	}
	shares := map[string]fairshare.Share{}
	for i, weight := range weights {
		shares[fmt.Sprintf("%04d", i)] = fairshare.Share{Weight: weight, MaxPercent: 100}
	}
	m := &market{sharing: fairshare.New(book)}
	m.sharing.SetShares(shares)
	return m
}

// next sends the head that is picked.
func (m *market) next(tb testing.TB, heads []fairshare.Head) fairshare.Choice {
	tb.Helper()
	choice, ok := m.sharing.Pick(heads)
	if !ok {
		tb.Fatal("no head was picked although there is room for all")
	}
	m.sent++
	if err := m.sharing.Charge(begin, m.sent, choice); err != nil {
		tb.Fatal(err)
	}
	return choice
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
			m := newMarket(t, weights)
			heads, total := make([]fairshare.Head, len(weights)), int64(0)
			for i, weight := range weights {
				heads[i] = fairshare.Head{Owner: ledger.Owner(i), Cost: 1}
				total += weight
			}
			served := make([]int64, len(weights))
			for calls := int64(1); calls <= 20_000; calls++ {
				served[m.next(t, heads).Owner]++
				for i, weight := range weights {
					if off := served[i]*total - calls*weight; off >= total || off <= -total {
						t.Fatalf("after %d calls integration %d of weight %d has sent %d: %.2f calls off", calls, i, weight, served[i], float64(off)/float64(total))
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
			for seed := range uint64(2000) {
				b, a := margins(t, rand.New(rand.NewPCG(seed, 1)), tc.maxCost, tc.restless)
				fromBegin, anywhere = max(fromBegin, b), max(anywhere, a)
			}
			if fromBegin > tc.fromBegin || anywhere > tc.anywhere {
				t.Errorf("margin from the begin %.3f, want at most %.3f; anywhere %.3f, want at most %.3f", fromBegin, tc.fromBegin, anywhere, tc.anywhere)
			}
		})
	}
}

// margins runs 150 calls of up to 6 integrations and returns the largest |W_i/w_i - W_j/w_j| of any two while both compete, in units of maxCost * (1/w_i + 1/w_j).
func margins(t *testing.T, r *rand.Rand, maxCost int64, restless bool) (fromBegin, anywhere float64) {
	t.Helper()
	n := 2 + r.IntN(5)
	weights, heads, away := make([]int64, n), make([]fairshare.Head, n), make([]bool, n)
	for i := range weights {
		weights[i] = 1 + r.Int64N(10)
		heads[i] = fairshare.Head{Owner: ledger.Owner(i), Cost: 1 + r.Int64N(maxCost)}
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
		choice := m.next(t, asking)
		for i := range heads {
			for j := range i {
				l, unit := &leads[i*n+j], float64(maxCost)*(1/float64(weights[i])+1/float64(weights[j]))
				if away[i] || away[j] {
					*l = lead{}
				}
				switch served := float64(choice.Cost) / float64(weights[choice.Owner]); int(choice.Owner) {
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
			m := newMarket(t, weights)
			heads, total := make([]fairshare.Head, len(weights)), int64(0)
			for i, weight := range weights {
				heads[i] = fairshare.Head{Owner: ledger.Owner(i), Cost: 1}
				total += weight
			}
			const calls = 5000
			got, away := int64(0), false
			for range calls {
				asking := heads
				if away {
					asking = heads[1:]
				}
				if away = m.next(t, asking).Owner == 0; away {
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
		m.next(t, []fairshare.Head{{Owner: 0, Cost: 1}})
	}
	served := [2]int{}
	for range 20 {
		served[m.next(t, []fairshare.Head{{Owner: 0, Cost: 1}, {Owner: 1, Cost: 1}}).Owner]++
	}
	if served[0] < 9 || served[1] < 9 {
		t.Errorf("after the pause they got %d of 20 calls, want about half each", served)
	}
}

// TestBacklogKeepsAFifth: a waiting call goes ahead of its integration's backlog, but not of more than four fifths of it.
func TestBacklogKeepsAFifth(t *testing.T) {
	waiting, backlog := fairshare.Head{Lane: fairshare.Waiting, Cost: 1}, fairshare.Head{Lane: fairshare.Backlog, Cost: 1}
	m := newMarket(t, []int64{1})
	var order string
	send := func(calls int, heads ...fairshare.Head) {
		for range calls {
			order += []string{"w", "b"}[m.next(t, heads).Lane]
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
			m, waiting := newMarket(t, []int64{1}), int64(0)
			for range tc.calls {
				choice := m.next(t, []fairshare.Head{{Lane: fairshare.Waiting, Cost: tc.waiting}, {Lane: fairshare.Backlog, Cost: tc.backlog}})
				if choice.Lane == fairshare.Waiting {
					waiting++
				}
			}
			if waiting != tc.wantWaiting {
				t.Errorf("%d of %d calls were waiting ones, want %d: four fifths by cost", waiting, tc.calls, tc.wantWaiting)
			}
		})
	}
}
