// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// Capacity is what one rolling or calendar limit leaves to an integration's backlog. How fast slots turn over is not known beforehand: concurrency is left out.
type Capacity struct {
	Kind limits.Kind
	// Free units can be sent at once.
	Free int64
	// PerWindow units can be sent in each window or period after that.
	PerWindow int64
	Window    time.Duration
	// Reset is the time until the next calendar period begins.
	Reset time.Duration
}

// Drain is how long a backlog of this many units takes while demand stays as it is. ok is false if a limit never lets all of it through, or only in centuries.
func Drain(backlog int64, capacities []Capacity) (left time.Duration, ok bool) {
	for _, c := range capacities {
		if backlog > c.Free && c.PerWindow <= 0 {
			return 0, false
		}
	}
	seconds := pace(backlog, capacities, true)
	for _, c := range capacities {
		if rest := backlog - c.Free; c.Kind == limits.CalendarDay && rest > 0 {
			fullPeriods := (rest - 1) / c.PerWindow
			wait := c.Reset.Seconds() + float64(fullPeriods)*c.Window.Seconds()
			seconds = max(seconds, wait+pace(rest-fullPeriods*c.PerWindow, capacities, false))
		}
	}
	if seconds >= math.MaxInt64/float64(time.Second) {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}

// pace is how many seconds the rolling limits take to let n units through. What is free now counts only for calls that are sent now.
func pace(n int64, capacities []Capacity, now bool) float64 {
	seconds := 0.0
	for _, c := range capacities {
		rest := n
		if now {
			rest -= c.Free
		}
		if c.Kind == limits.Rolling && rest > 0 {
			seconds = max(seconds, float64(rest)/float64(c.PerWindow)*c.Window.Seconds())
		}
	}
	return seconds
}
