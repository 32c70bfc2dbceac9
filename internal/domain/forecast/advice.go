// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"slices"
	"time"
)

const (
	// lateAllowed is the part of calls that may wait longer than their target. An inadequate licence is adequate again when it is lateRecovered: between the two
	// nothing changes, so that a demand near the edge does not flip the advice.
	lateAllowed, lateRecovered = 0.05, 0.04
	// leastSeconds and leastUnits have to be seen before there is advice.
	leastSeconds, leastUnits = 24 * 3600, 20
)

// Tier is a licence that can be had: its name and the sizes of its limits by their names. A limit that is not among them stays as it is.
type Tier struct {
	Name   string
	Limits map[string]int64
}

// Advice says whether the limits in force were large enough for the demand of the last two weeks.
type Advice struct {
	// Adequate: of the calls that somebody waits for, and of those that are queued, 19 of 20 would have waited no longer than their target.
	Adequate bool
	// Wait is the wait that one of 20 calls for which somebody waits would have passed, with the limit in force that is worst.
	Wait time.Duration
	// Limit is the name of the limit that is short of demand, Needed the size of it that would do: 0 if even sixteen times the present one would not. Queued
	// says that it is only queued calls that are late. All are empty if it is adequate.
	Limit  string
	Needed int64
	Queued bool
	// Tier is the first of the given ones that would do, whether or not the licence is adequate; empty if none does.
	Tier string
}

// Advise sums up what the Advisors of all limits of a licence say. Tiers are in order, the smallest first. before is the last advice's Adequate, true if
// there was none. ok is false while less than a day and 20 units were seen.
//
// It changes only with days of evidence, as each call counts among those of two weeks; who publishes it need only not do so during the first minutes.
func Advise(advisors []*Advisor, tiers []Tier, before bool) (advice Advice, ok bool) {
	advice.Adequate = true
	needs, worst := make(map[string]float64, len(advisors)), 0.0
	for _, a := range advisors {
		s := a.sum()
		if s.seconds < leastSeconds || s.units[waitingClass]+s.units[queuedClass] < leastUnits {
			continue
		}
		ok = true
		advice.Wait = max(advice.Wait, s.wait())
		need := a.needed(&s)
		needs[a.limit.Name] = need
		allowed := lateAllowed
		if !before {
			allowed = lateRecovered
		}
		late := s.latePart(inForce)
		if late[waitingClass] <= allowed && late[queuedClass] <= allowed {
			continue
		}
		if short := need / float64(a.limit.Max); short > worst || advice.Adequate {
			worst, advice.Adequate, advice.Limit = short, false, a.limit.Name
			advice.Queued = late[waitingClass] <= allowed
			advice.Needed = 0
			if !math.IsInf(need, 0) {
				advice.Needed = max(int64(math.Ceil(need)), a.limit.Max+1)
			}
		}
	}
	if ok {
		advice.Tier = smallest(tiers, advisors, needs)
	}
	return advice, ok
}

// smallest is the first tier whose limits are all as large as needed.
func smallest(tiers []Tier, advisors []*Advisor, needs map[string]float64) string {
	for _, t := range tiers {
		short := slices.ContainsFunc(advisors, func(a *Advisor) bool {
			size, named := t.Limits[a.limit.Name]
			if !named {
				size = a.limit.Max
			}
			return float64(size) < needs[a.limit.Name]
		})
		if !short {
			return t.Name
		}
	}
	return ""
}

// sum adds the days up.
func (a *Advisor) sum() (s adviceDay) {
	for i := range a.days {
		d := &a.days[i]
		if d.day <= a.days[a.latest()].day-advisedDays {
			continue
		}
		s.seconds += d.seconds
		for class := range classes {
			s.units[class] += d.units[class]
			for t := range trials {
				s.late[t][class] += d.late[t][class]
			}
		}
		for bin := range d.waits {
			s.waits[bin] += d.waits[bin]
		}
	}
	// What waits still is late if it came too long ago.
	for t := range trials {
		for class, target := range []time.Duration{a.targets.Waiting, a.targets.Queued} {
			l := &a.trials[t].lines[class]
			for _, e := range l.entries[:l.n] {
				if time.Duration(a.now-e.step)*a.step > target {
					s.late[t][class] += float32(e.units)
				}
			}
		}
	}
	return s
}

// latest is the number of the newest day.
func (a *Advisor) latest() int {
	newest := 0
	for i := range a.days {
		if a.days[i].day > a.days[newest].day {
			newest = i
		}
	}
	return newest
}

// latePart is the part of the calls of each class that were late in a trial.
func (d *adviceDay) latePart(trial int) (part [classes]float64) {
	for class := range classes {
		if d.units[class] > 0 {
			part[class] = float64(d.late[trial][class] / d.units[class])
		}
	}
	return part
}

// wait is what 19 of 20 calls that somebody waits for did not pass.
func (d *adviceDay) wait() time.Duration {
	all := float32(0)
	for _, n := range d.waits {
		all += n
	}
	sum := float32(0)
	for bin, n := range d.waits {
		if sum += n; sum >= (1-lateAllowed)*all {
			return longestWait(bin)
		}
	}
	return longestWait(waitBins - 1)
}

// needed is the smallest size that would have kept the targets, between two that were tried; infinite if none did.
func (a *Advisor) needed(s *adviceDay) float64 {
	for i := triedSizes - 1; i >= 0; i-- {
		part := s.latePart(i)
		late := max(part[waitingClass], part[queuedClass])
		if late <= lateAllowed {
			continue
		}
		if i == triedSizes-1 {
			return math.Inf(1)
		}
		// The next larger one would do: in between the late part falls about evenly with the size's logarithm.
		next := s.latePart(i + 1)
		kept := max(next[waitingClass], next[queuedClass])
		return a.trials[i].size * math.Pow(a.trials[i+1].size/a.trials[i].size, (late-lateAllowed)/(late-kept))
	}
	return a.trials[0].size
}

// Batchable is how many calls of one operation are queued, and how many of them one batch can hold.
type Batchable struct {
	Calls, Size int64
}

// Batched estimates how many calls batching would save: as if all that is queued at the moment was sent in full batches, one operation apart from the other.
// What is queued later, or for different credentials, is left out.
func Batched(queued []Batchable) (saved int64) {
	for _, b := range queued {
		if b.Calls > 0 && b.Size > 1 {
			saved += b.Calls - 1 - (b.Calls-1)/b.Size
		}
	}
	return saved
}
