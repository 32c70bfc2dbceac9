// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// told is a Demand and a list of what it was told.
type told struct {
	d    *Demand
	h    *History
	now  time.Time
	sent map[int64]int64 // by slice of the window
}

func drawTold(t *rapid.T, l limits.Limit) told {
	h := NewHistory(nil)
	w := told{d: NewDemand(l, h), h: h, sent: map[int64]int64{}}
	at := rapid.SampledFrom([]float64{0, 12.3}).Draw(t, "begin")
	for range rapid.IntRange(1, 60).Draw(t, "asks") {
		w.now = slotTime(at)
		h.Ask(w.now, 1)
		amount := rapid.Int64Range(0, 4).Draw(t, "amount")
		w.d.Ask(w.now, amount)
		if l.Kind == limits.Rolling && rapid.Bool().Draw(t, "is sent") {
			w.d.Send(w.now, amount)
			w.sent[w.now.UnixNano()/w.d.rolling.sent.slice] += amount
		}
		at += rapid.SampledFrom([]float64{0, 0.1, 0.25, 1, 3}).Draw(t, "pass")
	}
	return w
}

// within is what the history says of a time, in units.
func (w told) within(length time.Duration) (p50, p95 float64) {
	o := w.h.outlook(w.h.advance(w.now))
	p50, p95 = o.ahead(length.Minutes() / 30)
	return w.d.amounts.units(p50, p95, w.h.total)
}

// TestACalendarLimitIsForeseenToItsEnd: what is used and waits, and what the history says of the time that is left; p95 as it was corrected, if that is the end
// of the period.
func TestACalendarLimitIsForeseenToItsEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTold(t, dayOf())
		toMidnight := w.now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(w.now)
		p := Present{Used: rapid.Int64Range(-3, 50).Draw(t, "used"), Waiting: rapid.Int64Range(-3, 50).Draw(t, "waiting")}
		p.Left = rapid.SampledFrom([]time.Duration{
			0, -time.Minute, time.Hour, toMidnight, toMidnight + 30*time.Minute - 1, toMidnight - 30*time.Minute + 1, toMidnight + 30*time.Minute, 30 * 24 * time.Hour,
		}).Draw(t, "left")
		known := max(0, p.Used) + max(0, p.Waiting)
		rest50, rest95 := 0., 0.
		if p.Left > 0 {
			rest50, rest95 = w.within(p.Left)
			if (p.Left - toMidnight).Abs() < 30*time.Minute {
				rest95 = w.d.renewal.correct(w.now, rest50, rest95)
			}
		}
		want50, want95 := known+int64(math.Round(rest50)), known+int64(math.Round(rest95))
		if p50, p95 := w.d.Until(w.now, p); p50 != want50 || p95 != want95 {
			t.Fatalf("of %+v %d to %d are foreseen, want %d to %d", p, p50, p95, want50, want95)
		}
	})
}

// TestALongWindowIsForeseenWithItsReleases: by how much what is asked for will be ahead of the own calls that are released, at most, at any eighth of the
// window.
func TestALongWindowIsForeseenWithItsReleases(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.SampledFrom([]time.Duration{time.Hour, 8 * time.Hour, 24 * time.Hour}).Draw(t, "window")
		w := drawTold(t, limits.Limit{Kind: limits.Rolling, Window: length, Max: 1000})
		want50, want95 := 0., 0.
		latest := w.now.UnixNano() / int64(length/16)
		for eighth := 1; eighth <= 8; eighth++ {
			released := int64(0)
			for slice, n := range w.sent {
				// A window later, counted from the end of the slice.
				if slice+17 <= latest+int64(2*eighth) && slice > latest-17 {
					released += n
				}
			}
			p50, p95 := w.within(time.Duration(eighth) * length / 8)
			want50, want95 = max(want50, p50-float64(released)), max(want95, p95-float64(released))
		}
		want95 = max(want50, want95)
		if p50, p95 := w.d.Until(w.now, Present{Used: 7, Left: time.Hour}); p50 != 7+int64(math.Round(want50)) || p95 != 7+int64(math.Round(want95)) {
			t.Fatalf("%d to %d are foreseen besides 7 that are used, want %v to %v", p50-7, p95-7, want50, want95)
		}
	})
}

