// SPDX-License-Identifier: Apache-2.0

package forecast

// Classes of calls in an Advisor.
const (
	waitingClass = iota // somebody waits for them
	queuedClass
	classes
)

const (
	// trialSteps is in how many steps the window of a limit is counted at most.
	trialSteps = 64
	// lineEntries is how many arrivals of different times one line tells apart; past that, neighbours are taken together.
	lineEntries = 64
	// queuedPart of what there is stays with queued calls while calls wait that go first.
	queuedPart = 0.2
)

// trial is what would be if the limit had another size: calls come as they do, and wait in lines for what a limit of this size would have let through.
type trial struct {
	size float64
	// served is what was let through in each of the last steps, by class, and used the sums of it.
	served [trialSteps][classes]float32
	used   [classes]float64
	lines  [classes]line
}

// line is calls in order of their arrival.
type line struct {
	entries [lineEntries]entry
	n       int
	units   float64
}

// entry is units that arrived at a step.
type entry struct {
	step  int64
	units float64
}

// add puts units that arrive at a step at the end.
func (l *line) add(step int64, units float64) {
	if units <= 0 {
		return
	}
	if l.n == lineEntries {
		// Pairs take the earlier time: who waits long is not said to wait less.
		for i := range lineEntries / 2 {
			l.entries[i] = entry{l.entries[2*i].step, l.entries[2*i].units + l.entries[2*i+1].units}
		}
		l.n = lineEntries / 2
	}
	l.entries[l.n] = entry{step, units}
	l.n++
	l.units += units
}

// serve takes units from the front and tells done of each entry's.
func (l *line) serve(units float64, done func(e entry)) (taken float64) {
	i := 0
	for ; i < l.n && units > 0; i++ {
		e := &l.entries[i]
		part := min(e.units, units)
		done(entry{e.step, part})
		e.units -= part
		units, taken = units-part, taken+part
		if e.units > 0 {
			break
		}
	}
	copy(l.entries[:], l.entries[i:l.n])
	l.n -= i
	l.units = max(0, l.units-taken)
	if l.n == 0 {
		l.units = 0
	}
	return taken
}

// idle says whether a step without arrivals changes nothing.
func (t *trial) idle() bool {
	return t.used == [classes]float64{} && t.lines[waitingClass].n == 0 && t.lines[queuedClass].n == 0
}

// release gives back what was let through in a step.
func (t *trial) release(step int64) {
	for class := range classes {
		t.used[class] -= float64(t.served[step][class])
		if t.used[class] < roundingError {
			t.used[class] = 0
		}
	}
	t.served[step] = [classes]float32{}
}

// take notes what is let through in a step.
func (t *trial) take(step int64, class int, units float64) {
	u := float32(units)
	t.served[step][class] += u
	t.used[class] += float64(u)
}

// roundingError is less than any unit.
const roundingError = 1e-3

// serve lets through what there is room for, in a step: calls that somebody waits for first, but not all of it while others are queued; for those that are
// expected to come next, some is kept free.
func (t *trial) serve(step int64, room, expected float64, done func(class int, e entry)) {
	waiting, queued := &t.lines[waitingClass], &t.lines[queuedClass]
	first := waiting.serve(room-min(queuedPart*room, queued.units), func(e entry) { done(waitingClass, e) })
	keep := min((1-queuedPart)*t.size, expected) - t.used[waitingClass] - first
	second := queued.serve(room-first-max(0, keep), func(e entry) { done(queuedClass, e) })
	first += waiting.serve(room-first-second, func(e entry) { done(waitingClass, e) })
	t.take(step, waitingClass, first)
	t.take(step, queuedClass, second)
}
