// SPDX-License-Identifier: Apache-2.0

package forecast_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/forecast"
	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// steadily is a demand of so many units an hour, in as many as is certain.
func steadily(perHour int64) *forecast.Curve {
	in := newIntegration(1, day)
	for now := monday; now.Before(monday.AddDate(0, 0, 14)); now = now.Add(time.Hour / time.Duration(perHour)) {
		in.ask(now, 1, false)
	}
	ahead := in.demands[0].Ahead(monday.AddDate(0, 0, 14))
	return &ahead
}

func TestDrain(t *testing.T) {
	perMinute := forecast.Capacity{Kind: limits.Rolling, Max: 400, Share: 400, Most: 400, Free: 100, PerCall: 1, Window: time.Minute}
	perDay := forecast.Capacity{Kind: limits.Calendar, Max: 2500, Share: 2500, Most: 2500, Free: 500, PerCall: 1, Window: 24 * time.Hour, Reset: 3 * time.Hour}
	atATime := forecast.Capacity{Kind: limits.Concurrent, Max: 10, Share: 10, Most: 10, Free: 10, PerCall: 1, Hold: 2 * time.Second}
	with := func(c forecast.Capacity, change func(*forecast.Capacity)) forecast.Capacity {
		change(&c)
		return c
	}
	twoUnits := with(perMinute, func(c *forecast.Capacity) { c.PerCall = 2 })
	noUnits := with(perMinute, func(c *forecast.Capacity) { c.PerCall = 0 })
	for name, tc := range map[string]struct {
		calls      int64
		capacities []forecast.Capacity
		want       time.Duration
		never      bool
	}{
		"nothing waits":                  {0, []forecast.Capacity{perMinute, perDay}, 0, false},
		"no limit holds it back":         {1000, nil, 0, false},
		"it fits at once":                {100, []forecast.Capacity{perMinute, perDay}, 0, false},
		"the minute releases the others": {250, []forecast.Capacity{perMinute, perDay}, 30 * time.Second, false},
		"a day is just enough":           {3000, []forecast.Capacity{perDay}, 3 * time.Hour, false},
		"a whole day more":               {5500, []forecast.Capacity{perDay}, 27 * time.Hour, false},
		"the rest of today's, then at the pace of the minute": {1300, []forecast.Capacity{perMinute, perDay}, 3*time.Hour + time.Minute, false},
		"a call of two units takes two":                       {125, []forecast.Capacity{twoUnits}, 30 * time.Second, false},
		"slots turn over":                                     {3010, []forecast.Capacity{atATime}, 10 * time.Minute, false},
		"a limit whose units are not taken":                   {1_000_000, []forecast.Capacity{noUnits}, 0, false},
		"the share when others want all": {3600, []forecast.Capacity{with(perMinute, func(c *forecast.Capacity) {
			c.Share, c.Free, c.Waiting = 60, 0, 1<<40
		})}, time.Hour, false},
		"the ceiling when others want nothing": {3600, []forecast.Capacity{with(perMinute, func(c *forecast.Capacity) {
			c.Share, c.Most, c.Free = 0, 60, 0
		})}, time.Hour, false},
		"what others leave": {3000, []forecast.Capacity{with(perMinute, func(c *forecast.Capacity) {
			c.Max, c.Share, c.Free, c.Most, c.Ahead = 100, 0, 0, 100, steadily(3000)
		})}, time.Hour, false},
		"what others leave of a day": {2500, []forecast.Capacity{with(perDay, func(c *forecast.Capacity) {
			c.Share, c.Ahead = 100, steadily(50)
		})}, 27 * time.Hour, false},
		"others have to be served first": {2700, []forecast.Capacity{with(perMinute, func(c *forecast.Capacity) {
			c.Share, c.Free, c.Waiting = 0, 0, 400*60-2700
		})}, time.Hour, false},
		"a share of nothing never lets it through":      {1, []forecast.Capacity{with(perMinute, func(c *forecast.Capacity) { c.Most, c.Free = 0, 0 })}, 0, true},
		"a share of nothing does not matter if it fits": {1, []forecast.Capacity{with(perMinute, func(c *forecast.Capacity) { c.Most, c.Free = 0, 1 })}, 0, false},
		"a month and more goes on as before":            {400 * 60 * 24 * 60, []forecast.Capacity{perMinute}, 60 * 24 * time.Hour, false},
		"centuries cannot be told":                      {math.MaxInt64 / 2, []forecast.Capacity{perDay}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			p50, p95, ok := forecast.Drain(tc.calls, tc.capacities)
			if ok == tc.never || ok && (math.Abs(p50.Seconds()-tc.want.Seconds()) > 2+0.05*tc.want.Seconds() || p95 < p50) {
				t.Errorf("Drain() = %s, %s, %t, want about %s, %t", p50, p95, ok, tc.want, !tc.never)
			}
		})
	}
}

