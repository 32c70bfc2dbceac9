// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"math"
	"testing"
)

func wantMean(t *testing.T, h history, want float64) {
	t.Helper()
	if math.Abs(h.mean()-want) > 1e-9 {
		t.Errorf("the mean is %v, want %v", h.mean(), want)
	}
}

func TestParts(t *testing.T) {
	var h history
	wantMean(t, h, 0)
	h.add(7, 0)
	h.add(7, -1)
	if h != (history{}) {
		t.Errorf("no part of a window is noted as %+v", h)
	}
	h.add(200, 2)
	wantMean(t, h, 200) // of one window
	h.add(50, .5)
	fade := math.Sqrt(memory)
	wantMean(t, h, (200*fade+50)/(fade+.5))
	if h.last != 0 {
		t.Errorf("half a window is taken for the whole of %v", h.last)
	}
	if h.add(80, mostlySeen); h.last != 100 {
		t.Errorf("most of a window is taken for the whole of %v, want 100", h.last)
	}
}

// TestWhatIsHardlyEverPassed: four deviations of calls that come at random, or of windows as they differ.
func TestWhatIsHardlyEverPassed(t *testing.T) {
	var h history
	if got := h.above(1); got != 0 {
		t.Errorf("nothing is known, and %d are hardly ever passed", got)
	}
	h.add(100, 1)
	for part, want := range map[float64]int64{1: 157 /* 100 + 4 sqrt(100*2) */, .25: 48 /* 25 + 4 sqrt(100/4*1.25) */} {
		if got := h.above(part); got != want {
			t.Errorf("in a part of %v %d are hardly ever passed, want %d", part, got, want)
		}
	}
	h.add(100, 1)
	if h.add(40, 1); h.variance != 0 {
		t.Errorf("two windows before tell of a variance of %v", h.variance)
	}
	windows, mean := 1+memory+memory*memory, h.mean()
	h.add(180, 1)
	variance := (180 - mean) * (180 - mean) / windows
	if math.Abs(h.variance-variance) > 1e-9 {
		t.Errorf("the variance is %v, want %v", h.variance, variance)
	}
	// The last window was more than the mean.
	want := int64(math.Ceil(180 + sigmas*math.Sqrt(variance*(1+1/h.windows))))
	if got := h.above(1); got != want {
		t.Errorf("%d are hardly ever passed, want %d", got, want)
	}
	before := h.variance
	h.add(180, 1)
	if off := 180 - (h.units-180)/(h.windows-1); math.Abs(h.variance-(before+(off*off-before)/((h.windows-1)/memory))) > 1e-9 {
		t.Errorf("one more window made the variance %v of %v", h.variance, before)
	}
}

// TestPassing: of a window that moves along the mean over its length counts as one window.
func TestPassing(t *testing.T) {
	var h history
	h.pass(.5, 100)
	if h.windows != 0 {
		t.Errorf("half a window is noted as %+v", h)
	}
	h.pass(.5, 300)
	wantMean(t, h, 200)
	h.pass(.9, 10)
	wantMean(t, h, 200)
	h.pass(.3, 10)
	wantMean(t, h, (200*memory+10)/(memory+1))
}
