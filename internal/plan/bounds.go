// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// bounds are when overrides begin and end.
type bounds struct {
	// once are seconds of the Unix clock: now, and each later one at which an override that holds once begins or ends. active is how many hold from then on.
	once   []int64
	active []int
	// weekly are the zones with the minutes of their week at which hours begin or end.
	weekly []zoneBounds
}

type zoneBounds struct {
	name    string
	zone    *time.Location
	minutes []int
}

func newBounds(now int64, calendars []calendar, known zones) bounds {
	once := map[int64]int{now: 0}
	weekly := make(map[string]map[int]bool)
	for _, c := range calendars {
		for _, s := range c {
			switch {
			case s.zone != "":
				if weekly[s.zone] == nil {
					weekly[s.zone] = make(map[int]bool)
				}
				addHours(weekly[s.zone], s.hours)
			case s.until > now:
				once[max(now, s.from)]++
				once[s.until]--
			}
		}
	}
	b := bounds{once: slices.Sorted(maps.Keys(once))}
	active := 0
	for _, at := range b.once {
		active += once[at]
		b.active = append(b.active, active)
	}
	for _, name := range slices.Sorted(maps.Keys(weekly)) {
		b.weekly = append(b.weekly, zoneBounds{name, known[name], slices.Sorted(maps.Keys(weekly[name]))})
	}
	return b
}

func addHours(minutes map[int]bool, h contract.Hours) {
	for day, begins := range h.Days {
		if !begins {
			continue
		}
		end := day*minutesPerDay + h.End
		if h.End <= h.Start {
			end += minutesPerDay
		}
		minutes[day*minutesPerDay+h.Start] = true
		minutes[end%weekMinutes] = true
	}
}

func (b *bounds) empty() bool { return len(b.once) == 1 && len(b.weekly) == 0 }

// span adds the instants of [begin, end), throughout which the same overrides that hold once are active. seen are the differences between clocks that need not
// be looked at any more.
func (b *bounds) span(t *timeline, begin, end int64, seen map[string]bool) {
	for at := begin; at < end && at <= begin+horizon; {
		offsets, change := b.clocks(at)
		change = min(change, end)
		if key := differences(offsets); !seen[key] {
			seen[key] = change-at >= week
			b.add(t, at, min(change, at+week), offsets)
		}
		at = change
	}
}

// clocks are the zones' offsets from UTC, in seconds, and when the first of them changes.
func (b *bounds) clocks(at int64) (offsets []int64, change int64) {
	offsets, change = make([]int64, len(b.weekly)), 1<<63-1
	for n := range b.weekly {
		local := time.Unix(at, 0).In(b.weekly[n].zone)
		_, offset := local.Zone()
		offsets[n] = int64(offset)
		if _, next := local.ZoneBounds(); !next.IsZero() {
			change = min(change, next.Unix())
		}
	}
	return offsets, change
}

func differences(offsets []int64) string {
	var key strings.Builder
	for _, o := range offsets {
		fmt.Fprintf(&key, "%d ", o-offsets[0])
	}
	return key.String()
}

// add adds begin, and every later instant before end, at most a week later, at which clocks with these offsets come to a bound.
func (b *bounds) add(t *timeline, begin, end int64, offsets []int64) {
	instants := []int64{begin}
	for n, z := range b.weekly {
		shown := secondOfWeek(begin + offsets[n])
		for _, minute := range z.minutes {
			ahead := (int64(minute)*60 - shown + week) % week
			if begin+ahead < end {
				instants = append(instants, begin+ahead)
			}
		}
	}
	slices.Sort(instants)
	instants = slices.Compact(instants)
	t.at = append(t.at, instants...)
	for n, z := range b.weekly {
		for _, at := range instants {
			t.shown[z.name] = append(t.shown[z.name], uint16(secondOfWeek(at+offsets[n])/60))
		}
	}
}

// secondOfWeek of local time, from Sunday 00:00. The Unix clock began on a Thursday.
func secondOfWeek(local int64) int64 {
	return ((local+int64(time.Thursday)*day)%week + week) % week
}
