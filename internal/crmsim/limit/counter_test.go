// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC)

func TestCounterTakesWhatFitsAndSaysWhenMoreDoes(t *testing.T) {
	const s = time.Second
	type step struct {
		at        time.Duration
		remaining int // before the call
		more      time.Duration
	}
	tests := map[string]struct {
		limit string
		steps []step
	}{
		"rolling frees one call after the other": {"l=2/60s", []step{{0, 2, 0}, {10 * s, 1, 50 * s}, {20 * s, 0, 40 * s}}},
		"rolling frees at the window's length":   {"l=1/60s", []step{{0, 1, 0}, {60*s - 1, 0, 1}}},
		"rolling is free again then":             {"l=1/60s", []step{{0, 1, 0}, {60 * s, 1, 0}}},
		"fixed is full until the boundary":       {"l=2/60s:fixed", []step{{30 * s, 2, 30 * s}, {40 * s, 1, 20 * s}, {59 * s, 0, 1 * s}, {60 * s, 2, 60 * s}}},
		"fixed with an offset":                   {"l=1/60s:fixed:15s", []step{{14 * s, 1, 1 * s}, {15 * s, 1, 60 * s}, {74 * s, 0, 1 * s}}},
		"bucket starts full and refills":         {"l=60/60s:bucket:2", []step{{0, 2, 0}, {0, 1, 0}, {0, 0, 1 * s}, {1500 * time.Millisecond, 1, 0}}},
		"bucket never holds more than its burst": {"l=60/60s:bucket:2", []step{{0, 2, 0}, {3600 * s, 2, 0}}},
		"day is full until local midnight": {
			"l=1/calendar:Europe/Berlin", []step{{0, 1, 10 * time.Hour}, {1 * s, 0, 10*time.Hour - 1*s}, {10 * time.Hour, 1, 25 * time.Hour}},
		},
		"hour is full until clocks show the next": {"l=1/hour:Asia/Kolkata", []step{{0, 1, 1800 * s}, {1799 * s, 0, 1 * s}, {1800 * s, 1, 3600 * s}}},
		"month is full until the first": {
			"l=1/month:UTC", []step{{0, 1, 180 * time.Hour}, {1 * s, 0, 180*time.Hour - 1*s}, {180 * time.Hour, 1, 720 * time.Hour}},
		},
		"weighted carries over what it has, by parts": {
			"l=4/60s:weighted", []step{{59 * s, 4, 0}, {59 * s, 3, 61 * s}, {60 * s, 2, 30 * s}, {89 * s, 1, 1 * s}, {90 * s, 1, 30 * s}},
		},
		"stepped waits for the step to pass, too": {"l=1/60s:stepped:10s", []step{{9 * s, 1, 0}, {9 * s, 0, 61 * s}, {69 * s, 0, 1 * s}, {70 * s, 0, 60 * s}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := NewCounter(MustParse(test.limit)[0], nil)
			for i, step := range test.steps {
				now := noon.Add(step.at)
				remaining, more := c.Remaining(now)
				if remaining != step.remaining || more != step.more {
					t.Errorf("step %d: %d calls remain, more after %v; want %d and %v", i, remaining, more, step.remaining, step.more)
				}
				c.Take(now, 1)
			}
		})
	}
}

func TestCounterWaitsNoLongerAndNoShorterThanItSays(t *testing.T) {
	limits := MustParse("l=3/7ns", "l=2/5ns:fixed:3ns", "l=2/7ns:bucket:3", "l=1/5ns:bucket:1",
		"l=3/7ns:weighted:2ns", "l=1/5ns:weighted", "l=3/6ns:stepped:2ns", "l=2/5ns:stepped:5ns")
	rapid.Check(t, func(t *rapid.T) {
		c := NewCounter(rapid.SampledFrom(limits).Draw(t, "limit"), nil)
		now := noon
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "pause")))
			remaining, more := c.Remaining(now)
			if remaining > 0 {
				c.Take(now, 1)
				continue
			}
			if before, _ := c.Remaining(now.Add(more - 1)); before > 0 {
				t.Fatalf("room before the %v it said", more)
			}
			now = now.Add(more)
			if after, _ := c.Remaining(now); after == 0 {
				t.Fatalf("no room after the %v it said", more)
			}
		}
	})
}

