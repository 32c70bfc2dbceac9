// SPDX-License-Identifier: Apache-2.0

package forecast

import (
	"math"
	"time"
)

const (
	// slotLength is the grain of the history: fine enough for a shift that begins at half past eight.
	slotLength   = 30 * time.Minute
	slotsPerDay  = int(24 * time.Hour / slotLength)
	slotsPerWeek = 7 * slotsPerDay
)

// slotSeconds is slotLength in seconds.
const slotSeconds = int64(slotLength / time.Second)

// zone maps slots, which are half hours of UTC, to the half hour of the local week. It looks the zone's offset up only when that may have changed.
type zone struct {
	location    *time.Location
	offset      int64 // seconds east of UTC
	from, until int64 // slots in which it holds
}

// local is the number of the half hour of the local week in which the slot begins, 0 to slotsPerWeek-1. A clock change moves it by an hour.
func (z *zone) local(slot int64) int {
	if slot < z.from || slot >= z.until {
		z.lookUp(slot)
	}
	i := (slot*slotSeconds + z.offset) / slotSeconds % int64(slotsPerWeek)
	return int((i + int64(slotsPerWeek)) % int64(slotsPerWeek))
}

func (z *zone) lookUp(slot int64) {
	at := time.Unix(slot*slotSeconds, 0).In(z.location)
	_, offset := at.Zone()
	z.offset, z.from, z.until = int64(offset), math.MinInt64, math.MaxInt64
	start, end := at.ZoneBounds()
	if !start.IsZero() {
		z.from = (start.Unix() + slotSeconds - 1) / slotSeconds
	}
	if !end.IsZero() {
		z.until = (end.Unix() + slotSeconds - 1) / slotSeconds
	}
}

// slotOf is the slot that holds the instant, and which part of it has passed. Instants before 1970 are taken as its begin.
func slotOf(now time.Time) (slot int64, passed float64) {
	seconds := max(0, now.Unix())
	rest := time.Duration(seconds%slotSeconds)*time.Second + time.Duration(now.Nanosecond())
	return seconds / slotSeconds, float64(rest) / float64(slotLength)
}
