// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestFiguresKeepEightBits: of every magnitude, and are read within the range that is allowed.
func TestFiguresKeepEightBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.OneOf(rapid.Float64Range(-1000, -1e-9), rapid.Float64Range(1e-9, 1e30), rapid.Just(0.)).Draw(t, "x")
		var w writer
		w.figure(x)
		r := reader{w.bytes, true}
		if got := r.figure(-1000, 1e30); !r.ok || len(w.bytes) != 2 || math.Abs(got-x) > math.Abs(x)/256 {
			t.Fatalf("%v is kept as %v in %d bytes", x, got, len(w.bytes))
		}
	})
	for name, tc := range map[string]struct{ x, least, most, want float64 }{
		"the least":                      {1, 1, 2, 1},
		"the most":                       {2, 1, 2, 2},
		"less than the least":            {0.99, 1, 2, -1},
		"more than the most":             {2.04, 1, 2, -1},
		"rounded up past the most":       {1.999, 1, 1.999, 1.999},
		"not a number":                   {math.NaN(), 1, 2, -1},
		"more than any":                  {math.Inf(1), 1, 2, -1},
		"rounded to the nearest of 256":  {1 + 0.6/128, 1, 2, 1 + 1./128},
		"rounded down if that is nearer": {1 + 0.4/128, 1, 2, 1},
	} {
		var w writer
		w.figure(tc.x)
		r := reader{w.bytes, true}
		got := r.figure(tc.least, tc.most)
		if tc.want < 0 {
			if r.ok || got != 0 {
				t.Errorf("%s: %v is read", name, got)
			}
		} else if !r.ok || got != tc.want {
			t.Errorf("%s: %v is read, %t, want %v", name, got, r.ok, tc.want)
		}
	}
}

// TestWeightsAreKeptInOneByte, to a twelfth of an octave.
func TestWeightsAreKeptInOneByte(t *testing.T) {
	for x, want := range map[float64]float64{
		0: 0, -1: 0, 1: 1, 2: 2, 0.5: 0.5, 1e-9: 0, 1. / 1024: 1. / 1024, 1e9: math.Exp2(254/12. - 10), 1.03: math.Exp2(1 / 12.), 1.029: 1,
	} {
		var w writer
		w.weight(float32(x))
		r := reader{w.bytes, true}
		if got := r.weight(); len(w.bytes) != 1 || math.Abs(float64(got)-want) > 1e-5*want {
			t.Errorf("%v is kept as %v, want %v", x, got, want)
		}
	}
}

// TestAReaderStopsAtTheEnd: what is not there is nothing, and makes the whole no snapshot; so does what is left over.
func TestAReaderStopsAtTheEnd(t *testing.T) {
	w := writer{}
	w.number(7)
	w.integer(300)
	w.number(9)
	r := reader{w.bytes, true}
	if a, b, c := r.number(), r.integer(), r.number(); a != 7 || b != 300 || c != 9 || r.done() != nil {
		t.Errorf("%d %d %d were read: %v", a, b, c, r.done())
	}
	if n := r.number(); n != 0 || r.ok || r.done() == nil {
		t.Errorf("past the end %d is read", n)
	}
	r = reader{w.bytes, true}
	if r.number(); r.done() == nil {
		t.Error("something is left over")
	}
}

// TestNothingIsReadAfterSomethingWrong, and a number that does not end, or is too large, is wrong.
func TestNothingIsReadAfterSomethingWrong(t *testing.T) {
	for name, bytes := range map[string][]byte{"nothing": nil, "one that does not end": {0x80}, "one that is too large": slices.Repeat([]byte{0xff}, 12)} {
		r := reader{bytes, true}
		if n := r.integer(); n != 0 || r.ok {
			t.Errorf("%s is read as %d", name, n)
		}
	}
	r := reader{[]byte{1, 2, 3, 4, 5, 6, 7, 8}, false}
	if r.number() != 0 || r.integer() != 0 || r.figure(0, 1) != 0 || len(r.take(3)) != 3 || r.ok {
		t.Error("after something wrong something is read")
	}
}

