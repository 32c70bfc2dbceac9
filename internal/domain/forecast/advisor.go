// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// Targets are the longest waits that a licence is to keep in 19 cases of 20.
type Targets struct {
	// Waiting is for calls that somebody waits for, Queued for those that wait durably.
	Waiting, Queued time.Duration
}

const (
	// advisedDays is how many days of demand advice is from.
	advisedDays = 14
	// Sizes that are tried, from the limit's quarter to sixteen times it, each a quarter of an octave above the one before; and the size in force.
	sizesPerOctave, octavesBelow, octavesAbove = 4, 2, 4
	triedSizes                                 = sizesPerOctave*(octavesBelow+octavesAbove) + 1
	inForce                                    = triedSizes
	trials                                     = triedSizes + 1
	// waitBins of the waits in force: none, then from a quarter of a second on in half octaves, to four months.
	waitBins, waitBinsPerOctave = 48, 2
	shortestWait                = 250 * time.Millisecond
	// shortestTrialStep and longestTrialGap bound the work: after a longer gap the lines are taken to be empty.
	shortestTrialStep = 250 * time.Millisecond
	longestTrialGap   = time.Hour
)

// Advisor tries out what would have been with limits of other sizes: each size has its own lines, in which the calls of all integrations wait for what such a
// limit would let through. 73 KiB per limit of a licence.
type Advisor struct {
	limit   limits.Limit
	targets Targets
	step    time.Duration
	// scale is how many windows a step holds, if more than one: it then lets through so many times the size.
	scale float64
	// first is the size of the limit that the sizes tried were chosen by.
	first int64
	// now is the step that calls come in, asked the units so far.
	now   int64
	asked [classes]float64
	// recent is what was asked for within a rolling window by calls that somebody waits for, and expected how much that is at most.
	recent   window
	expected Envelope
	// periodEnd is the step in which a calendar period ends.
	periodEnd int64
	trials    [trials]trial
	days      [advisedDays]adviceDay
}

// adviceDay is what one day was like.
type adviceDay struct {
	day int64
	// seconds of it were seen.
	seconds float32
	units   [classes]float32
	// late units by trial: those that waited longer than the target.
	late [trials][classes]float32
	// waits of calls that somebody waits for, with the size in force.
	waits [waitBins]float32
}

// NewAdvisor returns an Advisor that has seen nothing. Limits are taken as if the CRM counted exactly and every call took no time.
func NewAdvisor(l limits.Limit, t Targets) *Advisor {
	a := &Advisor{limit: l, targets: t}
	switch l.Kind {
	case limits.Rolling:
		a.step = max(l.Window/trialSteps, min(l.Window/16, t.Waiting/4))
	case limits.Calendar:
		a.step = l.Period.Longest() / trialSteps
	default:
		a.step = t.Waiting / 4
	}
	a.step = max(a.step, shortestTrialStep)
	a.scale = 1
	if l.Kind == limits.Rolling {
		a.scale = max(1, float64(a.step)/float64(l.Window))
		a.recent, a.expected.halfLife = newWindow(l.Window), max(l.Window, shortestHalfLife)
	}
	a.try(l.Max)
	a.trials[inForce].size = float64(l.Max)
	return a
}

// try chooses the sizes to be tried around one.
func (a *Advisor) try(size int64) {
	a.first = size
	for i := range triedSizes {
		a.trials[i].size = math.Ceil(float64(size) * math.Exp2(float64(i)/sizesPerOctave-octavesBelow))
	}
}

// SetMax tells that the limit has another size from now on. What was seen is kept; what would have been late with the new size is read off those that were
// tried.
func (a *Advisor) SetMax(size int64) {
	size = max(1, size)
	a.limit.Max, a.trials[inForce].size = size, float64(size)
	at := max(0, min(sizesPerOctave*(math.Log2(float64(size)/float64(a.first))+octavesBelow), triedSizes-1))
	lower := min(int(at), triedSizes-2)
	part := float32(at - float64(lower))
	for i := range a.days {
		d := &a.days[i]
		d.waits = [waitBins]float32{}
		for class := range classes {
			d.late[inForce][class] = (1-part)*d.late[lower][class] + part*d.late[lower+1][class]
		}
	}
}

