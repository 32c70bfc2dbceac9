// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/catalogue"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

// maxLimits is how many limits a licence can have, declared or not.
const maxLimits = 16

// defaultServerDelaySeconds holds where neither the spec nor the catalogue says how late the CRM may still count a call.
const defaultServerDelaySeconds = 60

// WrittenLicence is a licence with its limits written out.
type WrittenLicence struct {
	// Tier in force; empty if all limits are declared.
	Tier string
	// Limits in force: those of the catalogue in its order, then the others that are declared.
	Limits []WrittenLimit
	// Next is the licence that follows; nil if none does, or it is in force already.
	Next *NextWritten

	// ServerDelaySeconds is what is declared, or known of the CRM, or the default.
	ServerDelaySeconds int32
	// Tiers for advice, as in contract.Plan.
	Tiers []contract.Tier
}

// NextWritten is a licence that follows.
type NextWritten struct {
	Tier   string
	From   time.Time
	Limits []WrittenLimit
}

// WrittenLimit is a limit and where it comes from: Source and Confidence are empty for one that is declared.
type WrittenLimit struct {
	v1alpha1.Limit
	Origin             v1alpha1.LimitOrigin
	Source, Confidence string
}

// writeOut writes the licence of a spec out as it is at a time.
func writeOut(spec *v1alpha1.CRMSpec, now time.Time) (*WrittenLicence, Decision) {
	declared := &spec.Licence
	known := catalogue.Of(spec.Provider)
	out := &WrittenLicence{ServerDelaySeconds: declared.MaxServerDelaySeconds}
	if known != nil && known.ServerDelay != nil {
		out.ServerDelaySeconds = cmp.Or(out.ServerDelaySeconds, known.ServerDelay.Seconds)
	}
	out.ServerDelaySeconds = cmp.Or(out.ServerDelaySeconds, defaultServerDelaySeconds)

	has := licenceOf(spec)
	limits, d := limitsOf(spec, known, has, "licence.")
	if !d.OK() {
		return nil, d
	}
	if next := declared.Next; next != nil {
		following := has
		following.Tier, following.Seats, following.AddOns = string(next.Tier), int64(next.Seats), countsOf(next.AddOns)
		then, d := limitsOf(spec, known, following, "licence.next.")
		switch {
		case !d.OK():
			return nil, d
		case next.From.After(now):
			out.Next = &NextWritten{following.Tier, next.From.UTC(), then}
		default:
			has, limits = following, then
		}
	}
	out.Tier, out.Limits = has.Tier, limits
	if known != nil {
		out.Tiers = tiersFor(known.Alternatives(has), has.Tier, limits)
	}
	return out, accepted
}

// licenceOf is the declared licence in the catalogue's words.
func licenceOf(spec *v1alpha1.CRMSpec) catalogue.Licence {
	l := catalogue.Licence{
		Tier: string(spec.Licence.Tier), Seats: int64(spec.Licence.Seats), AddOns: countsOf(spec.Licence.AddOns), SignIn: catalogue.APIKey,
	}
	if c := spec.Credentials; c.OAuthClient != nil || c.OAuthRefresh != nil || c.OAuthJWT != nil {
		l.SignIn = catalogue.OAuth
	}
	return l
}

func countsOf(addOns []v1alpha1.AddOn) map[string]int64 {
	counts := make(map[string]int64, len(addOns))
	for _, a := range addOns {
		counts[string(a.Name)] = a.Count
	}
	return counts
}

// limitsOf are the limits of a licence: those of its tier, with the declared ones in place of those of the same name, or after them. field is the path of the
// licence's own fields.
func limitsOf(spec *v1alpha1.CRMSpec, known *catalogue.CRM, l catalogue.Licence, field string) ([]WrittenLimit, Decision) {
	var implied []WrittenLimit
	if l.Tier != "" {
		var d Decision
		if implied, d = impliedBy(spec, known, l, field); !d.OK() {
			return nil, d
		}
		if d := judgeNames(spec.Licence.Limits, implied, l.Tier); !d.OK() {
			return nil, d
		}
	}
	for i := range spec.Licence.Limits {
		limit := WrittenLimit{Limit: spec.Licence.Limits[i], Origin: v1alpha1.LimitOriginDeclared}
		if n := indexOf(implied, limit.Name); n >= 0 {
			implied[n] = limit
		} else {
			implied = append(implied, limit)
		}
	}
	if len(implied) > maxLimits {
		return nil, Decision{v1alpha1.ReasonTooManyLimits, fmt.Sprintf(
			"licence.limits: with those of tier %s there are %d, more than %d: declare fewer that the tier does not imply", l.Tier, len(implied), maxLimits)}
	}
	return implied, accepted
}

