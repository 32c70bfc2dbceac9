// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// TestALineIsServedInOrder holds a line against a list.
func TestALineIsServedInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l line
		var want []entry
		for step := range rapid.Int64Range(1, 60).Draw(t, "steps") {
			units := float64(rapid.IntRange(-1, 6).Draw(t, "units"))
			l.add(step, units)
			if units > 0 {
				want = append(want, entry{step, units})
			}
			room := float64(rapid.IntRange(-4, 48).Draw(t, "room")) / 4
			var got, served []entry
			taken := l.serve(room, func(e entry) { got = append(got, e) })
			rest := room
			for len(want) > 0 && rest > 0 {
				part := min(rest, want[0].units)
				served = append(served, entry{want[0].step, part})
				rest -= part
				if want[0].units -= part; want[0].units == 0 {
					want = want[1:]
				}
			}
			sum := 0.
			for _, e := range want {
				sum += e.units
			}
			if !slices.Equal(got, served) || taken != max(0, room)-max(0, rest) || l.units != sum || !slices.Equal(l.entries[:l.n], want) {
				t.Fatalf("room for %v of %v: got %v, %v in all, %v is left; want %v", room, l.entries[:l.n], got, taken, l.units, served)
			}
		}
	})
}

// TestALongLineTakesNeighboursTogether, at the time of the earlier one, and forgets no unit.
func TestALongLineTakesNeighboursTogether(t *testing.T) {
	var l line
	for step := range int64(lineEntries + 1) {
		l.add(step, float64(step+1))
	}
	if l.n != lineEntries/2+1 || l.units != 65*66/2 {
		t.Fatalf("%d entries with %v units, want %d with %d", l.n, l.units, lineEntries/2+1, 65*66/2)
	}
	for i, e := range l.entries[:lineEntries/2] {
		if want := (entry{int64(2 * i), float64(4*i + 3)}); e != want {
			t.Errorf("entry %d is %v, want %v", i, e, want)
		}
	}
	if last := l.entries[lineEntries/2]; last != (entry{64, 65}) {
		t.Errorf("the last entry is %v, want the one that came last", last)
	}
	if taken := l.serve(math.Inf(1), func(entry) {}); taken != 65*66/2 || l.units != 0 || l.n != 0 {
		t.Errorf("all that is served is %v, %d entries with %v are left", taken, l.n, l.units)
	}
}

// TestTheGrainOfATrial: a rolling window has at most 64 steps, and steps that are short against the target; none is shorter than a quarter of a second.
func TestTheGrainOfATrial(t *testing.T) {
	for name, tc := range map[string]struct {
		limit   limits.Limit
		waiting time.Duration
		step    time.Duration
		scale   float64
	}{
		"a quarter of the target":               {rollingOf(time.Minute), 8 * time.Second, 2 * time.Second, 1},
		"a sixteenth of a window":               {rollingOf(time.Minute), time.Minute, 3750 * time.Millisecond, 1},
		"no more than 64 steps":                 {rollingOf(64 * time.Minute), time.Second, time.Minute, 1},
		"a window of some of the shortest":      {rollingOf(time.Second), time.Minute, 250 * time.Millisecond, 1},
		"some windows in one step":              {rollingOf(100 * time.Millisecond), time.Minute, 250 * time.Millisecond, 2.5},
		"slots by the target":                   {limits.Limit{Kind: limits.Concurrent, Max: 3}, 8 * time.Second, 2 * time.Second, 1},
		"slots with a target that is too short": {limits.Limit{Kind: limits.Concurrent, Max: 3}, 0, 250 * time.Millisecond, 1},
		"the longest hour in 64":                {calendarOf(limits.Hour), 8 * time.Second, 112_500 * time.Millisecond, 1},
	} {
		a := NewAdvisor(tc.limit, Targets{Waiting: tc.waiting})
		if a.step != tc.step || a.scale != tc.scale {
			t.Errorf("%s: a step of %s lets %v times the size through, want %s, %v", name, a.step, a.scale, tc.step, tc.scale)
		}
	}
}

func rollingOf(window time.Duration) limits.Limit {
	return limits.Limit{Name: "rolling", Kind: limits.Rolling, Max: 10, Window: window}
}

