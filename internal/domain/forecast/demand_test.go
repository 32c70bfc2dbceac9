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

// begin is a Wednesday.
var begin = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

var (
	minute     = limits.Limit{Name: "minute", Kind: limits.Rolling, Max: 100, Window: time.Minute}
	day        = limits.Limit{Name: "day", Kind: limits.Calendar, Max: 1000, Period: limits.Day, Location: time.UTC}
	rollingDay = limits.Limit{Name: "day", Kind: limits.Rolling, Max: 1000, Window: 24 * time.Hour}
	slots      = limits.Limit{Name: "slots", Kind: limits.Concurrent, Max: 10}
)

// TestDemandInShortWindows: p95 is what was asked for within a window and the root of that more, which is how much calls that come by chance vary.
func TestDemandInShortWindows(t *testing.T) {
	type ask struct {
		after  time.Duration
		amount int64
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
		p50     int64
		p95     int64
	}{
		"nothing was ever asked for":                        {minute, nil, 0, forecast.Present{}, 0, 0},
		"what is used and waits is demand":                  {minute, nil, 0, forecast.Present{Used: 3, Waiting: 40}, 43, 43},
		"a window's worth of steady asking":                 {minute, steady(61, time.Second), time.Minute, forecast.Present{Used: 7}, 61, 69},
		"what was asked for fades by halves":                {minute, []ask{{0, 30}, {time.Second, 10}}, 5*time.Minute + time.Second, forecast.Present{}, 0, 25},
		"asking further apart than a window does not sum":   {minute, steady(3, 2*time.Minute), 4 * time.Minute, forecast.Present{}, 1, 2},
		"an instant that goes back counts as the latest":    {minute, []ask{{time.Second, 1}, {0, 1}}, time.Second, forecast.Present{}, 2, 4},
		"a window longer ago than any slice forgets at all": {minute, []ask{{0, 64}, {50 * time.Minute, 1}}, 50 * time.Minute, forecast.Present{}, 1, 2},
		"slots are wanted as many as are held and waited":   {slots, []ask{{0, 5}}, 0, forecast.Present{Used: 2, Waiting: 1}, 3, 3},
		"a long window without a history is foreseen alike": {rollingDay, []ask{{0, 100}}, 24 * time.Hour, forecast.Present{}, 58, 58},
		"a day without a history is not foreseen":           {day, steady(60, time.Minute), time.Hour, forecast.Present{Used: 60, Left: time.Hour}, 60, 60},
	} {
		t.Run(name, func(t *testing.T) {
			d := forecast.NewDemand(tc.limit, nil)
			for _, a := range tc.asks {
				d.Ask(begin.Add(a.after), a.amount)
			}
			if p50, p95 := d.Until(begin.Add(tc.at), tc.present); p50 != tc.p50 || p95 != tc.p95 {
				t.Errorf("Until() = %d, %d, want %d, %d", p50, p95, tc.p50, tc.p95)
			}
		})
	}
}

func TestSlotsAreRemembered(t *testing.T) {
	d := forecast.NewDemand(slots, nil)
	d.Until(begin, forecast.Present{Used: 8})
	if p50, p95 := d.Until(begin.Add(5*time.Minute), forecast.Present{}); p50 != 0 || p95 != 4 {
		t.Errorf("five minutes after eight slots the demand is %d, %d, want 0, 4", p50, p95)
	}
}

// TestShortWindowsAreCovered: right after a call is asked for the forecast is never below what was asked for within the last window.
func TestShortWindowsAreCovered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := time.Duration(rapid.Int64Range(int64(time.Second), int64(time.Hour)-1).Draw(t, "window"))
		d := forecast.NewDemand(limits.Limit{Kind: limits.Rolling, Window: length}, forecast.NewHistory(nil))
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
			if p50, p95 := d.Until(now, forecast.Present{}); p50 < within || p95 < p50 {
				t.Fatalf("forecast %d, %d, within the last window %d were asked for", p50, p95, within)
			}
		}
	})
}

// integration asks for calls, each of the same amount in every limit.
type integration struct {
	history *forecast.History
	demands []*forecast.Demand
	amount  int64
}

func newIntegration(amount int64, ls ...limits.Limit) *integration {
	in := &integration{history: forecast.NewHistory(time.UTC), amount: amount}
	for _, l := range ls {
		in.demands = append(in.demands, forecast.NewDemand(l, in.history))
	}
	return in
}

