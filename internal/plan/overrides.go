// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// maxInstants bounds the timeline, and with it memory and time of a compilation: 4 MiB with 16 limits. Each minute of a week is some 10,000.
const maxInstants = 1 << 14

var tooManyOverrides = Decision{
	v1alpha1.ReasonTooManyOverrides,
	fmt.Sprintf("overrides: those of all integrations of the CRM would change guarantees at more than %d times: use times that others use too, or fewer overrides",
		maxInstants),
}

// judgeOverrides reads the calendar of an entry. OK means that it can be read.
func judgeOverrides(entry *contract.Integration, head *contract.Plan, known zones) (calendar, Decision) {
	c, err := newCalendar(entry, shared(head), known)
	if err != nil {
		return nil, Decision{v1alpha1.ReasonUnknownTimeZone, "overrides: " + err.Error()}
	}
	return c, accepted
}

// timelineOf is the timeline of all that is granted and pending, and says which of the pending it speaks of. Should there be too many times, it leaves out the
// youngest that change theirs.
func timelineOf(now time.Time, granted []grant, pending []*candidate, known zones) (t *timeline, timed func(*candidate) bool) {
	inForce := make(map[string]*grant, len(granted))
	var calendars []calendar
	for n := range granted {
		g := &granted[n]
		inForce[g.entry.Key()] = g
		if g.calendar != nil {
			calendars = append(calendars, g.calendar)
		}
	}
	var changed []*candidate
	for _, c := range pending {
		old := inForce[c.entry.Key()]
		if c.calendar != nil && (old == nil || !sameShares(&c.entry, &old.entry)) {
			changed = append(changed, c)
		}
	}
	with := func(n int) *timeline {
		all := slices.Clone(calendars)
		for _, c := range changed[:n] {
			all = append(all, c.calendar)
		}
		return newTimeline(now, all, known)
	}
	t = with(len(changed))
	taken := len(changed)
	if len(t.at) > maxInstants {
		taken = sort.Search(len(changed), func(n int) bool { return len(with(n+1).at) > maxInstants })
		t = with(taken)
	}
	left := changed[taken:]
	return t, func(c *candidate) bool { return !slices.Contains(left, c) }
}

// recheck is when the first override that holds once ends, if some guarantee waits for room.
func (a *admission) recheck(now time.Time, decisions map[types.NamespacedName]Decision) time.Duration {
	var waits bool
	for _, d := range decisions {
		waits = waits || d.Reason == v1alpha1.ReasonGuaranteeExceedsLicence || d.Reason == v1alpha1.ReasonTooManyOverrides
	}
	if !waits {
		return 0
	}
	var wait time.Duration
	for _, h := range a.inForce {
		for _, o := range h.entry.Overrides {
			if o.Until != nil && o.Until.After(now) {
				wait = sooner(wait, o.Until.Sub(now))
			}
		}
	}
	return wait
}
