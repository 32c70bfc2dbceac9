// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"testing"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// adviceTargets are those of the advisors of these tests.
var adviceTargets = Targets{Waiting: 8 * time.Second, Queued: time.Hour}

// sees is an advisor of a limit of 1,000 that has seen a day with a thousand units of both classes, of which parts were late with limits of that size or less.
func sees(name string, lateUpTo float64, waiting, queued float32) *Advisor {
	a := NewAdvisor(limits.Limit{Name: name, Kind: limits.Rolling, Max: 1000, Window: time.Minute}, adviceTargets)
	d := &a.days[3]
	d.day, d.seconds, d.units = 3+advisedDays, leastSeconds, [classes]float32{1000, 1000}
	for i := range trials {
		if a.trials[i].size <= lateUpTo {
			d.late[i] = [classes]float32{1000 * waiting, 1000 * queued}
		}
	}
	return a
}

func TestWhatIsAdvised(t *testing.T) {
	short := func() *Advisor { return sees("minute", 1000, 0.3, 0) }
	enough := func() *Advisor { return sees("hour", 500, 0.3, 0) }
	little := func(change func(d *adviceDay)) *Advisor {
		a := short()
		change(&a.days[3])
		return a
	}
	// large is a limit of 10,000 that is late up to some times that.
	large := func(times float64) *Advisor {
		a := sees("large", 0, 0, 0)
		a.limit.Max = 10_000
		a.try(10_000)
		for i := range trials {
			a.days[3].late[i] = [classes]float32{}
			if i == inForce || a.trials[i].size <= 10_000*times {
				a.days[3].late[i][waitingClass] = 300
			}
		}
		return a
	}
	// The next size, 1,190, would do: from 30 % to none late, 5 % are at five sixths of the way.
	const needed = 1156
	for name, tc := range map[string]struct {
		advisors []*Advisor
		after    bool // the advice before was that it is inadequate
		want     Advice
		none     bool
	}{
		"it is enough":                       {advisors: []*Advisor{enough()}, want: Advice{Adequate: true, Tier: "small"}},
		"it is short":                        {advisors: []*Advisor{short()}, want: Advice{Limit: "minute", Needed: needed, Tier: "middle"}},
		"one of two is short":                {advisors: []*Advisor{enough(), short()}, want: Advice{Limit: "minute", Needed: needed, Tier: "middle"}},
		"the one that is shorter is told":    {advisors: []*Advisor{short(), sees("hour", 2000, 0.3, 0)}, want: Advice{Limit: "hour", Needed: 2312}},
		"in any order":                       {advisors: []*Advisor{sees("hour", 2000, 0.3, 0), short()}, want: Advice{Limit: "hour", Needed: 2312}},
		"the first of two that are as short": {advisors: []*Advisor{short(), sees("hour", 1000, 0.3, 0)}, want: Advice{Limit: "minute", Needed: needed}},
		"by the part of itself": {
			advisors: []*Advisor{sees("minute", 1000, 0.3, 0), large(1.3)}, want: Advice{Limit: "large", Needed: 13_741},
		},
		"the larger of two that are as short": {
			advisors: []*Advisor{sees("minute", 2000, 0.3, 0), large(1.3)}, want: Advice{Limit: "minute", Needed: 2312},
		},
		"no size is enough":      {advisors: []*Advisor{sees("minute", math.Inf(1), 0.3, 0)}, want: Advice{Limit: "minute"}},
		"none is worse than any": {advisors: []*Advisor{sees("minute", math.Inf(1), 0.3, 0), sees("hour", 2000, 0.3, 0)}, want: Advice{Limit: "minute"}},
		"wherever it is":         {advisors: []*Advisor{sees("hour", 2000, 0.3, 0), sees("minute", math.Inf(1), 0.3, 0)}, want: Advice{Limit: "minute"}},
		"only queued calls are late": {
			advisors: []*Advisor{sees("minute", 1000, 0.049, 0.3)}, want: Advice{Limit: "minute", Needed: needed, Queued: true, Tier: "middle"},
		},
		"queued calls are late, too":  {advisors: []*Advisor{sees("minute", 1000, 0.3, 0.3)}, want: Advice{Limit: "minute", Needed: needed, Tier: "middle"}},
		"not one in twenty is late":   {advisors: []*Advisor{sees("minute", 1000, 0.049, 0.049)}, want: Advice{Adequate: true, Tier: "small"}},
		"nearly, after too many were": {advisors: []*Advisor{sees("minute", 1000, 0.049, 0)}, after: true, want: Advice{Limit: "minute", Needed: 1001, Tier: "small"}},
		"nor of queued ones": {
			advisors: []*Advisor{sees("minute", 1000, 0, 0.049)}, after: true, want: Advice{Limit: "minute", Needed: 1001, Queued: true, Tier: "small"},
		},
		"but four in a hundred": {advisors: []*Advisor{sees("minute", 1000, 0.04, 0.04)}, after: true, want: Advice{Adequate: true, Tier: "small"}},
		"half a day was seen":   {advisors: []*Advisor{little(func(d *adviceDay) { d.seconds = leastSeconds - 1 })}, none: true, want: Advice{Adequate: true}},
		"hardly any call was seen": {
			advisors: []*Advisor{little(func(d *adviceDay) { d.units = [classes]float32{9, 10} })}, none: true, want: Advice{Adequate: true},
		},
		"enough of both classes together": {
			advisors: []*Advisor{little(func(d *adviceDay) { d.units, d.late = [classes]float32{10, 10}, [trials][classes]float32{} })},
			want:     Advice{Adequate: true, Tier: "small"},
		},
		"what was hardly seen is left out": {
			advisors: []*Advisor{little(func(d *adviceDay) { d.seconds = 1 }), enough()}, want: Advice{Adequate: true, Tier: "small"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tiers := []Tier{{"none", map[string]int64{"minute": 249, "hour": 1}}, {"small", map[string]int64{"minute": 250}}, {"middle", map[string]int64{"minute": needed, "hour": 1000}}}
			got, ok := Advise(tc.advisors, tiers, !tc.after)
			if got != tc.want || ok == tc.none {
				t.Errorf("Advise() = %+v, %t, want %+v, %t", got, ok, tc.want, !tc.none)
			}
		})
	}
}

