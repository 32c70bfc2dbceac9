// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// evenly is a demand of so many units an hour at even chances, and of others in one case of twenty.
func evenly(p50, p95 float64) *Curve {
	var c Curve
	for i, after := range curveTimes {
		c.p50[i], c.p95[i] = p50*after.Hours(), p95*after.Hours()
	}
	return &c
}

// TestExhaustionIsWhereDemandPassesWhatThereIs goes through the time second by second.
func TestExhaustionIsWhereDemandPassesWhatThereIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Exhaustion{
			Free: rapid.Int64Range(-2, 300).Draw(t, "free"), Waiting: rapid.Int64Range(0, 100).Draw(t, "waiting"),
			Renewal: time.Duration(rapid.IntRange(0, 4*3600).Draw(t, "renewal")) * time.Second, Ahead: &Curve{},
		}
		for i := 1; i < curvePoints; i++ { // by the point it is another rate, in quarters of a unit a second
			rate := float64(rapid.IntRange(0, 2).Draw(t, "rate")) / 64
			e.Ahead.p50[i] = e.Ahead.p50[i-1] + rate*(curveTimes[i]-curveTimes[i-1]).Seconds()
			e.Ahead.p95[i] = 2 * e.Ahead.p50[i]
		}
		last := 0
		for range rapid.IntRange(0, 3).Draw(t, "releases") {
			last += rapid.IntRange(0, 3600).Draw(t, "after")
			e.Releases = append(e.Releases, Release{time.Duration(last) * time.Second, rapid.Int64Range(-5, 60).Draw(t, "units")})
		}
		for i, got := range func() [2]time.Time { p50, p95 := Exhaust(monday0, e); return [2]time.Time{p50, p95} }() {
			demand := []*[curvePoints]float64{&e.Ahead.p50, &e.Ahead.p95}[i]
			want, ok := -1, e.Free < e.Waiting
			for s := 0; time.Duration(s)*time.Second <= e.Renewal && !ok; s++ {
				at := time.Duration(s) * time.Second
				room := float64(e.Free - e.Waiting)
				for _, r := range e.Releases {
					if r.After < at {
						room += float64(max(0, r.Units))
					}
				}
				want, ok = s, interpolate(demand, at) > room
			}
			if ok && want < 0 {
				want = 0
			}
			if got.IsZero() == ok {
				t.Fatalf("%+v: used up at %s, want second %d, %t", e, got, want, ok)
			}
			if ok && math.Abs(got.Sub(monday0).Seconds()-float64(want)) > 1.001 {
				t.Fatalf("%+v: used up after %s, want second %d", e, got.Sub(monday0), want)
			}
		}
	})
}

// capacityOf is one of a limit that is the integration's alone.
func capacityOf(kind limits.Kind, most int64) Capacity {
	return Capacity{Kind: kind, Max: most, Share: most, Most: most, PerCall: 1}
}

// TestWhatALimitLeaves of a part of it when others have so many units: the share at least, and no more than it may have.
func TestWhatALimitLeaves(t *testing.T) {
	s := source{Capacity: &Capacity{Max: 100}, share: 20, most: 70}
	for _, tc := range []struct{ part, others, want float64 }{
		{1, 0, 70}, {1, 30, 70}, {1, 40, 60}, {1, 80, 20}, {1, 1e9, 20}, {0.5, 0, 35}, {0.5, 30, 20}, {0.5, 45, 10}, {0, 5, 0},
	} {
		if got := s.within(tc.part, tc.others); !near(got, tc.want) {
			t.Errorf("%v of it leave %v when others have %v, want %v", tc.part, got, tc.others, tc.want)
		}
	}
}

