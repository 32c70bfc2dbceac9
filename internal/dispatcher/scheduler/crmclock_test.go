// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

func dated(at time.Time) http.Header {
	return http.Header{"Date": {at.UTC().Format(http.TimeFormat)}}
}

func TestCRMClock(t *testing.T) {
	after := func(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }
	ms := func(lo, hi int) limits.Offset {
		return limits.Offset{Min: time.Duration(lo) * time.Millisecond, Max: time.Duration(hi) * time.Millisecond}
	}
	cases := map[string]struct {
		learn func(c *crmClock)
		want  limits.Offset
	}{
		"nothing is known at first": {learn: func(*crmClock) {}, want: limits.UnknownOffset()},
		"a Date of another day is not believed": {
			learn: func(c *crmClock) { c.observe(dated(noon.AddDate(73, 0, 0)), after(100), after(300)) }, want: limits.UnknownOffset(),
		},
		"a date is cut to the second, and written at some time": {
			learn: func(c *crmClock) { c.observe(dated(after(2000)), after(100), after(300)) }, want: ms(1700, 2900),
		},
		"more dates narrow it": {
			learn: func(c *crmClock) {
				c.observe(dated(after(2000)), after(100), after(300))
				c.observe(dated(after(3000)), after(900), after(1000))
			}, want: ms(2000, 2900),
		},
		"dates that contradict each other are both taken for possible": {
			learn: func(c *crmClock) {
				c.observe(dated(after(2000)), after(100), after(300))
				c.observe(dated(after(9000)), after(500), after(600))
			}, want: ms(1700, 9500),
		},
		"a cache's date is old": {
			learn: func(c *crmClock) {
				h := dated(after(2000))
				h.Set("Age", "7")
				c.observe(h, after(100), after(300))
			}, want: limits.UnknownOffset(),
		},
		"no date": {learn: func(c *crmClock) { c.observe(http.Header{}, after(0), after(1)) }, want: limits.UnknownOffset()},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			clock := &crmClock{} // no drift
			c.learn(clock)
			if got := clock.now(after(5000)); got != c.want {
				t.Errorf("the offset is %v, want %v", got, c.want)
			}
		})
	}
}

// TestCRMClockHoldsTheTruth: with any drift within the guard, the true offset is never outside.
func TestCRMClockHoldsTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		guards := limits.DefaultGuards()
		clock := &crmClock{guards: guards}
		offset := time.Duration(rapid.Int64Range(-int64(farthest/2), int64(farthest/2)).Draw(t, "offset"))
		ppm := rapid.Int64Range(-guards.DriftPPM, guards.DriftPPM).Draw(t, "drift")
		truth := func(at time.Time) time.Duration { return offset + at.Sub(noon)/1_000_000*time.Duration(ppm) }
		now := noon
		for range rapid.IntRange(1, 20).Draw(t, "answers") {
			began := now.Add(time.Duration(rapid.Int64Range(0, int64(2*time.Hour)).Draw(t, "pause")))
			written := began.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "before")))
			now = written.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "behind")))
			clock.observe(dated(written.Add(truth(written))), began, now)
			if o, is := clock.now(now), truth(now); is < o.Min-time.Millisecond || is > o.Max+time.Millisecond {
				t.Fatalf("the true offset %s is not in [%s, %s]", is, o.Min, o.Max)
			}
		}
	})
}