// TestTheWaitIsThatOfTheWorstLimit and what 19 of 20 calls did not pass.
func TestTheWaitIsThatOfTheWorstLimit(t *testing.T) {
	a, b := sees("minute", 0, 0, 0), sees("hour", 0, 0, 0)
	a.days[3].waits[0], a.days[3].waits[5], a.days[3].waits[9] = 90, 5, 5
	b.days[3].waits[0], b.days[3].waits[2] = 949, 51
	if got, _ := Advise([]*Advisor{a, b}, nil, true); got.Wait != longestWait(5) {
		t.Errorf("the wait is %s, want %s", got.Wait, longestWait(5))
	}
	a.days[3].waits[9]++ // now 95 are not 19 of 20
	if got, _ := Advise([]*Advisor{b, a}, nil, true); got.Wait != longestWait(9) {
		t.Errorf("with one more that is late the wait is %s, want %s", got.Wait, longestWait(9))
	}
	for name, tc := range map[string]struct {
		waits map[int]float32
		bin   int
	}{"nothing waited": {nil, 0}, "all waited longest": {map[int]float32{waitBins - 1: 3}, waitBins - 1}, "none did": {map[int]float32{0: 3}, 0}} {
		var d adviceDay
		for bin, n := range tc.waits {
			d.waits[bin] = n
		}
		if got := d.wait(); got != longestWait(tc.bin) {
			t.Errorf("%s: the wait is %s, want %s", name, got, longestWait(tc.bin))
		}
	}
}

