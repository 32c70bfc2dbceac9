// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"net/http"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/domain/limits"
)

// farthest is how far from ours a CRM's clock is believed to be. A Date beyond it is a mistake that would open or close a day's limit.
const farthest = 24 * time.Hour

// crmClock learns from the Date of answers how far the CRM's clock is from ours. It starts from limits.UnknownOffset.
type crmClock struct {
	guards limits.Guards
	known  bool
	offset limits.Offset
	at     time.Time
}

// observe takes an answer's header and the moments between which the CRM wrote it. It reports whether anything was learnt.
func (c *crmClock) observe(header http.Header, began, ended time.Time) bool {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil || header.Get("Age") != "" { // a cache's answer tells an old time
		return false
	}
	// Date is cut to the second: the clock showed up to one second more.
	drift := c.guards.Drift(max(0, ended.Sub(began)))
	seen := limits.Offset{Min: date.Sub(ended) - drift, Max: date.Add(time.Second).Sub(began) + drift}
	if seen.Min < -farthest || seen.Max > farthest {
		return false
	}
	widened := c.now(ended)
	c.offset = limits.Offset{Min: max(widened.Min, seen.Min), Max: min(widened.Max, seen.Max)}
	if !c.known || c.offset.Min > c.offset.Max {
		// The first answer, or one of the clocks was set: until the next answer both may be true.
		c.offset = seen
		if c.known {
			c.offset = limits.Offset{Min: min(widened.Min, seen.Min), Max: max(widened.Max, seen.Max)}
		}
	}
	c.known, c.at = true, ended
	return true
}

// now is the offset at a moment: it widens as the clocks drift apart.
func (c *crmClock) now(at time.Time) limits.Offset {
	if !c.known {
		return limits.UnknownOffset()
	}
	drift := c.guards.Drift(max(0, at.Sub(c.at)))
	return limits.Offset{Min: c.offset.Min - drift, Max: c.offset.Max + drift}
}
