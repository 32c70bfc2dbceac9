// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/fairshare"
	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// decisionEvery is the time from one decision to the next: windows always turn over.
const decisionEvery = 25 * time.Millisecond

// ours is the ledger and the sharing of it, with the windows that the peers have.
type ours struct {
	book    *ledger.Ledger
	sharing *fairshare.Sharing
	cost    ledger.Cost
	id      ledger.ID
}

func newOurs(b *testing.B, windows []window, integrations int) *ours {
	b.Helper()
	o := &ours{}
	ls := make([]limits.Limit, len(windows))
	for i, w := range windows {
		ls[i] = limits.Limit{Name: w.length.String(), Kind: limits.Rolling, Max: int64(w.calls), Window: w.length}
		o.cost = append(o.cost, 1)
	}
	book, err := ledger.New(began, ls, limits.DefaultGuards())
	if err != nil {
		b.Fatal(err)
	}
	shares := map[string]fairshare.Share{}
	for i := range integrations {
		shares[fmt.Sprintf("%03d", i)] = fairshare.Share{
			Part:   fairshare.Part{Guaranteed: fairshare.Amount{Percent: int64(i % 2)}, Ceiling: fairshare.Amount{Percent: 100}},
			Weight: int64(1 + i%7), LendPercent: 50,
		}
	}
	o.book, o.sharing = book, fairshare.New(book)
	o.sharing.SetShares(shares)
	for owner := range ledger.Owner(integrations) {
		o.sharing.Offer(o.head(owner))
	}
	return o
}

func (o *ours) head(owner ledger.Owner) fairshare.Head {
	return fairshare.Head{Owner: owner, Lane: fairshare.Waiting, Cost: o.cost, Since: began}
}

// decide picks one of the heads that wait, charges it, ends it, and offers the next one of its integration: more than the peers do, who are asked for one call
// and do not know who else waits.
func (o *ours) decide(b *testing.B, now time.Time) {
	b.Helper()
	o.book.Advance(now)
	choice, ok := o.sharing.Pick(now)
	if !ok {
		b.Fatal("nothing fits")
	}
	o.id++
	if err := o.sharing.Charge(now, o.id, choice, ledger.NoRecord); err != nil {
		b.Fatal(err)
	}
	if err := o.book.Settle(o.id, now); err != nil {
		b.Fatal(err)
	}
	o.sharing.Offer(o.head(choice.Owner))
}

// BenchmarkLimiter compares one decision about four windows with that of peers in the same run. The figure x-ours is how many times ours a peer takes.
func BenchmarkLimiter(b *testing.B) {
	for _, integrations := range []int{1, 100} {
		b.Run(fmt.Sprintf("integrations=%d", integrations), func(b *testing.B) { compareLimiters(b, integrations) })
	}
}

func compareLimiters(b *testing.B, integrations int) {
	b.Helper()
	var nanosOfOurs float64
	run := func(name string, setUp func(b *testing.B) (decide func(i int, now time.Time) bool)) {
		b.Run(name, func(b *testing.B) {
			decide := setUp(b)
			b.ReportAllocs()
			i, now := 0, began
			for b.Loop() {
				i, now = i+1, now.Add(decisionEvery)
				if !decide(i, now) {
					b.Fatal("refused")
				}
			}
			nanos := float64(b.Elapsed()) / float64(b.N)
			if name == "ours" {
				nanosOfOurs = nanos
			}
			if nanosOfOurs > 0 {
				b.ReportMetric(nanos/nanosOfOurs, "x-ours")
			}
		})
	}
	run("ours", func(b *testing.B) func(int, time.Time) bool {
		b.Helper()
		o := newOurs(b, peerWindows, integrations)
		return func(_ int, now time.Time) bool {
			o.decide(b, now)
			return true
		}
	})
	run("peer=mutex+map", func(*testing.B) func(int, time.Time) bool {
		f := newFixedWindows(peerWindows)
		return func(i int, now time.Time) bool { return f.allow(now, i%integrations) }
	})
	run("peer=x-time-rate", func(*testing.B) func(int, time.Time) bool {
		t := newTokenBuckets(peerWindows, integrations)
		return func(i int, now time.Time) bool { return t.allow(now, i%integrations) }
	})
	run("peer=x-time-rate-one-window", func(*testing.B) func(int, time.Time) bool {
		t := newTokenBuckets(peerWindows[:1], 1)
		return func(_ int, now time.Time) bool { return t.account[0].AllowN(now, 1) }
	})
	run("peer=redis-script", func(b *testing.B) func(int, time.Time) bool {
		b.Helper()
		r := startRedisLog(b, peerWindows)
		return func(i int, now time.Time) bool { return r.allow(b, now, i) }
	})
}