func (in *integration) ask(now time.Time, calls int64, send bool) {
	for range calls {
		in.history.Ask(now, 1)
		for _, d := range in.demands {
			d.Ask(now, in.amount)
			if send {
				d.Send(now, in.amount)
			}
		}
	}
}

// weeksOfOfficeHours asks for 20 calls an hour from 8 to 18, Monday to Friday, for some weeks from Monday, 1 June on.
func (in *integration) weeksOfOfficeHours(weeks int) (end time.Time) {
	for hour := range weeks * 7 * 24 {
		now := monday.Add(time.Duration(hour) * time.Hour)
		if h := hour % 24; !weekend(hour/24) && h >= 8 && h < 18 {
			for i := range 20 {
				in.ask(now.Add(time.Duration(i)*3*time.Minute), 1, true)
			}
		}
	}
	return monday.AddDate(0, 0, 7*weeks)
}

func TestOfficeHoursAreLearnt(t *testing.T) {
	const amount = 3
	for name, tc := range map[string]struct {
		at   time.Duration
		left time.Duration
		want int64
	}{
		"before work, the day is ahead":     {7 * time.Hour, 17 * time.Hour, 200 * amount},
		"half of it after half of the day":  {13 * time.Hour, 11 * time.Hour, 100 * amount},
		"after work, nothing is":            {19 * time.Hour, 5 * time.Hour, 0},
		"on Saturday, nothing is":           {5 * 24 * time.Hour, 24 * time.Hour, 0},
		"to the end of the month, 22 days":  {0, 30 * 24 * time.Hour, 22 * 200 * amount},
		"a week has five":                   {0, 7 * 24 * time.Hour, 5 * 200 * amount},
		"no time is left":                   {7 * time.Hour, 0, 0},
		"a part of an hour has its part":    {9 * time.Hour, 30 * time.Minute, 10 * amount},
		"a minute has its part":             {9 * time.Hour, 6 * time.Minute, 2 * amount},
		"Friday evening to Monday at noon":  {4*24*time.Hour + 20*time.Hour, 64 * time.Hour, 80 * amount},
		"Sunday to Monday, an hour of work": {6*24*time.Hour + 20*time.Hour, 13 * time.Hour, 20 * amount},
	} {
		t.Run(name, func(t *testing.T) {
			in := newIntegration(amount, day)
			end := in.weeksOfOfficeHours(6)
			// Of the seventh week everything up to the moment, so that nothing is late.
			for now := end; now.Before(end.Add(tc.at)); now = now.Add(3 * time.Minute) {
				if d := int(now.Sub(end) / (24 * time.Hour)); !weekend(d) && now.Hour() >= 8 && now.Hour() < 18 {
					in.ask(now, 1, true)
				}
			}
			p50, p95 := in.demands[0].Until(end.Add(tc.at), forecast.Present{Used: 7, Left: tc.left})
			if p50, p95 := p50-7, p95-7; math.Abs(float64(p50-tc.want)) > 20+0.1*float64(tc.want) || p95 < p50 || float64(p95) > 40+1.3*float64(tc.want) {
				t.Errorf("%d to %d units are foreseen besides the used ones, want about %d", p50, p95, tc.want)
			}
		})
	}
}

// TestOwnReleasesComeBack: an integration that asks for the same all the time needs no more of a rolling day than it has, as it gets back what it uses; one
// that is still at the begin of its day does.
func TestOwnReleasesComeBack(t *testing.T) {
	steady := newIntegration(1, rollingDay)
	now := monday
	for ; now.Before(monday.AddDate(0, 0, 21)); now = now.Add(3 * time.Minute) {
		steady.ask(now, 1, true)
	}
	if p50, p95 := steady.demands[0].Until(now, forecast.Present{Used: 480}); p50 < 480 || p50 > 490 || p95 > 520 {
		t.Errorf("of a steady 480 a day %d to %d units are foreseen, want about 480 and little more", p50, p95)
	}
	office := newIntegration(1, rollingDay)
	end := office.weeksOfOfficeHours(6)
	// Monday morning: nothing was used on Sunday, a day of 200 is ahead.
	if p50, p95 := office.demands[0].Until(end.Add(6*time.Hour), forecast.Present{}); p50 < 180 || p50 > 220 || p95 < p50 || p95 > 300 {
		t.Errorf("before a day of 200 calls %d to %d units are foreseen", p50, p95)
	}
}

