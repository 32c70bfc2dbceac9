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

var begin = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func TestEnvelopeGoesUpAtOnceAndDownByHalves(t *testing.T) {
	e := forecast.NewEnvelope(5 * time.Minute)
	if got := e.At(begin); got != 0 {
		t.Errorf("a new envelope is at %v, want 0", got)
	}
	e.Observe(begin, 80)
	for after, want := range map[time.Duration]float64{-time.Hour: 80, 0: 80, 5 * time.Minute: 40, 10 * time.Minute: 20} {
		if got := e.At(begin.Add(after)); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s after the peak the envelope is at %v, want %v", after, got, want)
		}
	}
	e.Observe(begin.Add(5*time.Minute), 30)
	if got := e.At(begin.Add(10 * time.Minute)); math.Abs(got-20) > 1e-9 {
		t.Errorf("a lower level changed the envelope to %v, want 20", got)
	}
	e.Observe(begin.Add(10*time.Minute), 50)
	if got := e.At(begin.Add(15 * time.Minute)); math.Abs(got-25) > 1e-9 {
		t.Errorf("after a higher level the envelope is at %v, want 25", got)
	}
}

func TestDemand(t *testing.T) {
	minute := limits.Limit{Kind: limits.Rolling, Window: time.Minute}
	day := limits.Limit{Kind: limits.CalendarDay, Location: time.UTC}
	slots := limits.Limit{Kind: limits.Concurrent}
	type ask struct {
		after time.Duration
		cost  int64
	}
	steady := func(n int, every time.Duration) (asks []ask) {
		for i := range n {
			asks = append(asks, ask{time.Duration(i) * every, 1})
		}
		return asks
	}
	for name, tc := range map[string]struct {
		limit   limits.Limit
		asks    []ask
		at      time.Duration
		present forecast.Present
		want    int64
	}{
		"nothing was ever asked for":                        {minute, nil, 0, forecast.Present{}, 0},
		"what is used and waits is demand":                  {minute, nil, 0, forecast.Present{Used: 3, Waiting: 40}, 43},
		"a window's worth of steady asking":                 {minute, steady(61, time.Second), time.Minute, forecast.Present{Used: 7}, 61},
		"what was asked for fades by halves":                {minute, []ask{{0, 30}, {time.Second, 10}}, 5*time.Minute + time.Second, forecast.Present{}, 20},
		"asking further apart than a window does not sum":   {minute, []ask{{0, 1}, {2 * time.Minute, 1}, {4 * time.Minute, 1}}, 4 * time.Minute, forecast.Present{}, 1},
		"an instant that goes back counts as the latest":    {minute, []ask{{time.Second, 1}, {0, 1}}, time.Second, forecast.Present{}, 2},
		"a day adds the rate of an hour for what is left":   {day, steady(60, time.Minute), 59 * time.Minute, forecast.Present{Used: 50, Waiting: 10, Left: 2 * time.Hour}, 180},
		"a day that is over adds nothing":                   {day, steady(60, time.Minute), 59 * time.Minute, forecast.Present{Used: 60}, 60},
		"slots are wanted as many as are held and waited":   {slots, []ask{{0, 5}}, 0, forecast.Present{Used: 2, Waiting: 1}, 3},
		"a long window remembers for as long as it lasts":   {limits.Limit{Kind: limits.Rolling, Window: 24 * time.Hour}, []ask{{0, 100}}, 24 * time.Hour, forecast.Present{}, 50},
		"a window longer ago than any slice forgets at all": {minute, []ask{{0, 64}, {50 * time.Minute, 1}}, 50 * time.Minute, forecast.Present{}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := forecast.NewDemand(tc.limit)
			for _, a := range tc.asks {
				d.Ask(begin.Add(a.after), a.cost)
			}
			if got := d.Until(begin.Add(tc.at), tc.present); got != tc.want {
				t.Errorf("Until() = %d, want %d", got, tc.want)
			}
		})
	}
}

func TestSlotsAreRemembered(t *testing.T) {
	d := forecast.NewDemand(limits.Limit{Kind: limits.Concurrent})
	d.Until(begin, forecast.Present{Used: 8})
	if got := d.Until(begin.Add(5*time.Minute), forecast.Present{}); got != 4 {
		t.Errorf("five minutes after eight slots the demand is %d, want 4", got)
	}
}

// TestRollingDemandCoversEveryWindow: right after a call is asked for the forecast is never below what was asked for within the last window.
func TestRollingDemandCoversEveryWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := time.Duration(rapid.Int64Range(int64(time.Second), int64(time.Hour)).Draw(t, "window"))
		d := forecast.NewDemand(limits.Limit{Kind: limits.Rolling, Window: length})
		var times []time.Time
		now := begin
		for range rapid.IntRange(1, 60).Draw(t, "asks") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(length)/4).Draw(t, "pass")))
			times = append(times, now)
			d.Ask(now, 1)
			within := int64(0)
			for _, at := range times {
				if now.Sub(at) < length {
					within++
				}
			}
			if got := d.Until(now, forecast.Present{}); got < within {
				t.Fatalf("forecast %d, within the last window %d were asked for", got, within)
			}
		}
	})
}

func TestDrain(t *testing.T) {
	minute := forecast.Capacity{Kind: limits.Rolling, Free: 100, PerWindow: 400, Window: time.Minute}
	day := forecast.Capacity{Kind: limits.CalendarDay, Free: 500, PerWindow: 2500, Window: 24 * time.Hour, Reset: 3 * time.Hour}
	full := minute
	full.Free, full.PerWindow = 0, 0
	for name, tc := range map[string]struct {
		backlog    int64
		capacities []forecast.Capacity
		want       time.Duration
		never      bool
	}{
		"nothing waits":                                 {0, []forecast.Capacity{minute, day}, 0, false},
		"no limit holds it back":                        {1000, nil, 0, false},
		"it fits at once":                               {100, []forecast.Capacity{minute, day}, 0, false},
		"the minute paces it":                           {300, []forecast.Capacity{minute, day}, 30 * time.Second, false},
		"the rest waits for the next day and its pace":  {700, []forecast.Capacity{minute, day}, 3*time.Hour + 30*time.Second, false},
		"a whole day more":                              {5500, []forecast.Capacity{day}, 27 * time.Hour, false},
		"a day that is just enough":                     {3000, []forecast.Capacity{day}, 3 * time.Hour, false},
		"a share of nothing never lets it through":      {1, []forecast.Capacity{full}, 0, true},
		"a share of nothing does not matter if it fits": {1, []forecast.Capacity{{Kind: limits.Rolling, Free: 1, Window: time.Minute}}, 0, false},
		"centuries cannot be told":                      {math.MaxInt64 / 2, []forecast.Capacity{day}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := forecast.Drain(tc.backlog, tc.capacities)
			if got != tc.want || ok == tc.never {
				t.Errorf("Drain() = %s, %t, want %s, %t", got, ok, tc.want, !tc.never)
			}
		})
	}
}
