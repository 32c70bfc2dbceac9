package limit

import (
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
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := NewCounter(MustParse(test.limit)[0])
			for i, step := range test.steps {
				now := noon.Add(step.at)
				remaining, more := c.Remaining(now)
				if remaining != step.remaining || more != step.more {
					t.Errorf("step %d: %d calls remain, more after %v; want %d and %v", i, remaining, more, step.remaining, step.more)
				}
				c.Take(now)
			}
		})
	}
}

func TestCounterWaitsNoLongerAndNoShorterThanItSays(t *testing.T) {
	limits := MustParse("l=3/7ns", "l=2/5ns:fixed:3ns", "l=2/7ns:bucket:3", "l=1/5ns:bucket:1")
	rapid.Check(t, func(t *rapid.T) {
		c := NewCounter(rapid.SampledFrom(limits).Draw(t, "limit"))
		now := noon
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "pause")))
			remaining, more := c.Remaining(now)
			if remaining > 0 {
				c.Take(now)
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
	for _, text := range []string{"l=2/60s", "l=2/60s:fixed", "l=2/60s:bucket:2"} {
		c := NewCounter(MustParse(text)[0])
		for i := range 5 {
			c.Take(noon.Add(time.Duration(i) * time.Second))
		}
		if remaining, more := c.Remaining(noon.Add(5 * time.Second)); remaining != 0 || more <= 0 || more > time.Minute {
			t.Errorf("%s: %d calls remain, more after %v", text, remaining, more)
		}
	}
}