// TestWhichLimitsAreForeseenByHistory: calendar limits and windows of an hour or longer, if there is one.
func TestWhichLimitsAreForeseenByHistory(t *testing.T) {
	h := NewHistory(nil)
	for name, tc := range map[string]struct {
		limit          limits.Limit
		history        *History
		long, calendar bool
		halfLife       time.Duration
	}{
		"an hour":                       {rollingOf(time.Hour), h, true, false, time.Hour},
		"less than an hour":             {rollingOf(time.Hour - 1), h, false, false, time.Hour - 1},
		"a minute":                      {rollingOf(time.Minute), h, false, false, 5 * time.Minute},
		"an hour without a history":     {rollingOf(time.Hour), nil, false, false, time.Hour},
		"a calendar day":                {dayOf(), h, false, true, 5 * time.Minute},
		"one without a history":         {dayOf(), nil, false, false, 5 * time.Minute},
		"slots are as they are wanted":  {limits.Limit{Kind: limits.Concurrent, Max: 5}, h, false, false, 5 * time.Minute},
		"slots have no window, nor day": {limits.Limit{Kind: limits.Concurrent, Max: 5}, nil, false, false, 5 * time.Minute},
	} {
		d := NewDemand(tc.limit, tc.history)
		if long := d.rolling != nil && d.rolling.long; long != tc.long || (d.renewal != nil) != tc.calendar || d.envelope.halfLife != tc.halfLife {
			t.Errorf("%s: foreseen by history as a window %t, as a period %t, half-life %s", name, long, d.renewal != nil, d.envelope.halfLife)
		}
		if (d.rolling != nil) != (tc.limit.Kind == limits.Rolling) {
			t.Errorf("%s: has a window: %t", name, d.rolling != nil)
		}
	}
	h.Ask(slotTime(0), 9)
	if d := NewDemand(dayOf(), h); d.amounts.since != 9 {
		t.Errorf("amounts count from call %v on, want 9", d.amounts.since)
	}
}

// TestForecastsToTheEndAreCheckedFromTheSecondDayOn: what is foreseen before says nothing of later ones.
func TestForecastsToTheEndAreCheckedFromTheSecondDayOn(t *testing.T) {
	h := NewHistory(nil)
	d := NewDemand(dayOf(), h)
	for slot := range 80 {
		now := slotTime(float64(slot))
		h.Ask(now, 3)
		d.Ask(now, 5)
		made := 0
		for i := range d.renewal.checks {
			if d.renewal.checks[i].made {
				made++
			}
		}
		if want := max(0, (slot-46)/2); made != want {
			t.Fatalf("in half hour %d %d forecasts of the day are held, want %d", slot, made, want)
		}
	}
	if d.renewal.asked != 400 {
		t.Errorf("%v units were asked for, want 400", d.renewal.asked)
	}
	now := slotTime(80)
	h.Ask(now, 1)
	d.Until(now, Present{Left: time.Hour})
	p50, p95 := told{d: d, h: h, now: now}.within(8 * time.Hour)
	want := d.renewal.checks[16]
	d.renewal.note(&want, p50, p95)
	if d.renewal.checks[16] != want || !want.made {
		t.Errorf("the forecast of 16:00 is held as %+v, want %+v", d.renewal.checks[16], want)
	}
}