func calendarOf(p limits.Period) limits.Limit {
	return limits.Limit{Name: "calendar", Kind: limits.Calendar, Max: 10, Period: p, Location: time.UTC}
}

// TestTheSizesThatAreTried are quarters of octaves from a quarter to sixteen times the size, in whole units; and the one in force.
func TestTheSizesThatAreTried(t *testing.T) {
	l := rollingOf(time.Minute)
	l.Max = 1000
	a := NewAdvisor(l, Targets{})
	for i, want := range map[int]float64{0: 250, 1: 298, 2: 354, 4: 500, 8: 1000, 12: 2000, 24: 16_000, inForce: 1000} {
		if got := a.trials[i].size; got != want {
			t.Errorf("trial %d has a size of %v, want %v", i, got, want)
		}
	}
}

// day0 is when the worlds of an Advisor begin: two hours before midnight.
var day0 = time.Date(2026, 7, 1, 22, 0, 0, 0, time.UTC)

// paper is what a trial should do, by lists of all that has happened in it.
type paper struct {
	size  float64
	sent  map[int64][classes]float64
	lines [classes][]entry
}

// used is what was sent from a step on.
func (p *paper) used(from int64) (used [classes]float64) {
	for step, sent := range p.sent {
		if step >= from {
			used[waitingClass], used[queuedClass] = used[waitingClass]+sent[waitingClass], used[queuedClass]+sent[queuedClass]
		}
	}
	return used
}

// TestTrialsAreLimitsOfTheirSize lets calls come as they like and goes through each size on paper: what waits goes first, but for a fifth while others are
// queued, which leave what is expected to come to calls that somebody waits for, up to four fifths of the size.
func TestTrialsAreLimitsOfTheirSize(t *testing.T) {
	targets := Targets{Waiting: 8 * time.Second, Queued: 100 * time.Second}
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.SampledFrom([]limits.Limit{
			rollingOf(time.Minute), rollingOf(time.Second), rollingOf(100 * time.Millisecond), rollingOf(2 * time.Hour), calendarOf(limits.Hour), calendarOf(limits.Day),
			{Name: "slots", Kind: limits.Concurrent, Max: 2},
		}).Draw(t, "limit")
		a := NewAdvisor(l, targets)
		papers := make([]*paper, trials)
		for i := range papers {
			papers[i] = &paper{size: a.trials[i].size, sent: map[int64][classes]float64{}}
		}
		unit := int64(1)
		if l.Kind == limits.Concurrent {
			unit = 3000 // milliseconds
		}
		var want adviceDay // the sum of all days
		first := day0.UnixNano()/int64(a.step) + rapid.Int64Range(0, 70).Draw(t, "begin")
		expected := NewEnvelope(max(l.Window, 5*time.Minute))
		inWindow := newWindow(max(l.Window, 1))
		steps := rapid.Int64Range(1, 50).Draw(t, "steps")
		quiet := rapid.SampledFrom([]int64{-1, 1}).Draw(t, "quiet")
		for step := first; step < first+steps; step++ {
			var arrived [classes]float64
			for class := range classes {
				units := unit * rapid.SampledFrom([]int64{0, 0, 1, 5, 40}).Draw(t, "units")
				if (step-first)/20 == quiet { // long enough to expect less
					units = 0
				}
				at := time.Unix(0, step*int64(a.step)).Add(a.step / 3)
				a.Ask(at, units, class == queuedClass)
				arrived[class] = float64(units)
				want.units[class] += float32(units)
				if class == waitingClass && l.Kind == limits.Rolling {
					inWindow.add(at, units)
					expected.Observe(at, float64(inWindow.total))
				}
			}
			want.seconds += float32(a.step.Seconds())
			for i, p := range papers {
				p.pass(a, &want, i, step, first, arrived, expected.At(time.Unix(0, step*int64(a.step))))
			}
		}
		a.Advance(time.Unix(0, (first+steps)*int64(a.step)))
		got := allDays(a)
		if got.units != want.units || math.Abs(float64(got.seconds-want.seconds)) > 0.01*float64(want.seconds) {
			t.Fatalf("%v units in %v seconds, want %v in %v", got.units, got.seconds, want.units, want.seconds)
		}
		near := func(got, want float32) bool { return math.Abs(float64(got-want)) <= 1e-2*float64(unit) }
		for i := range trials {
			if g, w := got.late[i], want.late[i]; !near(g[waitingClass], w[waitingClass]) || !near(g[queuedClass], w[queuedClass]) {
				t.Fatalf("with a size of %v %v units are late, want %v", papers[i].size, g, w)
			}
		}
		for bin := range waitBins {
			if !near(got.waits[bin], want.waits[bin]) {
				t.Fatalf("%v units waited up to %s, want %v", got.waits[bin], longestWait(bin), want.waits[bin])
			}
		}
	})
}