// TestTheFirstHourIsForeseenFromItself: before anything is known of the week a forecast goes by what is asked for now.
func TestTheFirstHourIsForeseenFromItself(t *testing.T) {
	in := newIntegration(1, day)
	now := begin
	for range 50 {
		now = now.Add(time.Minute)
		in.ask(now, 1, true)
	}
	p50, p95 := in.demands[0].Until(now, forecast.Present{Used: 50, Left: 2 * time.Hour})
	if p50 < 100 || p50 > 230 || p95 <= p50 {
		t.Errorf("after 50 minutes with a call each, %d to %d are foreseen two hours later, want 50 used and about 120 more", p50, p95)
	}
}

// TestClocksAreLocal: office hours follow local clocks over a change of them.
func TestClocksAreLocal(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	h := forecast.NewHistory(berlin)
	l := day
	l.Location = berlin
	d := forecast.NewDemand(l, h)
	first := time.Date(2026, 9, 7, 0, 0, 0, 0, berlin)
	for date := range 49 { // until 25 October, when clocks are set back
		for hour := 8; hour < 18; hour++ {
			for i := range 20 {
				now := time.Date(first.Year(), first.Month(), first.Day()+date, hour, 3*i, 0, 0, berlin)
				h.Ask(now, 1)
				d.Ask(now, 1)
			}
		}
	}
	now := time.Date(2026, 10, 26, 7, 0, 0, 0, berlin)
	if p50, _ := d.Until(now, forecast.Present{Left: time.Hour}); p50 > 2 {
		t.Errorf("from 7 to 8 on the clock %d calls are foreseen, want none", p50)
	}
	if p50, _ := d.Until(now, forecast.Present{Left: 2 * time.Hour}); p50 < 15 {
		t.Errorf("from 7 to 9 on the clock %d calls are foreseen, want about 20", p50)
	}
}

// TestForecastsAreSane: whatever is told, in whatever order, forecasts are at least what is known, p50 is at most p95, and later is at least as much.
func TestForecastsAreSane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ls := []limits.Limit{
			minute, day, rollingDay, slots, {Kind: limits.Calendar, Period: limits.Month, Location: time.UTC}, {Kind: limits.Rolling, Window: 31 * 24 * time.Hour},
			{Kind: limits.Calendar, Period: limits.Hour, Location: time.UTC}, {Kind: limits.Rolling, Window: time.Nanosecond},
		}
		in := newIntegration(1, ls...)
		amounts := rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(0, 1_000_000_000), rapid.Just(int64(math.MaxInt64)))
		// Mostly minutes, forward or back, and now and then months.
		minutes := rapid.Int64Range(-int64(time.Hour), int64(3*time.Hour))
		passes := rapid.OneOf(minutes, minutes, rapid.Int64Range(-int64(40*24*time.Hour), int64(400*24*time.Hour)))
		now := begin
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			now = now.Add(time.Duration(passes.Draw(t, "pass")))
			in.history.Ask(now, amounts.Draw(t, "calls"))
			for _, d := range in.demands {
				d.Ask(now, amounts.Draw(t, "amount"))
				d.Send(now, amounts.Draw(t, "sent"))
				p := forecast.Present{Used: amounts.Draw(t, "used"), Waiting: amounts.Draw(t, "waiting"), Left: time.Duration(amounts.Draw(t, "left"))}
				if p50, p95 := d.Until(now, p); p50 < min(p.Used, 1<<50) || p95 < p50 {
					t.Fatalf("of %+v %d to %d are foreseen", p, p50, p95)
				}
				ahead := d.Ahead(now)
				last50, last95 := 0., 0.
				for after := time.Duration(0); after < 40*24*time.Hour; after += 17 * time.Hour {
					p50, p95 := ahead.At(after)
					if !(p50 >= last50 && p95 >= last95 && p50 <= p95*(1+1e-9)) || math.IsInf(p95, 0) {
						t.Fatalf("%s ahead %v to %v, earlier %v to %v", after, p50, p95, last50, last95)
					}
					last50, last95 = p50, p95
				}
				if expected, sent := d.Window(now); expected < 0 || sent < 0 {
					t.Fatalf("%d expected, %d sent in the window", expected, sent)
				}
			}
		}
	})
}
