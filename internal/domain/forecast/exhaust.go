// SPDX-License-Identifier: Apache-2.0

package forecast

import "time"

// Exhaustion is the state of one limit at the moment of a forecast.
type Exhaustion struct {
	// Free units can be charged now; below 0 after a limit was lowered. Waiting units are asked for and not sent.
	Free, Waiting int64
	// Releases are when units that are charged now are released, in order of time: not for a calendar limit, which Renewal releases.
	Releases []Release
	// Renewal is how long the forecast reaches: until the period of a calendar limit ends, the window of a rolling one.
	Renewal time.Duration
	// Ahead is what all integrations ask for.
	Ahead *Curve
}

// Release is how many units are released at a time after the forecast.
type Release struct {
	After time.Duration
	Units int64
}

// Exhaust is when demand passes what is free and released: p95 is the earlier instant, which comes true in one case of twenty, p50 the one with even chances.
// Zero if it does not before the limit is renewed.
func Exhaust(now time.Time, e Exhaustion) (p50, p95 time.Time) {
	if after, ok := e.passed(&e.Ahead.p95); ok {
		p95 = now.Add(after)
	}
	if after, ok := e.passed(&e.Ahead.p50); ok {
		p50 = now.Add(after)
	}
	return p50, p95
}

// passed goes from point to point, of demand and of releases, and looks for the first stretch in which demand passes what there is.
func (e *Exhaustion) passed(demand *[curvePoints]float64) (after time.Duration, ok bool) {
	room := float64(e.Free) - float64(e.Waiting)
	if room < 0 {
		return 0, true
	}
	releases, i := e.Releases, 0
	for from := time.Duration(0); from < e.Renewal; {
		to := e.Renewal
		for i < curvePoints-1 && curveTimes[i] <= from {
			i++
		}
		if curveTimes[i] > from {
			to = min(to, curveTimes[i])
		}
		if len(releases) > 0 {
			to = max(from, min(to, releases[0].After))
		}
		if end := interpolate(demand, to); end > room {
			begin := interpolate(demand, from)
			return from + time.Duration(float64(to-from)*max(0, min(1, (room-begin)/(end-begin)))), true
		}
		for len(releases) > 0 && releases[0].After <= to {
			room += float64(max(0, releases[0].Units))
			releases = releases[1:]
		}
		from = to
	}
	return 0, false
}

func interpolate(of *[curvePoints]float64, after time.Duration) float64 {
	i, part := locate(after)
	return between(of, i, part)
}