// allDays is the sum of what an Advisor has seen.
func allDays(a *Advisor) (sum adviceDay) {
	for i := range a.days {
		d := &a.days[i]
		sum.seconds += d.seconds
		for class := range classes {
			sum.units[class] += d.units[class]
			for i := range trials {
				sum.late[i][class] += d.late[i][class]
			}
		}
		for bin := range waitBins {
			sum.waits[bin] += d.waits[bin]
		}
	}
	return sum
}

// pass lets one step pass.
func (p *paper) pass(a *Advisor, day *adviceDay, trial int, step, first int64, arrived [classes]float64, expected float64) {
	for class, units := range arrived {
		if units > 0 {
			p.lines[class] = append(p.lines[class], entry{step, units})
		}
	}
	room, from := p.size*a.scale, step+1
	switch a.limit.Kind {
	case limits.Rolling:
		from = step + 1 - max(1, min(int64(a.limit.Window/a.step), trialSteps-1))
	case limits.Concurrent:
		room *= float64(a.step.Milliseconds())
	case limits.Calendar:
		begin, _ := a.limit.Period.Containing(time.Unix(0, (step+1)*int64(a.step)-1), time.UTC)
		from = max(first, begin.UnixNano()/int64(a.step))
	}
	used := p.used(from)
	room = max(0, room-used[waitingClass]-used[queuedClass])
	var sent [classes]float64
	serve := func(class int, units float64) {
		for len(p.lines[class]) > 0 && units > 0 {
			e := &p.lines[class][0]
			part := min(e.units, units)
			p.note(a, day, trial, class, step-e.step, part)
			sent[class], room, units = sent[class]+part, room-part, units-part
			if e.units -= part; e.units == 0 {
				p.lines[class] = p.lines[class][1:]
			}
		}
	}
	queued := 0.
	for _, e := range p.lines[queuedClass] {
		queued += e.units
	}
	serve(waitingClass, room-min(0.2*room, queued))
	serve(queuedClass, room-max(0, min(0.8*p.size, expected)-used[waitingClass]-sent[waitingClass]))
	serve(waitingClass, room)
	p.sent[step] = sent
}

// note counts units that were sent after so many steps.
func (p *paper) note(a *Advisor, day *adviceDay, trial, class int, steps int64, units float64) {
	wait := time.Duration(steps) * a.step
	if wait > []time.Duration{a.targets.Waiting, a.targets.Queued}[class] {
		day.late[trial][class] += float32(units)
	}
	if trial == inForce && class == waitingClass {
		bin := 0
		for bin < waitBins-1 && longestWait(bin) <= wait && wait > 0 {
			bin++
		}
		day.waits[bin] += float32(units)
	}
}

// TestBinsOfWaits are half octaves from a quarter of a second on; all that is shorter is in the first of them, and what is longest in the last.
func TestBinsOfWaits(t *testing.T) {
	if got := longestWait(0); got != 0 {
		t.Errorf("what does not wait waits %s", got)
	}
	for bin, want := range []time.Duration{0, 353_553_390, 500 * time.Millisecond, 707_106_781, time.Second} {
		if got := longestWait(bin); (got - want).Abs() > 2 {
			t.Errorf("bin %d ends at %s, want %s", bin, got, want)
		}
	}
	for wait, want := range map[time.Duration]int{
		-1: 0, 0: 0, 1: 1, 250 * time.Millisecond: 1, 353 * time.Millisecond: 1, 354 * time.Millisecond: 2, 510 * time.Millisecond: 3, time.Second + 1: 5,
		math.MaxInt64: waitBins - 1,
	} {
		if got := waitBin(wait); got != want {
			t.Errorf("%s is in bin %d, want %d", wait, got, want)
		}
	}
}