// TestOthersGoFirst: what they ask for and did not get, they still want later; a share of it all is certain.
func TestOthersGoFirst(t *testing.T) {
	c := capacityOf(limits.Rolling, 100)
	c.Window, c.Share, c.Ahead = time.Minute, 5, evenly(60*90, 60*90)
	s := newSource(&c, false)
	for name, tc := range map[string]struct{ margin, owed, part, ready, stillOwed float64 }{
		"they leave ten":                  {0, 0, 1, 10, 0},
		"what they are owed goes first":   {0, 3, 1, 7, 0},
		"the share is certain":            {0, 15, 1, 5, 10},
		"half of it":                      {0, 0, 0.5, 5, 0},
		"half of a unit is kept free":     {0.5, 0, 1, 9.5, 0},
		"more is kept free than needed":   {4, 0, 1, 6, 0},
		"and half of that of half of it":  {4, 0, 0.5, 3, 0},
		"nothing at an instant, but owed": {0, 3, 0, 0, 3},
	} {
		s.margin, s.owed, s.ready = tc.margin, tc.owed, 0
		s.take(tc.part, 0, time.Duration(tc.part*float64(time.Minute)))
		if !near(s.ready, tc.ready) || !near(s.owed, tc.stillOwed) {
			t.Errorf("%s: %v are left, %v owed, want %v and %v", name, s.ready, s.owed, tc.ready, tc.stillOwed)
		}
	}
}

// TestLessIsKeptFreeWhenLessIsAskedFor: with the root of it, as calls that come by chance vary.
func TestLessIsKeptFreeWhenLessIsAskedFor(t *testing.T) {
	c := capacityOf(limits.Rolling, 1000)
	c.Window, c.Share, c.Reserved = time.Minute, 0, 150
	c.Ahead = evenly(60*100, 60*100)
	s := newSource(&c, false)
	if !near(s.usual, 100) || !near(s.margin, 50) {
		t.Fatalf("usual are %v, with a margin of %v, want 100 and 50", s.usual, s.margin)
	}
	c.Ahead = evenly(60*25, 60*25) // later it is a quarter
	s.demand = &c.Ahead.p50
	s.ready = 0
	if s.take(1, 0, time.Minute); !near(s.ready, 1000-25-25) {
		t.Errorf("%v are left, want all but 25 and half of the margin", s.ready)
	}
	c.Ahead = evenly(60*400, 60*400) // or four times as much: the margin stays
	s.demand, s.ready = &c.Ahead.p50, 0
	if s.take(0.5, 0, 30*time.Second); !near(s.ready, 500-200-25) {
		t.Errorf("%v are left of half a window, want all but 200 and half of the margin", s.ready)
	}
}

// begun is how a source begins.
type begun struct {
	ready, owed, share, most, margin, usual, window, burst, perCall float64
	next                                                            time.Duration
}

