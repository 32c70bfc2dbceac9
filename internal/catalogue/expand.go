// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// Licence is what somebody has.
type Licence struct {
	Tier  string
	Seats int64
	// AddOns are the numbers of each, by name.
	AddOns map[string]int64
	SignIn SignIn
}

// Cause is why a licence cannot be written out.
type Cause int

const (
	// UnknownTier says that the CRM has no tier of that name.
	UnknownTier Cause = iota + 1
	// UnknownAddOn says that the CRM has no add-on of that name, not with that tier, or not so many.
	UnknownAddOn
	// SeatsMissing says that a limit of the tier depends on the number of seats.
	SeatsMissing
)

// Error says why a licence cannot be written out, and what could be.
type Error struct {
	Cause Cause
	// Field is the one to change: tier, seats or addOns[<name>].
	Field   string
	Message string
}

func (e *Error) Error() string { return e.Field + ": " + e.Message }

// Written is a limit with its size, and where that comes from.
type Written struct {
	v1alpha1.Limit
	Document   string
	Confidence Confidence
}

func (w *Written) size() int64 { return max(w.Calls, w.ExecutionSeconds, int64(w.Concurrent)) }

// Expand writes the limits of a licence out, in the catalogue's order. Sizes are at most what a manifest can declare. The error is an *Error.
func (c *CRM) Expand(l Licence) ([]Written, error) {
	tier, known := c.tier(l.Tier)
	if !known {
		return nil, &Error{UnknownTier, "tier", fmt.Sprintf("%s has no tier %s; it has %s", c.Provider, l.Tier, strings.Join(c.TierNames(), ", "))}
	}
	if err := c.judgeAddOns(l); err != nil {
		return nil, err
	}
	var out []Written
	for i := range c.Limits {
		limit := &c.Limits[i]
		n := slices.IndexFunc(limit.Sizes, func(s Size) bool { return concerns(s.Tiers, tier.Name) && (s.SignIn == "" || s.SignIn == l.SignIn) })
		if n < 0 {
			continue
		}
		size := &limit.Sizes[n]
		if size.PerSeat > 0 && l.Seats <= 0 {
			return nil, &Error{SeatsMissing, "seats", fmt.Sprintf("limit %s of tier %s depends on the number of seats: set it", limit.Name, tier.Name)}
		}
		units, evidence := c.enlarge(limit, size.units(l.Seats), size.Evidence, l)
		out = append(out, Written{Limit: limit.of(min(units, limit.most())), Document: c.Sources[evidence.Source].Document, Confidence: evidence.Confidence})
	}
	return out, nil
}

func (c *CRM) judgeAddOns(l Licence) error {
	for _, added := range slices.Sorted(maps.Keys(l.AddOns)) {
		count := l.AddOns[added]
		n := slices.IndexFunc(c.AddOns, func(a AddOn) bool { return a.Name == added && concerns(a.Tiers, l.Tier) })
		switch {
		case n < 0:
			offered := "none"
			if names := c.addOnsOf(l.Tier); len(names) > 0 {
				offered = strings.Join(names, ", ")
			}
			return &Error{UnknownAddOn, "addOns[" + added + "]", fmt.Sprintf("tier %s of %s has no such add-on; it has %s", l.Tier, c.Provider, offered)}
		case c.AddOns[n].Max > 0 && count > c.AddOns[n].Max:
			return &Error{UnknownAddOn, "addOns[" + added + "].count", fmt.Sprintf("%d are more than the %d that can be had", count, c.AddOns[n].Max)}
		}
	}
	return nil
}

// addOnsOf are the names of those that can be had with a tier.
func (c *CRM) addOnsOf(tier string) (names []string) {
	for _, a := range c.AddOns {
		if concerns(a.Tiers, tier) {
			names = append(names, a.Name)
		}
	}
	return names
}

// units by the formula, before add-ons.
func (s *Size) units(seats int64) int64 {
	n := (s.Base + s.PerSeat*seats) * max(s.Multiplier, 1)
	if s.Max > 0 {
		n = min(n, s.Max)
	}
	return n
}

// enlarge adds what add-ons give: first what raises the limit to a figure, then what adds to it. The evidence is that of the add-on if there is one.
func (c *CRM) enlarge(limit *Limit, units int64, evidence Evidence, l Licence) (int64, Evidence) {
	var added int64
	for _, a := range c.AddOns {
		count := l.AddOns[a.Name]
		if count <= 0 {
			continue
		}
		for _, e := range a.Effects {
			if e.Limit != string(limit.Name) || !concerns(e.Tiers, l.Tier) {
				continue
			}
			added += min(e.Each*min(count, maxFigure), maxFigure)
			units, evidence = max(units, e.RaisesTo), e.Evidence
		}
	}
	return units + added, evidence
}

// most is the largest size that a manifest can declare.
func (l *Limit) most() int64 {
	switch l.Measure {
	case ExecutionSeconds:
		return 10_000_000
	case Concurrent:
		return 10_000
	default:
		return maxFigure
	}
}

// of is the limit with a size.
func (l *Limit) of(units int64) v1alpha1.Limit {
	out := *l.DeepCopy()
	switch l.Measure {
	case ExecutionSeconds:
		out.ExecutionSeconds = units
	case Concurrent:
		out.Concurrent = int32(units)
	default:
		out.Calls = units
	}
	return out
}

// Alternatives are the tiers on sale of the family that a licence's tier belongs to, or of all families if there is no such tier, the smallest first, each with its
// limits written out for the same seats and those of the add-ons that can be had with it. A tier that cannot be written out for them is left out.
func (c *CRM) Alternatives(l Licence) (tiers []Alternative) {
	own, has := c.tier(l.Tier)
	for _, t := range c.Tiers {
		if has && t.Family != own.Family || t.Retired {
			continue
		}
		other := Licence{Tier: t.Name, Seats: l.Seats, AddOns: make(map[string]int64), SignIn: l.SignIn}
		for _, name := range c.addOnsOf(t.Name) {
			if count := l.AddOns[name]; count > 0 {
				other.AddOns[name] = count
			}
		}
		if limits, err := c.Expand(other); err == nil {
			tiers = append(tiers, Alternative{t.Name, limits})
		}
	}
	if !has { // the first limit is the one that a CRM is known for
		slices.SortStableFunc(tiers, func(a, b Alternative) int { return cmp.Compare(a.Limits[0].size(), b.Limits[0].size()) })
	}
	return tiers
}

// Alternative is a tier with its limits written out.
type Alternative struct {
	Tier   string
	Limits []Written
}
