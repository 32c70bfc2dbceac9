// SPDX-License-Identifier: Apache-2.0

package limit

import (
	"errors"
	"fmt"
	"time"
)

// Bounds of the numbers in a Limit. They keep integer arithmetic inside 64 bits.
const (
	MaxCalls        = 1_000_000
	MaxCost         = 10_000
	MaxWindow       = 366 * 24 * time.Hour
	MaxBucketWindow = time.Hour
	// MaxSteps is into how many steps a window can be cut.
	MaxSteps = 10_000
)

// Validate returns an error that names the field and the rule it breaks.
func (l Limit) Validate() error {
	c := checker{name: l.Name}
	c.check(l.Name != "", "name must not be empty")
	c.check(l.Calls >= 1 && l.Calls <= MaxCalls, "calls must be 1 to %d, not %d", MaxCalls, l.Calls)
	c.check(l.Shown >= 0 && l.Shown <= MaxCalls, "shown must be 0 to %d, not %d", MaxCalls, l.Shown)
	c.checkKind(l)
	c.checkApart(l)
	return errors.Join(c.errs...)
}

// checker collects what is wrong with one limit.
type checker struct {
	name string
	errs []error
}

func (c *checker) check(ok bool, format string, args ...any) {
	if !ok {
		c.errs = append(c.errs, fmt.Errorf("limit %q: "+format, append([]any{c.name}, args...)...))
	}
}

func (c *checker) checkKind(l Limit) {
	switch l.Kind {
	case Rolling:
		c.checkWindow(l, "window", MaxWindow)
	case Fixed:
		c.checkWindow(l, "window", MaxWindow)
		c.checkOffset(l)
	case Weighted:
		c.checkWindow(l, "window of a weighted counter", MaxBucketWindow)
		c.checkOffset(l)
	case TokenBucket:
		c.checkWindow(l, "window of a bucket", MaxBucketWindow)
		c.check(l.Burst >= 1 && l.Burst <= MaxCalls, "burst must be 1 to %d, not %d", MaxCalls, l.Burst)
		c.check(l.Skew == 0, "a bucket has one clock: skew is for windows")
	case Stepped:
		c.checkWindow(l, "window", MaxWindow)
		whole := l.Step > 0 && l.Window%l.Step == 0
		c.check(whole && l.Window/l.Step <= MaxSteps, "step must divide the window, into at most %d, not %v", MaxSteps, l.Step)
	case CalendarHour, CalendarDay, CalendarMonth:
		c.check(l.Zone != nil, "calendar needs a time zone")
	case Concurrent, Jobs:
		c.check(len(l.Costs) == 0 && l.Skew == 0 && l.Late == 0, "calls in flight are one each, and are seen at once: no cost, skew or late")
		c.check(l.Kind != Jobs || l.Narrowed(), "jobs must be narrowed to the calls that start them")
	default:
		c.check(false, "kind %q is unknown", l.Kind)
	}
}

func (c *checker) checkWindow(l Limit, what string, longest time.Duration) {
	c.check(l.Window > 0 && l.Window <= longest, what+" must be positive and at most %v, not %v", longest, l.Window)
}

func (c *checker) checkOffset(l Limit) {
	c.check(l.Offset >= 0 && l.Offset < max(l.Window, 1), "offset must be at least 0 and less than the window, not %v", l.Offset)
}

func (c *checker) checkApart(l Limit) {
	c.check(l.Per == "" || l.Per == PerRecord || l.Per == PerCredential, "per must be %s or %s, not %q", PerRecord, PerCredential, l.Per)
	for _, cost := range l.Costs {
		c.check(cost.Operation != "" && cost.Units >= 1 && cost.Units <= MaxCost, "cost must be OPERATION:UNITS, units 1 to %d, not %s:%d",
			MaxCost, cost.Operation, cost.Units)
	}
	c.check(l.Late >= 0, "late must not be negative")
	// No node may be a window behind another: then three windows would be open at a time.
	shortest := l.Window
	if l.Window == 0 {
		shortest = time.Hour
	}
	c.check(l.Skew >= 0 && 2*l.Skew < shortest, "skew must be at least 0 and less than half of the window, not %v", l.Skew)
}

// ValidateAll checks every limit and that names are unique.
func ValidateAll(limits []Limit) error {
	var errs []error
	seen := make(map[string]bool, len(limits))
	for _, l := range limits {
		errs = append(errs, l.Validate())
		if seen[l.Name] {
			errs = append(errs, fmt.Errorf("limit %q: name is used twice", l.Name))
		}
		seen[l.Name] = true
	}
	return errors.Join(errs...)
}