// TestSourcesBegin with what is free, and with what is known of others.
func TestSourcesBegin(t *testing.T) {
	rolling := Capacity{
		Kind: limits.Rolling, Max: 100, Share: 90, Most: 80, PerCall: 1, Window: time.Minute, Free: 30, Waiting: 7, Reserved: 40,
	}
	calendar := Capacity{Kind: limits.Calendar, Max: 1000, Share: 1000, Most: 1000, PerCall: 1, Reset: 2 * time.Hour, Ahead: evenly(100, 160)}
	with := func(c Capacity, change func(*Capacity)) Capacity {
		change(&c)
		return c
	}
	cannotBe := with(rolling, func(c *Capacity) { c.Free, c.Waiting, c.Share, c.Most = -1, -1, -1, 200 })
	for name, tc := range map[string]struct {
		of    Capacity
		worse bool
		want  begun
	}{
		"a window":       {of: rolling, want: begun{ready: 30, owed: 7, share: 80, most: 80, margin: 40, window: 80, burst: 30. / 80, perCall: 1, next: time.Minute}},
		"what cannot be": {of: cannotBe, want: begun{most: 100, margin: 40, window: 60, perCall: 1, next: time.Minute}},
		"more is free than there will be": {
			of:   with(cannotBe, func(c *Capacity) { c.Free, c.Max = 500, 50 }),
			want: begun{ready: 500, most: 50, margin: 40, window: 10, burst: 1, perCall: 1, next: time.Minute},
		},
		"less than nothing may be had": {
			of: with(cannotBe, func(c *Capacity) { c.Most = -5 }), want: begun{margin: 40, perCall: 1, next: time.Minute},
		},
		"less is reserved than is usual": {
			of:   with(cannotBe, func(c *Capacity) { c.Ahead = evenly(3600, 3600) }),
			want: begun{most: 100, usual: 60, window: 60, perCall: 1, next: time.Minute},
		},
		"a single unit": {
			of:   with(cannotBe, func(c *Capacity) { c.Max, c.Free, c.Reserved = 1, 1, 0 }),
			want: begun{ready: 1, most: 1, window: 1, burst: 1, perCall: 1, next: time.Minute},
		},
		"a period that is certain": {
			of: with(calendar, func(c *Capacity) { c.Ahead = evenly(100, 100) }), want: begun{share: 1000, most: 1000, usual: 200, perCall: 1, next: 2 * time.Hour},
		},
		"nothing may be had": {
			of:   with(cannotBe, func(c *Capacity) { c.Free, c.Most = 500, 0 }),
			want: begun{ready: 500, margin: 40, perCall: 1, next: time.Minute},
		},
		"no window":       {of: with(cannotBe, func(c *Capacity) { c.Window = 0 }), want: begun{most: 100, margin: 40, window: 60, perCall: 1, next: 1}},
		"less than none":  {of: with(cannotBe, func(c *Capacity) { c.Window = -5 }), want: begun{most: 100, margin: 40, window: 60, perCall: 1, next: 1}},
		"one of all time": {of: with(cannotBe, func(c *Capacity) { c.Window = math.MaxInt64 }), want: begun{most: 100, margin: 40, window: 60, perCall: 1, next: longestWindow}},
		"a period":        {of: calendar, want: begun{share: 1000, most: 1000, margin: 120, usual: 200, perCall: 1, next: 2 * time.Hour}},
		"a period, at worst nothing besides is kept free": {
			of: calendar, worse: true, want: begun{share: 1000, most: 1000, perCall: 1, next: 2 * time.Hour},
		},
		"a period of which no more is kept free than there is": {
			of: with(calendar, func(c *Capacity) { c.Max = 50 }), want: begun{share: 50, most: 50, margin: 50, usual: 200, perCall: 1, next: 2 * time.Hour},
		},
		"a period without others": {of: with(calendar, func(c *Capacity) { c.Ahead, c.Reset = nil, -1 }), want: begun{share: 1000, most: 1000, perCall: 1}},
		"slots": {
			of:   Capacity{Kind: limits.Concurrent, Max: 5, Share: 5, Most: 5, PerCall: 7, Free: 3, Hold: time.Second},
			want: begun{ready: 3, share: 5, most: 5, perCall: 1, next: math.MaxInt64},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource(&tc.of, tc.worse)
			got := begun{s.ready, s.owed, s.share, s.most, s.margin, s.usual, s.window, s.burst, s.perCall, s.next}
			// Sums of a curve are not exact.
			got.margin, got.usual = math.Round(got.margin*1e6)/1e6, math.Round(got.usual*1e6)/1e6
			if got != tc.want {
				t.Errorf("it begins as %+v, want %+v", got, tc.want)
			}
			if ahead := tc.of.Ahead; ahead == nil && s.demand != nil || ahead != nil && s.demand != map[bool]*[curvePoints]float64{false: &ahead.p50, true: &ahead.p95}[tc.worse] {
				t.Error("it goes by another demand")
			}
		})
	}
}