// TestTheSizeThatIsNeeded: at it, as far as late parts fall evenly with the logarithm of the size, five in a hundred are late.
func TestTheSizeThatIsNeeded(t *testing.T) {
	for name, tc := range map[string]struct {
		late func(trial int) (waiting, queued float64)
		want func(a *Advisor) float64
	}{
		"the smallest that was tried": {
			func(int) (float64, float64) { return 0.049, 0.049 }, func(a *Advisor) float64 { return a.trials[0].size },
		},
		"none that was tried": {
			func(int) (float64, float64) { return 0, 0.06 }, func(*Advisor) float64 { return math.Inf(1) },
		},
		"half of the way from one to the next": {
			func(trial int) (float64, float64) { return []float64{0.08, 0.02}[min(1, trial/7)], 0.01 },
			func(a *Advisor) float64 { return math.Sqrt(a.trials[6].size * a.trials[7].size) },
		},
		"whichever class is worse": {
			func(trial int) (float64, float64) { return 0.01, []float64{0.07, 0.04}[min(1, trial/24)] },
			func(a *Advisor) float64 {
				return a.trials[23].size * math.Pow(a.trials[24].size/a.trials[23].size, 2./3)
			},
		},
		"the largest that was not enough counts": {
			func(trial int) (float64, float64) { return []float64{0, 0.15, 0.03, 0.15, 0.03}[min(4, trial)], 0 },
			func(a *Advisor) float64 {
				return a.trials[3].size * math.Pow(a.trials[4].size/a.trials[3].size, 10./12)
			},
		},
		"the smallest but for one": {
			func(trial int) (float64, float64) { return []float64{0.25, 0.02, 0.01}[min(2, trial)], 0 },
			func(a *Advisor) float64 {
				return a.trials[0].size * math.Pow(a.trials[1].size/a.trials[0].size, 20./23)
			},
		},
		"what was not tried does not count": {
			func(trial int) (float64, float64) { return []float64{0, 1}[trial/inForce], 0 }, func(a *Advisor) float64 { return a.trials[0].size },
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := sees("minute", 0, 0, 0)
			sum := adviceDay{units: [classes]float32{1e6, 1e4}}
			for i := range trials {
				waiting, queued := tc.late(i)
				sum.late[i] = [classes]float32{float32(1e6 * waiting), float32(1e4 * queued)}
			}
			if got, want := a.needed(&sum), tc.want(a); math.Abs(got/want-1) > 1e-4 && got != want {
				t.Errorf("%v is needed, want %v", got, want)
			}
		})
	}
	if part := (&adviceDay{units: [classes]float32{0.5, 0}, late: [trials][classes]float32{{0.25, 7}}}).latePart(0); part != [classes]float64{0.5, 0} {
		t.Errorf("late parts are %v, want a half, and nothing of nothing", part)
	}
}

// TestAdviceIsOfTwoWeeks: the latest day and the thirteen before it, whatever was before; and what waits still is late once it is.
func TestAdviceIsOfTwoWeeks(t *testing.T) {
	a := NewAdvisor(rollingOf(time.Minute), adviceTargets)
	for day, seconds := range map[int64]float32{30: 1, 31: 10, 32: 100, 44: 1000, 45: 10_000} {
		d := &a.days[day%advisedDays]
		if d.day > day {
			continue
		}
		*d = adviceDay{day: day, seconds: seconds, units: [classes]float32{seconds, 2 * seconds}}
		d.late[3][queuedClass], d.waits[7] = 3*seconds, 4*seconds
	}
	a.days[0] = adviceDay{day: 28, seconds: 5} // of before the last two weeks
	s := a.sum()
	if s.seconds != 11_100 || s.units != [classes]float32{11_100, 22_200} || s.late[3] != [classes]float32{0, 33_300} || s.waits[7] != 44_400 {
		t.Errorf("the sum is %v s, %v units, late %v, waits %v", s.seconds, s.units, s.late[3], s.waits[7])
	}
	if a.days[a.latest()].day != 45 {
		t.Errorf("the latest day is %d", a.days[a.latest()].day)
	}

	b := NewAdvisor(rollingOf(time.Minute), adviceTargets)
	b.now = 10_000 // steps of two seconds
	for class, target := range map[int]int64{waitingClass: 4, queuedClass: 1800} {
		l := &b.trials[9].lines[class]
		l.add(b.now-target-1, 1)
		l.add(b.now-target, 10) // not late before the next step
		l.add(b.now, 100)
	}
	if s := b.sum(); s.late[9] != [classes]float32{1, 1} || s.late[8] != [classes]float32{} {
		t.Errorf("of what waits %v are late, want one of each class", s.late[9])
	}
}

// TestOneDayIsPutAfterAnother, and in the place of the one two weeks before.
func TestOneDayIsPutAfterAnother(t *testing.T) {
	a := NewAdvisor(rollingOf(64*time.Minute), Targets{Waiting: time.Hour, Queued: time.Hour}) // steps of four minutes
	if a.step != 4*time.Minute {
		t.Fatalf("steps are of %s", a.step)
	}
	from := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for half := range 2 * 20 {
		for quarter := range 24 { // no gap is longer than an hour
			a.Ask(from.Add(time.Duration(half)*12*time.Hour+time.Duration(quarter)*30*time.Minute), int64(half+1), half%2 == 1)
		}
	}
	a.Advance(from.Add(20 * 24 * time.Hour))
	first := from.Unix() / 86400
	for i := range int64(20) {
		d := a.days[(first+i)%advisedDays]
		units := [classes]float32{24 * float32(2*i+1), 24 * float32(2*i+2)}
		if i < 6 {
			if d.day != first+i+14 {
				t.Errorf("day %d is in the place of day %d", d.day-first, i)
			}
		} else if d.day != first+i || d.seconds != 86400 || d.units != units {
			t.Errorf("day %d is day %d, of %v seconds with %v units, want %v", i, d.day-first, d.seconds, d.units, units)
		}
	}
	var before Advisor
	before.step, before.now = time.Hour, -25 // the second last day of 1969
	if d := before.today(); d.day != -1 || d != &before.days[advisedDays-1] {
		t.Errorf("25 hours before 1970 are on day %d", d.day)
	}
}

