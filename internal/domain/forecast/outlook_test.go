// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// drawHistory draws one that has learnt some days, and the part of its present slot that has passed.
func drawHistory(t *rapid.T) (h *History, passed float64) {
	h = NewHistory(nil)
	at := rapid.SampledFrom([]float64{0, 0.25, 30.6}).Draw(t, "begin")
	for range rapid.IntRange(0, 40).Draw(t, "asks") {
		h.Ask(slotTime(at), rapid.SampledFrom([]int64{0, 1, 5, 60}).Draw(t, "calls"))
		at += rapid.SampledFrom([]float64{0.1, 0.75, 1, 3, 20}).Draw(t, "pass")
	}
	h.Ask(slotTime(at), rapid.Int64Range(0, 20).Draw(t, "calls now"))
	return h, h.advance(slotTime(at + rapid.SampledFrom([]float64{0, 0.01, 0.2}).Draw(t, "since")))
}

// usually is what is usual, by the sums, in a part of a week or a day from a position on, slot by slot.
func usually(sums []float32, position, length float64) (n float64) {
	for i := int(position); float64(i) < position+length; i++ {
		part := min(position+length, float64(i+1)) - max(position, float64(i))
		at := i % (len(sums) - 1)
		n += part * float64(sums[at+1]-sums[at])
	}
	return n
}

// TestEachViewIsWhatItSays: what is usual in the week and on all days; that by the level of the last day and of the last half hour; with the present departure
// from it, which fades; and with what should have come today.
func TestEachViewIsWhatItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, passed := drawHistory(t)
		o := h.outlook(passed)
		local := h.zone.local(h.slot)
		inWeek, inDay, s := float64(local)+passed, float64(local%48)+passed, &h.season
		length := rapid.OneOf(rapid.SampledFrom([]float64{0.1, 1, 47, 336, 1000}), rapid.Float64Range(0, 100)).Draw(t, "length")
		v, q := o.look(length)
		same := func(what string, got, want float64) {
			if math.Abs(got-want) > 1e-3*(1+math.Abs(want)) {
				t.Fatalf("%s: %v, want %v, in %v slots, %v of slot %d has passed", what, got, want, length, passed, h.slot)
			}
		}
		observed := passed - h.missed
		if s.seen == 0 { // nothing else is known
			for _, got := range v {
				same("the first rate", got, length*h.count/max(0.25, observed))
			}
			if h.count > 0 {
				return
			}
		}
		// Lately, the part of the present slot included that has passed.
		lately := func(r decayed, halfLife float64) decayed {
			if observed > 0 {
				keep := math.Pow(0.5, observed/halfLife)
				return decayed{r.asked*keep + h.count, r.usual*keep + observed*s.usual(local), r.slots*keep + observed}
			}
			return r
		}
		level, present := lately(h.recent.level, 36), lately(h.recent.present, 1)
		damping := 2 + float64(s.overall)/2
		of := func(d decayed, damping float64) float64 {
			return max(0.125, min((d.asked+damping)/(d.usual+damping), 8))
		}
		atLevel, atPresent := of(level, 2*damping), of(present, damping)
		week := usually(s.weekSums[:], inWeek, length)
		same("what is usual", v[usualView], week)
		same("at the level of the last day", v[levelView], week*atLevel)
		same("at the level of the last half hour", v[presentView], week*atPresent)
		same("what is usual on all days", v[dailyView], usually(s.daySums[:], inDay, length))
		beyond := (present.asked - present.usual*atLevel) / max(0.5, present.slots)
		// A departure that fades e times in six slots, summed up.
		same("what fades", v[fadingView], max(0, week*atLevel+beyond*6*(1-math.Exp(-length/6))))
		due := h.recent.todayUsual - h.recent.today
		if observed > 0 {
			due += observed*s.usual(local) - h.count
		}
		if inDay+length < 48 {
			due *= (week + 0.01) / (usually(s.weekSums[:], inWeek, 48-inDay) + 0.01)
		}
		same("what is due", v[dueView], max(0, week+due))
		scale := max(1, atLevel)
		same("the square error by the week", q[weekSpread], scale*scale*usually(s.weekSquares[:], inWeek, length))
		same("the square error by the day", q[daySpread], scale*scale*usually(s.daySquares[:], inDay, length))
		if q[overallSpread] != 0 {
			t.Fatalf("the overall spread is %v before there is a forecast", q[overallSpread])
		}
	})
}

// TestForecastsAreBetweenThoseOfTheSpansAroundThem, straight from the shorter to the longer one; what is longer than all goes by the longest, what is shorter
// by the shortest.
func TestForecastsAreBetweenThoseOfTheSpansAroundThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, passed := drawHistory(t)
		for i := range h.spans { // as different as can be
			for j := range h.spans[i].residuals {
				r := &h.spans[i].residuals[j]
				r.p50, r.p95 = float32(i)*0.1, float32(i)*0.3
			}
		}
		o := h.outlook(passed)
		length := rapid.OneOf(rapid.SampledFrom([]float64{0.5, 1, 2, 64, 336, 700}), rapid.Float64Range(0, 400)).Draw(t, "length")
		v, q := o.look(length)
		lower, upper := 0, 0
		for i, s := range spans {
			if float64(s.length) <= length {
				lower, upper = i, i
			} else if i == lower+1 && float64(spans[lower].length) < length {
				upper = i
			}
		}
		want50, want95 := h.spans[lower].quantiles(&v, &q, length)
		if upper != lower {
			p50, p95 := h.spans[upper].quantiles(&v, &q, length)
			a, b := float64(spans[lower].length), float64(spans[upper].length)
			part := (length - a) / (b - a)
			want50, want95 = want50+part*(p50-want50), want95+part*(p95-want95)
		}
		if p50, p95 := o.ahead(length); math.Abs(p50-want50) > 1e-6*(1+want50) || math.Abs(p95-want95) > 1e-6*(1+want95) {
			t.Fatalf("%v to %v in %v slots, want %v to %v", p50, p95, length, want50, want95)
		}
	})
}

// TestAForecastIsNotedAsItIsMade, with all views and spreads, to be scored later.
func TestAForecastIsNotedAsItIsMade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, _ := drawHistory(t)
		h.slot -= h.slot % 16
		o := h.outlook(0)
		for i, s := range spans {
			o.pend(h, i)
			p := h.pendingOf(i, h.slot)
			v, q := o.look(float64(s.length))
			mean, spread := h.spans[i].forecast(&v, &q, float64(s.length))
			if p.mean != float32(mean) || p.spread != float32(spread) || p.from != h.slot || p.before != h.total {
				t.Fatalf("%+v is noted, want %v with a spread of %v", p, mean, spread)
			}
			for k := range v {
				if p.views[k] != float32(v[k]) {
					t.Fatalf("view %d is noted as %v, want %v", k, p.views[k], v[k])
				}
			}
			for k := range q {
				if p.squares[k] != float32(q[k]) {
					t.Fatalf("spread %d is noted as %v, want %v", k, p.squares[k], q[k])
				}
			}
		}
	})
}