// TestWhatIsKeptOfAPeriodFalls as less of it is left to be asked for: with the root.
func TestWhatIsKeptOfAPeriodFalls(t *testing.T) {
	c := capacityOf(limits.Calendar, 1000)
	c.Reset, c.Ahead = 4*time.Hour, evenly(100, 150)
	s := newSource(&c, false)
	for at, want := range map[time.Duration]float64{0: 200, 3 * time.Hour: 100, 4 * time.Hour: 0} {
		if got := s.kept(at); !near(got, want) {
			t.Errorf("%s later %v are kept free, want %v", at, got, want)
		}
	}
	if s.flow(0, 3*time.Hour); !near(s.ready, 100) {
		t.Errorf("three hours later %v are not kept free any more, want 100", s.ready)
	}
	if s.flow(3*time.Hour, 4*time.Hour); !near(s.ready, 200) {
		t.Errorf("at the end %v are not, want 200", s.ready)
	}
	s.margin, s.usual = 1, 0.5
	c.Ahead = evenly(0.125, 0.125)
	if s.demand = &c.Ahead.p50; !near(s.kept(3*time.Hour), 0.5) {
		t.Errorf("of a margin of one, when half a call is usual, %v are kept free for an eighth", s.kept(3*time.Hour))
	}
	s.margin, s.usual = 200, 400
	s.next = math.MaxInt64
	if got := s.kept(0); got != 0 {
		t.Errorf("without an end %v are kept free", got)
	}
	s.next, s.usual = 4*time.Hour, 0
	if got := s.kept(0); got != 0 {
		t.Errorf("when nothing is usual %v are kept free", got)
	}
}

// TestAPeriodBeginsAnew with all of it that others leave of what they are owed and going to ask for; what was not taken of the one before is gone.
func TestAPeriodBeginsAnew(t *testing.T) {
	for name, tc := range map[string]struct {
		window time.Duration
		owed   float64
		max    int64
		next   time.Duration
		ready  float64
		left   float64
	}{
		"a day of ten an hour":          {24 * time.Hour, 0, 1000, 25 * time.Hour, 1000 - 240 - 120, 0},
		"and a hundred that wait":       {24 * time.Hour, 100, 1000, 25 * time.Hour, 1000 - 240 - 120 - 100, 0},
		"it is not enough for them":     {24 * time.Hour, 100, 300, 25 * time.Hour, 10, 340 - 290},
		"of no length: it is the last":  {0, 3, 1000, math.MaxInt64, 0, 3},
		"longer than there is any time": {math.MaxInt64, 3, 1000, math.MaxInt64, 0, 3},
	} {
		c := capacityOf(limits.Calendar, tc.max)
		c.Share, c.Reset, c.Window, c.Ahead = 10, time.Hour, tc.window, evenly(10, 15)
		s := newSource(&c, false)
		s.owed, s.ready = tc.owed, 77
		if s.turn(time.Hour - 1); s.ready != 77 || s.next != time.Hour {
			t.Errorf("%s: before its end %v are left until %s", name, s.ready, s.next)
		}
		if s.turn(time.Hour); !near(s.ready, tc.ready) || s.next != tc.next || !near(s.owed, tc.left) {
			t.Errorf("%s: %v are left until %s, %v owed, want %v until %s, %v", name, s.ready, s.next, s.owed, tc.ready, tc.next, tc.left)
		}
	}
}

