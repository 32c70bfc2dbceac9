// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"iter"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// shareOf translates a share of a licence with these limits. Of an external share nothing is lent.
func shareOf(s *v1alpha1.Share, limits []contract.Limit, external bool) contract.Share {
	share := contract.Share{
		Part:                contract.Part{GuaranteedPercent: number(s.GuaranteedPercent), MaxPercent: int64(s.MaxPercent)},
		Weight:              int64(s.Weight),
		LendPercent:         number(s.LendPercent),
		ReclaimWithinWindow: s.Reclaim == v1alpha1.ReclaimWithinWindow,
	}
	if external {
		share.LendPercent, share.ReclaimWithinWindow = 0, false
	}
	for _, p := range s.PerLimit {
		if share.PerLimit == nil {
			share.PerLimit = make(map[string]contract.Part, len(s.PerLimit))
		}
		part, scale := share.Part, int64(1)
		if n := slices.IndexFunc(limits, func(l contract.Limit) bool { return l.Name == string(p.Limit) }); n >= 0 {
			scale = unit(limits[n])
		}
		if p.GuaranteedPercent != nil {
			part.GuaranteedPercent = number(p.GuaranteedPercent)
		}
		if p.GuaranteedCalls != nil {
			part.GuaranteedPercent, part.GuaranteedCalls = 0, new(*p.GuaranteedCalls*scale)
		}
		if p.MaxPercent > 0 {
			part.MaxPercent = int64(p.MaxPercent)
		}
		if p.MaxCalls > 0 {
			part.MaxCalls = new(p.MaxCalls * scale)
		}
		share.PerLimit[string(p.Limit)] = part
	}
	return share
}

// overridesOf translates overrides.
func overridesOf(declared []v1alpha1.ShareOverride, limits []contract.Limit, external bool) []contract.Override {
	var out []contract.Override
	for i := range declared {
		o := &declared[i]
		override := contract.Override{Name: string(o.Name), From: instant(o.From), Until: instant(o.Until), Share: shareOf(&o.Share, limits, external)}
		if w := o.Weekly; w != nil {
			override.Weekly = &contract.Weekly{Start: w.Start, End: w.End, TimeZone: string(w.TimeZone)}
			for _, day := range w.Days {
				override.Weekly.Days = append(override.Weekly.Days, string(day))
			}
		}
		out = append(out, override)
	}
	return out
}

func instant(t *metav1.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC())
}

func number(n *int32) int64 {
	if n == nil {
		return 0
	}
	return int64(*n)
}

// claim is what a share guarantees of one limit: units of it, and the percentage they come from, 0 where they are declared in units. Sums of both are bounded:
// of units, because that is what is shared out, and of percentages, so that a limit that rounds them down to little can be raised.
type claim struct {
	units, percent int64
}

func (c claim) plus(d claim) claim  { return claim{c.units + d.units, c.percent + d.percent} }
func (c claim) minus(d claim) claim { return claim{c.units - d.units, c.percent - d.percent} }

// within says whether c fits into what is left.
func (c claim) within(left claim) bool { return c.units <= left.units && c.percent <= left.percent }

func (c claim) least(d claim) claim { return claim{min(c.units, d.units), min(c.percent, d.percent)} }

func claimOf(s contract.Share, l contract.Limit) claim {
	part := s.Of(l.Name)
	if part.GuaranteedCalls != nil {
		return claim{units: *part.GuaranteedCalls} // not bounded by the limit: too much must be refused, not taken for less
	}
	return claim{units: part.Guaranteed(l.Size()), percent: part.GuaranteedPercent}
}

// inCalls says whether any guarantee of the entry is declared in units.
func inCalls(entry *contract.Integration) bool {
	for _, s := range sharesOf(entry) {
		for _, part := range s.PerLimit {
			if part.GuaranteedCalls != nil {
				return true
			}
		}
	}
	return false
}

// sharesOf are all shares of an entry with their numbers: 0 is its own, n+1 that of override n. They may be changed.
func sharesOf(entry *contract.Integration) iter.Seq2[int, *contract.Share] {
	return func(yield func(int, *contract.Share) bool) {
		if !yield(0, &entry.Share) {
			return
		}
		for i := range entry.Overrides {
			if !yield(i+1, &entry.Overrides[i].Share) {
				return
			}
		}
	}
}

// cutShare is the share without what does not fit into what is left of each limit: a limit is gone, or smaller than what is guaranteed of it.
func cutShare(s contract.Share, limits []contract.Limit, left []claim) contract.Share {
	kept := make(map[string]contract.Part, len(s.PerLimit))
	for n, l := range limits {
		part, named := s.PerLimit[l.Name]
		if !named {
			s.GuaranteedPercent = cutPart(s.Part, l, left[n]).GuaranteedPercent
			continue
		}
		if before, again := kept[l.Name]; again {
			part = before // what fits into the limit as it is now must fit into it as it will be
		}
		kept[l.Name] = cutPart(part, l, left[n])
	}
	s.PerLimit = kept
	if len(kept) == 0 {
		s.PerLimit = nil
	}
	return s
}

func cutPart(p contract.Part, l contract.Limit, left claim) contract.Part {
	left = claim{max(0, left.units), max(0, left.percent)}
	if p.GuaranteedCalls != nil {
		p.GuaranteedCalls = new(min(*p.GuaranteedCalls, left.units))
		return p
	}
	p.GuaranteedPercent = min(p.GuaranteedPercent, left.percent)
	if p.Guaranteed(l.Size()) > left.units {
		p.GuaranteedPercent = left.units * 100 / l.Size()
	}
	return p
}

// sameShares says whether two entries guarantee the same at all times because nothing in their shares differs.
func sameShares(a, b *contract.Integration) bool {
	return equalShares(a.Share, b.Share) && slices.EqualFunc(a.Overrides, b.Overrides, func(x, y contract.Override) bool {
		return equalTimes(x.From, y.From) && equalTimes(x.Until, y.Until) && equalWeeks(x.Weekly, y.Weekly) && equalShares(x.Share, y.Share)
	})
}

func equalShares(a, b contract.Share) bool {
	return equalParts(a.Part, b.Part) && maps.EqualFunc(a.PerLimit, b.PerLimit, equalParts)
}

func equalParts(a, b contract.Part) bool {
	return a.GuaranteedPercent == b.GuaranteedPercent && equal(a.GuaranteedCalls, b.GuaranteedCalls)
}

func equal(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }

func equalTimes(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }

func equalWeeks(a, b *contract.Weekly) bool {
	return a == b || a != nil && b != nil && a.Start == b.Start && a.End == b.End && a.TimeZone == b.TimeZone && slices.Equal(a.Days, b.Days)
}
