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
		"a calendar limit":                  {limits.Limit{Kind: limits.CalendarDay, Max: 1, Location: time.UTC}, ""},
		"a limit of slots":                  {limits.Limit{Kind: limits.Concurrent, Max: 20}, ""},
		"nothing is allowed":                {limits.Limit{Name: "m", Kind: limits.Concurrent}, `limit "m": max is 0, must be at least 1`},
		"a rolling limit without a window":  {limits.Limit{Name: "m", Kind: limits.Rolling, Max: 1}, `limit "m": window is 0s, must be positive`},
		"a calendar limit without a zone":   {limits.Limit{Name: "d", Kind: limits.CalendarDay, Max: 1}, `limit "d": location is missing`},
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

func TestKindsHaveNames(t *testing.T) {
	for kind, want := range map[limits.Kind]string{limits.Rolling: "rolling", limits.CalendarDay: "calendar day", limits.Concurrent: "concurrent"} {
		if got := kind.String(); got != want {
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
		"a day only waits for late counting":       {limits.Limit{Kind: limits.CalendarDay}, 500 * time.Millisecond},
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