// TestAWindowTurns: what was sent at once when it began is released at once a window later, for sixteen of them; the rest comes evenly.
func TestAWindowTurns(t *testing.T) {
	c := capacityOf(limits.Rolling, 100)
	c.Window, c.Free = time.Minute, 40
	for name, tc := range map[string]struct {
		do   func(s *source)
		want float64
	}{
		"half a window":                      {func(s *source) { s.flow(0, 30*time.Second) }, 0.5 * 0.6 * 100},
		"a whole one":                        {func(s *source) { s.flow(0, time.Minute) }, 60},
		"the begin of the next":              {func(s *source) { s.turn(time.Minute) }, 40},
		"in the middle of one":               {func(s *source) { s.turn(90 * time.Second) }, 0},
		"the sixteenth":                      {func(s *source) { s.turn(16 * time.Minute) }, 40},
		"one later it is even":               {func(s *source) { s.turn(17 * time.Minute) }, 0},
		"up to the sixteenth it is not":      {func(s *source) { s.flow(15*time.Minute, 16*time.Minute) }, 60},
		"after it it is":                     {func(s *source) { s.flow(16*time.Minute, 17*time.Minute) }, 100},
		"no more than a window's is waiting": {func(s *source) { s.ready = 500; s.turn(90 * time.Second) }, 100},
		"that also at its begin":             {func(s *source) { s.ready = 500; s.turn(17 * time.Minute) }, 100},
	} {
		s := newSource(&c, false)
		s.ready = 0
		if tc.do(&s); !near(s.ready, tc.want) {
			t.Errorf("%s: %v are left, want %v", name, s.ready, tc.want)
		}
	}
	s := newSource(&c, false)
	for now, want := range map[time.Duration]time.Duration{
		0: time.Minute, time.Second: time.Minute, time.Minute: 2 * time.Minute, 16*time.Minute - 1: 16 * time.Minute, 16 * time.Minute: math.MaxInt64,
	} {
		if got := s.nextTurn(now); got != want {
			t.Errorf("at %s the next turn is at %s, want %s", now, got, want)
		}
	}
	day := capacityOf(limits.Calendar, 100)
	day.Reset = time.Hour
	s = newSource(&day, false)
	for now, want := range map[time.Duration]time.Duration{0: time.Hour, time.Hour - 1: time.Hour, time.Hour: math.MaxInt64} {
		if got := s.nextTurn(now); got != want {
			t.Errorf("at %s the period ends at %s, want %s", now, got, want)
		}
	}
	slots := capacityOf(limits.Concurrent, 10)
	slots.Hold, slots.Free = 2*time.Second, 4
	s = newSource(&slots, false)
	if s.flow(0, 6*time.Second); !near(s.ready, 30) || s.nextTurn(0) != math.MaxInt64 {
		t.Errorf("in six seconds ten slots let %v calls of two seconds through, want 30", s.ready)
	}
	if s.flow(6*time.Second, 7*time.Second); !near(s.ready, 5) {
		t.Errorf("what was not taken of them is there still: %v", s.ready)
	}
}

// TestAvailableIsTheLeast that any limit lets through, in calls.
func TestAvailableIsTheLeast(t *testing.T) {
	sources := []source{{perCall: 2, ready: 10}, {perCall: 1, ready: 8}, {perCall: 0.5, ready: 3}}
	if got := available(sources); got != 5 {
		t.Errorf("%v calls are let through, want 5", got)
	}
	if got := serve(sources, 3); got != 3 || sources[0].ready != 4 || sources[1].ready != 5 || sources[2].ready != 1.5 {
		t.Errorf("%v calls of 3 were let through, left are %v, %v, %v", got, sources[0].ready, sources[1].ready, sources[2].ready)
	}
	if got := serve(sources, 3); got != 2 || sources[0].ready != 0 {
		t.Errorf("%v calls of 3 were let through, want 2", got)
	}
	if got := available(nil); !math.IsInf(got, 1) {
		t.Errorf("without limits %v calls are let through", got)
	}
}

