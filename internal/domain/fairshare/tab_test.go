// SPDX-License-Identifier: Apache-2.0

package fairshare_test

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
)

// party is a tab beside an account in floating point numbers, from which the tab must not drift away.
type party struct {
	tab fairshare.Tab
	// due is how many calls each has had, paid how many it was charged for.
	due, paid []float64
}

func newParty(n int) *party { return &party{due: make([]float64, n), paid: make([]float64, n)} }

func (p *party) share(riders []fairshare.Rider) ledger.Owner {
	payer, items := p.tab.Payer(riders), int64(0)
	p.tab.Pay(riders, payer)
	for _, r := range riders {
		items += r.Items
	}
	for _, r := range riders {
		p.due[r.Owner] += float64(r.Items) / float64(items)
	}
	p.paid[payer]++
	return payer
}

// check holds that nobody owes or is owed as many calls as there are integrations, and that the tab says what the account does.
func (p *party) check(t *rapid.T) {
	t.Helper()
	for o := range p.due {
		owes := p.due[o] - p.paid[o]
		if math.Abs(owes) >= float64(len(p.due)) {
			t.Fatalf("%d has had %.2f calls and paid for %.0f, with %d that share", o, p.due[o], p.paid[o], len(p.due))
		}
		if said := p.tab.Owes(ledger.Owner(o)); math.Abs(said-owes) > 0.01 {
			t.Fatalf("%d owes %.3f, the tab says %.3f", o, owes, said)
		}
	}
}

func drawRiders(t *rapid.T, n int) []fairshare.Rider {
	var riders []fairshare.Rider
	for _, o := range rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 1, n, rapid.ID[int]).Draw(t, "riders") {
		riders = append(riders, fairshare.Rider{Owner: ledger.Owner(o), Items: rapid.Int64Range(1, 100).Draw(t, "items")})
	}
	return riders
}

// TestWhoSharesCallsPaysForItsPart, whoever shares with whom and however many items of each there are.
func TestWhoSharesCallsPaysForItsPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newParty(rapid.IntRange(1, 8).Draw(t, "integrations"))
		for range rapid.IntRange(1, 200).Draw(t, "calls") {
			riders := drawRiders(t, len(p.due))
			payer := p.share(riders)
			if !slices.ContainsFunc(riders, func(r fairshare.Rider) bool { return r.Owner == payer }) {
				t.Fatalf("%d pays, and has nothing in it: %v", payer, riders)
			}
			p.check(t)
		}
	})
}

// TestTheGreedyCannotLeaveDebts: the riders of each call are chosen so that the one that owes most already, or least, has most in it.
func TestTheGreedyCannotLeaveDebts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newParty(rapid.IntRange(2, 8).Draw(t, "integrations"))
		for range 300 {
			order := make([]int, len(p.due))
			for o := range order {
				order[o] = o
			}
			slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p.due[a]-p.paid[a], p.due[b]-p.paid[b]) })
			first := rapid.IntRange(0, len(order)-2).Draw(t, "first")
			var riders []fairshare.Rider
			for _, o := range order[first : first+2] {
				riders = append(riders, fairshare.Rider{Owner: ledger.Owner(o), Items: rapid.SampledFrom([]int64{1, 1, 50}).Draw(t, "items")})
			}
			p.share(riders)
			p.check(t)
		}
	})
}

func TestWhatWasNotSentIsOwedByNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newParty(4)
		for range rapid.IntRange(0, 20).Draw(t, "calls") {
			p.share(drawRiders(t, len(p.due)))
		}
		riders := drawRiders(t, len(p.due))
		payer := p.tab.Payer(riders)
		p.tab.Pay(riders, payer)
		p.tab.Refund(riders, payer)
		p.check(t)
	})
}

// TestWhoHasAllItemsPays, so calls that are not shared leave nothing behind.
func TestWhoHasAllItemsPays(t *testing.T) {
	p := newParty(2)
	alone := []fairshare.Rider{{Owner: 1, Items: 7}}
	if payer := p.share(alone); payer != 1 || p.tab.Owes(1) != 0 {
		t.Errorf("%d pays, and 1 owes %v", payer, p.tab.Owes(1))
	}
	// One item in a hundred is a call in a hundred.
	for range 1000 {
		p.share([]fairshare.Rider{{Owner: 0, Items: 1}, {Owner: 1, Items: 99}})
	}
	if p.paid[0] < 9 || p.paid[0] > 11 {
		t.Errorf("for a hundredth of 1000 calls %v were paid", p.paid[0])
	}
}