// TestDrainIsMonotone: more calls take no less time, more that is free takes no more.
func TestDrainIsMonotone(t *testing.T) {
	demand := steadily(100)
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Range(-1, 1_000_000_000), rapid.Just(int64(math.MaxInt64)))
		lengths := rapid.OneOf(rapid.Int64Range(-1, int64(time.Minute)), rapid.Int64Range(0, int64(31*24*time.Hour)), rapid.Just(int64(math.MaxInt64)))
		var capacities []forecast.Capacity
		for range rapid.IntRange(1, 4).Draw(t, "limits") {
			c := forecast.Capacity{
				Kind: limits.Kind(rapid.IntRange(1, 3).Draw(t, "kind")), Max: sizes.Draw(t, "max"), Share: sizes.Draw(t, "share"), Most: sizes.Draw(t, "most"),
				Free: sizes.Draw(t, "free"), Waiting: sizes.Draw(t, "waiting"), PerCall: rapid.Float64Range(0, 1e9).Draw(t, "per call"),
				Window: time.Duration(lengths.Draw(t, "window")), Reset: time.Duration(lengths.Draw(t, "reset")), Hold: time.Duration(lengths.Draw(t, "hold")),
			}
			if rapid.Bool().Draw(t, "contested") {
				c.Ahead = demand
			}
			capacities = append(capacities, c)
		}
		calls := sizes.Draw(t, "calls")
		p50, p95, ok := forecast.Drain(calls, capacities)
		if p50 < 0 || p95 < p50 {
			t.Fatalf("Drain() = %s, %s, %t", p50, p95, ok)
		}
		more := max(calls, sizes.Draw(t, "more"))
		if more50, more95, moreOK := forecast.Drain(more, capacities); moreOK && (!ok || more50 < p50 || more95 < p95) {
			t.Fatalf("%d calls take %s to %s, %t, %d only %s to %s", calls, p50, p95, ok, more, more50, more95)
		}
	})
}

func TestExhaust(t *testing.T) {
	ahead := steadily(100)
	inTime, tooLate := []forecast.Release{{time.Hour, 100}}, []forecast.Release{{150 * time.Minute, 1000}}
	keepUp := []forecast.Release{{time.Hour, 400}, {5 * time.Hour, 400}}
	for name, tc := range map[string]struct {
		e    forecast.Exhaustion
		want time.Duration
		ok   bool
	}{
		"in two hours":                         {forecast.Exhaustion{Free: 200, Renewal: 12 * time.Hour}, 2 * time.Hour, true},
		"what waits comes first":               {forecast.Exhaustion{Free: 200, Waiting: 100, Renewal: 12 * time.Hour}, time.Hour, true},
		"what waits does not fit":              {forecast.Exhaustion{Free: 200, Waiting: 201, Renewal: 12 * time.Hour}, 0, true},
		"nothing is free":                      {forecast.Exhaustion{Free: -5, Renewal: 12 * time.Hour}, 0, true},
		"not before the renewal":               {forecast.Exhaustion{Free: 200, Renewal: time.Hour}, 0, false},
		"in ten days":                          {forecast.Exhaustion{Free: 24000, Renewal: 31 * 24 * time.Hour}, 240 * time.Hour, true},
		"releases come in time":                {forecast.Exhaustion{Free: 200, Releases: inTime, Renewal: 12 * time.Hour}, 3 * time.Hour, true},
		"releases come too late":               {forecast.Exhaustion{Free: 200, Releases: tooLate, Renewal: 12 * time.Hour}, 2 * time.Hour, true},
		"releases keep up":                     {forecast.Exhaustion{Free: 200, Releases: keepUp, Renewal: 9 * time.Hour}, 0, false},
		"nothing is asked for and all is free": {forecast.Exhaustion{Free: 1, Renewal: 12 * time.Hour, Ahead: &forecast.Curve{}}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.e.Ahead == nil {
				tc.e.Ahead = ahead
			}
			p50, p95 := forecast.Exhaust(begin, tc.e)
			if !tc.ok {
				if !p50.IsZero() {
					t.Errorf("used up at %s, want never", p50)
				}
				return
			}
			if off := p50.Sub(begin) - tc.want; off.Abs() > tc.want/20 || p95.After(p50) || p95.Before(begin) {
				t.Errorf("used up in %s to %s, want %s", p95.Sub(begin), p50.Sub(begin), tc.want)
			}
		})
	}
}