func TestJudgeOnlyLimitsCountOnPastTheLimit(t *testing.T) {
	for _, text := range []string{"l=2/60s", "l=2/60s:fixed", "l=2/60s:bucket:2", "l=2/60s:weighted", "l=2/60s:stepped:1s"} {
		c := NewCounter(MustParse(text)[0], nil)
		for i := range 5 {
			c.Take(noon.Add(time.Duration(i)*time.Second), 1)
		}
		if remaining, more := c.Remaining(noon.Add(5 * time.Second)); remaining != 0 || more <= 0 || more > 2*time.Minute {
			t.Errorf("%s: %d calls remain, more after %v", text, remaining, more)
		}
	}
}

func TestCounterTakesWhatCallsCost(t *testing.T) {
	for _, text := range []string{"l=5/60s", "l=5/60s:fixed", "l=5/60s:bucket:5", "l=5/60s:weighted", "l=5/60s:stepped:1s", "l=5/hour:UTC"} {
		c := NewCounter(MustParse(text)[0], nil)
		c.Remaining(noon)
		c.Take(noon, 3)
		if remaining, _ := c.Remaining(noon); remaining != 2 {
			t.Errorf("%s: %d units remain of 5 after 3", text, remaining)
		}
	}
}

// TestFleetCountsWithinItsFreedom sends calls of which it is known whether they may be counted, must be, or cannot be any more.
func TestFleetCountsWithinItsFreedom(t *testing.T) {
	const s = time.Second
	tests := map[string]struct {
		limit       string
		after       time.Duration
		least, most int
	}{
		"skew: while all clocks have it in the window":   {"l=3/10s,skew=1s", 8*s - 1, 2, 2},
		"skew: while some clocks have":                   {"l=3/10s,skew=1s", 10 * s, 2, 3},
		"skew: when no clock has":                        {"l=3/10s,skew=1s", 12 * s, 3, 3},
		"skew of fixed windows: some clocks are behind":  {"l=3/10s:fixed,skew=1s", 10 * s, 2, 3},
		"skew of fixed windows: all have gone on":        {"l=3/10s:fixed,skew=1s", 11 * s, 3, 3},
		"late: not heard of yet, or already":             {"l=3/10s,late=5s", 2 * s, 2, 3},
		"late: heard of at the latest":                   {"l=3/10s,late=5s", 5 * s, 2, 2},
		"late: counted so late that it still is there":   {"l=3/10s,late=5s", 12 * s, 2, 3},
		"late: gone at the latest":                       {"l=3/10s,late=5s", 15 * s, 3, 3},
		"late and skewed: heard of at the latest":        {"l=3/10s,late=5s,skew=1s", 5 * s, 2, 2},
		"late and skewed: some clocks still have it":     {"l=3/10s,late=5s,skew=1s", 16 * s, 2, 3},
		"late and skewed: gone at the latest by all":     {"l=3/10s,late=5s,skew=1s", 17 * s, 3, 3},
		"skew of steps: some clocks are in an old step":  {"l=3/10s:stepped:1s,skew=1s", 12 * s, 2, 3},
		"skew of steps: none is any more":                {"l=3/10s:stepped:1s,skew=1s", 13 * s, 3, 3},
		"skew of a weighted counter: a part of the call": {"l=3/10s:weighted,skew=1s", 19 * s, 2, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			seen := map[int]int{}
			for seed := range uint64(200) {
				c := NewCounter(MustParse(test.limit)[0], rand.New(rand.NewPCG(seed, 0)))
				c.Remaining(noon)
				c.Take(noon, 1)
				remaining, _ := c.Remaining(noon.Add(test.after))
				seen[remaining]++
			}
			for remaining, times := range seen {
				if remaining < test.least || remaining > test.most {
					t.Errorf("%d times %d remain, want %d to %d", times, remaining, test.least, test.most)
				}
			}
			if seen[test.least] == 0 || seen[test.most] == 0 {
				t.Errorf("the CRM makes no use of its freedom: %v, want %d and %d", seen, test.least, test.most)
			}
		})
	}
}