// TestStepsOfADrain: a quarter of the shortest window, or a minute; a limit of which calls take nothing, and slots of which nothing is known, are left out.
func TestStepsOfADrain(t *testing.T) {
	window := func(w time.Duration) Capacity {
		c := capacityOf(limits.Rolling, 10)
		c.Window = w
		return c
	}
	slots, free, unknown := capacityOf(limits.Concurrent, 3), window(time.Second), capacityOf(limits.Concurrent, 3)
	slots.Hold, free.PerCall = time.Second, 0
	for name, tc := range map[string]struct {
		capacities []Capacity
		step       time.Duration
		n          int
	}{
		"the shortest of two":      {[]Capacity{window(time.Hour), window(time.Minute), window(2 * time.Hour)}, 15 * time.Second, 3},
		"none is rolling":          {[]Capacity{capacityOf(limits.Calendar, 5), slots}, time.Minute, 2},
		"what holds nothing back":  {[]Capacity{free, unknown, window(time.Minute)}, 15 * time.Second, 1},
		"a very short one":         {[]Capacity{window(time.Millisecond)}, 10 * time.Millisecond, 1},
		"a very long one":          {[]Capacity{window(48 * time.Hour)}, 6 * time.Hour, 1},
		"nothing holds calls back": {nil, time.Minute, 0},
	} {
		if sources, step := newSources(nil, tc.capacities, false); step != tc.step || len(sources) != tc.n {
			t.Errorf("%s: steps of %s with %d limits, want %s with %d", name, step, len(sources), tc.step, tc.n)
		}
	}
}

// TestPastTheLastStepItGoesOnAsBefore: at the pace of a stretch of time.
func TestPastTheLastStepItGoesOnAsBefore(t *testing.T) {
	for _, tc := range []struct {
		left, sent float64
		want       time.Duration
		ok         bool
	}{
		{10, 5, 3 * time.Hour, true}, {10, 0, 0, false}, {10, -1, 0, false}, {1e300, 1, 0, false}, {1, 2, time.Hour + 30*time.Minute, true}, {10, 0.5, 21 * time.Hour, true},
	} {
		if got, ok := extrapolate(time.Hour, tc.left, time.Hour, tc.sent); got != tc.want || ok != tc.ok {
			t.Errorf("%v are left, %v were sent in an hour: %s, %t, want %s, %t", tc.left, tc.sent, got, ok, tc.want, tc.ok)
		}
	}
}

// TestAtWorstOthersHaveWaitedForTheDay: they take half of the first window of a new period.
func TestAtWorstOthersHaveWaitedForTheDay(t *testing.T) {
	for name, tc := range map[string]struct {
		now                 time.Duration
		worse, alone, other bool
		want                float64
	}{
		"at worst":                {time.Hour, true, false, false, 50},
		"at even chances":         {time.Hour, false, false, false, 100},
		"nobody else is there":    {time.Hour, true, true, false, 100},
		"before the period's end": {30 * time.Minute, true, false, false, 100},
		"its share is more":       {time.Hour, true, false, true, 70},
	} {
		minute, day := capacityOf(limits.Rolling, 100), capacityOf(limits.Calendar, 1000)
		minute.Window, day.Reset, day.Window, minute.Share = time.Minute, time.Hour, 24*time.Hour, 10
		if tc.other {
			minute.Share = 70
		}
		if !tc.alone {
			minute.Ahead = evenly(0, 0)
		}
		sources := []source{newSource(&minute, tc.worse), newSource(&day, tc.worse)}
		sources[0].ready = 100
		if turnAll(sources, tc.now, tc.worse); !near(sources[0].ready, tc.want) {
			t.Errorf("%s: %v are left of the minute, want %v", name, sources[0].ready, tc.want)
		}
	}
}

