// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

// Bounds of what a file may say, so that no formula leaves the range of int64.
const (
	maxFigure     = 1_000_000_000
	maxPerSeat    = 1_000_000
	maxMultiplier = 1000
	maxLimits     = 16
)

var (
	name      = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,39}$`)
	limitName = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$`)
	month     = regexp.MustCompile(`^20[0-9]{2}-(0[1-9]|1[0-2])$`)
)

// Parse reads one file. Unknown fields, figures without a source or confidence, and names that nothing stands behind are errors.
func Parse(text []byte) (*CRM, error) {
	c := &CRM{}
	if err := yaml.UnmarshalStrict(text, c); err != nil {
		return nil, err
	}
	p := problems{crm: c, used: make(map[string]bool)}
	p.require(c.Provider != "" && c.Provider != v1alpha1.ProviderGeneric, "provider", "%q is none of which anything can be known", c.Provider)
	for key, s := range c.Sources {
		p.require(s.Document != "" && month.MatchString(s.Date), "sources."+key, "document, and date as in 2026-11, are required")
	}
	if d := c.ServerDelay; d != nil {
		p.evidence(d.Evidence, "serverDelay")
		p.require(1 <= d.Seconds && d.Seconds <= 3600, "serverDelay.seconds", "%d is not between 1 and 3600", d.Seconds)
	}
	p.tiers()
	p.limits()
	p.addOns()
	for key := range c.Sources {
		p.require(p.used[key], "sources."+key, "nothing refers to it")
	}
	return c, errors.Join(p.found...)
}

// problems collects what is wrong with a file.
type problems struct {
	crm *CRM
	// used are the sources that something refers to.
	used  map[string]bool
	found []error
}

func (p *problems) require(holds bool, field, format string, args ...any) {
	if !holds {
		p.found = append(p.found, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
}

func (p *problems) evidence(e Evidence, field string) {
	_, known := p.crm.Sources[e.Source]
	p.used[e.Source] = true
	p.require(known, field+".source", "%q is not among the sources", e.Source)
	p.require(slices.Contains([]Confidence{Vendor, ThirdParty, General, Unconfirmed}, e.Confidence), field+".confidence", "%q is not known", e.Confidence)
}

func (p *problems) tiers() {
	seen := make(map[string]bool)
	for _, t := range p.crm.Tiers {
		field := fmt.Sprintf("tiers[%s]", t.Name)
		p.require(name.MatchString(t.Name) && !seen[t.Name], field, "names must be like SuiteTeam and differ")
		p.require(t.Title != "" && t.Family != "", field, "title and family are required")
		seen[t.Name] = true
		p.require(slices.ContainsFunc(p.crm.Limits, func(l Limit) bool {
			return slices.ContainsFunc(l.Sizes, func(s Size) bool { return concerns(s.Tiers, t.Name) })
		}), field, "it has no limit")
	}
	p.require(len(p.crm.Tiers) > 0, "tiers", "there is none")
}

func (p *problems) known(tiers []string, field string) {
	for _, t := range tiers {
		_, known := p.crm.tier(t)
		p.require(known, field+".tiers", "%q is no tier", t)
	}
}

func (p *problems) limits() {
	p.require(1 <= len(p.crm.Limits) && len(p.crm.Limits) <= maxLimits, "limits", "there are %d, not 1 to %d", len(p.crm.Limits), maxLimits)
	seen := make(map[v1alpha1.LimitName]bool)
	for i := range p.crm.Limits {
		l := &p.crm.Limits[i]
		field := fmt.Sprintf("limits[%s]", l.Name)
		p.require(limitName.MatchString(string(l.Name)) && !seen[l.Name], field, "names must be like ticket-updates and differ")
		seen[l.Name] = true
		p.evidence(l.Evidence, field)
		p.shape(l, field)
		p.require(len(l.Sizes) > 0, field+".sizes", "there is none")
		for n := range l.Sizes {
			p.size(&l.Sizes[n], l, fmt.Sprintf("%s.sizes[%d]", field, n))
		}
	}
}

// shape: the rules of the API hold for a limit once its size is filled in; here only what they cannot see.
func (p *problems) shape(l *Limit, field string) {
	p.require(l.Calls == 0 && l.ExecutionSeconds == 0 && l.Concurrent == 0, field, "calls, executionSeconds and concurrent come from sizes")
	periods := l.WindowSeconds != 0 || l.Calendar != nil
	switch l.Measure {
	case "", Calls, ExecutionSeconds:
		p.require(periods, field, "windowSeconds or calendar is required")
	case Concurrent:
		p.require(!periods, field, "a concurrent limit has no window")
	default:
		p.require(false, field+".measure", "%q is not known", l.Measure)
	}
}

func (p *problems) size(s *Size, l *Limit, field string) {
	p.evidence(s.Evidence, field)
	p.known(s.Tiers, field)
	p.require(s.SignIn == "" || s.SignIn == APIKey || s.SignIn == OAuth, field+".signIn", "%q is not known", s.SignIn)
	p.require(s.Base > 0 || s.PerSeat > 0, field, "base or perSeat is required")
	for _, f := range []struct {
		name         string
		value, bound int64
	}{{"base", s.Base, l.most()}, {"perSeat", s.PerSeat, maxPerSeat}, {"multiplier", s.Multiplier, maxMultiplier}, {"max", s.Max, l.most()}} {
		p.require(0 <= f.value && f.value <= f.bound, field+"."+f.name, "%d is not between 0 and %d", f.value, f.bound)
	}
	for _, c := range l.Costs {
		p.require(int64(c.Cost) <= max(s.Base, s.PerSeat), field, "a call of cost %d could never be sent", c.Cost)
		p.require(c.Per == (v1alpha1.CostPer{}) || c.Per.Most > 0, field, "costs with per need its most")
	}
}

func (p *problems) addOns() {
	seen := make(map[string]bool)
	for _, a := range p.crm.AddOns {
		field := fmt.Sprintf("addOns[%s]", a.Name)
		p.require(name.MatchString(a.Name) && !seen[a.Name] && a.Title != "", field, "names must be like HighVolumeAPI and differ, and title is required")
		seen[a.Name] = true
		p.known(a.Tiers, field)
		p.require(a.Max >= 0 && len(a.Effects) > 0, field, "it must have an effect, and max must not be negative")
		for n, e := range a.Effects {
			field := fmt.Sprintf("%s.effects[%d]", field, n)
			p.evidence(e.Evidence, field)
			p.known(e.Tiers, field)
			p.require(slices.Contains(p.crm.LimitNames(), e.Limit), field+".limit", "%q is none of %s", e.Limit, strings.Join(p.crm.LimitNames(), ", "))
			p.require((e.Each > 0) != (e.RaisesTo > 0) && e.Each <= maxFigure && e.RaisesTo <= maxFigure, field, "exactly one of each and raisesTo must be set")
		}
	}
}