// TestExhaustIsMonotone: with less that is free, or less that is released, a limit is used up no later.
func TestExhaustIsMonotone(t *testing.T) {
	demand := steadily(100)
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.OneOf(rapid.Int64Range(-100, 5000), rapid.Int64Range(0, 1_000_000_000), rapid.Just(int64(math.MaxInt64)))
		e := forecast.Exhaustion{Free: amounts.Draw(t, "free"), Waiting: amounts.Draw(t, "waiting"), Ahead: demand}
		e.Renewal = time.Duration(rapid.Int64Range(-1, int64(40*24*time.Hour)).Draw(t, "renewal"))
		for range rapid.IntRange(0, 16).Draw(t, "releases") {
			e.Releases = append(e.Releases, forecast.Release{
				After: time.Duration(rapid.Int64Range(-1, int64(40*24*time.Hour)).Draw(t, "after")), Units: amounts.Draw(t, "units"),
			})
		}
		if rapid.Bool().Draw(t, "in order") {
			for i := range e.Releases {
				e.Releases[i].After = time.Duration(i) * time.Hour
			}
		}
		p50, p95 := forecast.Exhaust(begin, e)
		if !p50.IsZero() && (p95.IsZero() || p95.After(p50)) || !p95.IsZero() && (p95.Before(begin) || p95.After(begin.Add(max(0, e.Renewal)))) {
			t.Fatalf("used up at %s to %s", p95, p50)
		}
		less := e
		less.Free -= rapid.Int64Range(0, 1000).Draw(t, "less")
		less50, less95 := forecast.Exhaust(begin, less)
		if later(less50, p50) || later(less95, p95) {
			t.Fatalf("with %d free used up at %s to %s, with %d at %s to %s", e.Free, p95, p50, less.Free, less95, less50)
		}
	})
}

// later says whether a is after b; the zero time is never.
func later(a, b time.Time) bool {
	return !b.IsZero() && (a.IsZero() || a.After(b))
}

func TestCurvesAddUp(t *testing.T) {
	a, b := steadily(100), steadily(50)
	both := a.With(b)
	rest := both.Without(b)
	for _, after := range []time.Duration{0, time.Minute, time.Hour, 30 * time.Hour, 50 * 24 * time.Hour} {
		a50, a95 := a.At(after)
		b50, b95 := b.At(after)
		both50, both95 := both.At(after)
		if math.Abs(both50-a50-b50) > 1e-6 || both95 < both50 || both95 > a95+b95+1e-6 {
			t.Errorf("%s ahead %v to %v and %v to %v are together %v to %v", after, a50, a95, b50, b95, both50, both95)
		}
		if rest50, rest95 := rest.At(after); math.Abs(rest50-a50) > 1e-6 || math.Abs(rest95-a95) > 1e-6*(1+a95) {
			t.Errorf("%s ahead %v to %v are left of %v to %v", after, rest50, rest95, a50, a95)
		}
	}
}