// TestDrainTimesToTheSecond: where nothing is uncertain they are those that can be worked out by hand.
func TestDrainTimesToTheSecond(t *testing.T) {
	minute := capacityOf(limits.Rolling, 60)
	minute.Window = time.Minute
	half := minute
	half.Free = 30
	all := minute
	all.Free = 60
	day := capacityOf(limits.Calendar, 1000)
	day.Window, day.Reset, day.Free = 24*time.Hour, 90*time.Minute, 100
	slots := capacityOf(limits.Concurrent, 10)
	slots.Hold = 5 * time.Second
	for name, tc := range map[string]struct {
		calls int64
		of    []Capacity
		want  time.Duration
	}{
		"one a second":                     {10, []Capacity{minute}, 10 * time.Second},
		"ten minutes of them":              {600, []Capacity{minute}, 10 * time.Minute},
		"half is free, half comes evenly":  {45, []Capacity{half}, 30 * time.Second},
		"what was sent at once comes back": {90, []Capacity{half}, time.Minute},
		"and half of what follows":         {105, []Capacity{half}, 90 * time.Second},
		"all of it at each begin":          {300, []Capacity{all}, 4 * time.Minute},
		"some at each begin":               {30 + 9*60 + 15, []Capacity{half}, 9*time.Minute + 30*time.Second},
		"two a second":                     {240, []Capacity{slots}, 2 * time.Minute},
		"the day begins":                   {101, []Capacity{day}, 90 * time.Minute},
		"two days later":                   {2101, []Capacity{day}, 49*time.Hour + 30*time.Minute},
		"the slower of two":                {600, []Capacity{minute, slots}, 10 * time.Minute},
		"nothing waits":                    {0, []Capacity{minute}, 0},
		"three weeks":                      {60 * 60 * 24 * 21, []Capacity{minute}, 21 * 24 * time.Hour},
		"a year":                           {60 * 60 * 24 * 365, []Capacity{minute}, 365 * 24 * time.Hour},
	} {
		p50, p95, ok := Drain(tc.calls, tc.of)
		if !ok || (p50-tc.want).Abs() > max(time.Millisecond, tc.want/1000) || p95 != p50 {
			t.Errorf("%s: %s to %s, %t, want %s", name, p50, p95, ok, tc.want)
		}
	}
}

// TestAtWorstTheLastCallIsLate by the shortest window that others share.
func TestAtWorstTheLastCallIsLate(t *testing.T) {
	window := func(w time.Duration, ahead *Curve) Capacity {
		c := capacityOf(limits.Rolling, 60)
		c.Window, c.Ahead = w, ahead // what is asked for at even chances is nothing
		return c
	}
	day := capacityOf(limits.Calendar, 1000)
	day.Window, day.Ahead, day.Free = 24*time.Hour, &Curve{}, 1000
	free, enough := window(time.Second, evenly(0, 3600)), window(time.Minute, evenly(0, 60))
	free.PerCall, enough.Free = 0, 10
	for name, tc := range map[string]struct {
		of       []Capacity
		p50, p95 time.Duration
	}{
		"one that others share":      {[]Capacity{window(time.Minute, evenly(0, 60)), day}, 10 * time.Second, 70 * time.Second},
		"the shorter of two":         {[]Capacity{window(time.Hour, evenly(0, 60)), window(time.Minute, evenly(0, 60))}, 10 * time.Minute, 11 * time.Minute},
		"none that others share":     {[]Capacity{window(time.Minute, nil), day}, 10 * time.Second, 10 * time.Second},
		"one that is not taken from": {[]Capacity{window(time.Minute, nil), free}, 10 * time.Second, 10 * time.Second},
		"it fits at once":            {[]Capacity{day}, 0, 0},
		"also where others are":      {[]Capacity{enough, day}, 0, 0},
	} {
		p50, p95, ok := Drain(10, tc.of)
		if !ok || (p50-tc.p50).Abs() > time.Millisecond || (p95-tc.p95).Abs() > time.Millisecond {
			t.Errorf("%s: %s to %s, %t, want %s to %s", name, p50, p95, ok, tc.p50, tc.p95)
		}
	}
}

// TestP50AndP95GoByTheirOwnDemand: what others ask for at even chances, and in one case of twenty.
func TestP50AndP95GoByTheirOwnDemand(t *testing.T) {
	day := capacityOf(limits.Calendar, 1000)
	day.Window, day.Reset, day.Share, day.Ahead = 24*time.Hour, time.Hour, 0, evenly(10, 30)
	// On a day others leave 1,000 less 240, and what is kept free for them; at worst less 720.
	p50, p95, ok := Drain(900, []Capacity{day})
	if !ok || p50 != 25*time.Hour || p95 != 73*time.Hour {
		t.Errorf("900 calls take %s to %s, %t, want until the second and the fourth day begin", p50, p95, ok)
	}
	day.Ahead = evenly(10, 1000)
	if p50, _, ok := Drain(900, []Capacity{day}); ok {
		t.Errorf("at worst others leave nothing, and still it takes %s", p50)
	}
}