// TestASeal has the kind at the begin and a check sum of all that was written at the end.
func TestASeal(t *testing.T) {
	w := writer{bytes: []byte("before")}
	w.number(0x42)
	w.integer(5)
	all := w.seal(len("before"))
	sealed := all[len("before"):]
	if len(sealed) != 6 || binary.BigEndian.Uint32(sealed[2:]) != crc32.ChecksumIEEE([]byte{0x42, 5}) {
		t.Fatalf("sealed is %x", sealed)
	}
	if r := unseal(sealed, 0x42); !r.ok || !slices.Equal(r.bytes, []byte{5}) {
		t.Errorf("unsealed is %+v", r)
	}
	for name, bytes := range map[string][]byte{"of another kind": sealed, "only a check sum": binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(nil)), "three bytes": {1, 2, 3}} {
		if r := unseal(bytes, 0x43); r.ok || r.bytes != nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
	one := writer{}
	one.number(0x42)
	if r := unseal(one.seal(0), 0x42); !r.ok || len(r.bytes) != 0 {
		t.Errorf("a kind alone is unsealed as %+v", r)
	}
}

// roughly says whether a figure is what was stored, to its eight bits.
func roughly(a, b float64) bool { return math.Abs(a-b) <= math.Max(math.Abs(a), math.Abs(b))/128 }

// TestAHistoryIsStoredWhole: every figure of the week and the day, of the level of the last day and of each span.
func TestAHistoryIsStoredWhole(t *testing.T) {
	h := NewHistory(nil)
	for slot := range 400 {
		h.Ask(slotTime(float64(slot)), int64(slot%48+slot%7))
	}
	h.total = 12345
	stored := h.Snapshot([]byte("before"))
	n := NewHistory(nil)
	n.total = 99
	if err := n.Restore(stored[len("before"):]); err != nil {
		t.Fatal(err)
	}
	sameSeason(t, &n.season, &h.season)
	got, want := n.recent.level, h.recent.level
	if !roughly(got.asked, want.asked) || !roughly(got.usual, want.usual) || !roughly(got.slots, want.slots) {
		t.Errorf("the level is %+v, stored was %+v", got, want)
	}
	for i := range spans {
		sameSpan(t, &n.spans[i], &h.spans[i])
	}
	if n.total != 99 || n.started || n.recent.present != (decayed{}) {
		t.Errorf("%v calls in all, started: %t", n.total, n.started)
	}
}

// sameFigures says of which figures those that were stored are not what they were, to eight bits.
func sameFigures(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if !roughly(float64(got[i]), float64(want[i])) {
			t.Errorf("%s %d: %v, stored was %v", what, i, got[i], want[i])
		}
	}
}

func sameSeason(t *testing.T, a, b *season) {
	t.Helper()
	sameFigures(t, "slot of the week", a.week[:], b.week[:])
	sameFigures(t, "square in the week", a.weekSquare[:], b.weekSquare[:])
	sameFigures(t, "slot of the day", a.day[:], b.day[:])
	sameFigures(t, "square in the day", a.daySquare[:], b.daySquare[:])
	sameFigures(t, "overall", []float32{a.overall}, []float32{b.overall})
	if a.weekSeen != b.weekSeen || a.daySeen != b.daySeen || a.seen != b.seen {
		t.Error("how often slots were seen differs")
	}
	again := *a
	again.sum()
	if again != *a {
		t.Error("the sums are not those of what was restored")
	}
}

func sameSpan(t *testing.T, got, want *span) {
	t.Helper()
	sameFigures(t, "off", got.off[:], want.off[:])
	sameFigures(t, "unfit", got.unfit[:], want.unfit[:])
	sameFigures(t, "wrong and foreseen", []float32{got.wrong, got.foreseen}, []float32{want.wrong, want.foreseen})
	if got.seen != want.seen {
		t.Errorf("it was scored %d times, stored was %d", got.seen, want.seen)
	}
	again := *got
	if again.weigh(); again.weights != got.weights {
		t.Error("the weights are not those of the scores")
	}
	for j := range got.residuals {
		sameResiduals(t, &got.residuals[j], &want.residuals[j])
	}
}