// Limit is the one that it advises on.
func (a *Advisor) Limit() limits.Limit { return a.limit }

// Ask tells that units of the limit were asked for at now, by whatever integration; of a Concurrent limit, for how many milliseconds calls that ended now held
// their slots. queued says that nobody waits for them.
func (a *Advisor) Ask(now time.Time, units int64, queued bool) {
	a.Advance(now)
	class := waitingClass
	if queued {
		class = queuedClass
	}
	units = max(0, min(units, mostAmount))
	a.asked[class] += float64(units)
	if class == waitingClass && a.limit.Kind == limits.Rolling {
		a.recent.add(now, units)
		a.expected.Observe(now, float64(a.recent.total))
	}
}

// Advance lets the time go on to now. Instants that go back count as the latest.
func (a *Advisor) Advance(now time.Time) {
	to := now.UnixNano() / int64(a.step)
	if time.Duration(to-a.now) > longestTrialGap/a.step {
		for i := range a.trials {
			a.trials[i] = trial{size: a.trials[i].size}
		}
		a.asked, a.now = [classes]float64{}, to
	}
	for a.now < to {
		a.close()
	}
}

// close ends the present step.
func (a *Advisor) close() {
	day := a.today()
	day.seconds += float32(a.step.Seconds())
	for class, units := range a.asked {
		day.units[class] += float32(units)
	}
	renewed := a.limit.Kind == limits.Calendar && a.now >= a.periodEnd
	if renewed {
		// The step in which a period ends belongs to the next one: what there was at its begin must not be let through once more in the step after it.
		_, end := a.limit.Period.Containing(time.Unix(0, (a.now+1)*int64(a.step)-1), a.limit.Location)
		a.periodEnd = end.UnixNano() / int64(a.step)
	}
	expected := a.expected.At(time.Unix(0, a.now*int64(a.step)))
	for i := range a.trials {
		a.closeTrial(i, day, renewed, expected)
	}
	a.asked = [classes]float64{}
	a.now++
}

func (a *Advisor) closeTrial(i int, day *adviceDay, renewed bool, expected float64) {
	t := &a.trials[i]
	for class, units := range a.asked {
		t.lines[class].add(a.now, units)
	}
	if renewed {
		t.used = [classes]float64{}
	}
	if t.idle() {
		return
	}
	at, room := a.now%trialSteps, a.scale*t.size
	switch a.limit.Kind {
	case limits.Rolling:
		// What was let through a window ago is released.
		steps := max(1, min(int64(a.limit.Window/a.step), trialSteps-1))
		t.release((a.now + trialSteps - steps) % trialSteps)
	case limits.Concurrent:
		t.used, t.served[at], room = [classes]float64{}, [classes]float32{}, room*float64(a.step.Milliseconds())
	default: // the end of the period releases
	}
	room -= t.used[waitingClass] + t.used[queuedClass]
	t.serve(at, room, expected, func(class int, e entry) { a.note(i, day, class, e) })
}

// note counts units that a trial lets through now.
func (a *Advisor) note(i int, day *adviceDay, class int, e entry) {
	wait := time.Duration(a.now-e.step) * a.step
	target := a.targets.Waiting
	if class == queuedClass {
		target = a.targets.Queued
	}
	if wait > target {
		day.late[i][class] += float32(e.units)
	}
	if i == inForce && class == waitingClass {
		day.waits[waitBin(wait)] += float32(e.units)
	}
}

func waitBin(wait time.Duration) int {
	if wait <= 0 {
		return 0
	}
	return max(1, min(1+int(waitBinsPerOctave*math.Log2(float64(wait)/float64(shortestWait))), waitBins-1))
}

// longestWait is the end of a bin.
func longestWait(bin int) time.Duration {
	if bin == 0 {
		return 0
	}
	return time.Duration(float64(shortestWait) * math.Exp2(float64(bin)/waitBinsPerOctave))
}

// today is the day of the present step.
func (a *Advisor) today() *adviceDay {
	day := a.now * int64(a.step) / int64(24*time.Hour)
	d := &a.days[((day%advisedDays)+advisedDays)%advisedDays]
	if d.day != day {
		*d = adviceDay{day: day}
	}
	return d
}
