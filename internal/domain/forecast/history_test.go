// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// monday0 is a Monday at midnight.
var monday0 = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// slotTime is so many slots after it.
func slotTime(slots float64) time.Time {
	return monday0.Add(time.Duration(slots * float64(slotLength)))
}

// TestAHistoryCountsByHalfHours: a slot that was seen for half of its time or more is learnt from, as if the rest of it had been alike.
func TestAHistoryCountsByHalfHours(t *testing.T) {
	for name, tc := range map[string]struct {
		begin  float64
		learnt bool
		calls  float32
	}{
		"a whole slot":     {0, true, 12},
		"three quarters":   {0.25, true, 16},
		"just half of it":  {0.5, false, 0},
		"less than half":   {0.75, false, 0},
		"more than a half": {0.4, true, 20},
		"hardly any of it": {0.99, false, 0},
		"almost all of it": {0.04, true, 12.5},
	} {
		h := NewHistory(nil)
		h.Ask(slotTime(tc.begin), 5)
		h.Ask(slotTime(tc.begin), 7)
		h.Ask(slotTime(0.999), -3)
		if h.total != 12 || h.season.seen != 0 {
			t.Errorf("%s: %v calls, %d slots learnt before the end of the first", name, h.total, h.season.seen)
		}
		h.Ask(slotTime(1), 0)
		if (h.season.seen == 1) != tc.learnt || math.Abs(float64(h.season.week[h.zone.local(slotTime(0).Unix()/slotSeconds)]-tc.calls)) > 1e-4 {
			t.Errorf("%s: %d slots learnt, of %v calls, want %v", name, h.season.seen, h.season.week[:3], tc.calls)
		}
		if h.count != 0 || h.missed != 0 || h.slot != slotTime(1).Unix()/slotSeconds {
			t.Errorf("%s: the next slot begins with %v calls, %v of it missed", name, h.count, h.missed)
		}
	}
}

// TestTimeOfAHistory: instants that go back count as the latest, of a gap of more than four weeks only the last four are learnt from.
func TestTimeOfAHistory(t *testing.T) {
	h := NewHistory(nil)
	if passed := h.advance(slotTime(0.25)); passed != 0.25 || h.missed != 0.25 {
		t.Errorf("%v of the first slot has passed, %v was missed, want a quarter", passed, h.missed)
	}
	if passed := h.advance(slotTime(0.5)); passed != 0.5 {
		t.Errorf("%v of it has passed, want half", passed)
	}
	if passed := h.advance(slotTime(0.1)); passed != 0.25 {
		t.Errorf("before what was missed %v of it has passed, want what was missed", passed)
	}
	h.advance(slotTime(1.5))
	if passed := h.advance(slotTime(0.75)); passed != 0 || h.slot != slotTime(1).Unix()/slotSeconds {
		t.Errorf("in an earlier slot %v has passed, want nothing of the latest", passed)
	}
	for gap, want := range map[float64]uint8{1: 1, 100: 100, 4*336 + 1: 255} {
		h := NewHistory(nil)
		h.Ask(slotTime(0), 9)
		h.advance(slotTime(gap))
		if h.season.seen != want {
			t.Errorf("after %v slots %d are learnt, want %d", gap, h.season.seen, want)
		}
	}
	for gap, learnt := range map[float64]bool{4 * 336: true, 4*336 + 1: false} {
		h := NewHistory(nil)
		h.Ask(slotTime(0), 9)
		h.advance(slotTime(gap))
		// A slot that is learnt first has its mean; four weeks of slots without calls follow.
		at := &h.season.week[h.zone.local(slotTime(0).Unix()/slotSeconds)]
		if (*at > 0) != learnt || h.count != 0 || h.missed != 0 || h.slot != slotTime(gap).Unix()/slotSeconds {
			t.Errorf("after a gap of %v slots a slot of a month ago has %v calls; %v missed", gap, *at, h.missed)
		}
		sum := 0
		for _, seen := range h.season.weekSeen {
			sum += int(seen)
		}
		if want := map[bool]int{true: 4 * 336, false: 4*336 - 1}[learnt]; sum != want {
			t.Errorf("after a gap of %v slots %d are learnt, want %d", gap, sum, want)
		}
	}
}

// TestACallIsCountedAtMost: sums of counts do not overflow.
func TestACallIsCountedAtMost(t *testing.T) {
	h := NewHistory(nil)
	h.Ask(slotTime(0), math.MaxInt64)
	if h.count != mostAmount || h.total != mostAmount {
		t.Errorf("%v calls, %v in all, want %v", h.count, h.total, float64(mostAmount))
	}
}

