// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/ledger"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// tokens is a CRM's bucket: it refills most per window and holds burst. It shares no code with the ledger.
type tokens struct {
	most, window, burst int
	// level is in parts of 1/window of a token.
	level, at int
}

// take draws a token at a tick and reports whether there was one.
func (b *tokens) take(tick int) bool {
	b.level = min(b.burst*b.window, b.level+(tick-b.at)*b.most)
	b.at = tick
	if b.level < b.window {
		return false
	}
	b.level -= b.window
	return true
}

// pacedWorld is a saturated sender before a bucket that counts each call at one moment of its stay.
type pacedWorld struct {
	most, window, burst int
	delays, stamps      []int // stamps: how long after its sending each call is counted, at most its delay
}

// run returns how many calls were refused, and the tick of the last sending.
func (w pacedWorld) run(t interface {
	Helper()
	Fatalf(string, ...any)
}, counting limits.Counting) (refused, last int) {
	t.Helper()
	limit := limits.Limit{Name: "b", Kind: limits.Rolling, Max: int64(w.most), Window: ticks(w.window), Counting: counting, Burst: int64(w.burst)}
	l, err := ledger.New(time.Unix(0, 0), []limits.Limit{limit}, limits.Guards{History: ticks(100)})
	if err != nil {
		t.Fatalf("%v", err)
	}
	server := &tokens{most: w.most, window: w.window, burst: w.burst, level: w.burst * w.window}
	arrivals, ends := map[int]int{}, map[int][]ledger.ID{}
	sent := 0
	for tick := 0; sent < len(w.delays) || len(ends) > 0 || len(arrivals) > 0; tick++ {
		if tick > 10_000 {
			t.Fatalf("%d of %d calls were sent in 10,000 ticks", sent, len(w.delays))
		}
		now := time.Unix(int64(tick), 0)
		for _, id := range ends[tick] {
			if err := l.Settle(id, now); err != nil {
				t.Fatalf("%v", err)
			}
		}
		delete(ends, tick)
		l.Advance(now)
		for sent < len(w.delays) && l.Free(0) >= 1 {
			if err := l.Charge(now, ledger.ID(sent), l.Owner("a"), ledger.Cost{1}, ledger.NoRecord); err != nil {
				t.Fatalf("%v", err)
			}
			arrivals[tick+w.stamps[sent]]++
			if w.delays[sent] == 0 {
				if err := l.Settle(ledger.ID(sent), now); err != nil {
					t.Fatalf("%v", err)
				}
			} else {
				ends[tick+w.delays[sent]] = append(ends[tick+w.delays[sent]], ledger.ID(sent))
			}
			sent, last = sent+1, tick
		}
		for range arrivals[tick] {
			if !server.take(tick) {
				refused++
			}
		}
		delete(arrivals, tick)
	}
	return refused, last
}

// TestExhaustivePacedWorlds tries every history of a small size before every small bucket: with the pace no call is refused and none is held back for longer than
// refilling takes; without it some are.
func TestExhaustivePacedWorlds(t *testing.T) {
	unpaced, worlds := 0, 0
	const calls = 4
	for most := 1; most <= 3; most++ {
		for window := 3; window <= 6; window++ {
			for burst := 1; burst <= most; burst++ {
				for n := range 81 * 16 {
					w := pacedWorld{most: most, window: window, burst: burst}
					delays, late := n%81, n/81
					longest := 0
					for i := range calls {
						d := delays % 3
						delays /= 3
						longest = max(longest, d)
						w.delays, w.stamps = append(w.delays, d), append(w.stamps, d*(late>>i&1))
					}
					refused, last := w.run(t, limits.TokenBucket)
					if refused > 0 {
						t.Fatalf("%d calls were refused in %+v", refused, w)
					}
					if latest := calls*(longest+window) + 1; last > latest {
						t.Fatalf("the last call left at %d, want at most %d in %+v", last, latest, w)
					}
					if refused, _ := w.run(t, limits.Exact); refused > 0 {
						unpaced++
					}
					worlds++
				}
			}
		}
	}
	if unpaced == 0 {
		t.Error("no bucket refused a sender that was not paced: the judge sees nothing")
	}
	t.Logf("%d worlds, in %d of them a sender without the pace is refused", worlds, unpaced)
}

// TestPaceSurvivesEdits: a bucket that is declared later, renamed, or made smaller starts as empty as the CRM's own is by then.
func TestPaceSurvivesEdits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most, window := rapid.IntRange(1, 6).Draw(t, "most"), rapid.IntRange(2, 12).Draw(t, "window")
		burst := rapid.IntRange(1, most).Draw(t, "burst")
		limit := limits.Limit{Name: "b", Kind: limits.Rolling, Max: int64(most), Window: ticks(window), Counting: limits.TokenBucket, Burst: int64(burst)}
		l, err := ledger.New(time.Unix(0, 0), []limits.Limit{limit}, limits.Guards{History: ticks(100)})
		if err != nil {
			t.Fatal(err)
		}
		server := &tokens{most: most, window: window, burst: burst, level: burst * window}
		id := ledger.ID(0)
		for tick := range rapid.IntRange(10, 60).Draw(t, "ticks") {
			now := time.Unix(int64(tick), 0)
			if rapid.IntRange(0, 4).Draw(t, "edit") == 0 {
				limit.Name += "x"
				others := []limits.Limit{limit}
				if rapid.Bool().Draw(t, "another before it") {
					others = []limits.Limit{{Name: "other", Kind: limits.Rolling, Max: 1000, Window: ticks(3)}, limit}
				}
				if err := l.SetLimits(now, others); err != nil {
					t.Fatal(err)
				}
			}
			l.Advance(now)
			k := l.Limits() - 1
			for l.Free(k) >= 1 && rapid.Bool().Draw(t, "send") {
				id++
				cost := make(ledger.Cost, l.Limits())
				for i := range cost {
					cost[i] = 1
				}
				if err := l.Charge(now, id, l.Owner("a"), cost, ledger.NoRecord); err != nil {
					t.Fatal(err)
				}
				if err := l.Settle(id, now); err != nil {
					t.Fatal(err)
				}
				if !server.take(tick) {
					t.Fatalf("call %d at tick %d was refused", id, tick)
				}
			}
			if next := l.EarliestPaced(k, 1); l.Free(k) < 1 && l.Used(k) < int64(most) && !next.After(now) {
				t.Fatalf("nothing is free at %s, and a unit is to come at %s", now, next)
			}
		}
	})
}
