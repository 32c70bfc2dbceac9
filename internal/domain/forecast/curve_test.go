// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestACurveTellsTheTimesThatAreAskedAbout: minutes of the first hour, hours of the first day, quarters of the second, days of the first week, weeks, and the
// longest month.
func TestACurveTellsTheTimesThatAreAskedAbout(t *testing.T) {
	var want []time.Duration
	for _, minutes := range []int{0, 5, 15, 30} {
		want = append(want, time.Duration(minutes)*time.Minute)
	}
	for hour := 1; hour <= 24; hour++ {
		want = append(want, time.Duration(hour)*time.Hour)
	}
	for _, hour := range []int{30, 36, 42, 48, 3 * 24, 4 * 24, 5 * 24, 6 * 24, 7 * 24, 14 * 24, 21 * 24, 28 * 24, 31 * 24} {
		want = append(want, time.Duration(hour)*time.Hour)
	}
	if got := curveTimes[:]; !slices.Equal(got, want) {
		t.Errorf("a curve tells %v, want %v", got, want)
	}
}

// drawCurve draws a curve that does not fall.
func drawCurve(t *rapid.T, name string) (c Curve) {
	steps := rapid.SliceOfN(rapid.Float64Range(0, 100), 2*curvePoints, 2*curvePoints).Draw(t, name)
	for i := 1; i < curvePoints; i++ {
		c.p50[i] = c.p50[i-1] + steps[2*i]
		c.p95[i] = max(c.p95[i-1], c.p50[i]+steps[2*i+1])
	}
	return c
}

// TestACurveIsStraightBetweenItsPoints, and past the last as before it; before now it is what it is now.
func TestACurveIsStraightBetweenItsPoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCurve(t, "curve")
		after := time.Duration(rapid.Int64Range(-int64(time.Hour), int64(60*24*time.Hour)).Draw(t, "after"))
		if rapid.Bool().Draw(t, "at a point") {
			after = curveTimes[rapid.IntRange(0, curvePoints-1).Draw(t, "point")]
		}
		i := 1
		for i < curvePoints-1 && curveTimes[i] < after {
			i++
		}
		part := float64(max(0, after)-curveTimes[i-1]) / float64(curveTimes[i]-curveTimes[i-1])
		want50, want95 := (1-part)*c.p50[i-1]+part*c.p50[i], (1-part)*c.p95[i-1]+part*c.p95[i]
		if p50, p95 := c.At(after); math.Abs(p50-want50) > 1e-6 || math.Abs(p95-want95) > 1e-6 {
			t.Fatalf("%s ahead %v to %v, want %v to %v", after, p50, p95, want50, want95)
		}
		if got := interpolate(&c.p95, after); math.Abs(got-want95) > 1e-6 {
			t.Fatalf("%s ahead p95 is %v, want %v", after, got, want95)
		}
	})
}

// TestCurvesAreCombinedPointByPoint: medians add, and the squares of how far p95 is above them; none falls, and none is below nothing.
func TestCurvesAreCombinedPointByPoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawCurve(t, "a"), drawCurve(t, "b")
		for sign, got := range map[float64]Curve{1: a.With(&b), -1: a.Without(&b)} {
			last50, last95 := 0., 0.
			for i := range curvePoints {
				ownMargin, otherMargin := a.p95[i]-a.p50[i], b.p95[i]-b.p50[i]
				point := max(0, a.p50[i]+sign*b.p50[i])
				last50 = max(last50, point)
				last95 = max(last95, last50, point+math.Sqrt(max(0, ownMargin*ownMargin+sign*otherMargin*otherMargin)))
				if !(math.Abs(got.p50[i]-last50) <= 1e-6 && math.Abs(got.p95[i]-last95) <= 1e-6) {
					t.Fatalf("point %d with sign %v is %v to %v, want %v to %v", i, sign, got.p50[i], got.p95[i], last50, last95)
				}
			}
		}
	})
}