// TestALongGapEmptiesTheLines, as nobody knows what happened in it; a shorter one lets time go on.
func TestALongGapEmptiesTheLines(t *testing.T) {
	for name, tc := range map[string]struct {
		gap   time.Duration
		lines int
		late  bool
		used  float64
		steps float32
	}{
		"an hour":            {time.Hour + 2*time.Second, 0, true, 0, 1801},
		"longer than that":   {time.Hour + 4*time.Second, 0, false, 0, 1},
		"instants that back": {-time.Hour, 0, false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := rollingOf(time.Minute)
			a := NewAdvisor(l, Targets{Waiting: 8 * time.Second, Queued: time.Minute})
			a.Ask(day0, 100, true)
			if tc.gap > 0 {
				a.Advance(day0.Add(a.step)) // now they wait in line
			}
			a.Advance(day0.Add(tc.gap))
			seconds, late := float32(0), false
			for _, d := range a.days {
				seconds += d.seconds
				late = late || d.late[inForce][queuedClass] > 0
			}
			if seconds != 2*tc.steps || late != tc.late || a.trials[inForce].lines[queuedClass].n != tc.lines || a.trials[inForce].size != 10 {
				t.Errorf("%v seconds were seen, late %t, %d entries wait for a size of %v", seconds, late, a.trials[inForce].lines[queuedClass].n, a.trials[inForce].size)
			}
			if tc.gap > time.Hour && a.asked != [classes]float64{} {
				t.Errorf("after the gap %v are asked for", a.asked)
			}
			if tc.gap < 0 && a.asked[queuedClass] != 100 {
				t.Errorf("%v are asked for in the latest step, want 100", a.asked)
			}
		})
	}
}

// TestAnotherSizeIsReadOffThoseTried: what would have been late with it lies between the two around it, evenly by their logarithms.
func TestAnotherSizeIsReadOffThoseTried(t *testing.T) {
	for size, at := range map[int64]float64{1000: 8, 2000: 12, 500: 4, 250: 0, 10: 0, 0: 0, 16_000: 24, 100_000: 24, 1091: 8.5026, 15_000: 23.6276} {
		a := sees("minute", 0, 0, 0)
		d := &a.days[3]
		d.waits[4] = 5
		for i := range triedSizes {
			d.late[i] = [classes]float32{float32(100 * i), float32(1000 - 10*i)}
		}
		a.SetMax(size)
		late := d.late[inForce]
		if math.Abs(float64(late[waitingClass])-100*at) > 0.1 || math.Abs(float64(late[queuedClass])-1000+10*at) > 0.1 || d.waits[4] != 0 {
			t.Errorf("with a size of %d %v are late, want about trial %v", size, late, at)
		}
		if got := max(1, size); a.Limit().Max != got || a.trials[inForce].size != float64(got) || a.trials[8].size != 1000 {
			t.Errorf("the size is %d, %v, want %d", a.Limit().Max, a.trials[inForce].size, got)
		}
	}
}

// TestUnitsAreTakenAsTheyCanBe: none below nothing, none that sums could not hold.
func TestUnitsAreTakenAsTheyCanBe(t *testing.T) {
	a := NewAdvisor(rollingOf(time.Minute), adviceTargets)
	a.Ask(day0, -5, false)
	a.Ask(day0, math.MaxInt64, true)
	if a.asked != [classes]float64{0, mostAmount} {
		t.Errorf("%v units are asked for, want 0 and %v", a.asked, float64(mostAmount))
	}
}

// TestBatchesOfAll: of 1 to 5 queued calls batches of two save one call for each that is full.
func TestBatchesOfAll(t *testing.T) {
	for calls, want := range []int64{0, 0, 1, 1, 2, 2} {
		if got := Batched([]Batchable{{int64(calls), 2}}); got != want {
			t.Errorf("of %d calls %d are saved, want %d", calls, got, want)
		}
	}
	if got := Batched([]Batchable{{-3, 2}, {3, 1}, {3, 0}, {0, 5}}); got != 0 {
		t.Errorf("of what cannot be batched %d are saved", got)
	}
}