// TestEachForecastIsScoredAtItsEnd: for each span one begins every so many slots, and is scored with the calls that came within it.
func TestEachForecastIsScoredAtItsEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := NewHistory(nil)
		var calls []int64
		first := slotTime(0).Unix() / slotSeconds
		type made struct {
			mean, spread float32
			from         int64
		}
		pending, scored := [len(spans)]map[int64]made{}, [len(spans)]int{}
		for i := range pending {
			pending[i] = map[int64]made{}
		}
		for slot := range int64(rapid.IntRange(2, 700).Draw(t, "slots")) {
			n := slot*slot%7 + slot%48/3
			calls = append(calls, n)
			h.Ask(slotTime(float64(slot)), n)
			before := h.spans
			seen := h.season.seen
			h.advance(slotTime(float64(slot + 1)))
			now := first + slot + 1
			for i, s := range spans {
				if p, due := pending[i][now-s.length]; due {
					scored[i]++
					came := int64(0)
					for k := range s.length {
						came += calls[slot-k]
					}
					want := before[i].residuals[groupOf(float64(p.mean), float64(p.spread))]
					want.observe((float64(came)-float64(p.mean))/float64(p.spread), 1344/float64(s.every), 0.0005*float64(s.every))
					if got := h.spans[i].residuals[groupOf(float64(p.mean), float64(p.spread))]; got != want {
						t.Fatalf("slot %d: the forecast of %v calls in %d slots was not scored with %d", slot, p.mean, s.length, came)
					}
					delete(pending[i], now-s.length)
				} else if h.spans[i].seen != before[i].seen {
					t.Fatalf("slot %d: span %d was scored, no forecast ends", slot, s.length)
				}
				if now%s.every == 0 {
					p := h.pendingOf(i, now)
					if p.from != now || p.before != h.total {
						t.Fatalf("slot %d: no forecast begins for %d slots: %+v", slot, s.length, p)
					}
					pending[i][now] = made{p.mean, p.spread, now}
				}
			}
			if h.season.seen != next(seen) {
				t.Fatalf("slot %d was not learnt", slot)
			}
		}
		for i, n := range scored {
			if min(255, n) != int(h.spans[i].seen) {
				t.Fatalf("span %d was scored %d times, want %d", i, h.spans[i].seen, n)
			}
		}
	})
}

// TestTheErrorOfASlotIsThatOfItsForecast, where one was made a slot before; else of what is usual.
func TestTheErrorOfASlotIsThatOfItsForecast(t *testing.T) {
	h := NewHistory(nil)
	h.Ask(slotTime(0), 10)
	h.advance(slotTime(1))
	local := h.zone.local(h.slot)
	if got := h.season.weekSquare[local-1]; got != 100 {
		t.Errorf("the first slot was wrong by a square of %v, want 100: nothing was usual", got)
	}
	foreseen := float64(h.pendingOf(0, h.slot).mean)
	h.Ask(slotTime(1), 40)
	h.advance(slotTime(2))
	h.pending = [pendingForecasts]pendingForecast{} // as after a restart
	usual := h.season.usual(local + 1)
	h.Ask(slotTime(2), 70)
	if got, want := float64(h.season.weekSquare[local]), (40-foreseen)*(40-foreseen); foreseen == 0 || math.Abs(got-want) > 1e-3*want {
		t.Errorf("the second slot was wrong by a square of %v, want %v: %v were foreseen", got, want, foreseen)
	}
	h.advance(slotTime(3))
	if got, want := float64(h.season.weekSquare[local+1]), (70-usual)*(70-usual); usual == 0 || math.Abs(got-want) > 1e-3*want {
		t.Errorf("the third slot was wrong by a square of %v, want %v: %v were usual", got, want, usual)
	}
}

// TestPlacesOfForecastsAreTheirOwn: as many as are pending at a time, of all spans.
func TestPlacesOfForecastsAreTheirOwn(t *testing.T) {
	h, places := NewHistory(nil), map[*pendingForecast]bool{}
	for i, s := range spans {
		for from := int64(0); from < s.length; from += s.every {
			p := h.pendingOf(i, from+s.length*1000)
			if places[p] {
				t.Errorf("the forecast for %d slots from %d on has no place of its own", s.length, from)
			}
			places[p] = true
		}
	}
	if len(places) != pendingForecasts {
		t.Errorf("%d places are used, want %d", len(places), pendingForecasts)
	}
}