// TestAmountsAreTakenAsTheyCanBe: none below nothing, none that sums could not hold.
func TestAmountsAreTakenAsTheyCanBe(t *testing.T) {
	h := NewHistory(nil)
	d := NewDemand(rollingOf(time.Minute), h)
	for _, amount := range []int64{-7, math.MaxInt64} {
		d.Ask(slotTime(0), amount)
		d.Send(slotTime(0), amount)
	}
	if d.amounts.sum != mostAmount || d.rolling.asked.total != mostAmount || d.rolling.sent.total != mostAmount {
		t.Errorf("%v units, %d in the window, %d of them sent, want %d", d.amounts.sum, d.rolling.asked.total, d.rolling.sent.total, int64(mostAmount))
	}
	p := Present{Used: math.MaxInt64, Waiting: math.MaxInt64}
	if p50, p95 := d.Until(slotTime(0), p); p50 != 2*mostUnits || p95 != 2*mostUnits {
		t.Errorf("%d to %d are foreseen, want %d", p50, p95, int64(2*mostUnits))
	}
	most := int64(float64(mostUnits))
	if up(2.1) != 3 || up(2) != 2 || up(math.Inf(1)) != most || round(2.5) != 3 || round(2.4) != 2 || round(math.Inf(1)) != most {
		t.Errorf("rounded: %d %d %d %d %d %d", up(2.1), up(2), up(math.Inf(1)), round(2.5), round(2.4), round(math.Inf(1)))
	}
}

// TestShortWindowsAndSlots: at least what is known, at most what was wanted at a time and the root of that more.
func TestShortWindowsAndSlots(t *testing.T) {
	d := NewDemand(rollingOf(time.Minute), nil)
	for range 9 {
		d.Ask(slotTime(0), 1)
	}
	for known, want := range map[int64][2]int64{0: {9, 12}, 11: {11, 12}, 40: {40, 40}} {
		if p50, p95 := d.Until(slotTime(0), Present{Used: known}); p50 != want[0] || p95 != want[1] {
			t.Errorf("with %d used %d to %d are foreseen, want %v", known, p50, p95, want)
		}
	}
	// When the window has passed nothing of it is left but what may come again.
	if p50, p95 := d.Until(slotTime(10./30), Present{}); p50 != 0 || p95 != 4 {
		t.Errorf("two half-lives later %d to %d are foreseen, want 0 to 4: 2.25 and its root, rounded up", p50, p95)
	}
	expected, sent := d.Window(slotTime(0))
	if expected != 9 || sent != 0 {
		t.Errorf("%d are expected and %d sent, want 9 and 0", expected, sent)
	}
	d.Send(slotTime(0), 2)
	if _, sent := d.Window(slotTime(0)); sent != 2 {
		t.Errorf("of two that were sent at an instant that went back %d count", sent)
	}
	d = NewDemand(limits.Limit{Kind: limits.Concurrent}, nil)
	if p50, p95 := d.Until(slotTime(0), Present{Used: 3, Waiting: 4, Left: time.Hour}); p50 != 7 || p95 != 7 {
		t.Errorf("%d to %d slots are foreseen, want 7", p50, p95)
	}
	if p50, p95 := d.Until(slotTime(5./30), Present{Used: 1}); p50 != 1 || p95 != 4 {
		t.Errorf("a half-life later %d to %d slots are foreseen, want 1 to 4", p50, p95)
	}
}

// TestWhatIsAheadIsTheOutlookAtEachPoint, which never falls.
func TestWhatIsAheadIsTheOutlookAtEachPoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTold(t, dayOf())
		c := w.d.Ahead(w.now)
		last50, last95 := 0., 0.
		for i, after := range curveTimes {
			if i > 0 {
				p50, p95 := w.within(after)
				last50, last95 = max(last50, p50), max(last95, p95)
			}
			if c.p50[i] != last50 || c.p95[i] != last95 {
				t.Fatalf("%s ahead %v to %v, want %v to %v", after, c.p50[i], c.p95[i], last50, last95)
			}
		}
	})
	if c := NewDemand(dayOf(), nil).Ahead(slotTime(0)); c != (Curve{}) {
		t.Errorf("without a history %v is ahead", c)
	}
}