func sameResiduals(t *testing.T, got, want *residuals) {
	t.Helper()
	for i, w := range want.weight {
		if g := got.weight[i]; w > 1./1024 && math.Abs(math.Log2(float64(g/w))) > 1/24.+1e-3 {
			t.Errorf("residuals in bin %d: %v, stored were %v", i, g, w)
		}
	}
	if !roughly(float64(got.miss), float64(want.miss)) || math.Abs(float64(got.p95-want.p95)) > 0.1 || math.Abs(float64(got.p50-want.p50)) > 0.1 {
		t.Errorf("miss, p50 and p95 are %v %v %v, stored were %v %v %v", got.miss, got.p50, got.p95, want.miss, want.p50, want.p95)
	}
}

// TestADemandIsStoredWhole: amounts by the calls that were counted since, and what forecasts to the end of the period were off by.
func TestADemandIsStoredWhole(t *testing.T) {
	h := NewHistory(nil)
	h.total = 1000
	d := NewDemand(dayOf(), h)
	for slot := range 150 {
		h.Ask(slotTime(float64(slot)), 1)
		d.Ask(slotTime(float64(slot)), int64(slot%5))
	}
	mean, variance := d.amounts.moments(h.total)
	stored := d.Snapshot([]byte("before"))
	later := NewHistory(nil)
	later.total = 77
	n := NewDemand(dayOf(), later)
	if err := n.Restore(stored[len("before"):]); err != nil {
		t.Fatal(err)
	}
	if got, gotVariance := n.amounts.moments(77); math.Abs(got/mean-1) > 0.02 || math.Abs(gotVariance/variance-1) > 0.05 {
		t.Errorf("amounts are %v, variance %v, stored were %v, %v", got, gotVariance, mean, variance)
	}
	for i := range checks {
		if got, want := n.renewal.checks[i], d.renewal.checks[i]; got.seen != want.seen || !roughly(float64(got.square), float64(want.square)) || got.made {
			t.Errorf("check %d is %+v, stored was %+v", i, got, want)
		}
	}
	for j := range n.renewal.residuals {
		sameResiduals(t, &n.renewal.residuals[j], &d.renewal.residuals[j])
	}
	if n.renewal.location != time.UTC || n.renewal.period != d.renewal.period || !n.renewal.end.IsZero() {
		t.Errorf("the period is %v in %s", n.renewal.period, n.renewal.location)
	}
}

// TestAmountsOfAnotherHistory are stored by the calls that it had counted since, none if it has counted less; without a history they stay as they are.
func TestAmountsOfAnotherHistory(t *testing.T) {
	h := NewHistory(nil)
	h.total = 1000
	alone := NewDemand(rollingOf(time.Minute), nil)
	alone.amounts = amounts{sum: 5}
	if err := alone.Restore(alone.Snapshot(nil)); err != nil || alone.amounts.sum != 5 {
		t.Errorf("without a history: %v, %+v", err, alone.amounts)
	}
	rolling := NewDemand(rollingOf(time.Minute), h)
	rolling.amounts = amounts{sum: 5, squares: 9, since: h.total + 3} // of a history that has counted less since
	if err := rolling.Restore(rolling.Snapshot(nil)); err != nil || rolling.amounts.since != h.total || !roughly(rolling.amounts.squares, 9) {
		t.Errorf("of a later history: %v, %+v", err, rolling.amounts)
	}
}

// TestAnAdvisorIsStoredWhole: the days, and the sizes that were tried.
func TestAnAdvisorIsStoredWhole(t *testing.T) {
	a := seenDays()
	stored := a.Snapshot([]byte("before"))[len("before"):]
	b := NewAdvisor(rollingOf(time.Minute), adviceTargets)
	if err := b.Restore(stored); err != nil {
		t.Fatal(err)
	}
	for i := range a.days {
		x, y := a.days[i], b.days[i]
		if y.day != x.day {
			t.Errorf("day %d is %d, stored was %d", i, y.day, x.day)
		}
		figures := func(d *adviceDay) (all []float32) {
			all = append([]float32{d.seconds}, d.units[:]...)
			for k := range d.late {
				all = append(all, d.late[k][:]...)
			}
			return append(all, d.waits[:]...)
		}
		sameFigures(t, "figure of a day", figures(&y), figures(&x))
	}
}

