// SPDX-License-Identifier: Apache-2.0

package limits_test

import (
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

func TestValidate(t *testing.T) {
	for name, tc := range map[string]struct {
		limit limits.Limit
		want  string
	}{
		"a rolling limit":                   {limits.Limit{Kind: limits.Rolling, Max: 400, Window: time.Minute}, ""},
		"a calendar limit":                  {limits.Limit{Kind: limits.Calendar, Period: limits.Day, Max: 1, Location: time.UTC}, ""},
		"a bucket":                          {limits.Limit{Kind: limits.Rolling, Max: 9, Window: time.Minute, Counting: limits.TokenBucket, Burst: 1}, ""},
		"slots of jobs":                     {limits.Limit{Kind: limits.Concurrent, Max: 30, UntilJobEnds: true}, ""},
		"a limit of slots":                  {limits.Limit{Kind: limits.Concurrent, Max: 20}, ""},
		"nothing is allowed":                {limits.Limit{Name: "m", Kind: limits.Concurrent}, `limit "m": max is 0, must be at least 1`},
		"a rolling limit without a window":  {limits.Limit{Name: "m", Kind: limits.Rolling, Max: 1}, `limit "m": window is 0s, must be positive`},
		"a calendar limit without a zone":   {limits.Limit{Name: "d", Kind: limits.Calendar, Period: limits.Month, Max: 1}, `limit "d": location is missing`},
		"a calendar limit without a period": {limits.Limit{Name: "d", Kind: limits.Calendar, Location: time.UTC, Max: 1}, `limit "d": period 0 is unknown`},
		"a period that does not exist":      {limits.Limit{Name: "d", Kind: limits.Calendar, Period: 4, Location: time.UTC, Max: 1}, `limit "d": period 4 is unknown`},
		"a bucket of no size": {
			limits.Limit{Name: "b", Kind: limits.Rolling, Max: 9, Window: time.Minute, Counting: limits.TokenBucket}, `limit "b": burst is 0, must be at least 1`,
		},
		"a counting that does not exist":    {limits.Limit{Name: "b", Kind: limits.Rolling, Max: 9, Window: time.Minute, Counting: 9}, `limit "b": counting 9 is unknown`},
		"slots of execution time":           {limits.Limit{Name: "s", Kind: limits.Concurrent, Max: 1, Unit: limits.Milliseconds}, `limit "s": concurrent calls are not measured in milliseconds`},
		"a window until jobs end":           {limits.Limit{Name: "w", Kind: limits.Rolling, Max: 1, Window: 1, UntilJobEnds: true}, `limit "w": only slots can be held until a job ends`},
		"a negative delay":                  {limits.Limit{Name: "w", Kind: limits.Rolling, Max: 1, Window: 1, CountingDelay: -1}, `limit "w": counting delay is -1ns, must not be negative`},
		"a kind that does not exist":        {limits.Limit{Name: "x", Kind: 9, Max: 1}, `limit "x": kind 9 is unknown`},
		"a limit with two things to object": {limits.Limit{Name: "m", Kind: limits.Rolling}, "limit \"m\": max is 0, must be at least 1\nwindow is 0s, must be positive"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := tc.limit.Validate(); err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("Validate() = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for want, got := range map[string]interface{ String() string }{
		"rolling": limits.Rolling, "calendar": limits.Calendar, "concurrent": limits.Concurrent, "kind 9": limits.Kind(9),
		"Exact": limits.Exact, "Fixed": limits.Fixed, "TokenBucket": limits.TokenBucket, "Approximate": limits.Approximate, "counting 4": limits.Counting(4),
		"Hour": limits.Hour, "Day": limits.Day, "Month": limits.Month, "period 0": limits.Period(0),
	} {
		if got.String() != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}

func TestHold(t *testing.T) {
	for name, tc := range map[string]struct {
		limit limits.Limit
		want  time.Duration
	}{
		"a minute with drift and counting delay":   {limits.Limit{Kind: limits.Rolling, Window: time.Minute}, time.Minute + 30*time.Millisecond + 500*time.Millisecond},
		"ten seconds are not short":                {limits.Limit{Kind: limits.Rolling, Window: 10 * time.Second}, 10*time.Second + 5*time.Millisecond + 500*time.Millisecond},
		"a short window has a twentieth of itself": {limits.Limit{Kind: limits.Rolling, Window: 2 * time.Second}, 2*time.Second + time.Millisecond + 100*time.Millisecond},
		"a month does not overflow":                {limits.Limit{Kind: limits.Rolling, Window: 31 * 24 * time.Hour}, 31*24*time.Hour + 1339200*time.Millisecond + 500*time.Millisecond},
		"a slot is free soon after the answer":     {limits.Limit{Kind: limits.Concurrent}, 50 * time.Millisecond},
		"a day only waits for late counting":       {limits.Limit{Kind: limits.Calendar, Period: limits.Day}, 500 * time.Millisecond},
		"its own counting delay":                   {limits.Limit{Kind: limits.Rolling, Window: time.Second, CountingDelay: 3 * time.Second}, 4*time.Second + 500*time.Microsecond},
	} {
		t.Run(name, func(t *testing.T) {
			if got := limits.DefaultGuards().Hold(tc.limit); got != tc.want {
				t.Errorf("Hold() = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestDriftIsRoundedUp(t *testing.T) {
	if got := limits.DefaultGuards().Drift(time.Nanosecond); got != time.Nanosecond {
		t.Errorf("Drift(1ns) = %s, want 1ns", got)
	}
}

func TestUnknownOffsetIsSymmetric(t *testing.T) {
	if o := limits.UnknownOffset(); o.Min != -o.Max || o.Max <= 0 {
		t.Errorf("UnknownOffset() = %+v, want an interval around 0", o)
	}
}

// TestPace holds the pace against the bound that it is made for: a sender of burst b and rate r makes a weighted counter show at most r*W + 2b.
func TestPace(t *testing.T) {
	exactly := limits.Guards{}
	for name, tc := range map[string]struct {
		limit limits.Limit
		want  limits.Pace
		paced bool
	}{
		"exact windows are not paced":                     {limit: limits.Limit{Kind: limits.Rolling, Max: 400, Window: time.Minute}},
		"fixed ones neither":                              {limit: limits.Limit{Kind: limits.Rolling, Max: 400, Window: time.Minute, Counting: limits.Fixed}},
		"nor slots":                                       {limit: limits.Limit{Kind: limits.Concurrent, Max: 400, Counting: limits.TokenBucket, Burst: 3}},
		"a bucket is paced as it is":                      {limits.Limit{Kind: limits.Rolling, Max: 600, Window: time.Minute, Counting: limits.TokenBucket, Burst: 20}, limits.Pace{Burst: 20, Interval: 100 * time.Millisecond}, true},
		"a weighted counter":                              {limits.Limit{Kind: limits.Rolling, Max: 400, Window: time.Minute, Counting: limits.Approximate}, limits.Pace{Burst: 8, Interval: 156_250 * time.Microsecond}, true},
		"a short one has a burst for the time calls stay": {limits.Limit{Kind: limits.Rolling, Max: 20, Window: 2 * time.Second, Counting: limits.Approximate}, limits.Pace{Burst: 5, Interval: 200 * time.Millisecond}, true},
		"a longer one, too":                               {limits.Limit{Kind: limits.Rolling, Max: 100, Window: 10 * time.Second, Counting: limits.Approximate}, limits.Pace{Burst: 9, Interval: 121951220}, true},
		"a dear call fits":                                {limits.Limit{Kind: limits.Rolling, Max: 400, Window: time.Minute, Counting: limits.Approximate, Most: 40}, limits.Pace{Burst: 40, Interval: 187_500 * time.Microsecond}, true},
		"of few calls half is used":                       {limits.Limit{Kind: limits.Rolling, Max: 4, Window: time.Minute, Counting: limits.Approximate}, limits.Pace{Burst: 1, Interval: 30 * time.Second}, true},
		"of a single one every other":                     {limits.Limit{Kind: limits.Rolling, Max: 1, Window: time.Minute, Counting: limits.Approximate}, limits.Pace{Burst: 1, Interval: 2 * time.Minute}, true},
		"an interval is never too short":                  {limits.Limit{Kind: limits.Rolling, Max: 7, Window: 10, Counting: limits.TokenBucket, Burst: 1}, limits.Pace{Burst: 1, Interval: 2}, true},
	} {
		if got, paced := exactly.Pace(tc.limit); got != tc.want || paced != tc.paced {
			t.Errorf("%s: Pace() = %+v, %t, want %+v, %t", name, got, paced, tc.want, tc.paced)
		}
	}
	drifting := limits.Guards{DriftPPM: 100_000}
	if p, _ := drifting.Pace(limits.Limit{Kind: limits.Rolling, Max: 10, Window: 10 * time.Second, Counting: limits.TokenBucket, Burst: 1}); p.Interval != 1100*time.Millisecond {
		t.Errorf("a clock that is slow by a tenth gets a unit every %s, want 1.1 s", p.Interval)
	}
}

func TestUnknownZone(t *testing.T) {
	day := limits.Limit{Name: "d", Kind: limits.Calendar, Period: limits.Day, Max: 7, Most: 3}
	if got, want := day.UnknownZone(), (limits.Limit{Name: "d", Kind: limits.Rolling, Window: 25 * time.Hour, Max: 7, Most: 3}); got != want {
		t.Errorf("UnknownZone() = %+v, want %+v", got, want)
	}
	if h, m := limits.Hour.Longest(), limits.Month.Longest(); h != 2*time.Hour || m != 745*time.Hour {
		t.Errorf("the longest hour is %s, the longest month %s", h, m)
	}
}

func TestLength(t *testing.T) {
	for name, tc := range map[string]struct {
		limit limits.Limit
		want  time.Duration
	}{
		"a window, and no period besides":    {limits.Limit{Kind: limits.Rolling, Window: time.Minute}, time.Minute},
		"the longest day":                    {limits.Limit{Kind: limits.Calendar, Period: limits.Day}, 25 * time.Hour},
		"calls at a time last no known time": {limits.Limit{Kind: limits.Concurrent}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.limit.Length(); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}