// TestTheLaterHalfTellsThePaceOfTheRest: what others asked for in the first days does not count for a year.
func TestTheLaterHalfTellsThePaceOfTheRest(t *testing.T) {
	minute := capacityOf(limits.Rolling, 60)
	minute.Window, minute.Share = time.Minute, 0
	year := int64(365 * 24 * 3600)
	for name, tc := range map[string]struct {
		busy        func(day float64) float64 // how many days of those were busy
		least, most float64                   // days
	}{
		"three days at the begin":      {func(day float64) float64 { return min(day, 3) }, 367, 370},
		"a part of what was last, too": {func(day float64) float64 { return max(0, min(day-21, 7)) / 2 }, 420, 430},
	} {
		minute.Ahead = &Curve{}
		for i, after := range curveTimes {
			minute.Ahead.p50[i] = 24 * 3600 * tc.busy(after.Hours()/24)
			minute.Ahead.p95[i] = minute.Ahead.p50[i]
		}
		p50, _, ok := Drain(year, []Capacity{minute})
		if days := p50.Hours() / 24; !ok || days < tc.least || days > tc.most {
			t.Errorf("%s: a year's calls take %.1f days, want %v to %v", name, days, tc.least, tc.most)
		}
	}
}

// TestAReleaseWithinAStretchCounts, if it comes before the demand does: also the last one.
func TestAReleaseWithinAStretchCounts(t *testing.T) {
	e := Exhaustion{Free: 60, Releases: []Release{{33 * time.Minute, 100}}, Renewal: 12 * time.Hour, Ahead: evenly(100, 100)}
	if p50, _ := Exhaust(monday0, e); (p50.Sub(monday0) - 96*time.Minute).Abs() > time.Second {
		t.Errorf("used up after %s, want 96 minutes", p50.Sub(monday0))
	}
}

// TestALevelOfOneFalls like any other.
func TestALevelOfOneFalls(t *testing.T) {
	e := NewEnvelope(time.Minute)
	e.Observe(monday0, 1)
	if got := e.At(monday0.Add(time.Minute)); got != 0.5 {
		t.Errorf("a half-life later it is %v, want a half", got)
	}
}

// TestAMinuteAloneHasNoDayThatBegins: others have not waited for it.
func TestAMinuteAloneHasNoDayThatBegins(t *testing.T) {
	minute := capacityOf(limits.Rolling, 100)
	minute.Window, minute.Share, minute.Ahead = time.Minute, 10, &Curve{}
	sources := []source{newSource(&minute, true)}
	sources[0].ready = 100
	if turnAll(sources, time.Second, true); sources[0].ready != 100 {
		t.Errorf("%v are left of the minute, want all of it", sources[0].ready)
	}
}

// TestWhenADayBeginsAllThatWaitedGoes, but at worst half of it.
func TestWhenADayBeginsAllThatWaitedGoes(t *testing.T) {
	minute, day := capacityOf(limits.Rolling, 100), capacityOf(limits.Calendar, 1000)
	minute.Window, minute.Free, minute.Share, minute.Ahead = time.Minute, 100, 10, &Curve{}
	day.Reset, day.Window = time.Hour, 24*time.Hour
	p50, p95, ok := Drain(80, []Capacity{minute, day})
	if !ok || p50 != time.Hour || p95 <= time.Hour || p95 > 61*time.Minute {
		t.Errorf("80 calls take %s to %s, %t, want an hour, and at worst a part of a minute more", p50, p95, ok)
	}
}