// seenDays is an advisor that has seen fourteen days.
func seenDays() *Advisor {
	a := NewAdvisor(rollingOf(time.Minute), adviceTargets)
	for i := range a.days {
		d := &a.days[i]
		d.day, d.seconds, d.units = int64(14*1000+i), float32(i+1), [classes]float32{float32(i + 2), float32(i + 3)}
		for k := range d.late {
			d.late[k] = [classes]float32{float32(i + k), float32(i + 2*k)}
		}
		for k := range d.waits {
			d.waits[k] = float32(i * k)
		}
	}
	return a
}

// TestAnAdvisorOfAnotherSizeIsRestored, with what would have been late with its size.
func TestAnAdvisorOfAnotherSizeIsRestored(t *testing.T) {
	stored := seenDays().Snapshot(nil)
	larger := rollingOf(time.Minute)
	larger.Max = 20
	c := NewAdvisor(larger, adviceTargets)
	if err := c.Restore(stored); err != nil {
		t.Fatal(err)
	}
	want := seenDays()
	want.SetMax(20)
	if c.first != 10 || c.trials[inForce].size != 20 || c.trials[8].size != 10 || !roughly(float64(c.days[3].late[inForce][1]), float64(want.days[3].late[inForce][1])) || c.days[3].waits[5] != 0 {
		t.Errorf("of another size: tried around %d, %v in force, late %v, want %v", c.first, c.trials[inForce].size, c.days[3].late[inForce], want.days[3].late[inForce])
	}
}

// TestDaysAndSizesHaveBounds: of what is stored, none is restored that is beyond them, and all that is not.
func TestDaysAndSizesHaveBounds(t *testing.T) {
	for name, change := range map[string]func(a *Advisor){
		"a day in another's place":   func(a *Advisor) { a.days[3].day++ },
		"a day of a far future":      func(a *Advisor) { a.days[4].day = 1 << 32 / 14 * 14 * 14 * 14 },
		"the first day past the end": func(a *Advisor) { a.days[(1<<32)%14].day = 1 << 32 },
		"no size":                    func(a *Advisor) { a.first = 0 },
		"a size that is too large":   func(a *Advisor) { a.first = math.MaxInt64/16 + 1 },
		"a negative time":            func(a *Advisor) { a.days[3].seconds = -1 },
	} {
		bad := seenDays()
		change(bad)
		was := NewAdvisor(rollingOf(time.Minute), adviceTargets)
		if err := was.Restore(bad.Snapshot(nil)); err == nil || was.days != [advisedDays]adviceDay{} || was.first != 10 {
			t.Errorf("%s is restored: %v", name, err)
		}
	}
	for name, change := range map[string]func(a *Advisor){
		"a day that was not seen": func(a *Advisor) { a.days[3].day = 0 },
		"the last day there is":   func(a *Advisor) { a.days[(1<<32-1)%14].day = 1<<32 - 1 },
		"the smallest size":       func(a *Advisor) { a.first = 1 },
		"the largest size":        func(a *Advisor) { a.first = math.MaxInt64 / 16 },
	} {
		good := seenDays()
		change(good)
		if err := NewAdvisor(rollingOf(time.Minute), adviceTargets).Restore(good.Snapshot(nil)); err != nil {
			t.Errorf("%s is not restored: %v", name, err)
		}
	}
}

