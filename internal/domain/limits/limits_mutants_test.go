// SPDX-License-Identifier: Apache-2.0

package limits_test

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// TestDriftIsTheQuotientRoundedUp, for windows up to the longest month and any drift up to a tenth.
func TestDriftIsTheQuotientRoundedUp(t *testing.T) {
	const million = 1_000_000
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.Int64Range(0, int64(limits.Month.Longest())).Draw(t, "d")
		ppm := rapid.Int64Range(0, 100_000).Draw(t, "ppm")
		product := new(big.Int).Mul(big.NewInt(d), big.NewInt(ppm))
		want := new(big.Int).Div(product.Add(product, big.NewInt(million-1)), big.NewInt(million)).Int64()
		if got := (limits.Guards{DriftPPM: ppm}).Drift(time.Duration(d)); int64(got) != want {
			t.Errorf("Drift(%d) = %d at %d ppm, want %d", d, got, ppm, want)
		}
	})
	if got := (limits.Guards{DriftPPM: 1}).Drift(1); got != 1 {
		t.Errorf("Drift(1) = %d at 1 ppm, want 1: the least part of a nanosecond is rounded up", got)
	}
}

func TestWhoseCountingDelayCounts(t *testing.T) {
	const window = 40 * time.Second
	guards := func(short time.Duration, part int64) limits.Guards {
		return limits.Guards{CountingDelay: time.Second, ShortWindow: short, ShortWindowPart: part}
	}
	for name, tc := range map[string]struct {
		guards limits.Guards
		own    time.Duration
		want   time.Duration
	}{
		"a short window's is a part of it":          {guards(window+1, 20), 0, 2 * time.Second},
		"all of it":                                 {guards(window+1, 1), 0, window},
		"a window as long as that is not short":     {guards(window, 20), 0, time.Second},
		"without a part no window is short":         {guards(window+1, 0), 0, time.Second},
		"a negative part is none":                   {guards(window+1, -1), 0, time.Second},
		"its own, however small":                    {guards(window+1, 20), 1, 1},
		"its own before that of a window not short": {guards(window, 20), time.Minute, time.Minute},
	} {
		l := limits.Limit{Kind: limits.Rolling, Window: window, CountingDelay: tc.own}
		if got := tc.guards.Counting(l); got != tc.want {
			t.Errorf("%s: Counting() = %s, want %s", name, got, tc.want)
		}
	}
}

// TestBoundsOfWhatIsValid are valid themselves.
func TestBoundsOfWhatIsValid(t *testing.T) {
	for name, l := range map[string]limits.Limit{
		"the shortest window":        {Kind: limits.Rolling, Max: 1, Window: 1},
		"the last way of counting":   {Kind: limits.Rolling, Max: 1, Window: 1, Counting: limits.Approximate},
		"the shortest period":        {Kind: limits.Calendar, Max: 1, Period: limits.Hour, Location: time.UTC},
		"the longest period":         {Kind: limits.Calendar, Max: 1, Period: limits.Month, Location: time.UTC},
		"no counting delay":          {Kind: limits.Concurrent, Max: 1},
		"the smallest one of a kind": {Kind: limits.Concurrent, Max: 1, CountingDelay: 1},
	} {
		if err := l.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLargestAmount(t *testing.T) {
	for most, want := range map[int64]int64{0: 1, 1: 1, 2: 2, 500: 500} {
		if got := (limits.Limit{Most: most}).LargestAmount(); got != want {
			t.Errorf("LargestAmount() = %d with Most %d, want %d", got, most, want)
		}
	}
}

// TestPaceKeepsBelowWeightedCounters lets a sender go as fast as its pace allows, and asks the bound of such a counter: what was sent in one window is at most
// the burst and what comes back meanwhile, and the counter shows that and one burst more.
func TestPaceKeepsBelowWeightedCounters(t *testing.T) {
	for most := int64(1); most <= 500; most++ {
		l := limits.Limit{Kind: limits.Rolling, Max: most, Window: time.Minute, Counting: limits.Approximate}
		p, ok := (limits.Guards{}).Pace(l)
		if !ok || p.Burst < 1 || p.Interval < 1 {
			t.Fatalf("Pace() = %+v, %t for %d", p, ok, most)
		}
		perWindow := float64(l.Window) / float64(p.Interval)
		if shown := perWindow + 2*float64(p.Burst); most > 4 && shown > float64(most) {
			t.Errorf("of %d the counter shows up to %.1f with %+v", most, shown, p)
		}
		if least := max(0.5, 0.96-2/float64(most)) * float64(most); perWindow < least-0.001 {
			t.Errorf("of %d only %.2f are used per window, want %.2f", most, perWindow, least)
		}
		if most <= 62 && p.Burst > 1 {
			t.Errorf("of %d, %d may be sent at once: in the second that a call stays it is 1", most, p.Burst)
		}
	}
}
