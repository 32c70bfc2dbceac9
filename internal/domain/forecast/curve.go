// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"slices"
	"time"
)

// curvePoints is how many times ahead a Curve tells: hours for a day, then quarters of days, days, weeks.
const curvePoints = 41

// curveTimes are these times, of which the last is the longest month.
var curveTimes = func() (times [curvePoints]time.Duration) {
	all := []time.Duration{0, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}
	for _, leg := range []struct{ until, every time.Duration }{
		{24 * time.Hour, time.Hour}, {48 * time.Hour, 6 * time.Hour}, {7 * 24 * time.Hour, 24 * time.Hour}, {28 * 24 * time.Hour, 7 * 24 * time.Hour},
	} {
		last := all[len(all)-1].Truncate(leg.every)
		for at := last + leg.every; at <= leg.until; at += leg.every {
			all = append(all, at)
		}
	}
	all = append(all, 31*24*time.Hour)
	copy(times[:], all)
	return times
}()

// Curve is what is asked for from a moment on, in units of a limit, by how far ahead: p50 and p95, which never fall. Between its points it is straight; past a
// month it goes on as in the last days of it. The zero value is nothing. 0.6 KiB.
type Curve struct {
	p50, p95 [curvePoints]float64
}

// At is what is asked for within a time.
func (c *Curve) At(after time.Duration) (p50, p95 float64) {
	i, part := locate(after)
	return between(&c.p50, i, part), between(&c.p95, i, part)
}

// locate is the point before a time, and which part of the way to the next has passed: more than 1 past the last.
func locate(after time.Duration) (i int, part float64) {
	after = max(0, after)
	i, found := slices.BinarySearch(curveTimes[:curvePoints-1], after)
	if !found {
		i--
	}
	return i, float64(after-curveTimes[i]) / float64(curveTimes[i+1]-curveTimes[i])
}

func between(of *[curvePoints]float64, i int, part float64) float64 {
	return of[i] + part*(of[i+1]-of[i])
}

// Without is the demand that is left when part of it is taken away, as one integration's from that of all. Both vary on their own, so variances are taken
// apart.
func (c *Curve) Without(part *Curve) (rest Curve) {
	return c.combine(part, -1)
}

// With is the demand of both together, which vary on their own.
func (c *Curve) With(other *Curve) (both Curve) {
	return c.combine(other, 1)
}

func (c *Curve) combine(other *Curve, sign float64) (r Curve) {
	for i := range r.p50 {
		own, others := c.p95[i]-c.p50[i], other.p95[i]-other.p50[i]
		margin := math.Sqrt(max(0, own*own+sign*others*others))
		r.p50[i] = max(0, c.p50[i]+sign*other.p50[i])
		r.p95[i] = r.p50[i] + margin
		if i > 0 {
			r.p50[i], r.p95[i] = max(r.p50[i-1], r.p50[i]), max(r.p95[i-1], r.p95[i], r.p50[i-1], r.p50[i])
		}
	}
	return r
}