// TestWhatCannotBeStoredIsNotRestored: figures beyond what a forecast can be made from, and residuals of which there are none.
func TestWhatCannotBeStoredIsNotRestored(t *testing.T) {
	for name, change := range map[string]func(h *History){
		"negative calls":           func(h *History) { h.season.week[3] = -1 },
		"too many calls":           func(h *History) { h.season.week[3] = 2 * mostCalls },
		"a negative square":        func(h *History) { h.season.weekSquare[3] = -1 },
		"too large a square":       func(h *History) { h.season.weekSquare[3] = 2 * mostSquare },
		"negative calls of a day":  func(h *History) { h.season.day[3] = -1 },
		"too many calls of a day":  func(h *History) { h.season.day[3] = 2 * mostCalls },
		"a negative square, too":   func(h *History) { h.season.daySquare[3] = -1 },
		"too large a square, too":  func(h *History) { h.season.daySquare[3] = 2 * mostSquare },
		"overall less than none":   func(h *History) { h.season.overall = -1 },
		"overall too many":         func(h *History) { h.season.overall = 2 * mostCalls },
		"a level of less than 0":   func(h *History) { h.recent.level.asked = -1 },
		"less than 0 are usual":    func(h *History) { h.recent.level.usual = -1 },
		"less than 0 slots":        func(h *History) { h.recent.level.slots = -1 },
		"off by less than nothing": func(h *History) { h.spans[1].off[2] = -1 },
		"off by too much":          func(h *History) { h.spans[1].off[2] = 2 * mostSquare },
		"fits far too well":        func(h *History) { h.spans[1].unfit[1] = -51 },
		"fits far too badly":       func(h *History) { h.spans[1].unfit[1] = 101 },
		"a negative error":         func(h *History) { h.spans[1].wrong = -1 },
		"too large an error":       func(h *History) { h.spans[1].wrong = 2 * mostSquare },
		"a negative forecast":      func(h *History) { h.spans[1].foreseen = -1 },
		"too large a forecast":     func(h *History) { h.spans[1].foreseen = 2 * mostSquare },
		"no residuals":             func(h *History) { h.spans[1].residuals[1].weight = [residualBins]float32{} },
		"a negative part":          func(h *History) { h.spans[1].residuals[1].miss = -0.1 },
		"more than all":            func(h *History) { h.spans[1].residuals[1].miss = 1.1 },
	} {
		h, n := NewHistory(nil), NewHistory(nil)
		change(h)
		if err := n.Restore(h.Snapshot(nil)); err == nil {
			t.Errorf("%s: is restored", name)
		}
	}
	h := NewHistory(nil)
	h.recent.level = decayed{asked: 1e300, usual: 1e300, slots: 1e300}
	h.spans[1].residuals[1].miss, h.spans[1].residuals[2].miss = 0, 1
	if err := h.Restore(h.Snapshot(nil)); err != nil || !roughly(h.recent.level.asked, mostSum) {
		t.Errorf("sums are stored as large as they may be: %v, %v", err, h.recent.level)
	}
	if low, high := h.spans[1].residuals[1].miss, h.spans[1].residuals[2].miss; low != leastMiss || high != mostMiss {
		t.Errorf("%v and %v of the outcomes are to lie above p95, want %v and %v", low, high, leastMiss, mostMiss)
	}
	for name, change := range map[string]func(d *Demand){
		"negative amounts":   func(d *Demand) { d.amounts.sum = -1 },
		"negative squares":   func(d *Demand) { d.amounts.squares = -1 },
		"a negative square":  func(d *Demand) { d.renewal.checks[5].square = -1 },
		"too large a square": func(d *Demand) { d.renewal.checks[5].square = 2 * mostSquare },
		"no residuals":       func(d *Demand) { d.renewal.residuals[1].weight = [residualBins]float32{} },
	} {
		d, n := NewDemand(dayOf(), h), NewDemand(dayOf(), h)
		before := n.amounts
		d.amounts.sum = 3
		change(d)
		if err := n.Restore(d.Snapshot(nil)); err == nil || n.amounts != before {
			t.Errorf("%s: is restored: %+v", name, n.amounts)
		}
	}
	d := NewDemand(dayOf(), h)
	d.amounts = amounts{sum: 1e40, squares: 1e40}
	if err := d.Restore(d.Snapshot(nil)); err == nil {
		t.Errorf("a sum of 1e30 is restored: %v", d.amounts)
	}
}