// impliedBy are the limits that a tier implies.
func impliedBy(spec *v1alpha1.CRMSpec, known *catalogue.CRM, l catalogue.Licence, field string) ([]WrittenLimit, Decision) {
	if known == nil {
		return nil, Decision{v1alpha1.ReasonUnknownTier, fmt.Sprintf("%stier: no tiers of %s are known: declare licence.limits", field, spec.Provider)}
	}
	limits, err := known.Expand(l)
	if err != nil {
		if wrong, is := errors.AsType[*catalogue.Error](err); is {
			field += wrong.Field
			err = errors.New(wrong.Message)
		}
		return nil, Decision{v1alpha1.ReasonUnknownTier, field + ": " + err.Error()}
	}
	implied := make([]WrittenLimit, 0, len(limits))
	for _, w := range limits {
		if c := w.Calendar; c != nil && c.TimeZone == "" {
			c.TimeZone = spec.Licence.TimeZone
		}
		implied = append(implied, WrittenLimit{w.Limit, v1alpha1.LimitOriginCatalogue, w.Document, string(w.Confidence)})
	}
	return implied, accepted
}

func indexOf(limits []WrittenLimit, name v1alpha1.LimitName) int {
	return slices.IndexFunc(limits, func(l WrittenLimit) bool { return l.Name == name })
}

// judgeNames refuses a declared limit that is probably meant to take the place of an implied one and does not.
func judgeNames(declared []v1alpha1.Limit, implied []WrittenLimit, tier string) Decision {
	names := make([]string, 0, len(implied))
	for _, l := range implied {
		names = append(names, string(l.Name))
	}
	for i := range declared {
		if near := catalogue.Near(string(declared[i].Name), names); near != "" {
			return Decision{v1alpha1.ReasonUnclearLimit, fmt.Sprintf(
				"licence.limits[%d].name: %s is almost %s, which tier %s implies: use that name to take its place, or one that differs more to come on top",
				i, declared[i].Name, near, tier)}
		}
	}
	return accepted
}

// tiersFor are the tiers for advice: of each those limits that a change of the tier would change. Where a tier is declared these are the implied ones; else those
// that are declared as the catalogue has them, but for their size. A tier with the limits of the one before is left out.
func tiersFor(alternatives []catalogue.Alternative, tier string, inForce []WrittenLimit) []contract.Tier {
	var out []contract.Tier
	for _, a := range alternatives {
		sizes := make(map[string]int64)
		for _, w := range a.Limits {
			n := indexOf(inForce, w.Name)
			if n < 0 {
				continue
			}
			now, then := planned(inForce[n].Limit), planned(w.Limit)
			if tier != "" && inForce[n].Origin == v1alpha1.LimitOriginCatalogue || tier == "" && counts(now) == counts(then) {
				sizes[now.Name] = then.Size()
			}
		}
		if more := len(out) == 0 || !maps.Equal(out[len(out)-1].Limits, sizes); more && len(sizes) > 0 {
			out = append(out, contract.Tier{Name: a.Tier, Limits: sizes})
		}
	}
	return out
}

func planned(l v1alpha1.Limit) contract.Limit { return limits([]v1alpha1.Limit{l})[0] }

// counts is what a limit counts over what time, of a limit of all calls.
func counts(l contract.Limit) string {
	window := fmt.Sprintf("%d s", l.WindowSeconds)
	if l.Calendar != nil {
		window = string(l.Calendar.Unit)
	}
	return fmt.Sprintf("%s %t %t %v", window, l.ExecutionSeconds > 0, l.Concurrent > 0, l.Match)
}

// written translates limits.
func written(from []WrittenLimit) []contract.Limit {
	bare := make([]v1alpha1.Limit, 0, len(from))
	for _, l := range from {
		bare = append(bare, l.Limit)
	}
	return limits(bare)
}
